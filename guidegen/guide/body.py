"""The guide's body, built in the one order that keeps it off the bone.

Everything that adds material comes first; then the bone, grown by the clearance and swept along the removal direction,
is taken away; then bores, pin holes, windows and text. A sleeve added after the bone was taken away would pass every
mesh test with its end inside the bone.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from guidegen.errors import NoSafeGuide
from guidegen.frames import RigidTransform, across, unit
from guidegen.guide import parts
from guidegen.guide.base import Rib, Rod, Root, ShellShape, Slot, base_solid
from guidegen.guide.fan_solids import Collar, socket_cavity, socket_solid
from guidegen.guide.height_field import HeightField
from guidegen.guide.layout import OVER_BOSS_MM, Layout, contact_hole
from guidegen.guide.order import Order
from guidegen.guide.patch import Patch
from guidegen.guide.placement import Tube
from guidegen.guide.sights import Sight
from guidegen.guide.solids import along_axis, bore, part_solid, placed
from guidegen.guide.stands import Stand, Standing, upper_side
from guidegen.plan.sleeve_sizes import CALLIPER_MM
from guidegen.rounded import shown
from guidegen.surfaces import Surface

CRUMB_MM3 = 1.0  # booleans may leave crumbs beside the guide; anything larger is a second part
OVERCUT_MM = 1.0
ROOTED_MM = 12.0  # how far up a sleeve its root, and with it the fillet, reaches
BOSS_ROOTED_MM = 5.0
INSET_MM = 0.3  # a root is so much thinner than the machined part that it carries
SIMPLIFIED_MM = 0.01  # how far the drawn base may be moved to have fewer faces
GROOVE_MARGIN_MM = 1.5  # of rail on both sides of its groove
RAIL_PROUD_MM = 1.2  # of rail under its groove, over the tube
COLLAR_GAP_MM = 0.5
SPARE_WALL_MM = 1.3  # of rim over the printer's thinnest wall: its edges are round
HORN_MM = 7.0  # of contact beside a notch: less would be a horn that breaks off
THROUGH_MM = 12.0  # on both sides of the bone's surface: through the shell, and not through what stands over it


def body_of(layout: Layout, bone: Surface, order: Order, make: parts.Make) -> Any:
    """The solid in the guide's frame, where the bone is too."""
    labels, raised = layout.labels, order.template.label.raised
    with ThreadPoolExecutor(1) as beside:  # the base, while the parts are waited for
        base = beside.submit(_base, layout, bone, order)
        machined = [*_stands(layout.standing, order, make), _rail(layout.standing, order, make)]
        machined += [_boss(boss, order.boss_mm, make) for boss in layout.bosses]
        machined += [label.plate(make) for label in labels]
        letters = [label.letters(make) for label in labels]
    added, holes = [*machined, *letters] if raised else machined, _holes(layout, order)
    return _in_order([base.result(), *added], layout.under, holes if raised else [*holes, *letters])


def _base(layout: Layout, bone: Surface, order: Order) -> Any:
    """The shell with the roots of stands, bosses and ribs."""
    shell = order.template.shell
    thin = order.printer.build.least_wall_mm + SPARE_WALL_MM - (shell.thickness_mm - shell.rim_relief_mm)
    lift = order.clearance_mm + shell.rim_relief_mm if shell.rim_relief_mm > 0.0 else 0.0
    shape = ShellShape(order.outside_mm, shell.rim_width_mm, lift, max(0.0, thin))
    roots: list[Root] = [_root(stand, order) for stand in layout.standing.stands]
    roots += [
        Rod(boss.at(boss.guided_to_mm), boss.at(boss.guided_to_mm - BOSS_ROOTED_MM), order.boss_mm / 2.0 - INSET_MM)
        for boss in layout.bosses
    ]
    roots += [Rib(rib, order.template.sleeve.rib_thickness_mm / 2.0) for rib in layout.ribs_mm]
    holes = [contact_hole(stand, order) for stand in layout.standing.stands]
    notch = layout.notch
    slot = None if notch is None else _notch(notch, order.template.pointer.width_mm, layout.patch)
    base = base_solid(bone, layout.footprint, holes, layout.relief.raised_mm(order.clearance_mm), shape, roots, slot)
    return base.simplify(SIMPLIFIED_MM)


def _root(stand: Stand, order: Order) -> Rod:
    tube = stand.tube
    up = max(tube.top_mm + order.template.sleeve.collar_height_mm, tube.guided_to_mm - ROOTED_MM)
    return Rod(tube.at(tube.guided_to_mm), tube.at(up), stand.foot_mm / 2.0 - INSET_MM)


def _stands(standing: Standing, order: Order, make: parts.Make) -> list[Any]:
    """What leads the drill, from its root to its collar."""
    height = order.template.sleeve.collar_height_mm
    if standing.socket is not None:
        (stand,) = standing.stands
        collar = Collar(stand.collar_mm, height, CALLIPER_MM if stand.flats else 0.0)
        return [socket_solid(standing.socket, collar)]
    return [_sleeve(stand, height, make) for stand in standing.stands]


def _sleeve(stand: Stand, collar_height_mm: float, make: parts.Make) -> Any:
    tube, flats = stand.tube, CALLIPER_MM if stand.flats else 0.0
    body = make("sleeve", tube.sunk_to_mm - tube.top_mm, stand.outer_mm, stand.collar_mm, collar_height_mm, flats)
    return placed(part_solid(body, "the sleeve"), sleeve_frame(tube))


