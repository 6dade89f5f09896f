"""Which pushes dry friction holds, on contacts where the friction cone says it."""

from __future__ import annotations

import numpy as np
import pytest
from shapes import corner, face, groove, round_patch

from guidegen.frames import FloatArray
from guidegen.seat.docking import LEVER_MM, Contact
from guidegen.seat.friction import BEARS_MM, EDGES, FRICTION, bearing, holds, resistances

INSCRIBED = np.cos(np.pi / EDGES)  # a pyramid's flat over its edge
CONE_DEG = float(np.degrees(np.arctan(FRICTION)))


def held(contact: Contact, lean_deg: float, towards: float = 0.0, at_mm: tuple[float, float] = (0.0, 0.0)) -> bool:
    """Whether a push down, leant `lean_deg` to a direction in the plane across z (0: x), through a point beside the
    contact's middle at its own height, is held.
    """
    lean, turn = np.radians([lean_deg, towards])
    force = np.array([np.sin(lean) * np.cos(turn), np.sin(lean) * np.sin(turn), -np.cos(lean)])
    wrench = np.concatenate([force, np.cross([*at_mm, 0.0], force) / LEVER_MM])
    return bool(holds(resistances(contact, contact.middle_mm), wrench[None])[0])


FLAT = face([0.0, 0.0, 1.0], [1.0, 0.0, 0.0])


@pytest.mark.parametrize("towards", [0.0, 17.0, 30.0, 90.0, 200.0])
def test_a_plane_holds_a_push_inside_the_friction_cone(towards: float) -> None:
    assert held(FLAT, np.degrees(np.arctan(FRICTION * INSCRIBED)) - 0.1, towards)
    assert not held(FLAT, CONE_DEG + 0.1, towards)


def test_a_plane_tips_under_a_push_beside_it() -> None:
    assert held(FLAT, 0.0, at_mm=(9.9, 9.9))
    assert not held(FLAT, 0.0, at_mm=(10.1, 0.0))


def test_a_groove_holds_across_by_its_wall_and_the_cone_together() -> None:
    # friction's flat, at worst, adds its own angle to the wall's
    least, most = (np.degrees(np.arctan(FRICTION * share)) for share in (INSCRIBED, 1.0))
    assert held(groove(30.0), 30.0 + least - 0.2)
    assert not held(groove(30.0), 30.0 + most + 0.2)


def test_a_groove_holds_along_by_what_its_walls_wedge() -> None:
    # friction across the walls may jam them, and what is left of it holds along: u of it across a wall at b holds most,
    # sqrt(µ² - u²) / (cos b - u sin b), where u = µ² tan b
    def limit_deg(friction: float) -> float:
        jam = np.sqrt(1.0 - friction**2 * np.tan(np.radians(60.0)) ** 2)
        return float(np.degrees(np.arctan(friction / np.cos(np.radians(60.0)) / jam)))

    assert held(groove(60.0), limit_deg(FRICTION * INSCRIBED) - 0.2, 90.0)
    assert not held(groove(60.0), limit_deg(FRICTION) + 0.2, 90.0)


def test_a_round_shaft_holds_no_more_roll_than_friction_at_its_radius() -> None:
    patch = round_patch("cylinder")
    resists = resistances(patch, np.zeros(3))  # about the shaft's axis
    on = np.array([-1.0, 0.0, 0.0])

    def roll(moment_mm: float) -> FloatArray:
        return np.concatenate([on, [0.0, 0.0, moment_mm / LEVER_MM]])

    # bearing at both edges, 60° round, each carries 1 / (2 cos 60°) = 1: friction's moment is at most 2 µ r
    assert holds(resists, roll(0.8 * 15.0 * FRICTION)[None])[0]
    assert not holds(resists, roll(2.0 * 15.0 * FRICTION * 1.05)[None])[0]


def test_no_contact_holds_a_pull() -> None:
    for contact in (FLAT, groove(45.0), corner()):
        assert not held(contact, 180.0)


def test_pushes_are_judged_one_by_one() -> None:
    flat = resistances(FLAT, FLAT.middle_mm)
    wrenches = np.array([[0.0, 0.0, -1.0, 0, 0, 0], [1.0, 0.0, -1.0, 0, 0, 0], [0.1, 0.0, -1.0, 0, 0, 0]])
    assert holds(flat, wrenches).tolist() == [True, False, True]


def test_what_bears_is_within_reach_of_the_closest_but_one_in_a_hundred() -> None:
    gaps = np.concatenate([[-5.0], np.linspace(1.0, 2.0, 999)])  # one point that stands out is crushed
    closest = np.percentile(gaps, 1.0)
    assert np.flatnonzero(bearing(gaps)).tolist() == np.flatnonzero(gaps < closest + BEARS_MM).tolist()
    assert 0.25 < bearing(gaps).mean() < 0.35
