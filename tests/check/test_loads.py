"""Statics and beams against closed forms: a tube clamped at its foot, a plate on a flat bone with two wires."""

from __future__ import annotations

import manifold3d as m3
import numpy as np
import pytest
from scipy.integrate import quad, solve_bvp
from seat_bodies import BORE_RADIUS_MM, CLEARANCE, PLATE, SLEEVE_MM, SLEEVE_RADIUS_MM, block, flat, ridged_ball, rod

from guidegen.check.asked import AskedPrinting
from guidegen.check.bench import lay_out
from guidegen.check.bore import measured_bore
from guidegen.check.friction import FRICTION
from guidegen.check.loads import load_findings, loads, shell_root, youngs_modulus_mpa
from guidegen.check.pinned import ASKEW_DEG, STEEL_YIELD_MPA, THRUST_N, Wire, thrust_directions
from guidegen.check.sleeve_bend import Beam, Root, moments, plate_turn, sleeve_bend
from guidegen.frames import angle_deg, unit
from guidegen.surfaces import Surface

STIFF = Root(thickness_mm=1e4, radius_mm=30.0)
RESIN = {"process": "SLA", "material": "surgical guide resin", **PLATE}
E_MPA = 2500.0
TWO_PINS = [([0.0, 15.0, 0.0], [0.0, 0.0, -1.0]), ([0.0, -15.0, 0.0], [0.0, 0.0, -1.0])]


def at_angle(deg: float) -> tuple[float, float, float]:
    """A target that is reached by a drill that leans so far towards +x."""
    return 60.0 * np.sin(np.radians(deg)), 0.0, -60.0 * np.cos(np.radians(deg))


def surface(solid: m3.Manifold) -> Surface:
    mesh = solid.to_mesh64()
    return Surface(np.asarray(mesh.vert_properties)[:, :3], np.asarray(mesh.tri_verts).astype(np.int64))


def beam(guide: Surface, length: float, stop: float = 0.0) -> Beam:
    """The bore along -z from the top in z = length to z = 0."""
    bore = measured_bore(guide, [0, 0, length], [0, 0, 0], np.array([0.0, 0.0, -1.0]), 2 * BORE_RADIUS_MM)
    top = float((np.array([0.0, 0.0, length]) - bore.point_mm) @ bore.axis)
    return Beam(bore, top - stop, top, top + length)


def tube(outer: m3.Manifold) -> Surface:
    return surface(outer - rod([0, 0, -10], [0, 0, 60], BORE_RADIUS_MM))


def test_a_tube_clamped_at_its_foot_bends_as_a_cantilever_does() -> None:
    """F L³ ÷ 3 E I, and F L ÷ (½ A G) of shear."""
    length = 36.0
    found = sleeve_bend((guide := tube(rod([0, 0, 0], [0, 0, length], 7.1))), beam(guide, length), STIFF, E_MPA)
    inertia, area = np.pi / 4.0 * (7.1**4 - BORE_RADIUS_MM**4), np.pi * (7.1**2 - BORE_RADIUS_MM**2)
    assert found.bending_mm == pytest.approx(20.0 * length**3 / (3.0 * E_MPA * inertia), rel=0.01)
    assert found.shear_mm == pytest.approx(20.0 * length / (0.5 * area * E_MPA / 2.8), rel=0.01)
    assert found.root_mm < 1e-6
    assert found.total_mm == pytest.approx(found.bending_mm + found.shear_mm, abs=1e-6)


def test_the_weak_way_of_a_flat_sleeve_counts() -> None:
    length, wide, thin = 30.0, 20.0, 11.0
    outer = block([-wide / 2, -thin / 2, 0], [wide / 2, thin / 2, length])
    found = sleeve_bend((guide := tube(outer)), beam(guide, length), STIFF, E_MPA)
    inertia = wide * thin**3 / 12.0 - np.pi / 4.0 * BORE_RADIUS_MM**4
    assert found.bending_mm == pytest.approx(20.0 * length**3 / (3.0 * E_MPA * inertia), rel=0.01)


