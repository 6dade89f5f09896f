"""What the soft tissue asks of the operation: where drill and wires come out of the skin, whether the guide's own
incision serves them, and how long they must be.

A tunnel is drilled through the guide's incision where its axis leaves the skin inside the wound with room for the
widest of what passes. Else a sleeve that ends below the skin is reached through a second, stab incision; one that
stands out of the skin is one with the guide, and the incision must reach it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from guidegen.frames import FloatArray
from guidegen.guide.guide import Guide, Pin
from guidegen.guide.order import stop_collar
from guidegen.guide.skin import UNSEEN, skin_over
from guidegen.guide.wound import Wound, wound_of
from guidegen.intake.body import Body
from guidegen.plan.kits import Kit
from guidegen.plan.tunnel import Tunnel
from guidegen.rounded import shown
from guidegen.surfaces import Surface

# A chuck turns no nearer to the skin: it winds up what it touches, and the skin is not where the CT has it [D].
OFF_SKIN_MM = 10.0
# Of a wire, what the chuck that drives it holds [D].
GRIP_MM = 30.0

Through = Literal["incision", "longer incision", "stab incision"]


@dataclass(frozen=True, eq=False)
class TunnelOut:
    """Where a tunnel's axis leaves the skin (3,), `depth_mm` from its entry, and what comes of that.

    `top_beyond_mm`: how far the top of the sleeve, or of the insert, stands out of the skin, negative below it.
    `from_end_mm`: how far the place lies beyond the nearer end of the incision, negative between the ends;
    `in_front_mm`: how far in front of its line, negative behind it. `outside_mm`: how much further the wound must reach
    to take in all that passes, 0 where it does. `drill_needed_mm`: from the chuck to the tunnel's end, the chuck off
    the skin unless it goes into the wound; `drill_needed_open_mm`: the same with the skin open for the chuck.
    """

    skin_mm: FloatArray
    depth_mm: float
    top_beyond_mm: float
    through: Through
    nearer_end: Literal["upper", "lower"]
    from_end_mm: float
    in_front_mm: float
    outside_mm: float
    chuck_goes_in: bool
    drill_length_mm: float
    drill_needed_mm: float
    drill_needed_open_mm: float


@dataclass(frozen=True, eq=False)
class PinOut:
    """Where a wire leaves the skin (3,), `depth_mm` from where it meets the bone, and how long it must be: its depth in
    the bone, the way out past its boss, and past the skin unless the chuck goes into the wound, and the chuck's grip.
    """

    skin_mm: FloatArray
    depth_mm: float
    chuck_goes_in: bool
    wire_length_mm: float
    wire_needed_mm: float


@dataclass(frozen=True, eq=False)
class SoftTissue:
    """The skin near a guide and what follows from it; None for a tunnel or a wire, or over the middle of the guide,
    where it is not shown. Nothing is known without a `skin`; `missing` then says why.
    """

    skin: Surface | None
    missing: str | None
    wound: Wound
    over_guide_mm: float | None
    tunnels: tuple[TunnelOut | None, ...]
    pins: tuple[PinOut | None, ...]

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the surgeon must know before approving the guide, in sentences."""
        tunnels = [(number, out) for number, out in enumerate(self.tunnels, start=1) if out is not None]
        pins = [(number, out) for number, out in enumerate(self.pins, start=1) if out is not None]
        found = [
            f"Tunnel {number}: the sleeve stands {shown(out.top_beyond_mm, 0)} mm out of the skin, and the incision "
            f"must reach {shown(out.outside_mm, 0)} mm further to let it out."
            for number, out in tunnels
            if out.through == "longer incision"
        ]
        found += [_short_drill(number, out) for number, out in tunnels if out.drill_needed_mm > out.drill_length_mm]
        return (
            *found,
            *(
                f"Wire {number}: the wire of {shown(out.wire_length_mm, 0)} mm is too short for the soft tissue, which "
                f"asks for {shown(out.wire_needed_mm, 0)} mm."
                for number, out in pins
                if out.wire_needed_mm > out.wire_length_mm
            ),
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """How each tunnel is reached, and why something is not known, in sentences."""
        if self.skin is None:
            return (f"The skin is not known: {self.missing}.",)
        found = [_where(number, out) for number, out in enumerate(self.tunnels, start=1) if out is not None]
        unseen = [f"tunnel {number}" for number, out in enumerate(self.tunnels, start=1) if out is None]
        unseen += [f"wire {number}" for number, out in enumerate(self.pins, start=1) if out is None]
        unseen += ["the guide's middle"] if self.over_guide_mm is None else []
        return (*found, *(f"The skin is not known over {what}: {UNSEEN}." for what in unseen))


def soft_tissue_over(guide: Guide, tunnels: tuple[Tunnel, ...], kit: Kit, body: Body) -> SoftTissue:
    """What the body asks of an operation with this guide, for these tunnels, with this kit."""
    wound = wound_of(guide)
    starts = [*(tunnel.entry_mm for tunnel in tunnels), *(pin.point_mm for pin in guide.pins)]
    outwards = [*(-tunnel.axis for tunnel in tunnels), *(-pin.direction for pin in guide.pins)]
    middle = guide.seat.frame.inverse().points(np.zeros(3))
    skin = skin_over(body, np.array([*starts, middle]), np.array([*outwards, guide.seat.removal_direction]))
    depths = [None if np.isnan(depth) else float(depth) for depth in skin.depths_mm]
    count = len(tunnels)
    return SoftTissue(
        skin=skin.surface,
        missing=skin.missing,
        wound=wound,
        over_guide_mm=depths[-1],
        tunnels=tuple(
            None if depth is None else _tunnel_out(guide, number, tunnels[number], kit, wound, depth)
            for number, depth in enumerate(depths[:count])
        ),
        pins=tuple(
            None if depth is None else _pin_out(pin, kit, wound, depth)
            for pin, depth in zip(guide.pins, depths[count:-1], strict=True)
        ),
    )


def _tunnel_out(guide: Guide, number: int, tunnel: Tunnel, kit: Kit, wound: Wound, depth_mm: float) -> TunnelOut:
    skin_mm, stop = tunnel.entry_mm - depth_mm * tunnel.axis, stop_collar(kit)
    top_mm, rigid_mm, wide_mm = _led(guide, number, tunnel)
    outside_mm = wound.outside_mm(skin_mm, max(wide_mm, stop.outer_diameter_mm))
    chuck_goes_in = wound.outside_mm(skin_mm, kit.drill.chuck_diameter_mm) == 0.0
    above_entry_mm = guide.offsets_mm[number] + stop.height_mm
    off_skin_mm = above_entry_mm if chuck_goes_in else max(above_entry_mm, depth_mm + OFF_SKIN_MM)
    along_mm, in_front_mm = wound.place(skin_mm)
    return TunnelOut(
        skin_mm=skin_mm,
        depth_mm=depth_mm,
        top_beyond_mm=top_mm - depth_mm,
        through=_through(outside_mm, rigid_mm - depth_mm),
        nearer_end="upper" if along_mm > 0.0 else "lower",
        from_end_mm=wound.from_end_mm(skin_mm),
        in_front_mm=in_front_mm,
        outside_mm=outside_mm,
        chuck_goes_in=chuck_goes_in,
        drill_length_mm=kit.drill.length_mm,
        drill_needed_mm=tunnel.length_mm + off_skin_mm,
        drill_needed_open_mm=tunnel.length_mm + above_entry_mm,
    )


def _through(outside_mm: float, beyond_skin_mm: float) -> Through:
    if outside_mm == 0.0:
        return "incision"
    return "longer incision" if beyond_skin_mm > 0.0 else "stab incision"


def _led(guide: Guide, number: int, tunnel: Tunnel) -> tuple[float, float, float]:
    """Of what leads a tunnel's drill, in mm: how far from the entry its top is, and the end of what is one with the
    guide, an insert being put in from outside; and how wide it is there.
    """
    if guide.socket is not None:
        insert = guide.inserts[number]
        return insert.offset_mm, guide.socket.rim_mm, insert.stop_diameter_mm
    sleeve = guide.sleeves[number]
    top_mm = float((tunnel.entry_mm - sleeve.top_mm) @ tunnel.axis)
    return top_mm, top_mm, sleeve.collar_diameter_mm


def _pin_out(pin: Pin, kit: Kit, wound: Wound, depth_mm: float) -> PinOut:
    skin_mm = pin.point_mm - depth_mm * pin.direction
    top_mm = float((pin.point_mm - pin.top_mm) @ pin.direction)
    chuck_goes_in = wound.outside_mm(skin_mm, kit.drill.chuck_diameter_mm) == 0.0
    return PinOut(
        skin_mm=skin_mm,
        depth_mm=depth_mm,
        chuck_goes_in=chuck_goes_in,
        wire_length_mm=pin.wire_length_mm,
        wire_needed_mm=pin.wire_depth_mm + (top_mm if chuck_goes_in else max(top_mm, depth_mm)) + GRIP_MM,
    )


def _short_drill(number: int, out: TunnelOut) -> str:
    """What is wrong with the drill, and what may be done."""
    if out.drill_needed_open_mm > out.drill_length_mm:
        return (
            f"Tunnel {number}: the drill of {shown(out.drill_length_mm, 0)} mm is too short for the tunnel, the sleeve "
            f"and its stop, which ask for {shown(out.drill_needed_open_mm, 0)} mm."
        )
    return (
        f"Tunnel {number}: the drill of {shown(out.drill_length_mm, 0)} mm is too short to keep its chuck off the "
        f"skin, which asks for {shown(out.drill_needed_mm, 0)} mm; take a longer drill, or open the skin there so that "
        "the chuck goes in."
    )


def _where(number: int, out: TunnelOut) -> str:
    """How a tunnel is reached."""
    place = f"Tunnel {number} leaves the skin {shown(out.depth_mm, 0)} mm from the bone, "
    if out.through == "incision":
        return f"{place}within the guide's incision."
    end = "beyond" if out.from_end_mm > 0.0 else "short of"
    side = "in front of" if out.in_front_mm > 0.0 else "behind"
    reached = (
        f"{place}{shown(abs(out.from_end_mm), 0)} mm {end} the {out.nearer_end} end of the guide's incision and "
        f"{shown(abs(out.in_front_mm), 0)} mm {side} its line, {shown(out.outside_mm, 0)} mm out of the wound"
    )
    return f"{reached}: it needs a stab incision." if out.through == "stab incision" else f"{reached}."
