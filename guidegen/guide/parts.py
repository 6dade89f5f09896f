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
PLATE_EDGE_MM = 1.0  # radius of the plate's corners, and how much it is larger than its flat


def sleeve(length_mm: float, outer_mm: float, collar_mm: float, collar_height_mm: float, foot_mm: float) -> Part:
    """A tube's outside from its foot (z = 0, inside the bone before the bone is taken away) to its top.

    `outer_mm`, `collar_mm` and `foot_mm` are diameters; the foot widens to `foot_mm` over the lowest half, for
    strength where the sleeve meets the shell.
    """
    import cadquery as cq

    neck = length_mm - collar_height_mm
    outline = (
        cq.Workplane("XZ")
        .moveTo(0.0, 0.0)
        .lineTo(foot_mm / 2.0, 0.0)
        .lineTo(outer_mm / 2.0, 0.5 * neck)
        .lineTo(outer_mm / 2.0, neck - (collar_mm - outer_mm) / 2.0)  # a 45° shoulder prints without support
        .lineTo(collar_mm / 2.0, neck)
        .lineTo(collar_mm / 2.0, length_mm - EDGE_MM)
        .lineTo(collar_mm / 2.0 - EDGE_MM, length_mm)
        .lineTo(0.0, length_mm)
        .close()
    )
    return [_mesh(outline.revolve(360.0, (0.0, 0.0, 0.0), (0.0, 1.0, 0.0)).val())]


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


def engraving(lines: tuple[str, ...], text_height_mm: float, line_step_mm: float, depth_mm: float) -> Part:
    """The text to cut into a plate whose face is z = 0: lines centred under each other, read along x, up along y."""
    import cadquery as cq

    letters: Part = []
    for number, line in enumerate(lines):
        y = ((len(lines) - 1) / 2.0 - number) * line_step_mm
        text = cq.Workplane("XY", origin=(0.0, y, -depth_mm)).text(
            line,
            text_height_mm,
            depth_mm + 1.0,
            combine=False,
            fontPath=str(font_path()),
            halign="center",
            valign="center",
        )
        letters.extend(_mesh(letter) for letter in text.solids().vals())
    return letters


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


PARTS: dict[str, Make] = {function.__name__: function for function in (sleeve, boss, plate, engraving, metal)}


def make(name: str, *measures: Any) -> Part:
    """The part of this name, made here and now."""
    return PARTS[name](*measures)
