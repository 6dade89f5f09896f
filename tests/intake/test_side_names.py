"""What names and DICOM files say of the side."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from guidegen.case import Case
from guidegen.intake.identity import Identity
from guidegen.intake.sides import SideSource, side_in_name, sides_said


@pytest.mark.parametrize(
    ("name", "side"),
    [
        ("femur_left", "left"),
        ("left femur", "left"),
        ("Left Femur", "left"),
        ("FEMUR_LEFT.nii.gz", "left"),
        ("FemurLeft", "left"),
        ("leftFemur", "left"),
        ("Femur L", "left"),
        ("femur_l.nii.gz", "left"),
        ("FemurL", "left"),
        ("L-femur", "left"),
        ("lt hip", "left"),
        ("hip_right", "right"),
        ("femur_right1.nrrd", "right"),
        ("Rt. Hip", "right"),
        ("R hip CT", "right"),
        ("right_thigh", "right"),
        ("onfh R.seg.nrrd", "right"),
        ("labels.nii.gz", None),
        ("femur", None),
        ("z019L.nii.gz", None),  # part of somebody's number
        ("series R.nii.gz", None),  # no bone
        ("L.nii.gz", None),
        ("femur L5.nii.gz", None),  # a vertebra
        ("upright femur", None),
        ("bright femur", None),
        ("leftover femur", None),
        ("cleft", None),
        ("femora left and right", None),
        ("femur_L_R", None),
        ("left femur R", None),
        ("linkes Femur", None),  # names are read in English
        ("", None),
    ],
)
def test_a_name_word_by_word(name, side) -> None:
    assert side_in_name(name) == side


NAMED = """
[patient]
id = "T001L"
side = "left"
[bone]
labels = "labels.nii.gz"
femur = "femur_left"
pelvis = "Hip L"
implant = "right screw"
image = "labels.nii.gz"
[lesion]
labels = "labels.nii.gz"
lesion = 2
"""


def test_names_are_told_with_their_key(make_case: Callable[[str], Case]) -> None:
    assert sides_said(make_case(NAMED), (), {"lesion.lesion": "right lesion", "bone.implant": "right screw"}) == (
        SideSource("the name 'femur_left' (bone.femur)", "left"),
        SideSource("the name 'Hip L' (bone.pelvis)", "left"),
        SideSource("the name 'right lesion' (lesion.lesion)", "right"),
    )


def test_every_part_of_a_path_speaks_for_itself(make_case: Callable[[str], Case], tmp_path) -> None:
    make_case()
    folder = tmp_path / "left hip" / "Femur R"
    folder.mkdir(parents=True)
    (folder / "labels.nii.gz").write_bytes((tmp_path / "labels.nii.gz").read_bytes())
    text = (
        '[patient]\nid = "T1"\nside = "left"\n[bone]\nfemur = "{0}"\n[lesion]\nlabels = "labels.nii.gz"\nlesion = 2\n'
    )
    case = make_case(text.format("left hip/Femur R/labels.nii.gz"))
    assert sides_said(case, (), {}) == (
        SideSource("the name 'left hip' (bone.femur)", "left"),
        SideSource("the name 'Femur R' (bone.femur)", "right"),
    )


def test_laterality_is_told_with_its_file_and_once(make_case: Callable[[str], Case]) -> None:
    identity = Identity("ct/1.dcm", laterality="right")
    said = sides_said(make_case(), (identity, Identity("mr/1.dcm"), identity), {"bone.femur": "femur"})
    assert said == (SideSource("the laterality in ct/1.dcm", "right"),)


def test_files_that_say_nothing_say_nothing(make_case: Callable[[str], Case]) -> None:
    assert sides_said(make_case(), (), {}) == ()
