"""The ground that a guide may rest on, on the bone: what closes the rest of it, the landmarks that say so, the contact.

Three views side by side at one scale, from lateral, from the front and from behind. Only bone that the search for the
seat looked at is coloured.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing

import numpy as np
import numpy.typing as npt

from guidegen.bone.anatomy import Anatomy
from guidegen.frames import FloatArray
from guidegen.seat.cells import TURN_STEP_DEG, Cells, round_the_shaft
from guidegen.seat.footprint import Footprint
from guidegen.seat.zones import (
    ABDUCTORS,
    CAPSULE,
    DOUBTFUL,
    INNER_SIDE,
    KEPT_OUT,
    OPEN,
    RIDGE_FRONT_DEG,
    SCAN_END,
    TUBEROSITY,
    Zones,
)
from guidegen.show.canvas import EDGE, FINER, INK, SCENE_BOTTOM, SCENE_MIDDLE, SCENE_TOP, SHEET, Colour, Sheet, View
from guidegen.show.lettering import tell
from guidegen.show.pictures import IVORY, TEAL, VIOLET
from guidegen.show.stage import MATT, Stage, painted
from guidegen.surfaces import Surface

GROUND: dict[int, tuple[str, Colour]] = {
    OPEN: ("Open to the guide", (173, 214, 160)),
    ABDUCTORS: ("Abductors", (222, 138, 122)),
    CAPSULE: ("Capsule", (230, 172, 88)),
    TUBEROSITY: ("Behind", (206, 150, 186)),
    INNER_SIDE: ("Inner side", (158, 178, 206)),
    DOUBTFUL: ("Thin or outgrowth", (250, 226, 60)),
    SCAN_END: ("End of scan", (120, 124, 130)),
    KEPT_OUT: ("Kept out", VIOLET),
}
CONTACT = ("Contact", TEAL)

# Lines along landmarks, each with its colour.
RIDGE: tuple[str, Colour] = ("Vastus ridge and origin", (150, 30, 24))
LINE: tuple[str, Colour] = ("Intertrochanteric line", (172, 92, 0))
TUBER: tuple[str, Colour] = ("Gluteal tuberosity", (122, 34, 110))
CREST: tuple[str, Colour] = ("Crest", (30, 60, 130))

PANELS = 3
PANEL_FREE = 0.9  # of a panel's width and height that the bone may take
BELOW_CELLS_MM = 5.0  # so much more of the shaft is in view than was looked at
ABOVE_SURFACE_MM = 0.4  # where a line runs, so that the surface it lies on does not hide it
BELOW_LESSER_MM = (8.0, 50.0)  # where the tuberosity is looked for (bone.tuberosity)
POINTS = 60
FAR_MM = 100.0
OUTERMOST_MM = 3.0  # a vertex so far within the outermost bone at its place is another side's

LEGEND_TOP, LEGEND_ROW, LEGEND_RIGHT, LETTERS = 832.0, 27.0, 1060.0, 22.0


def zones_picture(
    patient_id: str, bone: Surface, anatomy: Anatomy, zones: Zones, cells: Cells, footprint: Footprint
) -> bytes:
    """seat.png: 1200 × 900, true to scale; all arguments in LPS mm. The same arguments give the same bytes on the same
    machine.
    """
    lines = _landmarks(bone, anatomy, zones)
    why = _ground(bone, zones, cells)
    colours = np.array([GROUND[k][1] for k in range(len(GROUND))] + [IVORY, TEAL], dtype=np.uint8)
    contact = (why >= OPEN) & (footprint.share(bone.vertices) >= 0.5)
    mesh = painted(bone, colours[np.where(contact, len(GROUND) + 1, np.where(why < 0, len(GROUND), why))])
    views = _views(bone, zones, cells)
    with closing(Stage()) as stage:
        panels = []
        for view in views:
            stage.add(mesh, MATT)
            panels.append(_middle(stage.rendered(view, deepened=True)))
    sheet = Sheet(np.concatenate(panels, axis=1), views[0])
    for number, (view, name) in enumerate(zip(views, ("From lateral", "From the front", "From behind"), strict=True)):
        aside = (number - 1) * SHEET[0] / PANELS
        for (_, colour), points in lines:
            for piece in _seen(points, bone, view):
                sheet.line([(x + aside, y) for x, y in view.pixels(piece)], colour, 3.0)
        sheet.text((SCENE_MIDDLE[0] + aside, SCENE_TOP + 18.0), tell(name), 30.0, INK, 0.8, "mm")
    sheet.title(patient_id, anatomy.side, "Where the guide may rest, and where it rests")
    sheet.scale_bar()
    shown = [GROUND[k] for k in sorted({OPEN, *why[why > OPEN].tolist()})]
    _legend(sheet, [CONTACT, *shown], [name for name, _ in lines])
    return sheet.png()


def _ground(bone: Surface, zones: Zones, cells: Cells) -> npt.NDArray[np.int64]:
    """Why each vertex (N,) is closed, 0 where it is open, -1 where nobody looked; borders by the landmarks, what the
    bone itself or the scan closes by its cell.
    """
    at = zones.place(bone.vertices)
    row = np.rint((cells.levels_mm[0] - at.level_mm) / (cells.levels_mm[0] - cells.levels_mm[1])).astype(np.int64)
    column = np.rint((at.turn_deg - cells.turns_deg[0]) / TURN_STEP_DEG).astype(np.int64)
    rows, columns = cells.closed.shape
    looked = (row >= 0) & (row < rows) & (column >= 0) & (column < columns)
    cell = np.clip(row, 0, rows - 1), np.clip(column, 0, columns - 1)
    far = zones.place(cells.points_mm.reshape(-1, 3))
    reach = np.hypot(far.lateral_mm, far.front_mm).reshape(cells.closed.shape)
    looked &= np.hypot(at.lateral_mm, at.front_mm) > reach[cell] - OUTERMOST_MM
    by_cell = (cells.closed[cell] >= SCAN_END) & (cells.areas_mm2[cell] > 0.0)
    why = np.where(by_cell, cells.closed[cell], zones.closed(bone.vertices))
    return np.where(looked, why, -1)


def _landmarks(bone: Surface, anatomy: Anatomy, zones: Zones) -> list[tuple[tuple[str, Colour], FloatArray]]:
    """The landmarks' lines on the bone, each with its name and colour and its points (K, 3)."""
    turns = np.linspace(-45.0, RIDGE_FRONT_DEG if len(zones.line_mm) == 0 else float(zones.line_mm[0, 2]), POINTS)
    found = [(RIDGE, _round(bone, zones, zones.origin_level_mm(turns), turns))]
    if anatomy.intertrochanteric_line_mm is not None:
        found.append((LINE, anatomy.intertrochanteric_line_mm))
    if zones.tuberosity_deg is not None:
        lesser = float(zones.place(anatomy.lesser_trochanter_mm[None]).level_mm[0])
        levels = lesser - np.linspace(*BELOW_LESSER_MM, POINTS)
        found.append((TUBER, _round(bone, zones, levels, np.full(POINTS, zones.tuberosity_deg))))
    share = np.linspace(0.0, 1.0, POINTS)[:, None]
    chord = (1.0 - share) * anatomy.greater_trochanter_mm + share * anatomy.lesser_trochanter_mm
    way, _ = bone.ray_hits(chord + FAR_MM * anatomy.posterior, -anatomy.posterior)
    met = np.isfinite(way)
    return [*found, (CREST, chord[met] + (FAR_MM - way[met])[:, None] * anatomy.posterior)]


