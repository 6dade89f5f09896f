"""Radiographs as the planned position would give them: from the front and from the side, drilled 10 mm and to the end.

Parallel rays: shadows, without an X-ray's magnification. With a CT the rays gather its dense voxels; without one they
gather the bone's thickness, which shows its outline but no cortex. As on an image intensifier, what is dense is dark.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from guidegen.bone.anatomy import Anatomy
from guidegen.frames import FloatArray, unit
from guidegen.show.canvas import FINER, INK, QUIET, SCENE_BOTTOM, SCENE_TOP, SHEET, Colour, Sheet, View, named
from guidegen.show.lettering import tell
from guidegen.show.registration_pictures import GAP, MM_PER_PIXEL, PANEL, RIGHT, UP, Panel
from guidegen.surfaces import Surface
from guidegen.volumes import Volume

FIRST_LOOK_MM = 10.0  # of drill in the bone, for the first X-ray
RAY_MM = 0.63  # between rays: three pixels of the sheet
STEP_MM = 1.6  # along a ray through a CT
BONE_HU = 100.0  # a voxel counts by what it has more than this; soft tissue has less
DARKEST = 0.28  # of the light, behind the thickest bone
NUDGE = np.array([1.1e-5, 2.7e-5])  # rays; far less than anybody sees
SHOWN_PERCENT = 99.0  # what counts as the thickest

DRILL: Colour = (12, 14, 18)
WIRE: Colour = (30, 33, 38)
SLEEVE: Colour = (64, 68, 74)
BELOW_MM = 44.0  # of the shaft, below the lesser trochanter


def radiograph_pictures(
    patient_id: str, bone: Surface, ct: Volume | None, anatomy: Anatomy, tunnels: Sequence[Mapping[str, Any]],
    sleeves: Sequence[Mapping[str, Any]], pins: Sequence[Mapping[str, Any]],
) -> dict[str, bytes]:  # fmt: skip
    """xray_front.png and xray_side.png: PNG, 1200 × 900, true to scale; on the left the drill 10 mm in the bone, on the
    right at its full depth.

    All in LPS mm; `tunnels`, `sleeves` and `pins` as in plan.json. The same arguments give the same bytes.
    """
    directions = {
        ("PROX", "DIST"): anatomy.shaft_axis, ("LAT", "MED"): anatomy.lateral, ("POST", "ANT"): anatomy.posterior,
    }  # fmt: skip
    pictures = {}
    for name, toward, words in (
        ("xray_front.png", -anatomy.posterior, "from the front"),
        ("xray_side.png", anatomy.lateral, "from the lateral side"),
    ):
        panels = _panels(toward, anatomy)
        light = _light(panels[0], toward, bone, ct)
        sheet = _sheet(panels, light)
        sheet.title(patient_id, anatomy.side, f"Simulated radiograph {words}, {_ground(ct)}")
        for panel, depth_mm in zip(panels, (FIRST_LOOK_MM, None), strict=True):
            _draw_metal(sheet, panel, tunnels, sleeves, pins, depth_mm)
            _letter(sheet, panel, directions)
        sheet.scale_bar()
        sheet.legend(
            [("Drill", DRILL), ("Wire", WIRE)] + [("Metal sleeve", SLEEVE)] * any(each["metal"] for each in sleeves)
        )
        pictures[name] = sheet.png()
    return pictures


def _ground(ct: Volume | None) -> str:
    return "by the thickness of the bone" if ct is None else "made of the CT"


def _panels(toward: FloatArray, anatomy: Anatomy) -> tuple[Panel, Panel]:
    """Two panels on the same place, the shaft upright: from above the head to below the lesser trochanter."""
    up = anatomy.shaft_axis
    axes = np.stack([np.cross(up, toward), up])
    bottom = float(anatomy.lesser_trochanter_mm @ up) - BELOW_MM
    middle = (anatomy.head_center_mm + anatomy.frame.origin_mm) / 2.0
    center = middle + (bottom + PANEL[1] * MM_PER_PIXEL / 2.0 - middle @ up) * up
    first, second = ("drilled 10 mm", "", ""), ("at full depth", "", "")
    return Panel(axes, center, 0.0, first), Panel(axes, center, float(PANEL[0] + GAP), second)


def _light(panel: Panel, toward: FloatArray, bone: Surface, ct: Volume | None) -> FloatArray:
    """The light (height, width) of 0 to 1 that is left behind the bone, on the pixels of a panel, `FINER` times."""
    from scipy import ndimage

    columns, rows = (int(np.ceil(count * MM_PER_PIXEL / RAY_MM)) for count in PANEL)
    x = np.asarray((np.arange(columns) + 0.5 - columns / 2.0) * RAY_MM, dtype=np.float64)
    y = np.asarray((rows / 2.0 - np.arange(rows) - 0.5) * RAY_MM, dtype=np.float64)
    gathered = _thickness(bone, panel, toward, x, y) if ct is None else _density(ct, panel, toward, x, y)
    most = max(float(np.percentile(gathered[gathered > 0.0], SHOWN_PERCENT)) if (gathered > 0.0).any() else 1.0, 1e-6)
    down, right = (
        (np.arange(count * FINER) + 0.5) / FINER * MM_PER_PIXEL / RAY_MM - 0.5 for count in (PANEL[1], PANEL[0])
    )
    offsets = (rows - PANEL[1] * MM_PER_PIXEL / RAY_MM) / 2.0, (columns - PANEL[0] * MM_PER_PIXEL / RAY_MM) / 2.0
    grid = np.meshgrid(down + offsets[0], right + offsets[1], indexing="ij")
    fine = ndimage.map_coordinates(gathered, grid, order=1, mode="nearest")
    return np.asarray(np.exp(np.log(DARKEST) * np.minimum(fine / most, 1.2)))


def _density(ct: Volume, panel: Panel, toward: FloatArray, x: FloatArray, y: FloatArray) -> FloatArray:
    """What the rays gather of a CT (rows, columns): HU above those of soft tissue, times the way."""
    from scipy import ndimage

    corners = np.stack(np.meshgrid(*([0, count - 1] for count in ct.voxels.shape), indexing="ij"), axis=-1).reshape(
        -1, 3
    )
    reach = (ct.to_lps(corners.astype(np.float64)) - panel.center_mm) @ toward
    ways = np.arange(reach.min(), reach.max(), STEP_MM)
    turn = np.stack([-panel.axes[UP] * RAY_MM, panel.axes[RIGHT] * RAY_MM, toward * STEP_MM])  # rows, columns, ways
    start = panel.center_mm + x[0] * panel.axes[RIGHT] + y[0] * panel.axes[UP] + ways[0] * toward
    matrix = (turn @ ct.direction / ct.spacing_mm).T
    dense = np.maximum(ct.voxels.astype(np.float32) - BONE_HU, 0.0)
    found = ndimage.affine_transform(
        dense, matrix, ct.to_index(start), output_shape=(len(y), len(x), len(ways)), order=1, mode="constant"
    )
    return np.asarray(found.sum(axis=2) * STEP_MM, dtype=np.float64)


def _thickness(bone: Surface, panel: Panel, toward: FloatArray, x: FloatArray, y: FloatArray) -> FloatArray:
    """How much bone each ray passes through (rows, columns), in mm: at every crossing its depth, in less out.

    Exact for the triangles. The rays stand beside their places by NUDGE, so that none runs through an edge.
    """
    relative = bone.vertices - panel.center_mm
    flat = np.stack([relative @ panel.axes[RIGHT] - x[0], y[0] - relative @ panel.axes[UP]], axis=1) / RAY_MM + NUDGE
    depth = relative @ toward
    area2 = _cross(*(flat[bone.faces[:, k]] - flat[bone.faces[:, 0]] for k in (1, 2)))
    faces, area2 = bone.faces[np.abs(area2) > 1e-12], area2[np.abs(area2) > 1e-12]
    corners = flat[faces]
    low = np.ceil(corners.min(axis=1)).astype(int)
    reach = np.floor(corners.max(axis=1)).astype(int) - low
    gathered = np.zeros(len(x) * len(y))
    for across, down in np.ndindex(*(int(most) + 1 for most in reach.max(axis=0))):
        wide = np.flatnonzero((reach >= [across, down]).all(axis=1))  # the faces that reach so far
        ray, doubled = low[wide] + [across, down], area2[wide]
        first, second, third = (corners[wide, k] for k in range(3))
        weights = [_cross(b - ray, c - ray) / doubled for b, c in ((second, third), (third, first), (first, second))]
        inside = np.all([weight > 0.0 for weight in weights], axis=0)
        inside &= (ray >= 0).all(axis=1) & (ray[:, 0] < len(x)) & (ray[:, 1] < len(y))
        at = ray[inside, 1] * len(x) + ray[inside, 0]
        deep = sum(weight[inside] * depth[faces[wide[inside], k]] for k, weight in enumerate(weights))
        gathered += np.bincount(at, -np.sign(doubled[inside]) * deep, minlength=len(gathered))
    return np.abs(gathered).reshape(len(y), len(x))


def _cross(first: FloatArray, second: FloatArray) -> FloatArray:
    return np.asarray(first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0])


def _sheet(panels: tuple[Panel, Panel], light: FloatArray) -> Sheet:
    canvas = np.full((PANEL[1] * FINER, SHEET[0] * FINER, 3), 255, dtype=np.uint8)
    for panel in panels:
        left = round(panel.left_pixel) * FINER
        canvas[:, left : left + PANEL[0] * FINER] = (light * 255.0).round().astype(np.uint8)[:, :, None]
    return Sheet(canvas, View(np.eye(3), np.zeros(3), MM_PER_PIXEL))


def _draw_metal(
    sheet: Sheet, panel: Panel, tunnels: Sequence[Mapping[str, Any]], sleeves: Sequence[Mapping[str, Any]],
    pins: Sequence[Mapping[str, Any]], depth_mm: float | None,
) -> None:  # fmt: skip
    """Metal sleeves, wires at their depth, and each drill from its stop face to `depth_mm`, or to its end if None."""
    for pin in pins:
        direction, point = np.array(pin["direction"]), np.array(pin["point_mm"])
        outside = float(np.linalg.norm(point - np.array(pin["top_mm"]))) + 6.0
        _rod(
            sheet,
            panel,
            point - outside * direction,
            point + pin["depth_mm"] * direction,
            pin["wire_diameter_mm"],
            WIRE,
        )
    for sleeve in sleeves:
        tunnel, stop = tunnels[sleeve["tunnel"]], np.array(sleeve["stop_face_mm"])
        entry, target = np.array(tunnel["entry_mm"]), np.array(tunnel["target_mm"])
        axis = unit(target - entry)
        if sleeve["metal"] is not None:
            _rod(
                sheet,
                panel,
                stop,
                stop + sleeve["metal"]["length_mm"] * axis,
                sleeve["metal"]["outer_diameter_mm"],
                SLEEVE,
            )
        end = target if depth_mm is None else entry + depth_mm * axis
        _rod(sheet, panel, stop - 8.0 * axis, end, sleeve["drill_diameter_mm"], DRILL)


def _rod(
    sheet: Sheet, panel: Panel, begin_mm: FloatArray, end_mm: FloatArray, diameter_mm: float, colour: Colour
) -> None:
    """A rod's shadow, as wide as the rod, as far as it lies in the panel."""
    ways = np.linspace(0.0, 1.0, 400)
    points = begin_mm + ways[:, None] * (end_mm - begin_mm)
    room = diameter_mm / MM_PER_PIXEL / 2.0
    held = [
        pixel
        for pixel in panel.pixels(points)
        if room <= pixel[0] - panel.left_pixel <= PANEL[0] - room
        and SCENE_TOP + room <= pixel[1] <= SCENE_BOTTOM - room
    ]
    if len(held) > 1:
        sheet.line([held[0], held[-1]], colour, diameter_mm / MM_PER_PIXEL)


def _letter(sheet: Sheet, panel: Panel, directions: Mapping[tuple[str, str], FloatArray]) -> None:
    right, up = panel.axes[RIGHT], panel.axes[UP]
    middle = (SCENE_TOP + SCENE_BOTTOM) / 2.0
    sheet.text((panel.left_pixel + 14, middle), named(-right, directions), 24.0, QUIET, bold=0.8)
    sheet.text((panel.left_pixel + PANEL[0] - 14, middle), named(right, directions), 24.0, QUIET, bold=0.8, anchor="rm")
    sheet.text(
        (panel.left_pixel + PANEL[0] / 2.0, SCENE_TOP + 24), tell(panel.words[0]), 30.0, INK, bold=0.8, anchor="mm"
    )
    sheet.text(
        (panel.left_pixel + PANEL[0] / 2.0, SCENE_BOTTOM - 22),
        named(-up, directions),
        24.0,
        QUIET,
        bold=0.8,
        anchor="mm",
    )
