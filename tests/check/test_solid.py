"""Whether a file is one sound solid."""

from __future__ import annotations

import numpy as np
import pytest

from guidegen.check.mesh import bodies, bone_mesh_findings, genus, genus_finding, guide_mesh_findings, open_edges
from guidegen.surfaces import Surface
from guidegen.written import crossing_faces


def joined(*parts: Surface) -> Surface:
    """Several surfaces in one file, not united."""
    starts = np.cumsum([0, *(len(part.vertices) for part in parts)])
    return Surface(
        np.concatenate([part.vertices for part in parts]),
        np.concatenate([part.faces + start for part, start in zip(parts, starts, strict=False)]),
    )


def failed(findings) -> set[str]:
    return {finding.name for finding in findings if not finding.passed}


def test_the_good_guide_and_bone_are_sound(hip) -> None:
    assert failed(guide_mesh_findings(hip.guide) + bone_mesh_findings(hip.bone)) == set()


def test_a_hole_opens_three_edges(hip) -> None:
    opened = Surface(hip.guide.vertices, hip.guide.faces[1:])
    assert open_edges(opened) == 3
    assert "guide open edges" in failed(guide_mesh_findings(opened))
    assert "femur open edges" in failed(bone_mesh_findings(Surface(hip.bone.vertices, hip.bone.faces[1:])))


def test_a_face_wound_the_wrong_way_spoils_its_three_edges(hip) -> None:
    faces = hip.guide.faces.copy()
    faces[0] = faces[0, ::-1]
    assert open_edges(Surface(hip.guide.vertices, faces)) == 3


def test_a_face_too_many_is_an_open_edge(hip) -> None:
    assert open_edges(Surface(hip.guide.vertices, np.concatenate([hip.guide.faces, hip.guide.faces[:1]]))) == 3


def test_inside_out_has_a_negative_volume(hip) -> None:
    for findings, name in ((guide_mesh_findings, "guide volume"), (bone_mesh_findings, "femur volume")):
        surface = hip.guide if name.startswith("guide") else hip.bone
        turned = {f.name: f for f in findings(Surface(surface.vertices, surface.faces[:, ::-1]))}[name]
        assert not turned.passed
        assert turned.measured == pytest.approx(-surface.volume_mm3 / 1000.0)


def test_a_crumb_and_a_cavity_are_further_bodies(hip, bench) -> None:
    crumb = bench.placed(bench.ball([60.0, 0.0, 0.0], 0.5))
    cavity = bench.placed(bench.ball([17.65, 0.0, -12.0], 0.5))
    inverted = Surface(cavity.vertices, cavity.faces[:, ::-1])
    for extra in (crumb, inverted):
        assert bodies(joined(hip.guide, extra)) == 2
        assert "guide bodies" in failed(guide_mesh_findings(joined(hip.guide, extra)))


def test_a_hole_that_the_plan_does_not_have_is_found(hip) -> None:
    for part in ("windows", "pins"):
        finding = genus_finding(hip.asked(lambda plan, part=part: plan["guide"][part].pop()), hip.guide)
        assert (finding.measured, finding.passed) == (1, False)
    assert genus_finding(hip.asked(), hip.guide).passed


def test_parts_laid_over_each_other_cross(hip, bench) -> None:
    peg = bench.placed(bench.block([16.0, 9.0, -10.0], [30.0, 11.0, -8.0]))
    both = joined(hip.guide, peg)
    assert open_edges(both) == 0
    # a side of the peg or of the plate's face is cut into triangles as it comes: at least a ring of eight meets four
    assert crossing_faces(both) >= 8 + 1
    assert "guide faces that cross" in failed(guide_mesh_findings(both))


def test_a_tip_through_a_face_is_a_crossing() -> None:
    floor = np.array([[-5.0, -5.0, 0.0], [5.0, -5.0, 0.0], [0.0, 5.0, 0.0], [0.0, 0.0, -5.0]])
    faces = np.array([[0, 1, 2], [0, 3, 1], [1, 3, 2], [2, 3, 0]])
    for deep_mm, crossing in ((0.01, 4), (-0.01, 0)):
        tip = np.array([[0.1, 0.2, -deep_mm], [0.0, -1.0, 3.0], [1.0, 1.0, 3.0], [-1.0, 1.0, 3.0]])
        both = joined(
            Surface(floor, faces[:, ::-1]), Surface(tip, np.array([[0, 2, 1], [0, 3, 2], [0, 1, 3], [1, 2, 3]]))
        )
        assert crossing_faces(both) == crossing


def test_neighbours_do_not_cross(hip) -> None:
    assert crossing_faces(hip.bone) == 0


def test_a_face_without_area_is_found() -> None:
    corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [0.5, 1e-10, 0]], dtype=float)
    faces = np.array([[0, 2, 1], [0, 4, 3], [4, 1, 3], [0, 3, 2], [1, 2, 3], [0, 1, 4]])
    found = {f.name: f for f in guide_mesh_findings(Surface(corners, faces))}["guide faces without area"]
    assert (found.measured, found.passed) == (1.0, False)


def test_each_hole_through_a_body_is_a_handle(bench) -> None:
    block = bench.block([0.0, 0.0, 0.0], [30.0, 30.0, 10.0])
    for handles in range(4):
        assert genus(bench.placed(block)) == handles
        place = np.array([5.0 + 7.0 * handles, 15.0, 0.0])
        block -= bench.rod(place - [0.0, 0.0, 1.0], place + [0.0, 0.0, 11.0], 2.0)
    blind = block - bench.rod(np.array([15.0, 5.0, 3.0]), np.array([15.0, 5.0, 11.0]), 2.0)
    assert genus(bench.placed(blind)) == 4


@pytest.mark.parametrize("designed", [4, 5, 6])
def test_a_guide_has_as_many_handles_as_were_designed(hip, designed) -> None:
    """A sleeve, two wires, a window and a probe hole."""

    def change(plan) -> None:
        plan["guide"]["genus"] = designed

    finding = genus_finding(hip.asked(change), hip.guide)
    assert (finding.measured, finding.passed) == (abs(designed - 5), designed == 5)


def test_a_hole_that_nobody_designed_is_a_handle_too_many(hip, bench) -> None:
    hole = bench.rod(np.array([10.0, 8.0, -12.0]), np.array([30.0, 8.0, -12.0]), 0.5)
    finding = genus_finding(hip.asked(), hip.wrong_guide(cut=hole))
    assert (finding.measured, finding.passed) == (1.0, False)
