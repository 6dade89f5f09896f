"""`guidegen new` and `inspect`: what they find in files, and the case file that comes of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import SimpleITK as sitk

from guidegen.case import load_case
from guidegen.errors import CaseFileError, IdentityError, LabelError, VolumeError
from guidegen.intake.draft import BONE, LESION, Part, bring_in, draft_case, name_in, write_case_files
from guidegen.intake.look import LabelSeen, Look, look_at

Voxels = npt.NDArray[np.uint8]
Write = Callable[..., Path]


def seen(*labels: LabelSeen, what: str = "label map") -> Look:
    return Look("any.nii.gz", what, "0" * 64, None, labels, (), (), None)


def named(*names: str) -> Look:
    return seen(*(LabelSeen(name, k, 1000.0 * k) for k, name in enumerate(names, start=1)))


def drafted(bone: Part, lesion: Part, side: str = "left", known: tuple[str, ...] = ()) -> str:
    return draft_case("P1", side, bone, lesion, known)  # type: ignore[arg-type]  # a side


TOTAL = named("hip_left", "hip_right", "femur_left", "femur_right", "sacrum")
ONE_LESION = Part(LESION, "lesion.nii.gz", named("necrosis"))


@pytest.mark.parametrize("side", ["left", "right"])
def test_labels_are_taken_by_the_names_of_their_side(side: str) -> None:
    text = drafted(Part(BONE, "total.nii.gz", TOTAL, image="ct"), ONE_LESION, side)
    assert f'labels = "total.nii.gz"\nfemur = "femur_{side}"\npelvis = "hip_{side}"\nimage = "ct"\n' in text
    assert '[lesion]\nlabels = "lesion.nii.gz"\nlesion = "necrosis"\n' in text


@pytest.mark.parametrize("name", ["Femur", "LEFT FEMUR", "Femur_L", "femur-left-label"])
def test_names_are_read_word_by_word(name: str) -> None:
    assert f'femur = "{name}"' in drafted(Part(BONE, "b.nii.gz", named(name, "bladder")), ONE_LESION)


@pytest.mark.parametrize("names", [("femur_right", "bladder"), ("femur", "femur_left"), ("bone", "skin"), ()])
def test_a_femur_that_is_not_one_by_name_is_asked_for(names: tuple[str, ...]) -> None:
    with pytest.raises(LabelError, match=r"expected one label for the left femur, found .*; say which .* --femur"):
        drafted(Part(BONE, "b.nii.gz", named(*names)), ONE_LESION)


def test_a_number_is_never_guessed_but_for_the_only_one() -> None:
    two = seen(LabelSeen(None, 1, 100.0), LabelSeen(None, 2, 50_000.0))
    with pytest.raises(LabelError, match=r"1 of 0\.1 ml, 2 of 50\.0 ml; say which it is with --femur"):
        drafted(Part(BONE, "b.nii.gz", two), ONE_LESION)
    with pytest.raises(LabelError, match="say which it is with --lesion-label"):
        drafted(Part(BONE, "b.nii.gz", named("femur")), Part(LESION, "b.nii.gz", two))
    assert "femur = 7" in drafted(Part(BONE, "b.nii.gz", seen(LabelSeen(None, 7, 1.0))), ONE_LESION)


def test_what_is_asked_for_goes_before_names() -> None:
    part = Part(BONE, "b.nii.gz", TOTAL, {"femur": "12", "avoid": "sacrum", "pelvis": "left=1,right=2"})
    text = drafted(part, ONE_LESION, "right")
    assert 'femur = 12\npelvis = 2\navoid = "sacrum"\n' in text
    with pytest.raises(CaseFileError, match=r'expected one label, or "left=LABEL,right=LABEL", found .left=1.'):
        drafted(Part(BONE, "b.nii.gz", TOTAL, {"femur": "left=1"}), ONE_LESION)


def test_a_surface_needs_its_unit_and_space() -> None:
    surface = seen(what="surface of 12 triangles")
    text = drafted(Part(BONE, "b.stl", surface, unit="mm", space="RAS"), ONE_LESION)
    assert '[bone]\nsurface = "b.stl"\nunit = "mm"\nspace = "RAS"\n' in text
    with pytest.raises(CaseFileError, match=r"b\.stl: expected the unit .* give --bone-unit"):
        drafted(Part(BONE, "b.stl", surface, space="LPS"), ONE_LESION)
    with pytest.raises(CaseFileError, match=r"l\.stl: expected the space .* give --lesion-space"):
        drafted(Part(BONE, "b.nii.gz", TOTAL), Part(LESION, "l.stl", surface, unit="mm"))


def test_the_patient_id_comes_from_the_order_or_the_files() -> None:
    bone = Part(BONE, "b.nii.gz", TOTAL)
    assert 'id = "P1"\nside = "left"\ndicom_id = "D 9"\n' in draft_case("P1", "left", bone, ONE_LESION, {"D 9"})
    assert 'id = "D9"\nside = "left"\n\n' in draft_case(None, "left", bone, ONE_LESION, {"D9"})
    with pytest.raises(CaseFileError, match="expected the patient's id, found none in the files; give --id"):
        draft_case(None, "left", bone, ONE_LESION, ())
    with pytest.raises(IdentityError, match="found 2 patient ids") as error:
        draft_case("P1", "left", bone, ONE_LESION, ("SECRET-A", "SECRET-B"))
    assert "SECRET" not in str(error.value)


# --- looking at files ---


def test_what_a_label_map_holds(tmp_path: Path, hip: Voxels, write_labels: Write) -> None:
    look = look_at(str(write_labels(tmp_path / "labels.nii.gz", hip)))
    assert look.what == "label map"
    voxel_mm3 = 3.0 * 4.0 * 2.5
    assert [(label.value, label.name) for label in look.labels] == [(1, None), (2, None), (3, None)]
    assert [label.volume_mm3 for label in look.labels] == pytest.approx(
        [voxel_mm3 * int((hip == value).sum()) for value in (1, 2, 3)]
    )
    assert look.grid is not None
    assert look.grid.size == (14, 11, 24)
    np.testing.assert_allclose(look.grid.corners_mm[0], (-20.0, 30.0, -700.0), atol=1e-4)
    np.testing.assert_allclose(look.grid.spacing_mm, (3.0, 4.0, 2.5), atol=1e-6)
    assert look.grid.turned_deg < 0.01
    assert dict(look.rows())["patient id"] == "not said"


def test_an_image_is_told_from_labels(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(-1000, 2000, (12, 13, 14)).astype(np.int16)
    image = sitk.GetImageFromArray(values)
    sitk.WriteImage(image, str(tmp_path / "ct.nrrd"))
    sitk.WriteImage(sitk.Cast(image, sitk.sitkFloat32) * 0.5 + 0.25, str(tmp_path / "float.nii.gz"))
    for name in ("ct.nrrd", "float.nii.gz"):
        look = look_at(str(tmp_path / name))
        assert (look.what, look.labels, len(look.values)) == ("image", (), 3)


def test_a_file_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(VolumeError, match=r"gone\.nii: expected a file or the folder of a DICOM series, found none"):
        look_at(str(tmp_path / "gone.nii"))
    (tmp_path / "text.nii").write_text("not an image")
    with pytest.raises(VolumeError, match=r"text\.nii: expected"):
        look_at(str(tmp_path / "text.nii"))


# --- the files of the case ---


def test_files_from_elsewhere_are_copied_and_never_over_others(tmp_path: Path) -> None:
    there, folder = tmp_path / "there", tmp_path / "case"
    (there / "ct").mkdir(parents=True)
    (there / "a.nii.gz").write_bytes(b"a")
    (there / "ct" / "1.dcm").write_bytes(b"1")
    for name in ("a.nii.gz", "ct"):
        bring_in(folder, there / name)
    assert (folder / "a.nii.gz").read_bytes() == b"a"
    assert (folder / "ct" / "1.dcm").read_bytes() == b"1"
    bring_in(folder, folder / "a.nii.gz")  # it lies there
    (there / "a.nii.gz").write_bytes(b"another")
    with pytest.raises(CaseFileError, match=r"a\.nii\.gz: expected no such file in case yet, found one; move it away"):
        bring_in(folder, there / "a.nii.gz")
    assert (folder / "a.nii.gz").read_bytes() == b"a"
    assert name_in(folder, folder / "ct" / "1.dcm") == "ct/1.dcm"


def test_case_files_are_written_all_or_none(tmp_path: Path) -> None:
    (tmp_path / "a.nii.gz").write_bytes(b"a")
    good = '[patient]\nid = "P1"\nside = "left"\n[bone]\nfemur = "a.nii.gz"\n[lesion]\nlesion = "a.nii.gz"\n'
    with pytest.raises(CaseFileError, match="P 1"):
        write_case_files(tmp_path, {"case-left.toml": good, "case-right.toml": good.replace("P1", "P 1")})
    assert not list(tmp_path.glob("*.toml"))
    (path,) = write_case_files(tmp_path, {"case.toml": good})
    assert load_case(path).patient.id == "P1"
    with pytest.raises(CaseFileError, match=r"case\.toml: expected no such case file .* found one; move it away"):
        write_case_files(tmp_path, {"case.toml": good.replace("left", "right")})
    assert load_case(path).patient.side == "left"
