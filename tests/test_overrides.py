"""What an expert overrules: it is used, it is recorded beside what was computed, and slips are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_store import point

from guidegen.bone.anatomy import Anatomy
from guidegen.case import Overrides, load_case
from guidegen.errors import CaseFileError
from guidegen.frames import angle_deg, rotation_about, unit
from guidegen.overrides import given_registration, overrule_anatomy

WHO = {"author": "Dr. Ångström", "reason": "the dome has collapsed"}


def anatomy() -> Anatomy:
    neck, shaft = unit(np.array([0.6, 0.1, 0.7])), np.array([0.0, 0.0, 1.0])
    return Anatomy(
        "left", np.array([1.0, 2.0, 3.0]), 24.0, np.array([-10.0, 2.0, -5.0]), neck, np.zeros(3), shaft, point(),
        point(), point(), 180.0 - angle_deg(neck, shaft), 0.2, False,
    )  # fmt: skip


def test_a_landmark_that_is_given_takes_the_place_of_the_computed_one() -> None:
    found, record = overrule_anatomy(anatomy(), Overrides(**WHO, head_center_mm=[1.0, 5.0, 7.0]))
    np.testing.assert_array_equal(found.head_center_mm, [1.0, 5.0, 7.0])
    (each,) = record
    assert (each.name, each.computed, each.given, each.unit) == ("head_center_mm", (1, 2, 3), (1, 5, 7), "mm")
    assert each.apart == pytest.approx(5.0)
    assert found.neck_isthmus_center_mm.tolist() == [-10.0, 2.0, -5.0]


def test_an_axis_is_made_a_unit_vector_and_its_angle_follows() -> None:
    found, (each,) = overrule_anatomy(anatomy(), Overrides(**WHO, neck_axis=[6.0, 0.0, 7.0]))
    assert np.linalg.norm(found.neck_axis) == pytest.approx(1.0)
    assert found.neck_shaft_angle_deg == pytest.approx(180.0 - np.degrees(np.arctan2(6.0, 7.0)))
    assert each.unit == "°"


def test_everything_can_be_given() -> None:
    computed = anatomy()
    given = Overrides(**WHO, head_radius_mm=25.5, lesser_trochanter_mm=list(computed.lesser_trochanter_mm + 1.0))
    found, record = overrule_anatomy(computed, given)
    assert found.head_radius_mm == 25.5
    assert [each.name for each in record] == ["lesser_trochanter_mm", "head_radius_mm"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"head_center_mm": [1.0, 2.0, 45.0]}, r"head_center_mm: expected a value within 40 mm .* found one 42\.0 mm"),
        ({"head_center_mm": [-1.0, -2.0, 80.0]}, "check its numbers, frame"),
        ({"neck_axis": [-0.6, -0.1, -0.7]}, r"neck_axis: expected a value within 30 ° .* found one 180\.0 °"),
        ({"head_radius_mm": 49.0}, r"head_radius_mm: expected a value within 8 mm .* found one 25\.0 mm"),
    ],
)
def test_a_slip_of_the_pen_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(CaseFileError, match=message):
        overrule_anatomy(anatomy(), Overrides(**WHO, **given))


def test_a_registration_is_a_rigid_motion() -> None:
    turn = rotation_about((0.3, 0.2, 0.9), 20.0)
    rows = [[*row, shift] for row, shift in zip(turn.tolist(), (1.0, 2.0, 3.0), strict=True)]
    pose = given_registration(Overrides(**WHO, registration=rows))
    assert pose is not None
    np.testing.assert_allclose(pose.points(np.zeros(3)), [1.0, 2.0, 3.0])
    rows[0][0] *= 1.1
    with pytest.raises(CaseFileError, match=r"overrides\.registration: expected a turn and a shift .* no rigid"):
        given_registration(Overrides(**WHO, registration=rows))
    rows = [[*row, 0.0] for row in (np.diag([-1.0, 1.0, 1.0])).tolist()]
    with pytest.raises(CaseFileError, match="no rigid"):
        given_registration(Overrides(**WHO, registration=rows))


CASE = """
[patient]
id = "P1"
side = "left"
[bone]
femur = "a.nii.gz"
[lesion]
lesion = "a.nii.gz"
[overrides]
author = "A"
reason = "B"
"""


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", "expected something that is overruled beside author and reason, found nothing"),
        ("neck_axis = [0, 0, 0]", r"overrides\.neck_axis: expected a direction, found zeros"),
        ("head_radius_mm = -1", r"overrides\.head_radius_mm: expected a length in mm above 0, found -1"),
        ("registration = [[1, 0, 0, 0]]", r"overrides\.registration: expected three rows of four numbers"),
        ('not_kept_away = ["femur"]', "not_kept_away"),
        ("head_centre_mm = [0, 0, 0]", "did you mean 'head_center_mm'"),
    ],
)
def test_faults_in_the_case_file(tmp_path: Path, line: str, message: str) -> None:
    (tmp_path / "a.nii.gz").write_bytes(b"a")
    (tmp_path / "case.toml").write_text(CASE + line, encoding="utf-8")
    with pytest.raises(CaseFileError, match=message):
        load_case(tmp_path / "case.toml")


def test_who_and_why_are_needed(tmp_path: Path) -> None:
    (tmp_path / "a.nii.gz").write_bytes(b"a")
    (tmp_path / "case.toml").write_text(CASE.replace('author = "A"\n', "") + "neck_axis = [0, 0, 1]", encoding="utf-8")
    with pytest.raises(CaseFileError, match=r"overrides\.author: expected a value, found nothing"):
        load_case(tmp_path / "case.toml")
