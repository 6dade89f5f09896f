"""The trial bone of the box hip, good and with one thing put wrong."""

from __future__ import annotations

from collections.abc import Callable

import manifold3d as m3
import numpy as np
import pytest
import trimesh

from guidegen.check.trial_bone import (
    TRIAL_BONE_FILE,
    read_trial_bone,
    trial_bone_findings,
    trial_print_findings,
)
from guidegen.errors import ResultError
from guidegen.frames import FloatArray, unit
from guidegen.surfaces import Surface

Made = Callable[..., Surface]
OFF = "trial bone off the bone"
DRILL, FIRST_WIRE, SECOND_WIRE = (f"{name} depth in the trial bone" for name in ("tunnel 1", "pin 1", "pin 2"))


@pytest.fixture(scope="module")
def made(hip, bench) -> Made:
    """Makes a trial bone: the bone about the guide on a foot, with the tunnel and the wires' holes; `short_mm` leaves
    so much at the end of the tunnel, `leave` one of the holes, `add` and `cut` come last.
    """

    def drilled(start_mm: list[float], end_mm: list[float], radius: float, short_mm: float = 0.0) -> m3.Manifold:
        start, end = (bench.place.inverse().points(point) for point in (start_mm, end_mm))
        way = unit(end - start)
        return bench.rod(start - 80.0 * way, end - short_mm * way, radius)

    def make(
        drill_mm: float = 8.0, short_mm: float = 0.0, leave: str = "", add: m3.Manifold | None = None,
        cut: m3.Manifold | None = None,
    ) -> Surface:  # fmt: skip
        solid = bench.bone_solid() ^ bench.block([-40.0, -60.0, -55.0], [60.0, 60.0, 60.0])
        solid += bench.block([-25.0, -25.0, -66.0], [25.0, 25.0, -54.0])
        (tunnel,) = hip.content["tunnels"]
        holes = {DRILL: drilled(tunnel["entry_mm"], tunnel["target_mm"], drill_mm / 2.0, short_mm)}
        for name, pin in zip((FIRST_WIRE, SECOND_WIRE), hip.content["guide"]["pins"], strict=True):
            end = np.add(pin["point_mm"], pin["depth_mm"] * np.array(pin["direction"]))
            holes[name] = drilled(pin["point_mm"], list(end), 1.0)
        for name, hole in holes.items():
            solid = solid if name == leave else solid - hole
        solid = solid if add is None else solid + add
        return bench.placed(solid if cut is None else solid - cut)

    return make


def failed(hip, trial: Surface | None) -> list[str]:
    findings = trial_bone_findings(hip.asked(), hip.bone, hip.guide, trial)
    assert all(finding.why.endswith(".") for finding in findings)
    return [finding.name for finding in findings if not finding.passed]


def test_the_bone_itself_with_open_holes_passes(hip, made) -> None:
    findings = trial_bone_findings(hip.asked(), hip.bone, hip.guide, made())
    assert [(finding.name, finding.passed) for finding in findings] == [
        ("trial bone open edges", True), ("trial bone volume", True), ("trial bone bodies", True), (OFF, True),
        (DRILL, True), (FIRST_WIRE, True), (SECOND_WIRE, True),
    ]  # fmt: skip
    assert [findings[place].measured for place in (3, 4, 5)] == pytest.approx([0.0, 85.0, 25.0], abs=1e-3)


def moved(surface: Surface, change: Callable[[FloatArray], FloatArray]) -> Surface:
    middle = surface.vertices.mean(axis=0)
    return Surface(change(surface.vertices - middle) + middle, surface.faces)


def test_another_size_or_place_is_found(hip, made) -> None:
    good, aside = made(), np.array([0.04, -0.03, 0.1])
    for change in (lambda points: 1.01 * points, lambda points: 0.99 * points, lambda points: points + aside):
        assert OFF in failed(hip, moved(good, change))


