"""How the MR lies on the bone, on the coronal and the sagittal plane through the lesion, to be judged by eye."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from guidegen.bone.anatomy import Side
from guidegen.frames import FloatArray, RigidTransform
from guidegen.show.canvas import EDGE, FINER, INK, QUIET, SCENE_BOTTOM, SCENE_TOP, SHEET, Colour, Pixel, Sheet, View
from guidegen.show.lettering import tell
from guidegen.surfaces import Surface
from guidegen.volumes import Volume

# Two panels side by side, the lesion in the upper third of each, where the head is.
PANEL = (584, SCENE_BOTTOM - SCENE_TOP)
GAP = SHEET[0] - 2 * PANEL[0]
MM_PER_PIXEL = 0.21
LESION_ABOVE_MM, LESION_MEDIAL_MM = 34.0, 18.0  # of the panel's middle

SQUARE_MM = 12.0  # of the checkerboard; half a head
CT_WINDOW_HU = (-250.0, 1100.0)
MR_WINDOW_PERCENT = (1.0, 99.5)
CT_TINT: Colour = (255, 238, 214)  # warm and cool, so that each square tells where it comes from
MR_TINT: Colour = (214, 236, 255)

NOTHING: Colour = (24, 27, 32)
# Of the MR's femur and of the bone: a thin dark line in a thick light one, told apart on a black and white print too.
ORANGE: Colour = (206, 72, 0)
CYAN: Colour = (112, 232, 240)
YELLOW: Colour = (255, 226, 64)

RIGHT, UP = 0, 1  # rows of a panel's axes


@dataclass(frozen=True, eq=False)
class Panel:
    """A plane through the lesion: `axes` (2, 3) has the unit vectors right and up, `center_mm` is mid-panel; the words
    name its plane, its left and its right.
    """

    axes: FloatArray
    center_mm: FloatArray
    left_pixel: float
    words: tuple[str, str, str]

    def points_mm(self) -> FloatArray:
        """The places (height, width, 3) of the sheet's pixels."""
        across = np.arange(PANEL[0]) + 0.5 - PANEL[0] / 2.0
        down = np.arange(PANEL[1]) + 0.5 - PANEL[1] / 2.0
        return np.asarray(
            self.center_mm
            + MM_PER_PIXEL * (across[None, :, None] * self.axes[RIGHT] - down[:, None, None] * self.axes[UP])
        )

    def pixels(self, points_mm: FloatArray) -> list[Pixel]:
        """Where points (K, 3) lie on the sheet."""
        flat = (points_mm - self.center_mm) @ self.axes.T / MM_PER_PIXEL
        middle = (self.left_pixel + PANEL[0] / 2.0, SCENE_TOP + PANEL[1] / 2.0)
        return [(middle[0] + float(x), middle[1] - float(y)) for x, y in flat]

    def holds(self, pixel: Pixel) -> bool:
        """Whether a place on the sheet lies in the panel."""
        return 0.0 <= pixel[0] - self.left_pixel <= PANEL[0] and SCENE_TOP <= pixel[1] <= SCENE_BOTTOM


def registration_pictures(
    ct: Volume | None,
    mr: Volume | None,
    bone: Surface,
    mr_femur: Surface,
    transform: RigidTransform,
    at_mm: FloatArray,
    side: Side,
) -> dict[str, bytes]:
    """contours.png, and checkerboard.png where both images are given: PNG, 1200 × 900, true to scale.

    `ct` (HU) and `bone` lie in the frame of the plan, `mr` (grey values) and `mr_femur` in their own, which
    `transform` leads from; `at_mm` (3,) is the lesion, in the frame of the plan. Contours are drawn over the CT, over
    the MR where there is no CT, over nothing where there is neither. The same arguments give the same bytes.
    """
    panels = _panels(at_mm, side)
    planes = [panel.points_mm() for panel in panels]
    ct_grey = None if ct is None else [_finer(grey(ct, plane, CT_WINDOW_HU)) for plane in planes]
    mr_grey = None
    if mr is not None:
        low, high = np.percentile(mr.voxels, MR_WINDOW_PERCENT)
        window = float(low), float(high)
        mr_grey = [_finer(grey(mr, transform.inverse().points(plane), window)) for plane in planes]
    under = ct_grey or mr_grey
    over = "CT" if ct_grey else "MR" if mr_grey else "nothing: no image was given"
    sheets = {"contours.png": _sheet(panels, under, side, f"Outlines of bone and MR femur over {over}", at_mm)}
    _draw_contours(sheets["contours.png"], panels, bone, mr_femur.transformed(transform), at_mm)
    sheets["contours.png"].legend([("MR femur", ORANGE), ("Bone", CYAN), ("Lesion's centre", YELLOW)])
    if ct_grey is not None and mr_grey is not None:
        mixed = [
            np.where(_squares(PANEL)[:, :, None], first * np.array(CT_TINT) / 255.0, second * np.array(MR_TINT) / 255.0)
            for first, second in zip(ct_grey, mr_grey, strict=True)
        ]
        sheet = _sheet(panels, mixed, side, f"CT and MR in turn, in squares of {SQUARE_MM:g} mm", at_mm)
        sheet.legend([("CT", CT_TINT), ("MR", MR_TINT), ("Lesion's centre", YELLOW)])
        sheets["checkerboard.png"] = sheet
    return {name: sheet.png() for name, sheet in sheets.items()}