def test_a_stop_face_above_the_printed_top_pulls_with_a_longer_arm() -> None:
    length, above = 30.0, 6.0
    found = sleeve_bend((guide := tube(rod([0, 0, 0], [0, 0, length], 7.1))), beam(guide, length, above), STIFF, E_MPA)
    inertia = np.pi / 4.0 * (7.1**4 - BORE_RADIUS_MM**4)
    way = ((length + above) ** 3 - above**3) / 3.0
    assert found.bending_mm == pytest.approx(20.0 * way / (E_MPA * inertia), rel=0.01)


def test_an_open_sided_sleeve_is_measured_as_it_is() -> None:
    """A slot to one side: weaker than the whole tube, and more than half as strong."""
    length = 30.0
    whole = tube(rod([0, 0, 0], [0, 0, length], 7.1))
    slotted = surface(
        rod([0, 0, 0], [0, 0, length], 7.1)
        - rod([0, 0, -10], [0, 0, 60], BORE_RADIUS_MM)
        - block([0, -2, -5], [20, 2, 50])
    )
    closed, opened = (sleeve_bend(guide, beam(whole, length), STIFF, E_MPA) for guide in (whole, slotted))
    assert 1.1 < opened.bending_mm / closed.bending_mm < 2.0


def test_a_chip_that_a_cut_shows_apart_does_not_stand_for_the_sleeve() -> None:
    """Two slits through the wall over 1 mm leave a chip between them, the nearest to the axis of all that is cut."""
    length = 30.0
    whole = rod([0, 0, 0], [0, 0, length], 7.1) - rod([0, 0, -10], [0, 0, 60], BORE_RADIUS_MM)
    slits = block([0, -0.45, 14.0], [20, -0.05, 15.0]) + block([0, 0.05, 14.0], [20, 0.45, 15.0])
    chip = block([BORE_RADIUS_MM - 0.05, -0.05, 13.5], [7.0, 0.05, 15.5])
    plain, chipped = surface(whole), surface(whole - slits + chip)
    bends = [sleeve_bend(guide, beam(plain, length), STIFF, E_MPA).bending_mm for guide in (plain, chipped)]
    assert 1.0 < bends[1] / bends[0] < 1.02


def test_a_boss_beside_the_sleeve_does_not_stiffen_it() -> None:
    length = 30.0
    alone = tube(rod([0, 0, 0], [0, 0, length], 7.1))
    beside = tube(rod([0, 0, 0], [0, 0, length], 7.1) + rod([9.0, 0, 0], [9.0, 0, length], 1.0))
    bends = [sleeve_bend(guide, beam(alone, length), STIFF, E_MPA).bending_mm for guide in (alone, beside)]
    assert bends[0] == pytest.approx(bends[1], rel=1e-6)


def test_a_guide_that_cannot_be_cut_has_no_figure() -> None:
    guide = tube(rod([0, 0, 0], [0, 0, 30.0], 7.1))
    opened = Surface(guide.vertices, guide.faces[1:])
    assert sleeve_bend(opened, beam(guide, 30.0), STIFF, E_MPA) is None
    assert sleeve_bend(guide, beam(guide, 45.0), STIFF, E_MPA) is None  # there is none of it in the lowest 15 mm


def test_moments_of_a_rectangle_beside_the_axis() -> None:
    area, second = moments(m3.CrossSection.square([6.0, 2.0]).translate([5.0, -3.0]))
    assert area == pytest.approx(12.0)
    assert second == pytest.approx(np.diag([2.0 * 6.0**3 / 12.0, 6.0 * 2.0**3 / 12.0]))


