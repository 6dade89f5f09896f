"""One DICOM file: what is sound is read, and what is not is refused before a library sees it."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.config import disable_value_validation
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from series_files import alter, load, save, small_volume

from guidegen.errors import IdentityError, InputError, VolumeError
from guidegen.intake.dicom import identity_of, numbers, open_dicom, pixels_of, text, uid, whole_number
from guidegen.phantom.dicom import write_series

IMPLICIT, EXPLICIT = pydicom.uid.ImplicitVRLittleEndian, pydicom.uid.ExplicitVRLittleEndian
BIG_ENDIAN, RUN_LENGTHS = pydicom.uid.ExplicitVRBigEndian, pydicom.uid.RLELossless
ITEM, ITEM_END, SEQUENCE_END = b"\xfe\xff\x00\xe0", b"\xfe\xff\x0d\xe0", b"\xfe\xff\xdd\xe0"
NO_LENGTH = b"\xff\xff\xff\xff"


@pytest.fixture
def slice_file(tmp_path: Path) -> Path:
    """One slice of 16 rows and 12 columns."""
    return write_series(small_volume(), tmp_path, modality="CT")[0]


def element(tag: int, vr: bytes, value: bytes) -> bytes:
    """An element as Explicit VR Little Endian."""
    head = struct.pack("<HH2s", tag >> 16, tag & 0xFFFF, vr)
    long = vr in (b"OB", b"OW", b"SQ", b"UN", b"UT")
    return head + (struct.pack("<HL", 0, len(value)) if long else struct.pack("<H", len(value))) + value


def implicit_element(tag: int, value: bytes) -> bytes:
    return struct.pack("<HHL", tag >> 16, tag & 0xFFFF, len(value)) + value


def file_of(path: Path, content: bytes, syntax: str = EXPLICIT) -> Path:
    """A file whose meta information names `syntax`, with `content` behind it."""
    name = syntax.encode() + b"\0" * (len(syntax) % 2)
    path.write_bytes(bytes(128) + b"DICM" + element(0x00020010, b"UI", name) + content)
    return path


def opened(path: Path) -> Dataset:
    return open_dicom(path, "x.dcm")


def refused(path: Path, message: str) -> None:
    with pytest.raises(VolumeError, match=rf"^x\.dcm: {message}"):
        opened(path)


def test_a_slice(slice_file: Path) -> None:
    dataset = opened(slice_file)
    np.testing.assert_array_equal(pixels_of(dataset, "x")[0] - 1024, small_volume().voxels[:, :, 0].transpose())
    assert "PixelData" not in open_dicom(slice_file, "x", pixels=False)
    few = open_dicom(slice_file, "x", keywords=["Modality"])
    assert few.Modality == "CT"
    assert "PatientID" not in few


@pytest.mark.parametrize("syntax", [IMPLICIT, BIG_ENDIAN, RUN_LENGTHS])
def test_transfer_syntaxes(syntax: pydicom.uid.UID, slice_file: Path) -> None:
    truth = pixels_of(opened(slice_file), "x")
    dataset = load(slice_file)
    if syntax == RUN_LENGTHS:
        dataset.compress(syntax, encoding_plugin="pydicom", generate_instance_uid=False)
        save(dataset, slice_file)
    else:
        if syntax == BIG_ENDIAN:
            dataset.PixelData = np.frombuffer(dataset.PixelData, "<i2").byteswap().tobytes()
        save(dataset, slice_file, syntax)
    assert opened(slice_file).file_meta.TransferSyntaxUID == syntax
    np.testing.assert_array_equal(pixels_of(opened(slice_file), "x"), truth)


@pytest.mark.parametrize("frames", [1, 3])
def test_pixels_of_one_bit(frames: int, slice_file: Path) -> None:
    masks = np.random.default_rng(2).integers(0, 2, (frames, 7, 5)).astype(np.uint8)
    packed = np.packbits(masks.ravel(), bitorder="little").tobytes()
    alter(
        slice_file,
        Rows=7,
        Columns=5,
        NumberOfFrames=frames,
        BitsAllocated=1,
        BitsStored=1,
        HighBit=0,
        PixelRepresentation=0,
        PixelData=packed + b"\0" * (len(packed) % 2),
    )
    found = pixels_of(opened(slice_file), "x")
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, masks)


@pytest.mark.parametrize("content", [b"", b"CT", bytes(132), bytes(200), b"\x1f\x8b" + bytes(300)])
def test_no_dicom(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(content)
    refused(tmp_path / "x", r"expected a DICOM file, found no such header; export it again, or take it away")


def test_no_file(tmp_path: Path) -> None:
    refused(tmp_path / "x", r"expected a file that can be read, found none \(No such file")
    refused(tmp_path, r"expected a file that can be read, found none \(Is a directory")


@pytest.mark.parametrize(
    "syntax",
    [
        "1.2.840.10008.1.2.1.99",  # deflated
        "1.2.840.10008.1.2.4.50",  # JPEG
        "1.2.840.10008.1.2.4.90",  # JPEG 2000
        "1.2.840.10008.1.2.4.80",  # JPEG-LS
        "1.2.840.113619.5.2",  # a maker's own
    ],
)
def test_packed_pixels_are_refused_unread(syntax: str, tmp_path: Path) -> None:
    message = rf"expected pixels that are not compressed .*, found the transfer syntax {syntax}; export it uncompressed"
    refused(file_of(tmp_path / "x", b"\xff" * 1000, syntax), message)


@pytest.mark.parametrize("syntax", ["", "../../etc/passwd", "<b>"])
def test_no_transfer_syntax(syntax: str, tmp_path: Path) -> None:
    refused(file_of(tmp_path / "x", b"", syntax), r"expected .*, found the transfer syntax missing")


def test_a_large_file_is_refused_unread(tmp_path: Path) -> None:
    with (tmp_path / "x").open("wb") as stream:
        stream.truncate((512 << 20) + 1)
    refused(tmp_path / "x", r"expected at most 512 MiB in one DICOM file, found 512 MiB; crop it")


def test_a_dicomdir(tmp_path: Path) -> None:
    dataset = Dataset()
    record = Dataset()
    with disable_value_validation():
        record.ReferencedFileID = ["..", "..", "etc", "passwd"]
    dataset.DirectoryRecordSequence = Sequence([record])
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.MediaStorageSOPClassUID = pydicom.uid.MediaStorageDirectoryStorage
    dataset.file_meta.MediaStorageSOPInstanceUID = pydicom.uid.UID("1.2.3")
    dataset.file_meta.TransferSyntaxUID = EXPLICIT
    with disable_value_validation():
        pydicom.dcmwrite(tmp_path / "DICOMDIR", dataset, enforce_file_format=True)
    refused(tmp_path / "DICOMDIR", r"expected an image or a segmentation, found a DICOMDIR, .* which is not followed")


NAME = element(0x00100010, b"PN", b"DOE^JOHN")
PATIENT = element(0x00100020, b"LO", b"P1")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (PATIENT + NAME, r"expected tags that ascend, found \(0010,0010\) after \(0010,0020\)"),
        (PATIENT + PATIENT, r"expected tags that ascend, found \(0010,0020\) after \(0010,0020\)"),
        (element(0x00000900, b"US", b"\0\0"), r"expected tags that ascend, found \(0000,0900\)"),
        (PATIENT + ITEM_END + bytes(4), r"expected tags that ascend, found \(FFFE,E00D\)"),
        (PATIENT + SEQUENCE_END + bytes(4), r"expected tags that ascend, found \(FFFE,E0DD\)"),
        (PATIENT[:-1], r"expected a whole file, found an element that ends 1 bytes behind"),
        (PATIENT[:5], r"expected a whole file, found an element that ends 3 bytes behind"),
        (PATIENT + bytes(3), r"expected a whole file"),
        (PATIENT[:4] + b"??" + PATIENT[6:], r"expected a kind of value that DICOM knows, found another at \(0010,0020"),
        (implicit_element(0x00100020, b"P1"), r"expected a kind of value that DICOM knows"),
        (b"\x10\x00\x20\x00UT\0\0" + NO_LENGTH, r"expected a length, found none at \(0010,0020\)"),
        (b"\x10\x00\x20\x00UT\0\0\xfe\xff\xff\xff", r"expected a whole file, found an element that ends 4294967294 "),
        (element(0x00082112, b"SQ", PATIENT), r"expected items in a sequence, found \(0010,0020\)"),
        (element(0x00082112, b"SQ", ITEM + b"\xff\0\0\0"), r"expected a whole file"),
        (element(0x00082112, b"SQ", ITEM + NO_LENGTH), r"expected the end of an item, found none"),
        (b"\x08\x00\x12\x21SQ\0\0" + NO_LENGTH, r"expected the end of a sequence, found none"),
        (b"\x08\x00\x12\x21SQ\0\0" + NO_LENGTH + ITEM_END + bytes(4), r"expected items in a sequence, found \(FFFE"),
    ],
)
def test_an_unsound_build(content: bytes, message: str, tmp_path: Path) -> None:
    refused(file_of(tmp_path / "x", content), message)


def test_an_unsound_sequence_that_only_the_standard_knows_as_one(tmp_path: Path) -> None:
    content = implicit_element(0x00081111, b"DOE^JOHN ")
    refused(file_of(tmp_path / "x", content, IMPLICIT), r"expected items in a sequence, found \(4F44,5E45\)")


def deep_open(depth: int) -> bytes:
    """Sequences without length within each other, in explicit order."""
    start = b"\x08\x00\x12\x21SQ\0\0" + NO_LENGTH + ITEM + NO_LENGTH
    end = ITEM_END + bytes(4) + SEQUENCE_END + bytes(4)
    return start * depth + end * depth


def deep_closed(depth: int, explicit: bool) -> bytes:
    """Sequences with a length within each other."""
    content = b""
    for _ in range(depth):
        item = ITEM + struct.pack("<L", len(content)) + content
        content = element(0x00082112, b"SQ", item) if explicit else implicit_element(0x00082112, item)
    return content


@pytest.mark.parametrize("depth", [17, 400, 20_000])
def test_deep_sequences(depth: int, tmp_path: Path) -> None:
    message = r"expected at most 16 sequences within each other, found more"
    refused(file_of(tmp_path / "x", deep_open(depth)), message)
    refused(file_of(tmp_path / "x", deep_open(depth).replace(b"SQ\0\0", b""), IMPLICIT), message)
    if depth < 4000:  # else its length does not fit its own content fast enough to be written
        refused(file_of(tmp_path / "x", deep_closed(depth, explicit=True)), message)
        refused(file_of(tmp_path / "x", deep_closed(depth, explicit=False), IMPLICIT), message)


def test_sequences_of_usual_depth(tmp_path: Path) -> None:
    for content, syntax in (
        (deep_open(16), EXPLICIT),
        (deep_closed(16, explicit=True), EXPLICIT),
        (deep_closed(16, explicit=False), IMPLICIT),
        (deep_open(16).replace(b"SQ\0\0", b""), IMPLICIT),
    ):
        inner = opened(file_of(tmp_path / "x", content, syntax))
        for _ in range(16):
            inner = inner.SourceImageSequence[0]
        assert len(inner) == 0


def test_a_private_sequence_of_unknown_kind(tmp_path: Path) -> None:
    """UN without length holds implicit elements (PS3.5, 6.2.2, note 4)."""
    item = ITEM + NO_LENGTH + implicit_element(0x00100020, b"P1") + ITEM_END + bytes(4)
    content = b"\x09\x00\x10\x10UN\0\0" + NO_LENGTH + item + SEQUENCE_END + bytes(4) + PATIENT
    dataset = opened(file_of(tmp_path / "x", content))
    assert [element.keyword for element in dataset] == ["PatientID"]


def test_many_elements(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("guidegen.intake.dicom_bytes.MAX_ELEMENTS", 10)
    refused(file_of(tmp_path / "x", element(0x00082112, b"SQ", (ITEM + bytes(4)) * 10)), r"expected at most 10 elem")


def test_names_and_private_elements_are_left_out(tmp_path: Path) -> None:
    inner = ITEM + struct.pack("<L", len(NAME + PATIENT)) + NAME + PATIENT
    content = (
        element(0x00081111, b"SQ", inner)
        + element(0x00091010, b"DS", b"no number")
        + NAME
        + PATIENT
        + element(0x00104000, b"PN", b"A^NAME")
    )
    dataset = opened(file_of(tmp_path / "x", content))
    assert [element.keyword for element in dataset] == ["ReferencedPerformedProcedureStepSequence", "PatientID"]
    assert [element.keyword for element in dataset.ReferencedPerformedProcedureStepSequence[0]] == ["PatientID"]
    assert "DOE" not in str(dataset)


def test_a_value_of_another_kind_is_told_by_its_tag_alone(tmp_path: Path) -> None:
    content = PATIENT + element(0x00280106, b"US", b"DOE")
    with pytest.raises(VolumeError, match=r"expected a value of its kind at \(0028,0106\), found another") as caught:
        opened(file_of(tmp_path / "x", content))
    assert "DOE" not in caught.value.message
    assert caught.value.__cause__ is None
    few = open_dicom(tmp_path / "x", "x", keywords=["PatientID"])
    assert text(few, "PatientID") == "P1"


def test_digits_where_a_number_is_expected(tmp_path: Path) -> None:
    dataset = opened(file_of(tmp_path / "x", PATIENT + element(0x00280103, b"OB", b"12")))
    with pytest.raises(VolumeError, match=r"expected 1 finite number as PixelRepresentation, found none"):
        whole_number(dataset, "PixelRepresentation", "x")


@pytest.mark.parametrize("value", [b"DOE^JOHN\\1", b"nan\\1 ", b"1e999\\1", b"1e5", b"\xff\\1 "])
def test_text_where_numbers_are_expected(value: bytes, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    dataset = opened(file_of(tmp_path / "x", PATIENT + element(0x00280030, b"DS", value)))
    with pytest.raises(VolumeError, match=r"expected 2 finite numbers as PixelSpacing, found ") as caught:
        numbers(dataset, "PixelSpacing", 2, "x")
    assert "DOE" not in caught.value.message
    assert not caplog.records


@pytest.mark.parametrize(
    ("value", "sound"),
    [(b"1.2.3\0", True), (b"1" * 64, True), (b"", True), (b"1.2\\1.3 ", True)]
    + [(b"1" * 66, False), (b"../etc", False), (b"1.2<b>", False), (b"1.2 3", False)],
)
def test_uids_are_allow_listed_everywhere(value: bytes, sound: bool, tmp_path: Path) -> None:
    inner = element(0x00081155, b"UI", value)
    path = file_of(tmp_path / "x", element(0x00081111, b"SQ", ITEM + struct.pack("<L", len(inner)) + inner) + PATIENT)
    if sound:
        assert text(opened(path), "PatientID") == "P1"
    else:
        refused(path, r"expected a UID of at most 64 digits and points at \(0008,1155\)")


@pytest.mark.parametrize(
    ("elements", "message"),
    [
        (
            {"Rows": 17},
            r"expected 408 bytes of pixels for 1 × 17 × 12 × 1 values of 16 bits, found 384: the file is cut",
        ),
        ({"Rows": 15}, r"expected 360 bytes of pixels .*, found 384"),
        ({"Columns": 65535, "Rows": 65535}, r"expected at most 1 GiB of pixels, found 1 × 65535 × 65535"),
        ({"NumberOfFrames": "2000000000"}, r"expected at most 1 GiB of pixels, found 2000000000 × 16"),
        ({"NumberOfFrames": "-1"}, r"expected rows, columns, frames and bits above 0"),
        ({"Rows": 0}, r"expected rows, columns, frames and bits above 0"),
        ({"Rows": None}, r"expected 1 finite number as Rows, found none"),
        ({"BitsAllocated": 0}, r"expected rows, columns, frames and bits above 0"),
        ({"BitsAllocated": 32}, r"expected 768 bytes of pixels"),
        ({"PixelData": None}, r"expected pixels, found none: the file is cut off"),
    ],
)
@pytest.mark.parametrize("pixels", [True, False])
def test_pixels_that_are_not_there(elements: dict[str, Any], message: str, pixels: bool, slice_file: Path) -> None:
    alter(slice_file, **elements)
    with pytest.raises(VolumeError, match=message):
        open_dicom(slice_file, "x", pixels=pixels)


def test_big_endian_pixels_of_eight_bits(slice_file: Path) -> None:
    dataset = load(slice_file)
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelData = 8, 8, 7, bytes(192)
    save(dataset, slice_file, BIG_ENDIAN)
    refused(slice_file, r"expected 16 bits for a pixel in big-endian order, found 8")


def run_lengths(path: Path) -> Dataset:
    dataset = load(path)
    dataset.compress(RUN_LENGTHS, encoding_plugin="pydicom", generate_instance_uid=False)
    return dataset


def test_run_lengths_that_cannot_be_so_many(slice_file: Path) -> None:
    dataset = run_lengths(slice_file)
    dataset.Rows, dataset.Columns = 4000, 4000
    save(dataset, slice_file)
    refused(slice_file, r"expected 32000000 bytes of pixels for .*, found \d{2,3}:")


def test_run_lengths_that_end_early(slice_file: Path, caplog: pytest.LogCaptureFixture) -> None:
    dataset = run_lengths(slice_file)
    dataset.Rows = 160
    save(dataset, slice_file)
    with pytest.raises(VolumeError, match=r"expected pixels that can be unpacked, found others \(RuntimeError\)"):
        pixels_of(opened(slice_file), "x")
    assert not caplog.records  # pydicom would log an error with the traceback


def test_packed_pixels_in_an_unpacked_syntax(slice_file: Path) -> None:
    dataset = run_lengths(slice_file)
    save(dataset, slice_file)
    raw = slice_file.read_bytes()
    old, new = (
        element(0x00020010, b"UI", b"1.2.840.10008.1.2.5\0"),
        element(0x00020010, b"UI", b"1.2.840.10008.1.2.1\0"),
    )
    assert old in raw
    slice_file.write_bytes(raw.replace(old, new))
    refused(slice_file, r"expected pixels as the transfer syntax says, found others")


def test_colours_have_no_grey_values(slice_file: Path) -> None:
    dataset = load(slice_file)
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation, dataset.PlanarConfiguration = 3, "RGB", 0
    dataset.PixelData = dataset.PixelData * 3
    save(dataset, slice_file)
    with pytest.raises(VolumeError, match=r"expected one grey value for a pixel, found colours"):
        pixels_of(opened(slice_file), "x")


@pytest.mark.parametrize(
    ("value", "date"),
    [
        ("20240229", "2024-02-29"),
        ("20230229", None),
        ("2024.01.02", None),
        ("202401", None),
        ("", None),
        ("nobody", None),
    ],
)
def test_dates(value: str, date: str | None, slice_file: Path) -> None:
    alter(slice_file, StudyDate=value, PatientBirthDate=value)
    identity = identity_of(opened(slice_file), "x")
    assert (identity.study_date, identity.birth_date) == (date, date)


@pytest.mark.parametrize(
    ("laterality", "image_laterality", "side"),
    [
        ("L", "", "left"),
        ("R", "R", "right"),
        ("", "L", "left"),
        ("B", "R", "right"),
        ("U", "", None),
        ("left", "", None),
    ],
)
def test_laterality(laterality: str, image_laterality: str, side: str | None, slice_file: Path) -> None:
    alter(slice_file, Laterality=laterality, ImageLaterality=image_laterality)
    assert identity_of(opened(slice_file), "x").laterality == side


def test_two_lateralities(slice_file: Path) -> None:
    alter(slice_file, Laterality="R", ImageLaterality="L")
    with pytest.raises(
        IdentityError, match=r"x: expected one side in Laterality and Image Laterality, found both L and R"
    ):
        identity_of(opened(slice_file), "x")


def test_sex_is_one_that_dicom_knows(slice_file: Path) -> None:
    alter(slice_file, PatientSex="DOE")
    assert identity_of(opened(slice_file), "x").sex is None


def test_values() -> None:
    dataset = Dataset()
    dataset.PixelSpacing, dataset.Rows, dataset.StudyInstanceUID = ["0.5", "0.25"], 7, "1.2"
    dataset.PatientID, dataset.RescaleSlope = " A\\B ", "1.5"
    assert numbers(dataset, "PixelSpacing", 2, "x").tolist() == [0.5, 0.25]
    assert whole_number(dataset, "Rows", "x") == 7
    assert (text(dataset, "PatientID"), text(dataset, "StudyDate")) == ("A\\B", None)
    assert (uid(dataset, "StudyInstanceUID", "x"), uid(dataset, "SeriesInstanceUID", "x")) == ("1.2", None)
    with pytest.raises(VolumeError, match=r"x: expected 3 finite numbers as PixelSpacing, found 0\.5 × 0\.25"):
        numbers(dataset, "PixelSpacing", 3, "x")
    with pytest.raises(VolumeError, match=r"x: expected a whole number as RescaleSlope, found 1\.5"):
        whole_number(dataset, "RescaleSlope", "x")
    with pytest.raises(VolumeError, match=r"x: expected one UID of digits and points as PatientID"):
        uid(dataset, "PatientID", "x")


def mutated(raw: bytes, rng: np.random.Generator) -> bytes:
    """Bytes changed, taken out, doubled or cut off at a place behind the preamble."""
    at = int(rng.integers(128, len(raw)))
    size = int(rng.integers(1, 9))
    noise = rng.integers(0, 256, size, dtype=np.uint8).tobytes()
    ways = [
        raw[:at] + noise + raw[at + size :],
        raw[:at] + noise + raw[at:],
        raw[:at] + raw[at + size :],
        raw[:at] + raw[at : at + size] * 2 + raw[at + size :],
        raw[:at],
        raw[:at] + bytes([raw[at] ^ 1 << int(rng.integers(8))]) + raw[at + 1 :],
    ]
    return ways[int(rng.integers(len(ways)))]


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT, BIG_ENDIAN, RUN_LENGTHS])
def test_no_mutation_raises_an_untyped_error(syntax: pydicom.uid.UID, slice_file: Path) -> None:
    dataset = run_lengths(slice_file) if syntax == RUN_LENGTHS else load(slice_file)
    inner = Dataset()
    inner.PatientID, inner.ReferencedSOPInstanceUID, inner.ContourData = "P", "1.2.3", ["1.5", "2", "-3e2"]
    dataset.SourceImageSequence = Sequence([inner, inner])
    dataset.SpecificCharacterSet = "ISO_IR 100"
    save(dataset, slice_file, syntax)
    raw, rng = slice_file.read_bytes(), np.random.default_rng(5)
    refusals = 0
    for _ in range(200):
        slice_file.write_bytes(mutated(raw, rng))
        try:
            found = opened(slice_file)
            str(found)
            identity_of(found, "x")
            pixels_of(found, "x")
        except InputError:
            refusals += 1
    assert 50 < refusals < 200
