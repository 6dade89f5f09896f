"""Every way to mirror a hip, against every source that says a side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import pytest

from guidegen.bone.anatomy import find_anatomy
from guidegen.bone.side import lone_side_note, require_sides, side_from_pelvis
from guidegen.bone.surface import label_surface
from guidegen.errors import SideError
from guidegen.intake.sides import Side, SideSource
from guidegen.phantom import label_volume, make_hip
from guidegen.surfaces import Surface
from guidegen.volumes import Volume

COARSE_MM = (1.5, 1.5, 2.0)
MIRROR = np.array([-1.0, 1.0, 1.0])
HALF_TURN = np.array([-1.0, -1.0, 1.0])


@dataclass(frozen=True, eq=False)
class Hip:
    """A left hip as files have it after something went wrong."""

    femur: Surface
    pelvis: Volume


def part(labels: Volume, value: int) -> Volume:
    return replace(labels, voxels=labels.voxels == value)


def mirrored(bone: Surface, signs=MIRROR, about_mm=(0.0, 0.0, 0.0)) -> Surface:
    """Under axes of other signs, and wound outwards again, as programs repair it."""
    faces = bone.faces[:, ::-1] if np.prod(signs) < 0 else bone.faces
    return Surface((bone.vertices - about_mm) * signs + about_mm, faces)


def header_signs(labels: Volume, signs) -> Volume:
    """The same voxels under a header whose axes and origin have other signs, as intake has it then."""
    turn = np.diag(signs)
    return Volume(labels.voxels, labels.spacing_mm, turn @ labels.direction, turn @ labels.origin_mm).canonical()


def whole(labels: Volume) -> Hip:
    return Hip(label_surface(part(labels, 1)).surface, part(labels, 2))


def ways() -> dict[str, Hip]:
    """A left hip as it is, and every way to mirror or turn some or all of it."""
    labels = label_volume(make_hip("left"), COARSE_MM, labels={"femur": 1, "pelvis": 2})
    right = whole(labels)
    flipped = whole(replace(labels, voxels=labels.voxels[::-1]))
    head = make_hip("left").truth.head_center_mm
    about_head = replace(
        right.pelvis, direction=np.diag(MIRROR), origin_mm=head + MIRROR * (right.pelvis.origin_mm - head)
    ).canonical()
    return {
        "nothing": right,
        "voxels flipped along x, header kept": flipped,
        "x axis of the header negated": whole(header_signs(labels, MIRROR)),
        "surface mirrored, winding repaired": replace(right, femur=mirrored(right.femur)),
        "femur mirrored where it is, pelvis not": replace(right, femur=mirrored(right.femur, about_mm=head)),
        "pelvis mirrored, femur not": replace(right, pelvis=about_head),
        "RAS taken for LPS": Hip(mirrored(right.femur, HALF_TURN), header_signs(right.pelvis, HALF_TURN)),
        "RAS taken for LPS, femur alone": replace(right, femur=mirrored(right.femur, HALF_TURN)),
    }


WAYS = (
    "nothing",
    "voxels flipped along x, header kept",
    "x axis of the header negated",
    "surface mirrored, winding repaired",
    "femur mirrored where it is, pelvis not",
    "pelvis mirrored, femur not",
    "RAS taken for LPS",
    "RAS taken for LPS, femur alone",
)

# What no source can tell, as all that there are agree: (way, order, is there a pelvis), without laterality or name.
BLIND = {
    ("pelvis mirrored, femur not", "left", False),  # nothing else was mirrored
    ("voxels flipped along x, header kept", "right", False),
    ("voxels flipped along x, header kept", "right", True),
    ("x axis of the header negated", "right", False),
    ("x axis of the header negated", "right", True),
    ("surface mirrored, winding repaired", "right", False),
    ("femur mirrored where it is, pelvis not", "right", False),
}


@pytest.fixture(scope="module")
def judge() -> Callable[[str, Side, bool, tuple[SideSource, ...]], tuple[SideSource, ...]]:
    """The sources of a hip that passes; SideError for others."""
    hips, found = ways(), {}

    def anatomy(way: str, order: Side):
        if (way, order) not in found:
            try:
                found[way, order] = find_anatomy(hips[way].femur, order)
            except SideError as error:
                found[way, order] = error
        if isinstance(found[way, order], SideError):
            raise found[way, order]
        return found[way, order]

    def judged(way: str, order: Side, with_pelvis: bool, stated: tuple[SideSource, ...]) -> tuple[SideSource, ...]:
        hip = anatomy(way, order)
        pelvis = side_from_pelvis(hips[way].pelvis, hip.head_center_mm, hip.head_radius_mm) if with_pelvis else None
        return require_sides(order, hip.side, (*stated, *((pelvis,) if pelvis else ())))

    assert tuple(hips) == WAYS
    return judged


STATED = {
    "nothing stated": (),
    "laterality": (SideSource("the laterality in ct/1.dcm", "left"),),
    "name": (SideSource("the name 'femur_left' (bone.femur)", "left"),),
}


@pytest.mark.parametrize(("way", "order", "with_pelvis"), list(product(WAYS, ("left", "right"), (True, False))))
def test_a_left_hip_mirrored_in_every_way(judge, way, order, with_pelvis) -> None:
    """It passes as it is, ordered left; where the femur was mirrored, laterality or a name refuses every order."""
    for stated in STATED.values():
        femur_is_left = way in ("nothing", "pelvis mirrored, femur not")
        unmirrored = order == "left" and femur_is_left and (way == "nothing" or not with_pelvis)
        blind = not stated and (way, order, with_pelvis) in BLIND
        if unmirrored or blind:
            assert {source.says for source in judge(way, order, with_pelvis, stated)} == {order}
        else:
            with pytest.raises(SideError, match=r"expected (a|one|the head of a) "):
                judge(way, order, with_pelvis, stated)


@pytest.mark.parametrize("side", ["left", "right"])
def test_one_hip_bone_and_a_whole_pelvis_lie_to_the_middle(side) -> None:
    hip = make_hip(side)
    labels = label_volume(hip, COARSE_MM, labels={"femur": 1, "pelvis": 2})
    head, radius = hip.truth.head_center_mm, hip.truth.head_radius_mm
    expected = SideSource("the place of the pelvis beside the head", side)
    assert side_from_pelvis(part(labels, 2), head, radius) == expected
    assert side_from_pelvis(both_hip_bones(part(labels, 2)), head, radius) == expected


def both_hip_bones(pelvis: Volume) -> Volume:
    """The pelvis and its mirror image on the other side of the body, in one map."""
    shape = np.array(pelvis.voxels.shape)
    ends = np.abs(np.array([pelvis.to_lps([0, 0, 0])[0], pelvis.to_lps(shape - 1)[0]]))
    gap = round(2.0 * ends.min() / pelvis.spacing_mm[0]) - 1
    apart = np.zeros((gap, *shape[1:]), np.bool_)
    own_is_left = pelvis.origin_mm[0] > 0
    mirror = pelvis.voxels[::-1]
    voxels = np.concatenate([mirror, apart, pelvis.voxels] if own_is_left else [pelvis.voxels, apart, mirror])
    start = [-(shape[0] + gap), 0, 0] if own_is_left else [0, 0, 0]
    return replace(pelvis, voxels=voxels, origin_mm=pelvis.to_lps(start))


def ball(center_mm, radius_mm=40.0) -> Volume:
    grid = Volume(np.zeros((100, 60, 60), np.bool_), np.full(3, 2.0), np.eye(3), np.array([-100.0, -60.0, -60.0]))
    points = grid.to_lps(np.indices(grid.voxels.shape).transpose(1, 2, 3, 0))
    return replace(grid, voxels=np.linalg.norm(points - center_mm, axis=-1) < radius_mm)


@pytest.mark.parametrize(
    ("center_mm", "says"),
    [
        ((-10.0, 0.0, 0.0), "left"),
        ((10.0, 0.0, 0.0), "right"),
        ((-5.0, 0.0, 0.0), None),  # not clearly beside the head
        ((0.0, 0.0, 0.0), None),
    ],
)
def test_a_pelvis_must_lie_clearly_beside_the_head(center_mm, says) -> None:
    found = side_from_pelvis(ball(center_mm), np.zeros(3), 24.0)
    assert (found.says if found else None) == says


def test_a_pelvis_that_does_not_hold_the_head_is_refused() -> None:
    with pytest.raises(SideError, match=r"within 48 mm of its centre, found one 5[0-3] mm away; check"):
        side_from_pelvis(ball((-80.0, 0.0, 0.0), 30.0), np.zeros(3), 24.0)
    with pytest.raises(SideError, match="found one inf mm away"):
        side_from_pelvis(ball((0.0, 0.0, 0.0), 0.0), np.zeros(3), 24.0)


def test_a_pelvis_above_the_head_alone_says_nothing() -> None:
    assert side_from_pelvis(ball((-30.0, 0.0, 50.0), 20.0), np.zeros(3), 24.0) is None


def test_a_contradiction_names_every_source() -> None:
    sources = (
        SideSource("the place of the pelvis beside the head", "left"),
        SideSource("the laterality in mr/3.dcm", "right"),
    )
    expected = (
        "expected one side from every source, found two: the order says left; the shape of the femur says left; "
        "the place of the pelvis beside the head says left; the laterality in mr/3.dcm says right; find out which hip"
    )
    with pytest.raises(SideError, match=expected):
        require_sides("left", "left", sources)
    with pytest.raises(SideError, match="the order says right; the shape of the femur says left; find out"):
        require_sides("right", "left", ())


def test_agreement_returns_all_and_says_where_there_was_little() -> None:
    named = SideSource("the name 'femur_left' (bone.femur)", "left")
    alone = require_sides("left", "left", ())
    assert [source.source for source in alone] == ["the order", "the shape of the femur"]
    assert str(lone_side_note(alone)).startswith(
        "The side rests on the order and the shape of the femur alone: no pelvis, no laterality and no name in the "
        "files says left."
    )
    assert require_sides("left", "left", (named,)) == (*alone, named)
    assert lone_side_note((*alone, named)) is None