@pytest.mark.parametrize("inner", [5.0, 8.0, 15.0])
def test_a_disc_in_a_clamped_plate_turns_as_the_plate_equation_says(inner) -> None:
    """∇⁴w = 0 with w = f(r) cos φ solved numerically; the moment follows from the energy: M = π D ∫ (∇²f)² r dr."""
    outer, thickness, modulus = 24.0, 4.0, 2500.0

    def slopes(r, y):  # f, f', g = ∇²f, g'
        f, df, g, dg = y
        return np.stack([df, g - df / r + f / r**2, dg, -dg / r + g / r**2])

    def ends(a, b):
        return np.array([a[0] - inner, a[1] - 1.0, b[0], b[1]])

    r = np.linspace(inner, outer, 200)
    solved = solve_bvp(slopes, ends, r, np.zeros((4, len(r))), tol=1e-8)
    assert solved.success
    stiffness = modulus * thickness**3 / (12.0 * (1.0 - 0.3**2))
    moment = np.pi * stiffness * quad(lambda r: solved.sol(r)[2] ** 2 * r, inner, outer)[0]
    assert plate_turn(inner, Root(thickness, outer), modulus) == pytest.approx(1.0 / moment, rel=1e-4)


def printing(process: str, material: str, modulus_mpa: float | None = None) -> AskedPrinting:
    return AskedPrinting(process=process, material=material, youngs_modulus_mpa=modulus_mpa, **PLATE)


@pytest.mark.parametrize(("process", "material", "expected"), [
    ("SLA", "Surgical Guide resin", 2500.0), ("SLS", "PA 12", 1700.0), ("MJF", "PA12", 1700.0), ("FDM", "PC", 2000.0),
    ("LPBF", "Ti-6Al-4V", 110_000.0), ("SLS", "titanium", 110_000.0),
])  # fmt: skip
def test_the_modulus_follows_the_material_before_the_process(process, material, expected) -> None:
    modulus, source = youngs_modulus_mpa(printing(process, material))
    assert modulus == expected
    assert source


def test_the_printer_s_own_modulus_goes_first_and_an_unknown_one_is_none() -> None:
    assert youngs_modulus_mpa(printing("SLA", "resin", 2900.0))[0] == 2900.0
    assert youngs_modulus_mpa(printing("cast", "chocolate"))[0] is None


def test_two_wires_share_what_friction_leaves_of_an_oblique_thrust() -> None:
    """Each bears (sin α - µ cos α) ÷ 2 of the thrust, α the lean of the worst direction in the cone."""
    lean = 45.0
    found = loads(*flat(at_angle(lean), pins=TWO_PINS).built(printing=RESIN)).thrust[0]
    worst = np.radians(lean) + np.arctan(np.tan(np.radians(ASKEW_DEG)) / np.cos(np.pi / 12.0))
    each = THRUST_N * (np.sin(worst) - FRICTION * np.cos(worst)) / 2.0
    lever = CLEARANCE + 1.0
    assert not found.without_wires
    assert [wire.lever_mm for wire in found.wires] == pytest.approx([lever, lever], abs=0.15)
    strongest = STEEL_YIELD_MPA * np.pi * 2.0**3 / (32.0 * found.wires[0].lever_mm)
    assert found.times == pytest.approx(min(10.0, strongest / each), rel=0.03)
    for wire in found.wires:
        assert wire.lateral_n == pytest.approx(each, rel=0.03)
        assert wire.stress_mpa == pytest.approx(32.0 * each * wire.lever_mm / (np.pi * 2.0**3), rel=0.03)
        assert wire.bend_mm == pytest.approx(each * wire.lever_mm**3 / (3 * 200e3 * np.pi * 2.0**4 / 64), rel=0.03)


def test_friction_alone_holds_a_steep_thrust() -> None:
    """5° and the cone's 5.2° are less than the 11.3° of friction 0.2; 7° and 5.2° are more, of its pyramid."""
    assert loads(*flat(at_angle(5.0)).built()).thrust[0].without_wires
    assert not loads(*flat(at_angle(7.0)).built()).thrust[0].without_wires
    assert loads(*flat(at_angle(7.0)).built()).thrust[0].times == 0.0


def test_one_wire_beside_the_thrust_does_not_keep_it_from_turning() -> None:
    one = [([0.0, 15.0, 0.0], [0.0, 0.0, -1.0])]
    assert loads(*flat(at_angle(60.0), pins=one).built()).thrust[0].times == 0.0


