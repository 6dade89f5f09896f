"""What a size needs: room for the drill and two wires, and a scan that goes on past it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from planned_hip import Planned

from guidegen.bone.surface import Bone
from guidegen.errors import NoSafeGuide
from guidegen.guide.guide import Guide
from guidegen.guide.solids import to_surface
from guidegen.seat.scan_end import END_MARGIN_MM, find_scan_end
from guidegen.surfaces import Surface


def cut(planned: Planned, below_entry_mm: float) -> Planned:
    """The same hip in a scan that ends this far below the tunnel's entry, square to LPS."""
    import manifold3d

    bone = planned.bone.surface
    solid = manifold3d.Manifold(manifold3d.Mesh64(np.array(bone.vertices), bone.faces.astype(np.uint64)))
    ended = to_surface(solid.trim_by_plane([0.0, 0.0, 1.0], float(planned.tunnel.entry_mm[2]) - below_entry_mm))
    return replace(planned, bone=Bone(Surface(ended.vertices, ended.faces), planned.bone.fit))


def test_size_s_finds_a_seat_with_room_for_everything(planned: Planned) -> None:
    guide = planned.guide(size="S")
    assert len(guide.pins) == 2
    entry = guide.seat.frame.points(planned.tunnel.entry_mm)
    half = np.array([guide.seat.footprint.width_mm, guide.seat.footprint.length_mm]) / 2.0
    assert (half - np.abs(entry[:2])).min() >= planned.kit.drill.diameter_mm / 2.0


def test_a_kit_s_own_guided_length_goes_before_the_shape_s(planned: Planned) -> None:
    kit = planned.kit.model_copy(update={"guided_length_mm": 45.0})
    assert replace(planned, kit=kit).guide().sleeves[0].guided_length_mm >= 45.0


def test_a_guide_stays_above_the_end_of_the_scan(planned: Planned) -> None:
    short = cut(planned, 30.0)
    guide = short.guide()
    end = find_scan_end(short.bone.surface, planned.anatomy.shaft_axis)
    distance, _, _ = short.bone.surface.nearest(guide.surface.vertices)
    contact = guide.surface.vertices[distance < guide.clearance_mm + 1.0]
    assert end.above_mm(contact).min() >= END_MARGIN_MM - 0.5  # the rim is cut off the grid of the field
    for pin in guide.pins:
        assert end.above_mm(pin.point_mm + pin.wire_depth_mm * pin.direction) >= END_MARGIN_MM
    for window in guide.windows_mm:
        assert end.above_mm(window) >= END_MARGIN_MM


def test_the_end_of_a_long_scan_changes_nothing(planned: Planned, guide: Guide) -> None:
    again = cut(planned, 75.0).guide()
    np.testing.assert_allclose(again.seat.frame.rotation, guide.seat.frame.rotation)
    assert again.seat.contact_mm2 == pytest.approx(guide.seat.contact_mm2, rel=1e-3)


def test_a_scan_too_short_for_a_size_says_how_much_and_which_size_fits(planned: Planned) -> None:
    missing = []
    for below_mm in (18.0, 16.0):
        with pytest.raises(NoSafeGuide, match=r"a guide of size M, found .* mm too little; size S") as refusal:
            cut(planned, below_mm).guide(size="M")
        assert refusal.value.rule == "scan_too_short"
        assert "size S has enough" in refusal.value.message
        missing.append(refusal.value.figures["missing_mm"])
    assert missing[1] - missing[0] == pytest.approx(2.0, abs=0.1)
    lowest_mm = 12.0 - 55.0 / 2.0  # the footprint's end where it is shifted up the most
    assert missing[0] == pytest.approx(END_MARGIN_MM - (18.0 + lowest_mm), abs=2.5)


def test_a_scan_too_short_for_every_size_says_so(planned: Planned) -> None:
    with pytest.raises(
        NoSafeGuide, match="no smaller size has enough; or scan or segment more of the shaft"
    ) as refusal:
        cut(planned, 2.0).guide(size="S")
    assert refusal.value.rule == "scan_too_short"