def _round(bone: Surface, zones: Zones, levels_mm: FloatArray, turns_deg: FloatArray) -> FloatArray:
    """The points (K, 3) of the bone at levels and turns (K,), pair by pair; where there is none, none."""
    points, there = round_the_shaft(bone, zones, levels_mm, turns_deg)
    pairs = np.arange(len(levels_mm))
    return points[pairs, pairs][there[pairs, pairs]]


def _views(bone: Surface, zones: Zones, cells: Cells) -> list[View]:
    """From lateral, from the front and from behind, the bone down to below the cells in each, at one scale."""
    levels = zones.place(bone.vertices).level_mm
    shown = bone.vertices[levels > cells.levels_mm[-1] - BELOW_CELLS_MM]
    views = [View.fitted(toward, zones.up, shown) for toward in (zones.lateral, zones.front, -zones.front)]
    room = PANEL_FREE * np.array([SHEET[0] / PANELS, SCENE_BOTTOM - SCENE_TOP])
    scale = max(float((np.ptp(shown @ view.axes[:2].T, axis=0) / room).max()) for view in views)
    return [View(view.axes, view.center_mm, scale) for view in views]


def _middle(scene: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """The middle panel of a rendered scene."""
    width = SHEET[0] * FINER // PANELS
    left = (scene.shape[1] - width) // 2
    return scene[:, left : left + width]


def _seen(points: FloatArray, bone: Surface, view: View) -> list[FloatArray]:
    """The pieces (K, 3) of a line on the bone that the bone does not hide from the viewer."""
    _, face, _ = bone.nearest(points)
    way, _ = bone.ray_hits(points + ABOVE_SURFACE_MM * bone.face_normals[face], view.axes[2])
    free = ~np.isfinite(way)
    breaks = np.flatnonzero(np.diff(free)) + 1
    pieces = zip(np.split(points, breaks), np.split(free, breaks), strict=True)
    return [piece for piece, seen in pieces if seen[0] and len(piece) > 1]


def _legend(sheet: Sheet, *groups: Sequence[tuple[str, Colour]]) -> None:
    """Coloured squares and what they stand for, in rows left of the scale bar; each group begins a row."""
    y = LEGEND_TOP
    for entries in groups:
        x = EDGE
        for english, colour in entries:
            words = tell(english)
            width = 28.0 + sheet.width(words, LETTERS)
            if x + width > LEGEND_RIGHT:
                x, y = EDGE, y + LEGEND_ROW
            sheet.box((x, y - 10), (x + 20, y + 10), colour)
            sheet.text((x + 28, y), words, LETTERS)
            x += width + 22
        y += LEGEND_ROW
