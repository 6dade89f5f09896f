"""Each finding on an insert, made to fail by the one thing that is wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import manifold3d as m3
import numpy as np
import pytest

from guidegen.check.inserts import PlannedInsert, PlannedSocket, insert_findings
from guidegen.frames import LPS, RigidTransform, rotation_about
from guidegen.guide.solids import to_surface
from guidegen.surfaces import Surface
from guidegen.written import as_written

# A cone of 8 mm at the entry that widens by 1 in 10, from 3 to 30 mm above it, with a key on the x side; the bore along
# z; a flange, and 35 mm above the entry the stop face.
LOW_MM, RIM_MM, GAP_MM, OFFSET_MM, BORE_MM = 3.0, 30.0, 0.2, 35.0, 3.4
SEGMENTS = 120
IN_LPS = RigidTransform(rotation_about([1.0, 2.0, 3.0], 40.0), np.array([120.0, -40.0, 600.0]), "guide", LPS)
ENTRY, OUT = IN_LPS.translation_mm, IN_LPS.rotation[:, 2]
SOCKET = PlannedSocket(ENTRY, OUT, LOW_MM, RIM_MM, GAP_MM, 6.0)
ASKED = PlannedInsert(1, ENTRY - 95.0 * OUT, ENTRY + OFFSET_MM * OUT, 12.0, BORE_MM, OFFSET_MM - LOW_MM)


def tube(low_mm: float, high_mm: float, radius_mm: float, top_mm: float | None = None) -> Any:
    return m3.Manifold.cylinder(high_mm - low_mm, radius_mm, top_mm or radius_mm, SEGMENTS).translate((0, 0, low_mm))


def keyed(grown_mm: float, with_key: bool = True, above_mm: float = 0.0) -> Any:
    """The cone with its key, going on for so much above the rim: faces in one plane would leave crumbs."""
    top = RIM_MM + above_mm
    cone = tube(LOW_MM, top, 8.0 + 0.1 * LOW_MM + grown_mm, 8.0 + 0.1 * top + grown_mm)
    slab = m3.Manifold.cube((14.0 + grown_mm, 3.0 + 2.0 * grown_mm, 10.0 + grown_mm + above_mm))
    return cone + slab.translate((0.0, -1.5 - grown_mm, RIM_MM - 10.0 - grown_mm)) if with_key else cone


def insert(with_key: bool = True, bore_mm: float = BORE_MM) -> Any:
    body = keyed(0.0, with_key, above_mm=0.3) + tube(RIM_MM, OFFSET_MM, 16.0)
    return body - tube(-10.0, 60.0, bore_mm / 2.0 / np.cos(np.pi / SEGMENTS))


def guide() -> Any:
    return tube(0.0, RIM_MM, 20.0) - keyed(GAP_MM, above_mm=1.0) - tube(-1.0, 10.0, 8.5)


def written(solid: Any) -> Surface:
    surface = as_written(to_surface(solid).transformed(IN_LPS))
    assert surface is not None
    return surface


@pytest.fixture(scope="module")
def of_guide() -> Surface:
    return written(guide())


def failed(insert: Surface, guide: Surface, asked: PlannedInsert = ASKED, socket: PlannedSocket = SOCKET) -> set[str]:
    return {
        each.name.removeprefix("insert 1 ") for each in insert_findings(asked, socket, insert, guide) if not each.passed
    }


def test_as_designed_everything_passes(of_guide: Surface) -> None:
    findings = insert_findings(ASKED, SOCKET, written(insert()), of_guide)
    assert [each for each in findings if not each.passed] == []
    measured = {each.name.removeprefix("insert 1 "): each.measured for each in findings}
    assert measured["gap to the socket, least"] == pytest.approx(GAP_MM, abs=0.01)
    assert measured["wall round the bore"] == pytest.approx(8.0 + 0.1 * (LOW_MM + 0.5) - BORE_MM / 2.0, abs=0.05)
    assert measured["bore guided length"] == pytest.approx(OFFSET_MM - LOW_MM, abs=0.2)
    # a key of half width 1.5 at radius 14 in a slot of half width 1.7
    play = np.degrees(np.arcsin(1.7 / np.hypot(14.0, 1.5)) - np.arctan2(1.5, 14.0))
    assert measured["play of the key"] == pytest.approx(play, abs=0.26)


def test_a_bore_along_another_tunnel(of_guide: Surface) -> None:
    beside = replace(ASKED, target_mm=ASKED.target_mm + 0.5 * IN_LPS.rotation[:, 1])
    assert {"bore off the target", "bore angle off plan"} <= failed(written(insert()), of_guide, beside)


def test_a_bore_too_wide(of_guide: Surface) -> None:
    assert "bore diameter off plan" in failed(written(insert(bore_mm=BORE_MM + 0.1)), of_guide)


def test_a_bore_that_leads_too_short(of_guide: Surface) -> None:
    counterbored = insert() - tube(OFFSET_MM - 5.0, OFFSET_MM + 1.0, 2.2)
    assert failed(written(counterbored), of_guide) == {"bore guided length", "stop face off its place"}


def test_a_bore_that_is_filled(of_guide: Surface) -> None:
    findings = insert_findings(ASKED, SOCKET, written(insert() + tube(LOW_MM, OFFSET_MM, 2.5)), of_guide)
    missing = [each for each in findings if each.measured is None]
    assert len(missing) == 5
    assert all("no wall of a bore looks at the planned axis" in each.why for each in missing)


def test_a_stop_face_too_high(of_guide: Surface) -> None:
    low = replace(ASKED, stop_face_mm=ASKED.stop_face_mm - 0.1 * OUT)
    assert failed(written(insert()), of_guide, low) == {"stop face off its place"}


def test_a_stop_face_askew(of_guide: Surface) -> None:
    askew = insert().trim_by_plane((0.01, 0.0, -1.0), -OFFSET_MM + 0.05)
    assert "stop face off its place" in failed(written(askew), of_guide)


def test_a_stop_wider_than_its_face(of_guide: Surface) -> None:
    assert "stop face off its place" in failed(written(insert()), of_guide, replace(ASKED, stop_mm=34.0))


def test_a_wall_too_thin(of_guide: Surface) -> None:
    assert failed(written(insert()), of_guide, socket=replace(SOCKET, wall_mm=7.0)) == {"wall round the bore"}


def test_an_insert_without_a_key_goes_in_anyhow(of_guide: Surface) -> None:
    assert "turned, least depth of the key in the wall" in failed(written(insert(with_key=False)), of_guide)


def test_a_socket_with_two_keyways_takes_it_two_ways() -> None:
    second = m3.Manifold.cube((14.2, 3.4, 20.2)).translate((-14.2, -1.7, RIM_MM - 20.0))
    assert "turned, least depth of the key in the wall" in failed(written(insert()), written(guide() - second))


def test_a_keyway_too_wide_lets_it_turn() -> None:
    wide = m3.Manifold.cube((14.2, 6.0, 20.2)).translate((0.0, -3.0, RIM_MM - 10.2))
    assert "play of the key" in failed(written(insert()), written(guide() - wide))


@pytest.mark.parametrize(("shift_mm", "which"), [(0.1, "least"), (-0.1, "most")])
def test_a_gap_of_another_size(shift_mm: float, which: str, of_guide: Surface) -> None:
    asked = replace(SOCKET, gap_mm=GAP_MM + shift_mm)
    assert failed(written(insert()), of_guide, socket=asked) == {f"gap to the socket, {which}"}


def test_an_insert_that_does_not_go_down(of_guide: Surface) -> None:
    thick = written(insert() + tube(RIM_MM - 0.1, RIM_MM + 1.0, 16.0) - tube(-10.0, 60.0, 1.702))
    assert "overlap with the guide" in failed(thick, of_guide)


def test_an_insert_that_is_no_solid(of_guide: Surface) -> None:
    whole = written(insert())
    assert "open edges" in failed(Surface(whole.vertices, whole.faces[1:]), of_guide)
    loose = written(insert() + tube(50.0, 52.0, 3.0).translate((20.0, 0.0, 0.0)))
    assert "bodies" in failed(loose, of_guide)
