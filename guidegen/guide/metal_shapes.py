"""The metal parts as exact solids: CadQuery turns their profiles and makes the screw holes."""

from __future__ import annotations

from typing import Any

from guidegen.guide.metal import (
    HEAD_MM,
    HEAD_SEAT_MM,
    SLIT_MM,
    TAPPED_MM,
    THROUGH_MM,
    MetalPart,
    StopCollar,
)


def metal_shape(part: MetalPart) -> Any:
    """The part as a CadQuery solid in its own frame."""
    body = _turned(part)
    if isinstance(part, StopCollar):
        body = _clamped(body, part) if part.is_split else _set(body, part)
    return body.val()


def _turned(part: MetalPart) -> Any:
    import cadquery as cq

    outline = cq.Workplane("XZ").polyline([(float(r), float(z)) for r, z in part.profile_mm]).close()
    return outline.revolve(360.0, (0.0, 0.0, 0.0), (0.0, 1.0, 0.0))


def _set(body: Any, collar: StopCollar) -> Any:
    """A tapped hole along +y, from the bore outwards."""
    return body.cut(_rod("XZ", 0.0, collar, TAPPED_MM, 0.0, collar.outer_diameter_mm))


def _clamped(body: Any, collar: StopCollar) -> Any:
    """A slit on the +y side, and across it the screw along x: its head at -x, its thread at +x."""
    import cadquery as cq

    reach = collar.outer_diameter_mm
    slit = cq.Workplane("XY").box(SLIT_MM, reach, 4.0 * collar.height_mm).translate((0.0, reach / 2.0, 0.0))
    for diameter, start, end in ((THROUGH_MM, -reach, 0.0), (HEAD_MM, -reach, -HEAD_SEAT_MM), (TAPPED_MM, 0.0, reach)):
        body = body.cut(_rod("YZ", collar.screw_mm, collar, diameter, start, end))
    return body.cut(slit)


def _rod(plane: str, beside_mm: float, collar: StopCollar, diameter_mm: float, start_mm: float, end_mm: float) -> Any:
    """A round rod at half height: along x in the plane YZ, along y in the plane XZ, whose normal is -y."""
    import cadquery as cq

    way = end_mm - start_mm
    sign = 1.0 if plane == "YZ" else -1.0
    face = cq.Workplane(plane).workplane(offset=sign * start_mm).center(beside_mm, collar.height_mm / 2.0)
    return face.circle(diameter_mm / 2.0).extrude(sign * way)
