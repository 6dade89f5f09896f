"""DICOM series: every way to store a volume is the same volume, and what is no whole, even stack is refused."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from series_files import alter, load, save, small_volume, stored_ways

from guidegen.errors import IdentityError, InputError, VolumeError
from guidegen.frames import rotation_about
from guidegen.intake.series import read_series
from guidegen.phantom.dicom import write_series
from guidegen.volumes import Volume

TOLERANCE_MM = 0.001
SECRETS = {"PatientName": "DOE^JOHN", "PatientID": "SECRET-1", "PatientBirthDate": "19610203"}
NORMAL = np.array(small_volume().direction[:, 2])
Alter = Callable[[list[Path]], object]


def read(folder: Path) -> Volume:
    return read_series(folder, folder.name).volume


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A CT of 9 slices of 16 rows and 12 columns of somebody who must not be named."""
    paths = write_series(small_volume(), tmp_path_factory.mktemp("ct"), modality="CT", patient_id=SECRETS["PatientID"])
    for path in paths:
        alter(path, **SECRETS)
    return paths


@pytest.fixture
def series(pristine: list[Path], tmp_path: Path) -> list[Path]:
    """The files of `pristine` in a folder of the test's own."""
    shutil.copytree(pristine[0].parent, tmp_path / "ct")
    return [tmp_path / "ct" / path.name for path in pristine]


@pytest.fixture
def three(tmp_path: Path) -> list[Path]:
    """The fewest slices that make a volume."""
    return write_series(small_volume(shape=(6, 5, 3)), tmp_path / "three", modality="CT")


def positions_mm(paths: list[Path], change: Callable[[int, Any], Any]) -> None:
    """Move every slice k to change(k, its position)."""
    for k, path in enumerate(paths):
        place = np.array(load(path).ImagePositionPatient, dtype=np.float64)
        moved = np.asarray(change(k, place), dtype=np.float64)
        alter(path, ImagePositionPatient=[f"{value:.8f}" for value in moved])


def assert_same(found: Volume, truth: Volume) -> None:
    """Every voxel of `found` is that of `truth`, and lies where it lies there."""
    truth = truth.canonical()
    np.testing.assert_array_equal(found.voxels, truth.voxels)
    corners = np.array(list(np.ndindex(2, 2, 2))) * (np.array(truth.voxels.shape) - 1)
    np.testing.assert_allclose(found.to_lps(corners), truth.to_lps(corners), atol=TOLERANCE_MM)


@pytest.mark.parametrize("turn_deg", [0.0, 25.0])
def test_all_48_ways_to_store_a_volume(turn_deg: float, tmp_path: Path) -> None:
    truth = small_volume(rotation_about([1.0, 2.0, -0.5], turn_deg), shape=(5, 4, 3))
    for number, stored in enumerate(stored_ways(truth)):
        folder = tmp_path / str(number)
        write_series(stored, folder, modality="CT")
        assert_same(read(folder), truth)
    assert number == 47


@pytest.mark.parametrize("number", range(6))
def test_the_place_is_the_one_that_simpleitk_finds(number: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(number)
    truth = small_volume(rotation_about(rng.standard_normal(3), rng.uniform(0.0, 180.0)))
    write_series(truth, tmp_path, modality="MR")
    assert_same(read(tmp_path), by_simpleitk(tmp_path))


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("modality", ["CT", "MR"])
def test_modalities_and_signs(modality: Any, signed: bool, tmp_path: Path) -> None:
    truth = small_volume()
    if modality == "MR" and not signed:
        truth = Volume(truth.voxels + 1024, truth.spacing_mm, truth.direction, truth.origin_mm)
    write_series(truth, tmp_path, modality=modality, signed=signed)
    assert read(tmp_path).voxels.dtype == np.int16
    assert_same(read(tmp_path), truth)
    assert_same(read(tmp_path), by_simpleitk(tmp_path))


def by_simpleitk(folder: Path) -> Volume:
    image = sitk.ReadImage(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder)))
    return Volume(
        sitk.GetArrayFromImage(image).transpose(),
        np.array(image.GetSpacing()),
        np.array(image.GetDirection()).reshape(3, 3),
        np.array(image.GetOrigin()),
    )