def test_a_lump_on_the_contact_and_a_hole_in_it_are_found(hip, made, bench) -> None:
    lump = bench.block([14.0, -11.0, -35.0], [15.2, -6.0, -30.0])
    assert failed(hip, made(add=lump)) == [OFF]
    assert failed(hip, made(cut=lump)) == [OFF]


def test_what_is_done_far_from_the_guide_does_not_count(hip, made, bench) -> None:
    assert failed(hip, made(cut=bench.block([-20.0, -5.0, -50.0], [-10.0, 5.0, -40.0]))) == []


@pytest.mark.parametrize(
    ("wrong", "found"),
    [
        ({"leave": DRILL}, [DRILL]),
        ({"leave": SECOND_WIRE}, [SECOND_WIRE]),
        ({"drill_mm": 7.9}, [DRILL]),
        ({"drill_mm": 9.0}, [OFF]),
        ({"short_mm": 25.0}, [DRILL]),
    ],
)
def test_a_hole_that_the_tool_does_not_fit_is_found(hip, made, wrong, found) -> None:
    assert failed(hip, made(**wrong)) == found


def test_an_open_one_one_in_pieces_and_one_inside_out_are_found(hip, made, bench) -> None:
    good = made()
    assert "trial bone open edges" in failed(hip, Surface(good.vertices, good.faces[1:]))
    assert failed(hip, made(add=bench.ball(np.array([60.0, 0.0, -60.0]), 2.0))) == ["trial bone bodies"]
    assert failed(hip, Surface(good.vertices, good.faces[:, ::-1])) == ["trial bone volume"]


def test_no_bone_near_the_guide_is_no_measurement(hip, made) -> None:
    away = Surface(hip.guide.vertices + 300.0, hip.guide.faces)
    finding = trial_bone_findings(hip.asked(), hip.bone, away, made())[3]
    assert (finding.name, finding.measured, finding.passed) == (OFF, None, False)
    assert finding.why.startswith("Not measured: no bone lies near the guide.")


def test_the_file_that_is_printed_is_measured_as_the_one_that_was_tried(hip, made) -> None:
    """Upright, with the guide's side to the front of the plate; then another body, and lying on its side."""
    good = made()
    upright = (good.vertices @ np.array([hip.bench_axes[1], -hip.bench_axes[0], hip.bench_axes[2]]).T)[good.faces]
    sizes = ["trial bone print length", "trial bone print width", "trial bone print height"]
    expected = ["trial bone print file off its STL", *sizes, "trial bone print pose off plan"]
    findings = trial_print_findings(hip.asked(), good, upright)
    assert [(finding.name, finding.passed) for finding in findings] == [(name, True) for name in expected]
    lying = trial_print_findings(hip.asked(), good, upright[..., [1, 2, 0]])
    assert [finding.name for finding in lying if not finding.passed] == ["trial bone print pose off plan"]
    larger = trial_print_findings(hip.asked(), good, 1.01 * upright)
    assert [finding.name for finding in larger if not finding.passed] == ["trial bone print file off its STL"]
    none = trial_print_findings(hip.asked(), good, upright[1:])
    assert {finding.measured for finding in none[::4]} == {None}


def test_a_folder_without_one_fails_and_a_spoilt_one_is_refused(hip, made, tmp_path) -> None:
    assert read_trial_bone(tmp_path) is None
    findings = trial_bone_findings(hip.asked(), hip.bone, hip.guide, None)
    assert {(finding.measured, finding.passed) for finding in findings} == {(None, False)}
    assert all(f"there is no {TRIAL_BONE_FILE} beside the guide" in finding.why for finding in findings)
    good, path = made(), tmp_path / TRIAL_BONE_FILE
    trimesh.Trimesh(good.vertices, good.faces, process=False).export(path)
    read = read_trial_bone(tmp_path)
    assert read is not None
    assert failed(hip, read) == []
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(ResultError, match=r"expected trial_bone\.stl to be a whole binary STL"):
        read_trial_bone(tmp_path)
