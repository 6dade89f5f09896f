"""The lesion on a map of the whole head, as a globe is laid flat: where it lies, how deep, and what of it is surface.

The pole is the direction of the shaft axis, so that the weight-bearing zone is a circle round the middle and the
octants are the quarters inside and outside the equator. Lambert's equal-area projection: equal areas of the map are
equal areas of the head, and each octant takes an eighth. Laid out as an axial CT is: anterior up, from the feet.
"""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from guidegen.bone.anatomy import Side
from guidegen.frames import FloatArray
from guidegen.lesion.extension import extended_lesion
from guidegen.lesion.head_frame import ANTERIOR, MEDIAL, SUPERIOR, HeadFrame
from guidegen.lesion.lattice import occupied
from guidegen.lesion.necrotic_surface import HALF, Necrosis, necrotic, surface_reach_mm
from guidegen.rounded import shown
from guidegen.show.assessed import Assessed
from guidegen.show.canvas import INK, QUIET, SCENE_TOP
from guidegen.show.lettering import tell
from guidegen.show.paper import (
    PANEL_LEFT,
    PANEL_LETTERS,
    POINTS,
    SMALL,
    SQUARE,
    SQUARE_LEFT,
    area,
    blank,
    legend,
    letters,
    name_sides,
    percent,
    rim,
    tint,
)
from guidegen.show.pictures import BLUE, GREY, IVORY

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

RIM = 2.0  # the radius of Lambert's map of the whole unit sphere
CELLS = 247  # along an edge of the map
DEPTH_STEP_MM = 0.5
DEEPEST_RADII = 0.5  # nearer to the head centre a point lies under every part of the surface or none
DEPTHS_MM = (0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 30.0)  # borders of the shades; no head is deeper
# From shallow to deep, dark to light: told apart by lightness alone (ColorBrewer's YlOrRd).
SHADES = ("#800026", "#bd0026", "#e31a1c", "#fc4e2a", "#fd8d3c", "#feb24c")
CIRCLES_DEG = (30.0, 60.0, 90.0, 120.0, 150.0)
KEY = (
    "Shown to half the head's radius deep. Grey circles: angle from the shaft axis. Numbers: how much of each octant "
    "is lesion. Equal areas of the map are equal areas of the head."
)
OCTANT_DEG = (65.0, 112.0)  # where the shares of the octants stand, above and below the equator


@dataclass(frozen=True, eq=False)
class PolarMap:
    """Cells (CELLS, CELLS), rows upwards.

    The depth of the lesion under the surface in mm along the ray from the head centre, NaN where it meets none in the
    outer half of the head or where there is no joint; which cells are joint; which count as necrotic surface.
    """

    depth_mm: FloatArray
    joint: npt.NDArray[np.bool_]
    necrotic: npt.NDArray[np.bool_]


def polar_map(necrosis: Necrosis, frame: HeadFrame, side: Side) -> PolarMap:
    """The map of a lesion."""
    ticks = (np.arange(CELLS) + 0.5) / CELLS * 2.0 * RIM - RIM
    x, y = (axis.ravel() for axis in np.meshgrid(ticks, ticks))
    on_map = np.flatnonzero(np.hypot(x, y) < RIM)
    directions = directions_at(np.stack([x, y], axis=1)[on_map], frame, side)
    dead, joint = necrotic(necrosis, frame, frame.center_mm, directions)
    way = surface_reach_mm(necrosis.bone, frame, frame.center_mm, directions)[joint]
    depth = np.arange(0.0, DEEPEST_RADII * frame.radius_mm, DEPTH_STEP_MM)
    points = frame.center_mm + (way[:, None] - depth)[..., None] * directions[joint, None, :]
    inside = occupied(necrosis.lesion, points) >= HALF
    depth_mm, is_joint, is_dead = np.full(CELLS**2, np.nan), np.zeros(CELLS**2, bool), np.zeros(CELLS**2, bool)
    depth_mm[on_map[joint]] = np.where(inside.any(axis=1), depth[inside.argmax(axis=1)], np.nan)
    is_joint[on_map], is_dead[on_map] = joint, dead
    cells = (CELLS, CELLS)
    return PolarMap(depth_mm.reshape(cells), is_joint.reshape(cells), is_dead.reshape(cells))


