"""The name plate: every id is whole on it, as large as fits, or refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guidegen.errors import NoSafeGuide
from guidegen.guide import parts
from guidegen.guide.label import WIDEST_PLATE_MM, Label, place_label
from guidegen.guide.placement import Tube
from guidegen.guide.solids import part_solid
from guidegen.plan.templates import GuideTemplate, load_template

TEMPLATE = load_template(GuideTemplate, "lateral")[0]
SHAPE, SLEEVE = TEMPLATE.label, TEMPLATE.sleeve
OUTER_MM = 14.2
AXIS = np.array([0.0, np.sin(np.radians(40.0)), -np.cos(np.radians(40.0))])


def labelled(patient_id: str, side: str = "left", guided_mm: float = 32.0) -> Label:
    tube = Tube(np.zeros(3), AXIS, -4.0 - guided_mm, -4.0, 8.0)
    return place_label(patient_id, side, tube, OUTER_MM, SHAPE, SLEEVE)


def bounds_mm(solid: object) -> np.ndarray:
    return np.array(solid.bounding_box()).reshape(2, 3)  # type: ignore[attr-defined]


patient_ids = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", fullmatch=True)


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_short_id_and_the_side_in_capitals(side: str) -> None:
    label = labelled("T001L", side)
    assert label.lines == ("T001L", side.upper())
    assert label.text_height_mm == SHAPE.text_height_mm


def test_it_reads_along_the_sleeve_and_looks_outwards() -> None:
    label = labelled("T001L")
    np.testing.assert_allclose(label.reading_direction, -AXIS)
    np.testing.assert_allclose(
        np.cross(label.reading_direction, label.up_direction), label.outward_direction, atol=1e-12
    )
    assert label.outward_direction @ AXIS == pytest.approx(0.0, abs=1e-12)
    assert label.outward_direction[2] > 0.5  # away from the bone: the surgeon sees it
    along = label.center_mm @ AXIS
    assert along - label.width_mm / 2 > -36.0 + 4.0  # below the collar
    assert along + label.width_mm / 2 < -4.0  # and above the bone
    off_axis = np.linalg.norm(label.center_mm - along * AXIS)
    assert off_axis > OUTER_MM / 2  # its face stands over the tube


@given(patient_ids)
def test_every_id_is_whole_or_refused(patient_id: str) -> None:
    try:
        label = labelled(patient_id, "right")
    except NoSafeGuide:
        assert len(patient_id) > 40  # what a refusal says: below
        return
    assert "".join(label.lines[:-1]) == patient_id
    assert label.lines[-1] == "RIGHT"
    assert all(label.lines)
    assert SHAPE.least_text_height_mm <= label.text_height_mm <= SHAPE.text_height_mm
    assert label.height_mm <= WIDEST_PLATE_MM


def test_a_longer_id_has_more_lines_in_smaller_letters() -> None:
    labels = [labelled("Hospital-7_case.0123456789"[:length]) for length in (5, 12, 26)]
    lines = [len(label.lines) for label in labels]
    heights = [label.text_height_mm for label in labels]
    assert lines == sorted(lines)
    assert lines[-1] > 2
    assert heights == sorted(heights, reverse=True)


def test_an_id_of_64_wide_letters_is_refused() -> None:
    with pytest.raises(NoSafeGuide, match=r"expected a patient id that fits a plate of .*use a shorter id") as refusal:
        labelled("W" * 64)
    assert refusal.value.rule == "label"
    assert refusal.value.figures == {"characters": 64.0}


def test_an_id_of_64_narrow_letters_fits() -> None:
    assert "".join(labelled("i" * 64).lines[:-1]) == "i" * 64


@pytest.mark.parametrize("patient_id", ["T001L", "WWWWWW", "Hospital-7_case.0123456789"])
def test_the_letters_stay_on_the_plate(patient_id: str) -> None:
    label = labelled(patient_id)
    step_mm = 1.3 * label.text_height_mm
    text = part_solid(parts.make("engraving", label.lines, label.text_height_mm, step_mm, label.depth_mm), "the text")
    (left, low, deep), (right, high, _) = bounds_mm(text)
    assert max(-left, right) <= label.width_mm / 2
    assert max(-low, high) <= label.height_mm / 2
    assert deep == pytest.approx(-SHAPE.depth_mm)


def test_plate_and_letters_lie_where_the_label_says() -> None:
    label = labelled("T001L")
    axes = np.stack([label.reading_direction, label.up_direction, label.outward_direction])
    for solid, top in ((label.plate(parts.make), 0.0), (label.engraving(parts.make), 1.0)):
        mesh = solid.to_mesh64()
        own = (np.asarray(mesh.vert_properties)[:, :3] - label.center_mm) @ axes.T
        assert own[:, 2].max() == pytest.approx(top, abs=1e-6)
        assert np.abs(own[:, 0]).max() <= label.width_mm / 2 + parts.PLATE_EDGE_MM + 1e-6
        assert np.abs(own[:, 1]).max() <= label.height_mm / 2 + parts.PLATE_EDGE_MM + 1e-6