def _panels(at_mm: FloatArray, side: Side) -> tuple[Panel, Panel]:
    """The coronal plane from the front and the sagittal plane from the patient's left."""
    left, back, up = np.eye(3)
    lateral = left if side == "left" else -left
    middle = at_mm - LESION_ABOVE_MM * up
    ends = ("MED", "LAT") if side == "left" else ("LAT", "MED")
    return (
        Panel(np.stack([left, up]), middle + LESION_MEDIAL_MM * lateral, 0.0, ("Coronal", *ends)),
        Panel(np.stack([back, up]), middle, float(PANEL[0] + GAP), ("Sagittal", "ANT", "POST")),
    )


def grey(image: Volume, points_mm: FloatArray, window: tuple[float, float]) -> FloatArray:
    """The image at points (..., 3) as grey (..., 1) of 0 to 255; NOTHING's own grey outside it."""
    from scipy import ndimage

    index = np.moveaxis(image.to_index(points_mm), -1, 0)
    found = ndimage.map_coordinates(image.voxels.astype(np.float32), index, order=1, cval=np.nan)
    grey = np.clip((found - window[0]) / max(window[1] - window[0], 1e-9), 0.0, 1.0) * 255.0
    return np.asarray(np.where(np.isnan(found), float(np.mean(NOTHING)), grey)[..., None])


def _finer(scene: FloatArray) -> FloatArray:
    """A scene (height, width, 1) on the pixels that are drawn, `FINER` times as many."""
    return scene.repeat(FINER, axis=0).repeat(FINER, axis=1)


def _squares(size: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Which pixels (height, width) of a panel are those of the first image."""
    row, column = (np.arange(count * FINER) / FINER * MM_PER_PIXEL // SQUARE_MM for count in (size[1], size[0]))
    return np.asarray((row[:, None] + column) % 2 == 0)


def _sheet(
    panels: tuple[Panel, Panel], scenes: list[FloatArray] | None, side: Side, subject: str, at_mm: FloatArray
) -> Sheet:
    """A sheet with a scene (height, width, 1 or 3) in each panel, or nothing in them, and its lettering."""
    canvas = np.full((PANEL[1] * FINER, SHEET[0] * FINER, 3), 255, dtype=np.uint8)
    for number, panel in enumerate(panels):
        left = round(panel.left_pixel) * FINER
        scene = np.array(NOTHING) if scenes is None else scenes[number]
        canvas[:, left : left + PANEL[0] * FINER] = np.broadcast_to(scene, (PANEL[1] * FINER, PANEL[0] * FINER, 3))
    sheet = Sheet(canvas, View(np.eye(3), np.zeros(3), MM_PER_PIXEL))
    sheet.text((EDGE, 46), tell(f"{side.upper()} hip, MR laid on the bone"), 46.0, bold=1.2)
    sheet.text((EDGE, 96), tell(subject), 30.0, QUIET)
    sheet.scale_bar()
    for panel in panels:
        plane, left_end, right_end = panel.words
        middle = (SCENE_TOP + SCENE_BOTTOM) / 2.0
        sheet.text((panel.left_pixel + 16, middle), tell(left_end), 26.0, INK)
        sheet.text((panel.left_pixel + PANEL[0] - 16, middle), tell(right_end), 26.0, INK, anchor="rm")
        sheet.text((panel.left_pixel + PANEL[0] / 2.0, SCENE_TOP + 24), tell(plane), 26.0, INK, anchor="mm")
        _cross(sheet, panel, at_mm)
    return sheet


def _cross(sheet: Sheet, panel: Panel, at_mm: FloatArray) -> None:
    """Four short lines round the lesion's centre, which stays free."""
    ((x, y),) = panel.pixels(at_mm[None])
    for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
        sheet.line([(x + 7 * dx, y + 7 * dy), (x + 20 * dx, y + 20 * dy)], YELLOW, 2.0)


def _draw_contours(
    sheet: Sheet, panels: tuple[Panel, Panel], bone: Surface, mr_femur: Surface, at_mm: FloatArray
) -> None:
    for panel in panels:
        normal = np.cross(panel.axes[RIGHT], panel.axes[UP])
        for surface, colour, width in ((bone, CYAN, 3.6), (mr_femur, ORANGE, 1.4)):
            for first, last in cut(surface, at_mm, normal):
                ends = panel.pixels(np.stack([first, last]))
                if all(panel.holds(end) for end in ends):
                    sheet.line(ends, colour, width)


def cut(surface: Surface, point_mm: FloatArray, normal: FloatArray) -> FloatArray:
    """Where a surface crosses the plane through a point (3,) at right angles to `normal` (3,): segments (K, 2, 3)."""
    height = (surface.vertices - point_mm) @ normal
    height = np.where(height == 0.0, 1e-9, height)  # a vertex on the plane lies above it
    corners, heights = surface.vertices[surface.faces], height[surface.faces]
    crosses = np.abs(np.sign(heights).sum(axis=1)) < 3
    corners, heights = corners[crosses], heights[crosses]
    alone = np.argmax(np.sign(heights) == -np.sign(np.sign(heights).sum(axis=1, keepdims=True)), axis=1)
    rows = np.arange(len(corners))
    ends = []
    for step in (1, 2):
        other = (alone + step) % 3
        share = heights[rows, alone] / (heights[rows, alone] - heights[rows, other])
        ends.append(corners[rows, alone] + share[:, None] * (corners[rows, other] - corners[rows, alone]))
    return np.stack(ends, axis=1)