def test_a_thrust_that_lifts_the_guide_off_is_held_by_wires_askew_only() -> None:
    """Straight wires let it off along themselves; two that diverge do not."""
    lean = 86.0  # with 5° more it lifts
    leaning = [([0.0, y, 0.0], [0.0, -0.4 * np.sign(y), -1.0]) for y in (15.0, -15.0)]
    straight, askew = (loads(*flat(at_angle(lean), pins=pins).built()).thrust[0] for pins in (TWO_PINS, leaning))
    assert straight.times == 0.0
    assert askew.times > 0.0


def test_all_directions_askew_lie_between_those_that_are_tried() -> None:
    axis = unit(np.array([0.3, -0.5, 0.8]))
    tried = thrust_directions(axis)
    assert tried[0] == pytest.approx(axis)
    middles = unit(tried[1:] + np.roll(tried[1:], 1, axis=0))
    assert min(angle_deg(middle, axis) for middle in middles) == pytest.approx(ASKEW_DEG, abs=0.01)


def test_a_wire_yields_at_its_strongest_load() -> None:
    wire = Wire(np.zeros(3), np.array([0.0, 0.0, -1.0]), lever_mm=1.5, diameter_mm=2.0)
    assert wire.load(wire.strongest_n).stress_mpa == pytest.approx(STEEL_YIELD_MPA)


def test_the_shell_is_measured_over_the_contact() -> None:
    bench = lay_out(*flat().built())
    root = shell_root(bench)
    area = 40.0**2 - np.pi * BORE_RADIUS_MM**2
    assert root.thickness_mm == pytest.approx(4.0 - CLEARANCE, abs=0.01)
    assert root.radius_mm == pytest.approx(np.sqrt(area / np.pi), rel=0.02)


def test_a_sleeve_on_a_plate_gives_by_tube_and_plate() -> None:
    asked, bone, guide = flat().built(printing=RESIN)
    found = loads(asked, bone, guide).bend[0]
    inertia = np.pi / 4.0 * (SLEEVE_RADIUS_MM**4 - BORE_RADIUS_MM**4)
    free = SLEEVE_MM - 4.0  # above the plate
    assert 20.0 * free**3 < 3.0 * E_MPA * inertia * found.bending_mm < 20.0 * SLEEVE_MM**3
    assert found.root_mm > 0.0


def test_findings_pass_a_sound_guide_and_fail_a_slender_one() -> None:
    sound = loads(*flat(at_angle(30.0), pins=TWO_PINS).built(printing=RESIN))
    assert all(finding.passed for finding in load_findings(sound))
    soft = loads(*flat(at_angle(30.0), pins=TWO_PINS).built(printing=RESIN | {"youngs_modulus_mpa": 400.0}))
    held, bend = load_findings(soft)
    assert held.passed
    assert not bend.passed
    assert bend.measured == pytest.approx(sound.bend[0].total_mm * 2500.0 / 400.0, rel=1e-3)


def test_what_is_missing_fails_and_says_what() -> None:
    asked, bone, guide = flat(pins=TWO_PINS).built()
    held, bend = load_findings(loads(asked, bone, guide))
    assert held.passed
    assert bend.why.startswith("Not measured: no modulus is known for plaster (casting).")
    nowhere = asked.guide.pins[0].model_copy(update={"top_mm": asked.guide.sleeves[0].top_mm})
    lost = asked.model_copy(update={"guide": asked.guide.model_copy(update={"pins": [nowhere]})})
    held, _ = load_findings(loads(lost, bone, Surface(guide.vertices + 300.0, guide.faces)))
    assert held.why.startswith("Not measured: a bore, a pin's hole or the contact is missing.")


def test_loads_do_not_depend_on_how_the_patient_lies() -> None:
    from seat_bodies import ELSEWHERE

    body = ridged_ball()
    here, there = (loads(*body.built(**where, printing=RESIN)) for where in ({}, {"place": ELSEWHERE, "mirror": True}))
    assert here.bend[0].total_mm == pytest.approx(there.bend[0].total_mm, rel=1e-6)
    assert here.thrust[0].times == pytest.approx(there.thrust[0].times, rel=1e-6)