def sleeve_frame(tube: Tube) -> RigidTransform:
    """From the sleeve's own frame (z outwards along it from its foot, y to its upper side) to the guide's."""
    outwards = -tube.axis
    upper = upper_side(outwards)
    axes = np.stack([np.cross(upper, outwards), upper, outwards])
    return RigidTransform.to_frame(tube.at(tube.sunk_to_mm), axes, "guide", "part").inverse()


def rail_span_mm(stand: Stand, order: Order) -> tuple[float, float]:
    """Where along its axis the rail with the axis mark begins and ends, from the top down."""
    top = stand.tube.top_mm + order.template.sleeve.collar_height_mm
    return top + (stand.shoulder_mm + COLLAR_GAP_MM), stand.tube.guided_to_mm - COLLAR_GAP_MM


def rail_width_mm(order: Order) -> float:
    """The rail's width: its groove and a margin on both sides."""
    return order.template.axis_mark.width_mm + 2.0 * GROOVE_MARGIN_MM


def rail_height_mm(order: Order) -> float:
    """The rail's face over the tube."""
    return RAIL_PROUD_MM + order.template.axis_mark.depth_mm


def _rail(standing: Standing, order: Order, make: parts.Make) -> Any:
    """The rail on the upper side of what leads the first drill, in whose groove a wire lies along its axis."""
    stand, mark = standing.stands[0], order.template.axis_mark
    first, last = rail_span_mm(stand, order)
    width = rail_width_mm(order)
    height = stand.outer_mm / 2.0 + rail_height_mm(order)
    rail = part_solid(make("rail", last - first, width, height, mark.width_mm, mark.depth_mm), "the axis mark")
    outwards = -stand.tube.axis
    upper = upper_side(outwards)
    axes = np.stack([upper, np.cross(outwards, upper), outwards])
    return placed(rail, RigidTransform.to_frame(stand.tube.at(last), axes, "guide", "part").inverse())


def _boss(boss: Tube, outer_mm: float, make: parts.Make) -> Any:
    body = part_solid(make("boss", boss.sunk_to_mm - boss.top_mm, outer_mm), "a pin boss")
    return placed(body, along_axis(boss.at(boss.sunk_to_mm), -boss.axis))


def _holes(layout: Layout, order: Order) -> list[Any]:
    shape, socket = order.template, layout.standing.socket
    holes = [_bore(stand) for stand in layout.standing.stands] if socket is None else [socket_cavity(socket)]
    holes += [
        bore(boss.at(boss.top_mm - OVER_BOSS_MM), boss.at(boss.sunk_to_mm + OVERCUT_MM), order.wire_hole_mm)
        for boss in layout.bosses
    ]
    for sights, diameter in ((layout.windows, shape.window.diameter_mm), (layout.probes, shape.probe.diameter_mm)):
        holes += [_through_shell(sight, diameter) for sight in sights]
    if layout.notch is not None:  # the round bottom of its slot, exactly
        holes.append(_through_shell(layout.notch, shape.pointer.width_mm))
    return holes


def _bore(stand: Stand) -> Any:
    tube = stand.tube
    return bore(tube.at(tube.top_mm - OVERCUT_MM), tube.at(tube.sunk_to_mm + OVERCUT_MM), stand.hollow_mm)


def _through_shell(sight: Sight, diameter_mm: float) -> Any:
    """A round hole through the shell."""
    start, end = (sight.point_mm + way * sight.direction for way in (-THROUGH_MM, THROUGH_MM))
    return bore(start, end, diameter_mm)


def _notch(sight: Sight, width_mm: float, patch: Patch) -> Slot:
    """A slot square to the bone, from the vastus ridge out through the upper rim, with a round bottom; where it would
    leave a thin horn beside it, it is open on that side.
    """
    up = unit(across(np.array([0.0, 1.0, 0.0]), sight.direction))
    frame = RigidTransform.to_frame(
        sight.point_mm, np.stack([np.cross(up, sight.direction), up, sight.direction]), "guide", "part"
    )
    sides, beside = (-1.0, 1.0), (width_mm / 2.0 + HORN_MM) * np.cross(up, sight.direction)
    past = patch.edge_distance_mm(np.stack([sight.point_mm + side * beside for side in sides])) < 0.0
    return Slot(frame, width_mm, THROUGH_MM, tuple(side for side, is_horn in zip(sides, past, strict=True) if is_horn))


def _in_order(added: list[Any], under: HeightField, taken: list[Any]) -> Any:
    """Add everything, take the swept bone away, then the holes and the text; one body is left."""
    import manifold3d

    body = manifold3d.Manifold.batch_boolean(added, manifold3d.OpType.Add)
    bounds = np.array(body.bounding_box()).reshape(2, 3)
    body = body - under.solid_under(bounds[0], bounds[1])
    body = manifold3d.Manifold.batch_boolean([body, *taken], manifold3d.OpType.Subtract)
    bodies = sorted(body.decompose(), key=lambda part: -part.volume())
    # a cavity is a body of negative volume
    if not bodies or any(abs(part.volume()) > CRUMB_MM3 for part in bodies[1:]):
        raise NoSafeGuide(
            f"expected a guide in one piece without a cavity, found {len(bodies)} bodies (volumes "
            f"{', '.join(f'{shown(part.volume(), 0)} mm³' for part in bodies[:3])}); choose a larger footprint",
            rule="one_piece",
            figures={"pieces": float(len(bodies))},
        )
    return bodies[0]
