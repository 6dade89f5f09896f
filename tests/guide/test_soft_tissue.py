"""What the soft tissue asks for, on the made-up hip in thighs of known shape: in closed form, thin to stout."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from planned_hip import Planned

from guidegen.guide.fan_parts import FanSocket
from guidegen.guide.guide import Guide
from guidegen.guide.order import stop_collar
from guidegen.guide.skin import UNSEEN
from guidegen.guide.soft_tissue import GRIP_MM, OFF_SKIN_MM, SoftTissue, soft_tissue_over
from guidegen.guide.wound import wound_of
from guidegen.intake.body import Body, find_body
from guidegen.intake.identity import Identity
from guidegen.intake.images import Image
from guidegen.phantom import Hip, Thigh, ct_volume, label_volume, make_hip

SPACING_MM = (2.0, 2.0, 2.0)
THIN, USUAL, STOUT = Thigh(75.0, 80.0, 35.0), Thigh(), Thigh(150.0, 120.0, 35.0)
HIP = make_hip("left", shaft_below_head_mm=220.0)
CLOSE_MM = 1.6  # of a slanting way on voxels of 2 mm


@cache
def body(thigh: Thigh | None, hip: Hip = HIP) -> Body:
    femur = label_volume(hip, SPACING_MM, labels={"femur": 1})
    ct = ct_volume(hip, SPACING_MM, thigh=thigh)
    identity = Identity("ct", modality="CT")
    return find_body(Image("ct.nii.gz", ct, identity), replace(femur, voxels=femur.voxels > 0))


def over(guide: Guide, planned: Planned, thigh: Thigh | None, **kit: float) -> SoftTissue:
    """With the drill or the wire changed as given."""
    drill = planned.kit.drill.model_copy(update=kit)
    return soft_tissue_over(guide, (planned.tunnel,), planned.kit.model_copy(update={"drill": drill}), body(thigh))


@pytest.mark.parametrize("thigh", [THIN, USUAL, STOUT])
def test_depths_tops_and_lengths_are_those_of_the_thigh(guide: Guide, planned: Planned, thigh: Thigh) -> None:
    tunnel, found = planned.tunnel, over(guide, planned, thigh)
    (out,) = found.tunnels
    assert out is not None
    depth_mm = thigh.exit_mm(HIP, tunnel.entry_mm, -tunnel.axis)
    assert out.depth_mm == pytest.approx(depth_mm, abs=CLOSE_MM)
    assert out.skin_mm == pytest.approx(tunnel.entry_mm - out.depth_mm * tunnel.axis)
    top_mm = float(np.linalg.norm(guide.sleeves[0].top_mm - tunnel.entry_mm))
    assert out.top_beyond_mm == pytest.approx(top_mm - depth_mm, abs=CLOSE_MM)
    stop_mm = guide.sleeves[0].offset_mm + stop_collar(planned.kit).height_mm
    assert out.drill_needed_open_mm == pytest.approx(tunnel.length_mm + stop_mm)
    behind_mm = stop_mm if out.chuck_goes_in else max(stop_mm, depth_mm + OFF_SKIN_MM)
    assert out.drill_needed_mm == pytest.approx(tunnel.length_mm + behind_mm, abs=CLOSE_MM)
    for pin, way in zip(guide.pins, found.pins, strict=True):
        assert way is not None
        pin_mm = thigh.exit_mm(HIP, pin.point_mm, -pin.direction)
        assert way.depth_mm == pytest.approx(pin_mm, abs=CLOSE_MM)
        boss_mm = float(np.linalg.norm(pin.top_mm - pin.point_mm))
        assert way.chuck_goes_in == (
            wound_of(guide).outside_mm(way.skin_mm, planned.kit.drill.chuck_diameter_mm) == 0.0
        )
        out_mm = boss_mm if way.chuck_goes_in else max(boss_mm, pin_mm)
        assert way.wire_needed_mm == pytest.approx(pin.wire_depth_mm + out_mm + GRIP_MM, abs=CLOSE_MM)
    off = guide.seat.removal_direction
    middle = guide.seat.frame.inverse().points(np.zeros(3))
    assert found.over_guide_mm == pytest.approx(thigh.exit_mm(HIP, middle, off), abs=CLOSE_MM)


def test_the_place_on_the_skin_is_told_from_the_incision(guide: Guide, planned: Planned) -> None:
    (out,) = over(guide, planned, USUAL).tunnels
    assert out is not None
    wound = wound_of(guide)
    assert out.from_end_mm == pytest.approx(wound.from_end_mm(out.skin_mm))
    assert out.in_front_mm == pytest.approx(wound.place(out.skin_mm)[1])
    assert (out.nearer_end == "upper") == (wound.place(out.skin_mm)[0] > 0.0)


def test_a_sleeve_below_the_skin_outside_the_wound_needs_a_stab_incision(guide: Guide, planned: Planned) -> None:
    found = over(guide, planned, STOUT)
    (out,) = found.tunnels
    assert out is not None
    assert out.top_beyond_mm < 0.0
    assert out.outside_mm > 0.0
    assert out.through == "stab incision"
    assert not out.chuck_goes_in
    assert found.notes[0].endswith("mm out of the wound: it needs a stab incision.")


def test_a_sleeve_that_stands_out_of_the_skin_outside_the_wound_asks_for_a_longer_one(
    guide: Guide, planned: Planned
) -> None:
    found = over(guide, planned, THIN)
    (out,) = found.tunnels
    assert out is not None
    assert out.top_beyond_mm > 0.0
    assert out.through == "longer incision"
    assert out.outside_mm > 0.0
    assert found.warnings[0].startswith("Tunnel 1: the sleeve stands ")


def test_a_socket_below_the_skin_is_reached_through_a_stab_though_its_insert_stands_out(
    guide: Guide, planned: Planned
) -> None:
    class Insert:
        offset_mm, stop_diameter_mm = guide.sleeves[0].offset_mm, 20.0

    socket = FanSocket(planned.tunnel.entry_mm, -planned.tunnel.axis, 5.0, 12.0, 8.0, 9.0, 0.2, 2.0)
    fan = replace(guide, sleeves=(), socket=socket, inserts=(Insert(),))
    (out,) = over(fan, planned, THIN).tunnels
    assert out is not None
    assert out.top_beyond_mm > 0.0
    assert out.through == "stab incision"


def test_a_tunnel_within_the_wound_is_drilled_through_it_and_lets_the_chuck_in(guide: Guide, planned: Planned) -> None:
    tunnel = planned.tunnel
    middle = guide.seat.frame.inverse().points(np.zeros(3))
    length_mm = tunnel.length_mm
    straight = replace(tunnel, entry_mm=middle, target_mm=middle - length_mm * guide.seat.removal_direction)
    sleeve = guide.sleeves[0]
    top = middle + sleeve.offset_mm * guide.seat.removal_direction
    at_right_angles = replace(guide, sleeves=(replace(sleeve, top_mm=top, stop_face_mm=top),))
    found = soft_tissue_over(at_right_angles, (straight,), planned.kit, body(STOUT))
    (out,) = found.tunnels
    assert out is not None
    assert (out.through, out.outside_mm, out.chuck_goes_in) == ("incision", 0.0, True)
    assert out.drill_needed_mm == out.drill_needed_open_mm < length_mm + out.depth_mm
    assert found.notes == (
        f"Tunnel 1 leaves the skin {out.depth_mm:.0f} mm from the bone, within the guide's incision.",
    )
    assert not any(warning.startswith("Tunnel") for warning in found.warnings)


@pytest.mark.parametrize(("spare_mm", "is_told"), [(0.5, False), (-0.5, True)])
def test_a_drill_too_short_for_its_chuck_off_the_skin_is_told(guide, planned, spare_mm, is_told) -> None:
    (out,) = over(guide, planned, STOUT).tunnels
    assert out.drill_needed_mm > out.drill_needed_open_mm + 5.0
    found = over(guide, planned, STOUT, length_mm=out.drill_needed_mm + spare_mm)
    told = [warning for warning in found.warnings if "too short to keep its chuck off the skin" in warning]
    assert bool(told) == is_told


def test_a_drill_too_short_for_its_stop_is_told_so(guide, planned) -> None:
    (out,) = over(guide, planned, USUAL).tunnels
    found = over(guide, planned, USUAL, length_mm=out.drill_needed_open_mm - 1.0)
    assert found.warnings[-1].startswith("Tunnel 1: the drill of ")
    assert "too short for the tunnel, the sleeve and its stop" in found.warnings[-1]


def test_a_wire_too_short_is_told(guide, planned) -> None:
    (way, *_) = over(guide, planned, USUAL).pins
    pins = tuple(replace(pin, wire_length_mm=way.wire_needed_mm - 1.0) for pin in guide.pins)
    found = over(replace(guide, pins=pins), planned, USUAL)
    assert any(warning.startswith("Wire 1: the wire of ") for warning in found.warnings)


def test_without_a_skin_all_is_unknown_and_the_reason_is_told(guide: Guide, planned: Planned) -> None:
    found = over(guide, planned, None)
    assert (found.skin, found.over_guide_mm, found.tunnels, found.pins) == (
        None,
        None,
        (None,),
        (None,) * len(guide.pins),
    )
    assert found.notes == (f"The skin is not known: {UNSEEN}.",)
    assert found.warnings == ()


def test_where_the_image_ends_only_what_lies_there_is_unknown(guide: Guide, planned: Planned) -> None:
    whole = body(USUAL)
    assert whole.hu is not None
    (out,) = over(guide, planned, USUAL).tunnels
    top = int(whole.hu.to_index(out.skin_mm)[2]) - 2  # the lower end of the image lies above it
    i, j, k = whole.hu.voxels.shape
    lower = replace(whole, hu=whole.hu.cropped((slice(0, i), slice(0, j), slice(top + 6, k))))
    found = soft_tissue_over(guide, (planned.tunnel,), planned.kit, lower)
    assert found.tunnels == (None,)
    assert found.skin is not None
    assert found.notes[0] == f"The skin is not known over tunnel 1: {UNSEEN}."