@pytest.mark.shared
@pytest.mark.parametrize("name", ["series01", "series06"])
def test_real_mr_series(name: str, shared: Path) -> None:
    image = read_series(shared / "data" / "mr_dicom" / name, name)
    assert_same(image.volume, by_simpleitk(shared / "data" / "mr_dicom" / name))
    assert image.identity is not None
    assert (image.identity.modality, image.identity.sex, image.identity.birth_date) == ("MR", "F", None)


@pytest.mark.parametrize(
    "syntax", [pydicom.uid.ImplicitVRLittleEndian, pydicom.uid.ExplicitVRBigEndian, pydicom.uid.RLELossless]
)
def test_transfer_syntaxes(syntax: pydicom.uid.UID, series: list[Path]) -> None:
    for path in series:
        dataset = load(path)
        if syntax == pydicom.uid.RLELossless:
            dataset.compress(syntax, encoding_plugin="pydicom", generate_instance_uid=False)
            save(dataset, path)
        else:
            if not syntax.is_little_endian:
                dataset.PixelData = np.frombuffer(dataset.PixelData, "<i2").byteswap().tobytes()
            save(dataset, path, syntax)
    assert_same(read(series[0].parent), small_volume())


def test_names_and_numbers_of_the_files_do_not_matter(series: list[Path]) -> None:
    rng = np.random.default_rng(3)
    for path, number in zip(series, rng.permutation(len(series)).tolist(), strict=True):
        alter(path, InstanceNumber=str(7 * number + 3))
        path.rename(path.with_name(f"IM{number}"))
    assert_same(read(series[0].parent), small_volume())


def test_positions_may_be_rounded_text(series: list[Path]) -> None:
    for path in series:
        alter(path, ImagePositionPatient=[f"{float(value):.2f}" for value in load(path).ImagePositionPatient])
    found, truth = read(series[0].parent), small_volume()
    np.testing.assert_allclose(found.origin_mm, truth.canonical().origin_mm, atol=0.01)


def test_grey_values_that_are_not_whole_are_floats(series: list[Path]) -> None:
    for path in series:
        alter(path, RescaleSlope="0.5", RescaleIntercept="-1000")
    found = read(series[0].parent)
    assert found.voxels.dtype == np.float32
    np.testing.assert_array_equal(found.voxels, (small_volume().canonical().voxels + 1024) * 0.5 - 1000.0)


def test_grey_values_beyond_int16_are_floats(series: list[Path]) -> None:
    for path in series:
        alter(path, RescaleSlope="40", RescaleIntercept="0")
    assert read(series[0].parent).voxels.max() == (12 * 16 * 9 - 1) * 40.0


def test_identity(tmp_path: Path) -> None:
    volume = small_volume()
    paths = write_series(volume, tmp_path, modality="MR", patient_id="P7", study_date="20240229", laterality="R")
    alter(paths[0], AcquisitionDate="20240301")  # after midnight
    identity = read_series(tmp_path, "mr").identity
    assert identity is not None
    assert (identity.file, identity.modality, identity.patient_id) == ("mr", "MR", "P7")
    assert (identity.study_date, identity.acquisition_date) == ("2024-02-29", "2024-02-29")
    assert (identity.birth_date, identity.sex, identity.laterality) == (None, None, "right")
    dataset = load(paths[0])
    assert identity.study_uid == dataset.StudyInstanceUID
    assert identity.series_uid == dataset.SeriesInstanceUID
    assert identity.frame_of_reference_uid == dataset.FrameOfReferenceUID


def test_the_same_series_has_the_same_bytes(tmp_path: Path) -> None:
    first, second = (write_series(small_volume(), tmp_path / name, modality="CT") for name in "ab")
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_values_that_do_not_fit_are_not_written(tmp_path: Path) -> None:
    volume = small_volume()
    with pytest.raises(VolumeError, match=r"expected whole numbers from 0 to 65535, found int16 from -1024"):
        write_series(volume, tmp_path, modality="MR", signed=False)


def copy_as(source: Path, name: str, **elements: Any) -> None:
    shutil.copy(source, source.with_name(name))
    alter(source.with_name(name), **elements)


def into_frames(path: Path) -> None:
    dataset = load(path)
    dataset.NumberOfFrames = 2
    dataset.PixelData = dataset.PixelData * 2
    save(dataset, path)


