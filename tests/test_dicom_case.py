"""A hip that comes wholly as DICOM: `new` writes its case, and the plan is that of the same hip as NIfTI."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from guidegen import cli
from guidegen.case import load_case
from guidegen.errors import IdentityError, SideError
from guidegen.phantom import make_hip, write_case
from guidegen.phantom.dicom import write_series
from guidegen.phantom.dicom_labels import write_segmentation, write_structure_set
from guidegen.phantom.images import ct_volume, label_volume
from guidegen.pipeline import plan_case

SPACING_MM = (1.6, 1.6, 2.0)


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A left hip: ct/ and other/ (series), labels.dcm, contours.dcm, and the same as NIfTI in nifti/."""
    folder = tmp_path_factory.mktemp("scans")
    hip = make_hip("left")
    labels = label_volume(hip, SPACING_MM, labels={"femur": 1, "pelvis": 2, "lesion": 3}).voxels
    masks = {"femur_left": (labels == 1) | (labels == 3), "hip_left": labels == 2, "necrosis": labels == 3}
    image = ct_volume(hip, SPACING_MM)
    write_series(image, folder / "ct", modality="CT", patient_id="HOSPITAL 17", laterality="L")
    write_series(image, folder / "other", modality="CT", patient_id="HOSPITAL 18", frame="other", series="other")
    write_segmentation(masks, folder / "ct", folder / "labels.dcm")
    write_structure_set(masks, folder / "ct", folder / "contours.dcm")
    write_case(hip, folder / "nifti", patient_id="P1", spacing_mm=SPACING_MM, mr=False)
    return folder


@pytest.fixture
def guidegen_(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    def call(*arguments: object) -> tuple[int, str]:
        with pytest.raises(SystemExit) as leave:
            cli.main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        assert isinstance(leave.value.code, int)
        return leave.value.code, re.sub(r"\s+", " ", said.out + said.err)

    return call


@pytest.mark.parametrize("labels", ["labels.dcm", "contours.dcm"])
def test_a_case_of_dicom_files_is_planned_as_the_same_hip_in_nifti(
    scans: Path, labels: str, tmp_path: Path, guidegen_: Callable[..., tuple[int, str]]
) -> None:
    code, said = guidegen_(
        "new", tmp_path / "case", "--bone", scans / labels, "--bone-image", scans / "ct", "--lesion", scans / labels,
        "--side", "left", "--id", "P1",
    )  # fmt: skip
    assert code == 0, said
    assert "femur_left" in said
    assert "HOSPITAL 17" in said  # shown to the person who asked
    case = load_case(tmp_path / "case" / "case.toml")
    assert (case.bone.femur, case.bone.pelvis, case.lesion.lesion) == ("femur_left", "hip_left", "necrosis")
    assert case.patient.dicom_id == "HOSPITAL 17"
    found, known = plan_case(case, tmp_path / "out"), plan_case(scans / "nifti" / "case.toml", tmp_path / "out")
    assert found.tunnels
    assert known.tunnels
    np.testing.assert_allclose(found.tunnels[0].entry_mm, known.tunnels[0].entry_mm, atol=0.05)
    np.testing.assert_allclose(found.tunnels[0].target_mm, known.tunnels[0].target_mm, atol=0.05)


def test_both_sides_are_two_cases(scans: Path, tmp_path: Path, guidegen_: Callable[..., tuple[int, str]]) -> None:
    code, said = guidegen_(
        "new", tmp_path, "--bone", scans / "labels.dcm", "--lesion", scans / "labels.dcm", "--side", "both",
        "--femur", "left=1,right=2", "--id", "P1",
    )  # fmt: skip
    assert code == 0, said
    cases = [load_case(tmp_path / f"case-{side}.toml") for side in ("left", "right")]
    assert [(case.patient.side, case.bone.femur) for case in cases] == [("left", 1), ("right", 2)]


def test_files_of_two_patients_are_refused_without_a_name(scans: Path, tmp_path: Path) -> None:
    text = '[patient]\nid = "P1"\nside = "left"\n[bone]\nlabels = "labels.dcm"\nfemur = 1\nimage = "{image}"\n'
    text += '[lesion]\nlabels = "labels.dcm"\nlesion = 3\n'
    inside = scans / "two.toml"
    inside.write_text(text.format(image="other"), encoding="utf-8")
    with pytest.raises(IdentityError, match="expected all files of one patient, found another patient id") as caught:
        plan_case(inside, tmp_path / "out")
    assert "HOSPITAL" not in str(caught.value)


def test_a_laterality_that_contradicts_the_order_is_refused(scans: Path, tmp_path: Path) -> None:
    case = scans / "right.toml"
    case.write_text(
        '[patient]\nid = "P1"\nside = "right"\n[bone]\nlabels = "labels.dcm"\nfemur = 1\nimage = "ct"\n'
        '[lesion]\nlabels = "labels.dcm"\nlesion = 3\n',
        encoding="utf-8",
    )
    with pytest.raises(SideError, match=r"expected a right femur as ordered|expected one side from every source"):
        plan_case(case, tmp_path / "out")
    assert not (tmp_path / "out").exists()