def directions_at(places: FloatArray, frame: HeadFrame, side: Side) -> FloatArray:
    """The unit directions (K, 3) in LPS of places (K, 2) right of and above the middle of the map."""
    radius = np.linalg.norm(places, axis=1)
    height = 1.0 - radius**2 / 2.0
    flat = places * np.sqrt(1.0 - radius**2 / 4.0)[:, None]  # its length is the sine of the polar angle
    right = frame.axes[MEDIAL] * _turn(side)
    return np.asarray(flat[:, :1] * right + flat[:, 1:] * frame.axes[ANTERIOR] + height[:, None] * frame.axes[SUPERIOR])


def place_on_map(point_mm: FloatArray, frame: HeadFrame, side: Side) -> tuple[float, float]:
    """Right of and above the middle of the map, where the head centre sees a point (3,); the pole for the centre."""
    medial, anterior, superior = frame.anatomical_mm(point_mm).tolist()
    sideways = np.hypot(medial, anterior)
    radius = radius_on_map(float(np.degrees(np.arctan2(sideways, superior)))) / max(float(sideways), 1e-9)
    return radius * medial * _turn(side), radius * anterior


def radius_on_map(polar_deg: float) -> float:
    """How far from the middle a polar angle lies."""
    return float(2.0 * np.sin(np.radians(polar_deg) / 2.0))


def polar_figure(hip: Assessed) -> Figure:
    """The map on its sheet, with the weight-bearing zone and how much of each octant is necrotic."""
    grades = hip.grades
    necrosis = Necrosis(hip.voxels, extended_lesion(hip.voxels, hip.bone, grades.frame), hip.bone, grades.definitions)
    head = polar_map(necrosis, grades.frame, hip.side)
    figure = blank(hip.patient_id, hip.side, "Map of the head round its shaft axis, laid out like an axial CT")
    axes = area(figure, SQUARE_LEFT, SCENE_TOP, SQUARE, SQUARE)
    axes.set_xlim(-1.12 * RIM, 1.12 * RIM)
    axes.set_ylim(-1.12 * RIM, 1.12 * RIM)
    _fields(figure, axes, head, grades.surface_band_mm)
    _net(axes, hip.side, grades.definitions.weight_bearing_half_angle_deg)
    _octants(axes, hip)
    axes.plot(
        *[[each] for each in place_on_map(grades.centroid_mm, grades.frame, hip.side)],
        "X",
        color="white",
        markeredgecolor="black",
        markersize=24.0 * POINTS,
        label="Centroid of the lesion",
        linestyle="none",
        gid="centroid",
        zorder=8.5,
    )
    left, right = ("lateral", "medial") if hip.side == "right" else ("medial", "lateral")
    name_sides(axes, tell(left), tell(right), tell("anterior"), tell("posterior"))
    legend(figure, PANEL_LEFT, SCENE_TOP + 180.0)
    letters(figure, (PANEL_LEFT, SCENE_TOP + 510.0), fill(tell(KEY), PANEL_LETTERS + 3), SMALL, QUIET, va="top")
    return figure


