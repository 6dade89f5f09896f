"""JIC, ARCO 2021 and CJFH from angles and shares; classes by size; what a range of values allows."""

from __future__ import annotations

import math

import numpy as np
import pytest

from guidegen.lesion.definitions import Definitions
from guidegen.lesion.grade import Grade, Measured, just_above
from guidegen.lesion.location_types import Pillars, arco_2021_type, cjfh_type, jic_type, pillars
from guidegen.lesion.size_class import depression_class, kerboul_grade, kerboul_risk, koo_kim_extent, steinberg

USUAL = Definitions()


@pytest.mark.parametrize(
    ("margin", "expected"),
    [(60.0, "A"), (16.0, "A"), (14.0, "B"), (-9.0, "B"), (-11.0, "C1"), (-34.0, "C1"), (-36.0, "C2")],
)
def test_jic_counts_thirds_from_the_medial_end(margin, expected) -> None:
    assert jic_type(margin, edge_deg=-35.0, start_deg=40.0, definitions=USUAL) == expected


@pytest.mark.parametrize(("margin", "expected"), [(5.0, "1"), (-5.0, "2"), (-29.0, "2"), (-31.0, "3")])
def test_arco_2021_looks_at_apex_and_edge(margin, expected) -> None:
    assert arco_2021_type(margin, edge_deg=-30.0) == expected


def test_beyond_the_edge_of_a_dysplastic_roof_is_type_3() -> None:
    assert arco_2021_type(3.0, edge_deg=5.0) == "3"


@pytest.mark.parametrize(
    ("lateral", "central", "medial", "expected"),
    [
        (0.0, 0.0, 0.4, "M"),
        (0.0, 0.3, 1.0, "C"),
        (0.5, 1.0, 1.0, "L1"),
        (1.0, 0.6, 0.0, "L2"),
        (1.0, 1.0, 0.5, "L2"),
        (1.0, 1.0, 1.0, "L3"),
        (0.02, 0.0, 0.03, None),
    ],
)
def test_cjfh_by_its_pillars(lateral, central, medial, expected) -> None:
    assert cjfh_type(Pillars(lateral, central, medial), USUAL) == expected


def test_the_pillars_are_30_40_and_30_percent_of_the_width() -> None:
    """Necrosis from −50° to 10°: lateral dome from −90° to asin(−0.4), central between ± asin(0.4)."""
    angles = np.arange(-179.75, 180.0, 0.5)
    border = math.degrees(math.asin(0.4))
    found = pillars(angles, (angles > -50.0) & (angles < 10.0), np.ones(720, dtype=bool), USUAL)
    assert found.lateral == pytest.approx((50.0 - border) / (90.0 - border), abs=0.01)
    assert found.central == pytest.approx((border + 10.0) / (2.0 * border), abs=0.01)
    assert found.medial == 0.0


def test_what_is_no_joint_is_no_pillar() -> None:
    angles = np.arange(-179.75, 180.0, 0.5)
    found = pillars(angles, angles > -60.0, angles > -60.0, USUAL)
    assert found.lateral == 1.0


@pytest.mark.parametrize(
    ("grade", "value", "expected"),
    [
        (steinberg, 0.1499, "A"), (steinberg, 0.15, "B"), (steinberg, 0.30, "B"), (steinberg, 0.3001, "C"),
        (kerboul_grade, 199.9, "1"), (kerboul_grade, 200.0, "2"), (kerboul_grade, 250.0, "3"),
        (kerboul_grade, 300.0, "4"),
        (kerboul_risk, 190.0, "low"), (kerboul_risk, 190.1, "moderate"), (kerboul_risk, 240.0, "high"),
        (koo_kim_extent, 29.9, "low"), (koo_kim_extent, 40.0, "moderate"), (koo_kim_extent, 40.1, "high"),
        (depression_class, 2.0, "up to 2 mm (IIIA)"), (depression_class, 2.01, "more than 2 mm (IIIB)"),
    ],
)  # fmt: skip
def test_borders_belong_where_their_authors_put_them(grade, value, expected) -> None:
    found = grade(Measured.of(value, [value]), USUAL)
    assert (found.value, found.possible) == (expected, (expected,))


def test_a_range_names_every_class_that_it_reaches() -> None:
    found = kerboul_grade(Measured.of(240.0, [195.0, 251.0]), USUAL)
    assert (found.value, found.possible) == ("2", ("1", "2", "3"))


def test_a_number_without_value_gives_its_reason() -> None:
    found = steinberg(Measured.none("no head"), USUAL)
    assert (found.value, found.possible, found.reason) == (None, (), "no head")


def test_seen_classes_are_filled_up_between_the_lowest_and_the_highest() -> None:
    assert Grade.of_seen("x", "B", ["C2"], ("A", "B", "C1", "C2")).possible == ("B", "C1", "C2")


def test_just_above_is_the_next_number() -> None:
    assert 0.3 < just_above(0.3) < 0.3 + 1e-15


def test_every_definition_says_on_what_it_rests() -> None:
    record = USUAL.record()
    assert record["jic_borders"]["value"] == pytest.approx([1.0 / 3.0, 2.0 / 3.0])
    assert "not read" in record["jic_borders"]["rests_on"]
    assert all(each["rests_on"] and each["why"] for each in record.values())
