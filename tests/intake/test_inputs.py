"""The whole intake: from a case file to masks and surfaces that later stages may trust."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import trimesh

from guidegen.case import Case, load_case
from guidegen.errors import LabelError, LesionError, SurfaceError, VolumeError
from guidegen.frames import rotation_about
from guidegen.intake.inputs import input_hashes, read_inputs
from guidegen.surfaces import Surface
from guidegen.volumes import Volume

Voxels = npt.NDArray[np.uint8]
Write = Callable[..., Path]
MakeCase = Callable[..., Case]

PATIENT = '[patient]\nid = "T001L"\nside = "left"\n'
BONE = '[bone]\nlabels = "labels.nii.gz"\nfemur = 1\n'
LESION = '[lesion]\nlabels = "labels.nii.gz"\nlesion = 2\n'

# The hip of the fixture, in mm: its femur spans this box of voxel centres.
FEMUR_LOW_MM, FEMUR_HIGH_MM = np.array([-11.0, 42.0, -700.0]), np.array([10.0, 58.0, -655.0])


def places(volume: Volume | Surface | None) -> npt.NDArray[np.float64]:
    assert isinstance(volume, Volume)
    return volume.to_lps(np.argwhere(volume.voxels))


def test_one_label_map_for_all(make_case: MakeCase, hip: Voxels) -> None:
    inputs = read_inputs(make_case(PATIENT + BONE + "pelvis = 3\n" + LESION))
    assert isinstance(inputs.femur, Volume)
    assert isinstance(inputs.lesion, Volume)
    assert isinstance(inputs.pelvis, Volume)
    counts = [int(volume.voxels.sum()) for volume in (inputs.femur, inputs.lesion, inputs.pelvis)]
    assert counts == [int(((hip == 1) | (hip == 2)).sum()), int((hip == 2).sum()), int((hip == 3).sum())]
    assert inputs.same_frame
    assert inputs.lesion_femur is None
    assert inputs.touches_border == ("inferior",)
    assert inputs.lesion_femur_touches_border == ()
    found = places(inputs.femur)
    np.testing.assert_allclose([found.min(axis=0), found.max(axis=0)], [FEMUR_LOW_MM, FEMUR_HIGH_MM], atol=1e-4)


def test_hashes_of_every_file_under_its_written_name(make_case: MakeCase, tmp_path: Path) -> None:
    (tmp_path / "ct.any").write_bytes(b"an image, which is not decoded here")
    case = make_case(PATIENT + BONE + 'image = "./ct.any"\n' + LESION)
    hashes = input_hashes(case)
    assert list(hashes) == ["./ct.any", "case.toml", "labels.nii.gz"]
    for name, digest in hashes.items():
        assert digest == hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()


def test_a_lesion_of_its_own_file_does_not_change_the_bone(
    make_case: MakeCase, tmp_path: Path, hip: Voxels, write_labels: Write
) -> None:
    write_labels(tmp_path / "lesion.nrrd", (hip == 2).astype(np.uint8))
    inputs = read_inputs(make_case(PATIENT + BONE + '[lesion]\nlesion = "lesion.nrrd"\n'))
    assert isinstance(inputs.femur, Volume)
    assert int(inputs.femur.voxels.sum()) == int((hip == 1).sum())
    assert inputs.same_frame
    assert inputs.pelvis is None


def test_a_lesion_grid_of_another_direction_keeps_its_place(
    make_case: MakeCase, tmp_path: Path, write_labels: Write
) -> None:
    turn = rotation_about([1.0, 0.4, 0.2], 30.0)
    lesion = np.zeros((9, 9, 9), np.uint8)
    lesion[3:6, 3:6, 3:6] = 1
    center_mm = np.array([6.0, 52.0, -658.0])
    write_labels(tmp_path / "lesion.mha", lesion, (1.5, 1.5, 1.5), center_mm - turn @ [6.0, 6.0, 6.0], turn)
    inputs = read_inputs(make_case(PATIENT + BONE + '[lesion]\nlabels = "lesion.mha"\nlesion = 1\n'))
    np.testing.assert_allclose(places(inputs.lesion).mean(axis=0), center_mm, atol=1e-6)
    assert inputs.same_frame


def test_another_pose_has_its_own_femur(make_case: MakeCase, tmp_path: Path, hip: Voxels, write_labels: Write) -> None:
    write_labels(tmp_path / "mr.nii.gz", hip, origin=(300.0, 0.0, 0.0))
    inputs = read_inputs(make_case(PATIENT + BONE + '[lesion]\nlabels = "mr.nii.gz"\nlesion = 2\nfemur = 1\n'))
    assert not inputs.same_frame
    assert isinstance(inputs.femur, Volume)
    assert isinstance(inputs.lesion_femur, Volume)
    assert int(inputs.femur.voxels.sum()) == int((hip == 1).sum())
    assert int(inputs.lesion_femur.voxels.sum()) == int(((hip == 1) | (hip == 2)).sum())
    np.testing.assert_allclose(places(inputs.lesion_femur).min(axis=0), [309.0, 12.0, 0.0], atol=1e-4)
    assert inputs.lesion_femur_touches_border == ("inferior",)


def test_the_very_same_femur_named_twice_is_no_other_pose(make_case: MakeCase, hip: Voxels) -> None:
    inputs = read_inputs(make_case(PATIENT + BONE + LESION + "femur = 1\n"))
    assert inputs.same_frame
    assert isinstance(inputs.femur, Volume)
    assert int(inputs.femur.voxels.sum()) == int(((hip == 1) | (hip == 2)).sum())


def test_a_file_per_structure(make_case: MakeCase, tmp_path: Path, hip: Voxels, write_labels: Write) -> None:
    for value, name in ((1, "femur.nii.gz"), (2, "lesion.nii.gz"), (3, "pelvis.nrrd")):
        write_labels(tmp_path / name, (hip == value).astype(np.uint8))
    inputs = read_inputs(
        make_case(
            PATIENT + '[bone]\nfemur = "femur.nii.gz"\npelvis = "pelvis.nrrd"\n[lesion]\nlesion = "lesion.nii.gz"\n'
        )
    )
    np.testing.assert_allclose(places(inputs.femur).min(axis=0), FEMUR_LOW_MM, atol=1e-4)
    assert isinstance(inputs.pelvis, Volume)
    assert int(inputs.pelvis.voxels.sum()) == int((hip == 3).sum())


def test_surfaces(make_case: MakeCase, tmp_path: Path) -> None:
    trimesh.creation.box(bounds=[FEMUR_LOW_MM, FEMUR_HIGH_MM]).export(tmp_path / "bone.ply")
    trimesh.creation.box(bounds=[[0.5, 4.8, -66.0], [0.9, 5.6, -65.6]]).export(tmp_path / "lesion.stl")
    lesion = '[lesion]\nsurface = "lesion.stl"\nunit = "cm"\nspace = "LPS"\n'
    inputs = read_inputs(make_case(PATIENT + '[bone]\nsurface = "bone.ply"\nunit = "mm"\nspace = "LPS"\n' + lesion))
    assert isinstance(inputs.femur, Surface)
    assert isinstance(inputs.lesion, Surface)
    np.testing.assert_allclose(inputs.lesion.volume_mm3, 4.0 * 8.0 * 4.0, rtol=1e-4)
    assert inputs.touches_border == ()
    assert inputs.same_frame
    mixed = read_inputs(make_case(PATIENT + BONE + lesion))
    assert isinstance(mixed.femur, Volume)
    assert isinstance(mixed.lesion, Surface)


@pytest.mark.parametrize(
    ("shift_mm", "message"),
    [
        (
            (0.0, 0.0, 60.0),
            r"expected a lesion within 10 mm of the box round bone\.femur, found one [0-9.]+ mm away from it",
        ),
        (
            (-40.0, 0.0, 0.0),
            r"found one [0-9.]+ mm away from it; if its image shows the femur in another pose, give that",
        ),
    ],
)
def test_a_lesion_elsewhere(
    shift_mm: tuple[float, ...],
    message: str,
    make_case: MakeCase,
    tmp_path: Path,
    hip: Voxels,
    write_labels: Write,
) -> None:
    origin = np.array([-20.0, 30.0, -700.0]) + shift_mm
    write_labels(tmp_path / "lesion.nii.gz", hip, origin=origin)
    with pytest.raises(LesionError, match=message):
        read_inputs(make_case(PATIENT + BONE + '[lesion]\nlabels = "lesion.nii.gz"\nlesion = 2\n'))


def test_how_far_a_lesion_may_reach_out(make_case: MakeCase, tmp_path: Path, write_labels: Write) -> None:
    dot = np.ones((1, 1, 1), np.uint8)
    text = PATIENT + BONE + '[lesion]\nlabels = "dot.nrrd"\nlesion = 1\n'
    case = make_case(text.replace("dot.nrrd", "labels.nii.gz"))
    write_labels(tmp_path / "dot.nrrd", dot, origin=FEMUR_HIGH_MM + 9.99)
    assert read_inputs(make_case(text)).same_frame
    write_labels(tmp_path / "dot.nrrd", dot, origin=FEMUR_HIGH_MM + [0.0, 0.0, 10.01])
    with pytest.raises(LesionError, match=r"one 10\.0 mm away from it"):
        read_inputs(make_case(text))
    assert case.lesion.lesion == 1


def test_a_lesion_outside_the_femur_of_its_own_image(
    make_case: MakeCase, tmp_path: Path, hip: Voxels, write_labels: Write
) -> None:
    hip[hip == 2] = 1
    hip[0, 0, 23] = 2
    write_labels(tmp_path / "mr.nii.gz", hip)
    with pytest.raises(LesionError, match=r"box round lesion\.femur, found one .*; check its label"):
        read_inputs(make_case(PATIENT + BONE + '[lesion]\nlabels = "mr.nii.gz"\nlesion = 2\nfemur = 1\n'))


def test_a_lesion_label_does_not_widen_the_box_it_is_held_against(
    make_case: MakeCase, tmp_path: Path, hip: Voxels, write_labels: Write
) -> None:
    hip[13, 9:, 23] = 2
    case = make_case(PATIENT + BONE + LESION)
    write_labels(tmp_path / "labels.nii.gz", hip)
    with pytest.raises(LesionError, match=r"reaches 12\.5 mm out of it"):
        read_inputs(case)


@pytest.mark.parametrize("factor", [0.5, 9.0])
def test_a_femur_of_the_wrong_size(
    factor: float, make_case: MakeCase, tmp_path: Path, hip: Voxels, write_labels: Write
) -> None:
    case = make_case(PATIENT + BONE + LESION)
    voxels = np.repeat(hip, 2, axis=2) if factor > 1 else hip
    spacing = (3.0 * min(factor, 3.0), 4.0 * min(factor, 2.5), 2.5 * min(factor, 4.0))
    write_labels(tmp_path / "labels.nii.gz", np.repeat(voxels, 2, axis=2) if factor > 1 else voxels, spacing)
    with pytest.raises(
        VolumeError, match=r"bone\.femur: expected a femur of 40 to 700 mm, found one of .*spacing in mm"
    ):
        read_inputs(case)


@pytest.mark.parametrize(("unit", "size"), [("mm", "4.5"), ("m", r"4\.5e\+03")])
def test_a_surface_of_the_wrong_size(unit: str, size: str, make_case: MakeCase, tmp_path: Path) -> None:
    trimesh.creation.box(bounds=[[0.0, 0.0, 0.0], [2.0, 2.0, 4.5]]).export(tmp_path / "bone.stl")
    case = make_case(PATIENT + f'[bone]\nsurface = "bone.stl"\nunit = "{unit}"\nspace = "LPS"\n' + LESION)
    with pytest.raises(SurfaceError, match=f'bone.femur: expected a femur .* found one of {size} mm; is "unit"'):
        read_inputs(case)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            PATIENT + BONE + LESION.replace("2", "1"),
            r"lesion\.lesion: expected a label of its own .* bone\.femur already",
        ),
        (PATIENT + BONE + "pelvis = 1\n" + LESION, r"bone\.pelvis: expected a label of its own"),
        (PATIENT + BONE.replace("1", "9") + LESION, r"bone\.femur: expected voxels of label 9 .* 1 \(\d+ voxels\), 2"),
        (PATIENT + BONE + LESION.replace("2", '"necrosis"'), r"lesion\.lesion: .* names no labels; give the number"),
        (PATIENT + BONE + '[lesion]\nlesion = "labels.nii.gz"\n', r"lesion\.lesion: expected one structure in labels"),
    ],
)
def test_labels_that_cannot_be_meant(text: str, message: str, make_case: MakeCase) -> None:
    with pytest.raises(LabelError, match=message):
        read_inputs(make_case(text))


def test_a_file_that_no_reader_knows_is_an_error_not_a_crash(make_case: MakeCase, tmp_path: Path) -> None:
    (tmp_path / "mr.nii.gz").write_bytes(b"\x1f\x8b not gzip")
    with pytest.raises(VolumeError, match=r"mr\.nii\.gz: expected a whole file"):
        read_inputs(make_case(PATIENT + BONE + '[lesion]\nlabels = "mr.nii.gz"\nlesion = 2\n'))


@pytest.mark.shared
def test_every_real_case(shared: Path) -> None:
    folders = sorted((shared / "data" / "femora").iterdir())
    assert len(folders) == 15
    for folder in folders:
        case = load_case(folder / "case.toml")
        inputs = read_inputs(case)
        assert case.patient.id == folder.name
        assert isinstance(inputs.femur, Volume)
        assert inputs.touches_border == ("inferior",)
        assert inputs.same_frame == (case.lesion.femur is None)
        assert set(inputs.input_sha256) == {*case.files, "case.toml"}
        volume_mm3 = inputs.femur.voxels.sum() * inputs.femur.voxel_volume_mm3
        assert 100_000 < volume_mm3 < 350_000
