"""The machined parts of a guide, each in its own frame with z outwards along its axis: CadQuery's work.

A part is a list of closed triangle meshes. `make` works here and now; a `Workshop` does the same in a
process of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from guidegen.frames import FloatArray, IntArray
from guidegen.guide.metal import MetalPart

Part = list[tuple[FloatArray, IntArray]]
Make = Callable[..., Part]

EDGE_MM = 0.8  # chamfer of outer edges: nothing sharp near the wound
WELD_MM = 1e-6
FINE_MM, FINE_RAD = 0.02, 0.15  # CadQuery's tessellation
ROOTED_MM = 1.0  # how far letters reach past the plate's face, so that no two faces coincide
PLATE_EDGE_MM = 1.0  # radius of the plate's corners, and how much it is larger than its flat


def sleeve(length_mm: float, outer_mm: float, collar_mm: float, collar_height_mm: float, flats_mm: float) -> Part:
    """A tube's outside from its foot (z = 0, inside the bone before the bone is taken away) to its top, with a collar.

    `outer_mm` and `collar_mm` are diameters; `flats_mm` is the distance between two flat faces of the collar, at right
    angles to x, for an inspector's calliper; 0 for none.
    """
    import cadquery as cq

    neck = length_mm - collar_height_mm
    outline = (
        cq.Workplane("XZ")
        .moveTo(0.0, 0.0)
        .lineTo(outer_mm / 2.0, 0.0)
        .lineTo(outer_mm / 2.0, neck - (collar_mm - outer_mm) / 2.0)  # a 45° shoulder prints without support
        .lineTo(collar_mm / 2.0, neck)
        .lineTo(collar_mm / 2.0, length_mm - EDGE_MM)
        .lineTo(collar_mm / 2.0 - EDGE_MM, length_mm)
        .lineTo(0.0, length_mm)
        .close()
    )
    body = outline.revolve(360.0, (0.0, 0.0, 0.0), (0.0, 1.0, 0.0))
    if flats_mm:
        between = cq.Workplane("XY").box(flats_mm, 2.0 * collar_mm, 2.0 * length_mm)
        body = body.intersect(between)
    return [_mesh(body.val())]


def rail(length_mm: float, width_mm: float, height_mm: float, groove_width_mm: float, groove_depth_mm: float) -> Part:
    """A rail along z from z = 0, its back on x = 0 and its face at x = `height_mm`, with a round groove down its face
    in which a wire lies.
    """
    import cadquery as cq

    body = cq.Workplane("XY").box(height_mm, width_mm, length_mm, centered=(False, True, False))
    body = body.edges("|Z and >X").chamfer(EDGE_MM / 2.0)
    radius = (groove_width_mm**2 / 4.0 + groove_depth_mm**2) / (2.0 * groove_depth_mm)
    groove = cq.Workplane("XY").center(height_mm - groove_depth_mm + radius, 0.0).circle(radius).extrude(length_mm)
    return [_mesh(body.cut(groove).val())]


def boss(length_mm: float, outer_mm: float) -> Part:
    """The outside of a pin's boss from z = 0 to its chamfered top."""
    import cadquery as cq

    body = cq.Workplane("XY").circle(outer_mm / 2.0).extrude(length_mm).faces(">Z").chamfer(EDGE_MM)
    return [_mesh(body.val())]


def plate(width_mm: float, height_mm: float, thickness_mm: float) -> Part:
    """A name plate: width along x, height along y, its face at z = 0, its back below."""
    import cadquery as cq

    body = cq.Workplane("XY").box(width_mm, height_mm, thickness_mm, centered=(True, True, False))
    body = body.translate((0.0, 0.0, -thickness_mm)).edges("|Z").fillet(PLATE_EDGE_MM)
    return [_mesh(body.val())]


def letters(lines: tuple[str, ...], text_height_mm: float, line_step_mm: float, depth_mm: float, raised: bool) -> Part:
    """The text on a plate whose face is z = 0, to cut into it or, `raised`, to stand on it: lines centred under each
    other, read along x, up along y.
    """
    import cadquery as cq

    found: Part = []
    bottom = -ROOTED_MM if raised else -depth_mm
    top = depth_mm if raised else ROOTED_MM
    for number, line in enumerate(lines):
        y = ((len(lines) - 1) / 2.0 - number) * line_step_mm
        text = cq.Workplane("XY", origin=(0.0, y, bottom)).text(
            line,
            text_height_mm,
            top - bottom,
            combine=False,
            fontPath=str(font_path()),
            halign="center",
            valign="center",
        )
        found.extend(_mesh(letter) for letter in text.solids().vals())
    return found


def metal(part: MetalPart) -> Part:
    """A metal sleeve or stop collar as triangles, for pictures; what a workshop makes is in its STEP file."""
    from guidegen.guide.metal_shapes import metal_shape

    return [_mesh(metal_shape(part))]


def font_path() -> Path:
    """The font of every engraving: DejaVu Sans Bold as matplotlib ships it, the same on every machine."""
    import matplotlib

    return Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans-Bold.ttf"


def _mesh(shape: Any) -> tuple[FloatArray, IntArray]:
    """Vertices (N, 3) and faces (M, 3) of a CadQuery solid, which tessellates face by face: the seams are welded."""
    vertices, faces = shape.tessellate(FINE_MM, FINE_RAD)
    points = np.array([vertex.toTuple() for vertex in vertices])
    cells = np.floor(points / WELD_MM + 1.0 / np.pi).astype(np.int64)  # no drawn coordinate lies on such a border
    _, first, same = np.unique(cells, axis=0, return_index=True, return_inverse=True)
    welded = same.reshape(-1)[np.array(faces)]
    real = (welded[:, 0] != welded[:, 1]) & (welded[:, 1] != welded[:, 2]) & (welded[:, 2] != welded[:, 0])
    return points[first], welded[real]


PARTS: dict[str, Make] = {function.__name__: function for function in (sleeve, rail, boss, plate, letters, metal)}


def make(name: str, *measures: Any) -> Part:
    """The part of this name, made here and now."""
    return PARTS[name](*measures)
