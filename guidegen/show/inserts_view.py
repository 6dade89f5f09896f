"""The inserts of a fan above the guide with their socket: which is which, and on which side its key lies."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing

import numpy as np

from guidegen.bone.anatomy import Side
from guidegen.frames import FloatArray, unit
from guidegen.show.canvas import INK, Sheet, View
from guidegen.show.lettering import tell
from guidegen.show.pictures import IVORY, TEAL
from guidegen.show.stage import SATIN, Stage, sharp
from guidegen.surfaces import Surface

BESIDE_MM = 6.0  # between two inserts, and between them and the guide
ABOVE_MM = 4.0  # of its name over an insert
TILT = 0.8  # of the view off the socket's axis: text and cone are both seen


def inserts_picture(
    patient_id: str,
    side: Side,
    guide: Surface,
    inserts: Sequence[Surface],
    outwards: FloatArray,
    up: FloatArray,
) -> bytes:
    """inserts.png, 1200 × 900, true to scale: the guide (LPS mm) and above it the inserts, as they go in but drawn
    apart; `outwards` (3,) along the socket, `up` (3,) as their text stands.
    """
    toward = unit(outwards - TILT * up)
    right = unit(np.cross(up, toward))
    above = np.cross(toward, right)
    placed = _in_a_row(guide, inserts, right, above)
    names = np.array([_over(each, right, above) for each in placed])
    everything = np.concatenate([guide.vertices, *(each.vertices for each in placed), names + ABOVE_MM * above])
    view = View.fitted(toward, above, everything)
    with closing(Stage()) as stage:
        stage.add(sharp(guide.vertices, guide.faces), SATIN, TEAL)
        for insert in placed:
            stage.add(sharp(insert.vertices, insert.faces), SATIN, IVORY)
        sheet = Sheet(stage.rendered(view, deepened=True), view)
    for number, place in enumerate(view.pixels(names), start=1):
        sheet.text(place, tell(f"insert {number}"), 30.0, INK, bold=0.8, anchor="mb")
    sheet.title(patient_id, side, "The inserts, each for its own tunnel, above the guide with their socket")
    sheet.legend([("Guide", TEAL), ("Insert", IVORY)])
    sheet.scale_bar()
    return sheet.png()


def _in_a_row(guide: Surface, inserts: Sequence[Surface], right: FloatArray, above: FloatArray) -> list[Surface]:
    """The inserts beside each other in the picture's plane, the row over the middle of the guide."""
    widths = [float(np.ptp(each.vertices @ right)) + BESIDE_MM for each in inserts]
    along = guide.vertices @ right
    left = (along.min() + along.max() - sum(widths) + BESIDE_MM) / 2.0
    top = float((guide.vertices @ above).max()) + BESIDE_MM
    placed = []
    for insert, width in zip(inserts, widths, strict=True):
        way = (left - float((insert.vertices @ right).min())) * right
        way = way + (top - float((insert.vertices @ above).min())) * above
        placed.append(Surface(insert.vertices + way, insert.faces))
        left += width
    return placed


def _over(insert: Surface, right: FloatArray, above: FloatArray) -> FloatArray:
    """The point (3,) over an insert's middle where its name stands."""
    along, height = insert.vertices @ right, insert.vertices @ above
    middle = insert.vertices.mean(axis=0)
    aside = (along.min() + along.max()) / 2.0 - middle @ right
    return np.asarray(middle + aside * right + (height.max() + ABOVE_MM / 2.0 - middle @ above) * above)