def _fields(figure: Figure, axes: Axes, head: PolarMap, band_mm: float) -> None:
    """Joint, neck and the lesion in its shades, with the scale of the shades."""
    from matplotlib.colors import BoundaryNorm, ListedColormap
    from matplotlib.patches import Circle

    extent = (-RIM, RIM, -RIM, RIM)
    whole = Circle((0.0, 0.0), RIM, facecolor="none", edgecolor=tint(INK), linewidth=3.0 * POINTS, zorder=6.0)
    axes.add_patch(whole)
    ground = axes.imshow(
        head.joint,
        cmap=ListedColormap([tint(GREY), tint(IVORY)]),
        vmin=0,
        vmax=1,
        origin="lower",
        extent=extent,
        interpolation="nearest",
        aspect="auto",
        gid="joint",
    )
    shades = ListedColormap(SHADES, name="depth")
    steps = BoundaryNorm(DEPTHS_MM, len(SHADES))
    lesion = axes.imshow(
        np.ma.masked_invalid(head.depth_mm),
        cmap=shades,
        norm=steps,
        origin="lower",
        extent=extent,
        interpolation="nearest",
        aspect="auto",
        gid="lesion",
    )
    for image in (ground, lesion):
        image.set_clip_path(whole)
    ticks = (np.arange(CELLS) + 0.5) / CELLS * 2.0 * RIM - RIM
    if head.necrotic.any():
        axes.contour(ticks, ticks, head.necrotic, levels=[0.5], colors=["black"], linewidths=4.0 * POINTS).set(
            gid="necrotic surface", path_effects=rim(7.0), zorder=5.0
        )
    place = area(figure, PANEL_LEFT, SCENE_TOP + 70.0, 330.0, 30.0)
    bar = figure.colorbar(lesion, cax=place, orientation="horizontal", spacing="uniform", ticks=DEPTHS_MM[:-1])
    letters(
        figure,
        (PANEL_LEFT, SCENE_TOP + 20.0),
        fill(tell("Lesion, depth under the surface in mm"), PANEL_LETTERS),
        SMALL,
    )
    bar.ax.tick_params(labelsize=SMALL * POINTS, colors=tint(INK))
    necrosis = f"Necrosis of the surface, up to {shown(band_mm, 1)} mm deep"
    axes.plot([], [], color="black", linewidth=4.0 * POINTS, label=necrosis)
    axes.fill([], [], facecolor=tint(IVORY), edgecolor=tint(INK), label="Joint part of the head")
    axes.fill([], [], facecolor=tint(GREY), edgecolor=tint(INK), label="Neck, no joint surface")


def _net(axes: Axes, side: Side, zone_deg: float) -> None:
    """Circles of the polar angle, the borders of the octants, and the weight-bearing zone."""
    from matplotlib.patches import Circle

    for polar_deg in CIRCLES_DEG:
        width = 3.0 if polar_deg == 90.0 else 1.2
        radius = radius_on_map(polar_deg)
        axes.add_patch(
            Circle((0.0, 0.0), radius, fill=False, edgecolor=tint(QUIET), linewidth=width * POINTS, zorder=4.0)
        )
        x, y = -_turn(side) * radius * np.sin(np.radians(20.0)), -radius * np.cos(np.radians(20.0))
        axes.text(
            x,
            y,
            f"{polar_deg:g}°",
            fontsize=22.0 * POINTS,
            color=tint(QUIET),
            ha="center",
            va="center",
            path_effects=rim(5.0),
            zorder=7.0,
        )
    for ends in (([-RIM, RIM], [0.0, 0.0]), ([0.0, 0.0], [-RIM, RIM])):
        axes.plot(*ends, color=tint(QUIET), linewidth=3.0 * POINTS, zorder=4.0)
    axes.add_patch(
        Circle(
            (0.0, 0.0),
            radius_on_map(zone_deg),
            fill=False,
            edgecolor=tint(BLUE),
            linewidth=6.0 * POINTS,
            path_effects=rim(9.0),
            zorder=5.5,
            gid="weight-bearing zone",
        )
    )
    zone = f"Weight-bearing zone, {shown(zone_deg, 0)}° round the shaft"
    axes.plot([], [], color=tint(BLUE), linewidth=6.0 * POINTS, label=zone)


def _octants(axes: Axes, hip: Assessed) -> None:
    """How much of each octant of the head is lesion, written into it."""
    for octant in hip.grades.octants:
        forward, upper, inwards = octant.name.split("-")
        radius = radius_on_map(OCTANT_DEG[0 if upper == "superior" else 1]) / np.sqrt(2.0)
        x = radius * (1.0 if inwards == "medial" else -1.0) * _turn(hip.side)
        y = radius * (1.0 if forward == "anterior" else -1.0)
        axes.text(
            x,
            y,
            percent(octant.necrotic_share),
            fontsize=27.0 * POINTS,
            weight="bold",
            ha="center",
            va="center",
            color=tint(INK),
            path_effects=rim(6.0),
            gid=octant.name,
            zorder=8.0,
        )


def _turn(side: Side) -> float:
    """1 where medial is the right of the map, else −1."""
    return 1.0 if side == "right" else -1.0
