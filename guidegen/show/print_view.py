"""The guide as it stands in the printer, on its plate."""

from __future__ import annotations

from contextlib import closing

import numpy as np
import numpy.typing as npt

from guidegen.bone.anatomy import Side
from guidegen.frames import unit
from guidegen.rounded import shown
from guidegen.show.canvas import Sheet, View
from guidegen.show.pictures import GREY, TEAL
from guidegen.show.stage import MATT, SATIN, Stage, sharp
from guidegen.surfaces import Surface
from guidegen.threemf import print_orientation

PLATE_MM = 10.0  # beyond the guide's box, on every side
TOWARD = (-0.45, -1.0, 0.42)  # from where it is looked at, in the printer's frame


def print_picture(patient_id: str, side: Side, guide: Surface, print_down: npt.ArrayLike) -> bytes:
    """print.png, 1200 × 900, true to scale: the guide (LPS mm) turned so that `print_down` (3,) is down, as the print
    file has it.
    """
    turned = guide.transformed(print_orientation(guide, print_down))
    low, high = turned.bounds_mm
    left, front = low[:2] - PLATE_MM
    right, back = high[:2] + PLATE_MM
    plate = np.array([[left, front, 0.0], [right, front, 0.0], [right, back, 0.0], [left, back, 0.0]])
    view = View.fitted(unit(TOWARD), np.array([0.0, 0.0, 1.0]), np.concatenate([turned.vertices, plate]))
    with closing(Stage()) as stage:
        stage.add(sharp(plate, np.array([[0, 1, 2], [0, 2, 3]])), MATT, GREY)
        stage.add(sharp(turned.vertices, turned.faces), SATIN, TEAL)
        sheet = Sheet(stage.rendered(view, deepened=True), view)
    size = " x ".join(shown(length, 0) for length in high - low)
    sheet.title(patient_id, side, f"The guide as it stands in the printer: {size} mm")
    sheet.legend([("Guide", TEAL), ("Plate", GREY)])
    sheet.scale_bar()
    return sheet.png()