def into_colour(path: Path) -> None:
    dataset = load(path)
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation, dataset.PlanarConfiguration = 3, "RGB", 0
    dataset.PixelData = dataset.PixelData * 3
    save(dataset, path)


def into_bytes(path: Path) -> None:
    dataset = load(path)
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 8, 8, 7
    dataset.PixelData = dataset.PixelData[::2]
    save(dataset, path)


def smaller(path: Path) -> None:
    dataset = load(path)
    dataset.Rows, dataset.PixelData = 8, dataset.PixelData[: 8 * 12 * 2]
    save(dataset, path)


def turned(path: Path, angle_deg: float) -> None:
    turn = rotation_about(NORMAL, angle_deg)
    axes = np.array(load(path).ImageOrientationPatient, dtype=np.float64).reshape(2, 3) @ turn.T
    alter(path, ImageOrientationPatient=[f"{value:.12f}" for value in axes.ravel()])


def one(**elements: Any) -> Alter:
    """Alters the fourth slice."""
    return lambda paths: alter(paths[3], **elements)


def every(**elements: Any) -> Alter:
    return lambda paths: [alter(path, **elements) for path in paths]


def moved(change: Callable[[int, Any], Any]) -> Alter:
    return lambda paths: positions_mm(paths, change)


ORIENTATION = [*small_volume().direction[:, 0].tolist(), *small_volume().direction[:, 1].tolist()]
SIDEWAYS = np.array(ORIENTATION[3:])

