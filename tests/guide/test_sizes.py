"""What a size needs: no more bone than its own, with the entry on it, in a scan that goes on past it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from planned_hip import Planned

from guidegen.bone.surface import Bone
from guidegen.errors import NoSafeGuide
from guidegen.guide.guide import Guide, search_of
from guidegen.guide.solids import to_surface
from guidegen.keep_out import NOTHING
from guidegen.plan.templates import GuideTemplate, load_template
from guidegen.seat.cells import LEVEL_STEP_MM
from guidegen.seat.scan_end import END_MARGIN_MM, find_scan_end
from guidegen.seat.search import find_seats
from guidegen.seat.seat import Seat
from guidegen.surfaces import Surface

SHAPE = load_template(GuideTemplate, "lateral")[0]


def cut(planned: Planned, below_entry_mm: float) -> Planned:
    """The same hip in a scan that ends this far below the tunnel's entry, square to LPS."""
    import manifold3d

    bone = planned.bone.surface
    solid = manifold3d.Manifold(manifold3d.Mesh64(np.array(bone.vertices), bone.faces.astype(np.uint64)))
    ended = to_surface(solid.trim_by_plane([0.0, 0.0, 1.0], float(planned.tunnel.entry_mm[2]) - below_entry_mm))
    return replace(planned, bone=Bone(Surface(ended.vertices, ended.faces), planned.bone.fit))


def seats(planned: Planned, size: str = "M") -> list[Seat]:
    """The seats of a size, best first."""
    search = search_of(planned.bone.surface, planned.anatomy, (planned.tunnel,), planned.order, NOTHING, 3.0)
    return find_seats(search, size, SHAPE.sizes[size].length_mm)


@pytest.mark.parametrize("size", ["S", "M", "L"])
def test_no_seat_is_longer_than_its_size_or_without_the_entry(planned: Planned, size: str) -> None:
    found = seats(planned, size)
    assert found
    for seat in found:
        rows = np.flatnonzero(seat.footprint.covers.any(axis=1))
        assert len(rows) * LEVEL_STEP_MM <= SHAPE.sizes[size].length_mm
        assert seat.footprint.share(planned.tunnel.entry_mm[None])[0] > 0.5
        assert seat.size == size


def test_a_kit_s_own_guided_length_goes_before_the_shape_s(planned: Planned) -> None:
    kit = planned.kit.model_copy(update={"guided_length_mm": 45.0})
    assert (planned.order.printed_guide_mm, replace(planned, kit=kit).order.printed_guide_mm) == (32.0, 45.0)


def test_a_seat_stays_above_the_end_of_the_scan(planned: Planned, guide: Guide) -> None:
    short = cut(planned, 30.0)
    end = find_scan_end(short.bone.surface, planned.anatomy.shaft_axis)
    search = search_of(short.bone.surface, short.anatomy, (short.tunnel,), short.order, NOTHING, 3.0)
    assert end.above_mm(guide.cells.points_mm[guide.seat.footprint.covers]).min() < END_MARGIN_MM, "it matters"
    for seat in find_seats(search, "S", SHAPE.sizes["S"].length_mm):
        assert end.above_mm(search.cells.points_mm[seat.footprint.covers]).min() >= END_MARGIN_MM


def test_a_scan_too_short_for_a_size_says_so(planned: Planned) -> None:
    short = cut(planned, 16.0)
    with pytest.raises(NoSafeGuide, match=r"a guide of size M, .* found \d+ mm; choose a smaller size, or") as refusal:
        seats(short, "M")
    assert refusal.value.rule == "scan_too_short"
    assert refusal.value.exit_code == 3