REFUSED: dict[str, tuple[Alter, str]] = {
    # what else lies in the folder
    "a text file": (
        lambda paths: paths[0].with_name("notes.txt").write_text("CT"),
        r"ct/notes.txt: expected a DICOM file, found no such header; .*take it away",
    ),
    "a folder": (lambda paths: (paths[0].parent / "more").mkdir(), r"found more, which is no file"),
    "a link to a slice": (
        lambda paths: (
            paths[3].rename(paths[3].parent.with_name("4.dcm")).exists()
            and paths[3].symlink_to(paths[3].parent.with_name("4.dcm"))
        ),
        r"found 0004\.dcm, which is no file",
    ),
    "a link to a device": (
        lambda paths: paths[0].with_name("x.dcm").symlink_to("/dev/zero"),
        r"found x\.dcm, which is no file",
    ),
    "a pipe": (lambda paths: os.mkfifo(paths[0].with_name("pipe")), r"found pipe, which is no file"),
    "a name that no terminal shows": (
        lambda paths: paths[0].with_name("a\nb\x1b[31m").write_text(""),
        r"ct/'a\\nb\\x1b\[31m': expected a DICOM file",
    ),
    "a localizer": (
        lambda paths: copy_as(paths[0], "0.dcm", SOPInstanceUID="1.2.3", ImageOrientationPatient=[1, 0, 0, 0, 0, -1]),
        r"expected slices of one orientation, found another than in 0\.dcm in 0001\.dcm, .* and 6 more",
    ),
    "one slice": (lambda paths: [path.unlink() for path in paths[1:]], r"expected 3 to 4096 slices, found 1"),
    "two slices": (lambda paths: [path.unlink() for path in paths[2:]], r"expected 3 to 4096 slices, found 2"),
    "no slice": (lambda paths: [path.unlink() for path in paths], r"expected 3 to 4096 slices, found 0"),
    # more than one series
    "two series": (one(SeriesInstanceUID="1.2.3"), r"one series, found 2: 8 like 0001\.dcm, 1 like 0004\.dcm"),
    "two modalities": (
        one(Modality="MR", SOPClassUID="1.2.840.10008.5.1.4.1.1.4"),
        r"one modality, found 2: 8 like 0001\.dcm, 1 like 0004\.dcm",
    ),
    "two sizes": (lambda paths: smaller(paths[3]), r"one size, found 2: 8 like 0001\.dcm, 1 like 0004\.dcm"),
    "two kinds of value": (one(BitsStored=12, HighBit=11), r"one kind of stored value, found 2"),
    "two signs": (one(PixelRepresentation=0), r"one kind of stored value, found 2"),
    "two rescales": (one(RescaleIntercept="-1023"), r"one rescale slope and intercept, found 2"),
    "two slopes": (one(RescaleSlope="1.0001"), r"one rescale slope and intercept, found 2"),
    "one slice turned": (lambda paths: turned(paths[3], 0.2), r"one orientation, found another .* in 0004\.dcm"),
    "one slice upside down": (lambda paths: turned(paths[3], 180.0), r"one orientation, found another"),
    "one mirrored slice": (
        one(ImageOrientationPatient=[f"{-value:.12f}" for value in ORIENTATION[:3]] + ORIENTATION[3:]),
        r"one orientation, found another than in 0001\.dcm in 0004\.dcm",
    ),
    "two pixel spacings": (one(PixelSpacing=["0.8", "0.703"]), r"one pixel spacing, .* in 0004\.dcm"),
    "rows and columns swapped": (one(PixelSpacing=["0.7", "0.8"]), r"one pixel spacing, .* in 0004\.dcm"),
    # what is no stack
    "a missing slice": (
        lambda paths: paths[3].unlink(),
        r"a slice every 1\.25 mm, found 1 missing: 1 between 0003\.dcm and 0005\.dcm",
    ),
    "missing slices": (
        lambda paths: [paths[k].unlink() for k in (1, 4, 5)],
        r"found 3 missing: 1 between 0001\.dcm and 0003\.dcm, 2 between 0004\.dcm and 0007\.dcm",
    ),
    "a copy": (
        lambda paths: shutil.copy(paths[3], paths[3].with_name("copy.dcm")),
        r"expected each slice once, found 0004\.dcm and copy\.dcm with one UID",
    ),
    "two slices at one place": (
        lambda paths: copy_as(paths[3], "echo.dcm", SOPInstanceUID="1.2.3"),
        r"one slice at each place, found 1 more .*: 0004\.dcm and echo\.dcm",
    ),
    "two echoes": (
        lambda paths: [copy_as(path, f"e{path.name}", SOPInstanceUID=f"1.2.{path.stem[-1]}") for path in paths],
        r"one slice at each place, found 9 more",
    ),
    "all at one place": (moved(lambda _, place: 0 * place), r"one slice at each place, found 8 more"),
    "uneven steps": (
        moved(lambda k, place: place + 0.05 * (k == 4) * NORMAL),
        r"even steps between slices, found 1\.2 to 1\.3 mm, the oddest between",
    ),
    "steps that grow": (moved(lambda k, place: place + 0.01 * k * k * NORMAL), r"expected even steps"),
    "the last slice away": (
        moved(lambda k, place: place + 0.4 * (k == 8) * NORMAL),
        r"the oddest between 0008\.dcm and 0009\.dcm",
    ),
    "a tilted gantry": (
        moved(lambda k, place: place + 1.25 * k * np.tan(np.radians(15.0)) * SIDEWAYS),
        r"leaning by 15\.00°, 2\.68 mm from first to last \(a tilted gantry\)",
    ),
    "a gantry tilted by little": (
        moved(lambda k, place: place + 1.25 * k * np.tan(np.radians(0.2)) * SIDEWAYS),
        r"leaning by 0\.20°",
    ),
    "one slice beside the others": (
        moved(lambda k, place: place + 0.05 * (k == 4) * SIDEWAYS),
        r"stacked above each other, found 0005\.dcm up to 0\.05 mm beside 0001\.dcm",
    ),
    "slices too far apart": (moved(lambda k, place: place + 12.0 * k * NORMAL), r"slices 0\.1 to 10\.0 mm apart, "),
    "slices too close": (moved(lambda k, place: place - 1.2 * k * NORMAL), r"found them 0\.05 mm apart"),
    # a slice whose place is none
    "skewed rows": (
        every(ImageOrientationPatient=["1", "0", "0", "0.002", "1", "0"]),
        r"0001\.dcm: expected rows and columns of unit direction at right angles, found them off by 0\.002",
    ),
    "long rows": (every(ImageOrientationPatient=["1.001", "0", "0", "0", "1", "0"]), r"of unit direction"),
    "parallel rows": (every(ImageOrientationPatient=["1", "0", "0", "1", "0", "0"]), r"of unit direction"),
    "no direction": (every(ImageOrientationPatient=["0"] * 6), r"of unit direction"),
    "directions without end": (every(ImageOrientationPatient=["1e308"] * 6), r"of unit direction"),
    "NaN directions": (one(ImageOrientationPatient=["nan"] * 6), r"0004\.dcm: expected 6 finite numbers"),
    "five directions": (one(ImageOrientationPatient=["0"] * 5), r"expected 6 finite numbers as ImageOrient"),
    "no orientation": (one(ImageOrientationPatient=None), r"expected 6 finite numbers .*, found none"),
    "NaN position": (one(ImagePositionPatient=["nan", "0", "0"]), r"expected 3 finite numbers as ImagePosition"),
    "infinite position": (one(ImagePositionPatient=["inf", "0", "0"]), r"expected 3 finite numbers"),
    "a place out of the house": (one(ImagePositionPatient=["1e300", "0", "0"]), r"expected a place within 10 m"),
    "no position": (one(ImagePositionPatient=None), r"0004\.dcm: expected 3 finite numbers as ImagePosition"),
    "zero spacing": (one(PixelSpacing=["0", "0.7"]), r"expected pixels of 0\.1 to 10\.0 mm, found 0\.7 × 0"),
    "negative spacing": (one(PixelSpacing=["0.8", "-0.7"]), r"expected pixels of .*, found -0\.7 × 0\.8"),
    "NaN spacing": (one(PixelSpacing=["nan", "0.7"]), r"expected 2 finite numbers as PixelSpacing"),
    "spacing in metres": (every(PixelSpacing=["0.0008", "0.0007"]), r"expected pixels of"),
    "spacing in microns": (every(PixelSpacing=["800", "700"]), r"expected pixels of"),
    "no spacing": (one(PixelSpacing=None), r"expected 2 finite numbers as PixelSpacing, found none"),
    # what is no CT or MR
    "another modality": (every(Modality="PT"), r"expected a CT or MR image, found another modality or class"),
    "no modality": (every(Modality=None), r"expected a CT or MR image"),
    "another class": (every(SOPClassUID="1.2.840.10008.5.1.4.1.1.7"), r"expected a CT or MR image"),
    "the class of MR in a CT": (every(SOPClassUID="1.2.840.10008.5.1.4.1.1.4"), r"expected a CT or MR image"),
    "frames": (lambda paths: into_frames(paths[3]), r"found a multi-frame image; export it as single frames"),
    "an enhanced CT": (every(SOPClassUID="1.2.840.10008.5.1.4.1.1.2.1"), r"found a multi-frame image"),
    "colour": (lambda paths: into_colour(paths[3]), r"0004\.dcm: expected grey values, found colours"),
    "inverted grey values": (every(PhotometricInterpretation="MONOCHROME1"), r"\(MONOCHROME2\), found others"),
    "a palette": (every(PhotometricInterpretation="PALETTE COLOR"), r"\(MONOCHROME2\), found others"),
    # stored values that may mean something else
    "8 bits": (lambda paths: into_bytes(paths[3]), r"expected 16 bits for a pixel, .* found 8 bits"),
    "more bits than there are": (every(BitsStored=17, HighBit=16), r"expected 16 bits .* 17 used"),
    "high bit elsewhere": (every(BitsStored=12, HighBit=15), r"12 used, the highest number 15"),
    "another sign": (every(PixelRepresentation=2), r"signed or not \(0 or 1\), .* signed 2"),
    "no sign": (every(PixelRepresentation=None), r"expected 1 finite number as PixelRepresentation"),
    "values beyond their bits": (
        every(BitsStored=8, HighBit=7),
        r"expected stored values from -128 to 127 \(8 bits\), found",
    ),
    "no rescale in a CT": (every(RescaleSlope=None, RescaleIntercept=None), r"1 finite number as RescaleSlope"),
    "half a rescale": (every(RescaleIntercept=None), r"expected 1 finite number as RescaleIntercept"),
    "zero slope": (every(RescaleSlope="0"), r"expected a rescale slope above 0"),
    "endless slope": (every(RescaleSlope="1e300"), r"and grey values within 1e\+07, found slope 1e\+300"),
    "another scale": (every(RescaleType="Z_EFF"), r"expected grey values on a straight scale, HU in a CT"),
    # identity
    "no series": (one(SeriesInstanceUID=None), r"expected the UIDs of slice, series, study and frame"),
    "no frame": (one(FrameOfReferenceUID=""), r"expected the UIDs of slice, series, study and frame"),
    "no UID": (one(SOPInstanceUID=None), r"expected the UIDs of slice, series, study and frame"),
    "a UID that is a path": (
        one(StudyInstanceUID="../../../../etc/x"),
        r"expected a UID of at most 64 digits and points at \(0020,000D\), found another text",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str, series: list[Path]) -> None:
    change, message = REFUSED[name]
    change(series)
    with pytest.raises(VolumeError, match=message) as caught:
        read_series(series[0].parent, "ct")
    assert caught.value.message.startswith("ct")
    assert not any(secret in caught.value.message for secret in SECRETS.values())


@pytest.mark.parametrize(
    ("what", "elements"),
    [
        ("patient id", {"PatientID": "OTHER"}),
        ("patient id", {"PatientID": None}),
        ("date of birth", {"PatientBirthDate": ""}),
        ("sex", {"PatientSex": "F"}),
        ("study", {"StudyInstanceUID": "1.2.3", "SeriesInstanceUID": "1.2.3.4"}),
        ("study date", {"StudyDate": "20240103"}),
        ("frame of reference", {"FrameOfReferenceUID": "1.2.3"}),
        ("laterality", {"ImageLaterality": "L"}),
    ],
)
def test_slices_of_two_patients_studies_or_frames(what: str, elements: dict[str, Any], series: list[Path]) -> None:
    alter(series[3], **elements)
    message = rf"ct: expected slices of one {what}, found 2: 8 like 0001\.dcm, 1 like 0004\.dcm; give each series"
    with pytest.raises(IdentityError, match=message) as caught:
        read_series(series[0].parent, "ct")
    assert not any(secret in caught.value.message for secret in SECRETS.values())


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(VolumeError, match=r"ct: expected a folder of slices, found none \(No such file"):
        read_series(tmp_path / "ct", "ct")


def test_a_series_too_large_is_refused(series: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("guidegen.intake.slices.MAX_SERIES_BYTES", 9 * 16 * 12 * 2)
    assert read(series[0].parent).voxels.size == 9 * 16 * 12
    monkeypatch.setattr("guidegen.intake.slices.MAX_SERIES_BYTES", 9 * 16 * 12 * 2 - 1)
    with pytest.raises(VolumeError, match=r"MiB in a series, found 9 files of 12 × 16 pixels; leave out the slices"):
        read(series[0].parent)


def test_a_name_is_not_even_read(series: list[Path]) -> None:
    assert "DOE" not in repr(read_series(series[0].parent, "ct").identity)


def test_a_series_cut_off_anywhere(three: list[Path]) -> None:
    whole = three[1].read_bytes()
    for size in range(0, len(whole), 3):
        three[1].write_bytes(whole[:size])
        with pytest.raises(VolumeError, match=r"three/0002\.dcm: expected"):
            read_series(three[0].parent, "three")


def test_flipped_bits_never_move_a_voxel(three: list[Path]) -> None:
    """A flip is refused, or leaves everything in place; only stored values themselves carry no check sum."""
    rng = np.random.default_rng(11)
    whole, truth = three[1].read_bytes(), read(three[0].parent)
    pixels_at = len(whole) - 2 * 6 * 5
    refused = 0
    for _ in range(400):
        at, bit = int(rng.integers(132, pixels_at)), int(rng.integers(8))
        flipped = bytearray(whole)
        flipped[at] ^= 1 << bit
        three[1].write_bytes(flipped)
        try:
            found = read(three[0].parent)
        except InputError:
            refused += 1
            continue
        np.testing.assert_array_equal(found.voxels, truth.voxels)
        np.testing.assert_allclose(found.origin_mm, truth.origin_mm, atol=0.02)
        np.testing.assert_allclose(
            found.spacing_mm * truth.voxels.shape, truth.spacing_mm * truth.voxels.shape, atol=0.02
        )
    assert refused > 100
    three[1].write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert (read(three[0].parent).voxels != truth.voxels).sum() == 1
