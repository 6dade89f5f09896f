"""The head cut by a plane through its centre: bone, lesion, head circle, necrotic arc and what bears weight."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from guidegen.bone.anatomy import Side
from guidegen.frames import FloatArray
from guidegen.lesion.acetabular import AcetabularGrades
from guidegen.lesion.head_frame import ANTERIOR, MEDIAL, SUPERIOR, HeadFrame, Plane
from guidegen.lesion.hip_pose import pelvic_frame
from guidegen.lesion.lattice import occupied
from guidegen.lesion.pelvis import Acetabulum, acetabulum, near_head
from guidegen.rounded import shown
from guidegen.show.assessed import Assessed
from guidegen.show.canvas import INK, QUIET, SCENE_TOP, Colour
from guidegen.show.lettering import tell
from guidegen.show.paper import (
    AMBER,
    PANEL_LEFT,
    PANEL_LETTERS,
    POINTS,
    SMALL,
    SQUARE,
    SQUARE_LEFT,
    area,
    blank,
    degrees,
    legend,
    letters,
    line_style,
    name_sides,
    percent,
    rim,
    scale_bar,
    tint,
    worded,
)
from guidegen.show.pictures import BLUE, RED, SLATE, TEAL
from guidegen.surfaces import Surface
from guidegen.volumes import Volume

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Half the edge of the drawn square, and the rings round the head, in head radii.
WINDOW_RADII = 1.75
ARC_RADII, ZONE_RADII, LETTERS_RADII = 1.06, 1.17, 1.42
RASTER = 371  # samples along an edge of the square: every second pixel

GREYS = (1.0, 99.0)  # percentiles of the image on the plane that become black and white


@dataclass(frozen=True, eq=False)
class Sight:
    """A plane through the head centre as it is looked at; `right` and `up` are unit vectors (3,) in LPS.

    Laid out as radiologists do: the coronal plane from the front, the sagittal plane from the patient's left.
    Angles run from `up` to medial or anterior; `turn` is 1 where that is the right of the picture, else −1.
    """

    frame: HeadFrame
    plane: Plane
    right: FloatArray
    up: FloatArray
    turn: float

    @classmethod
    def of(cls, frame: HeadFrame, plane: Plane, side: Side) -> Sight:
        """The mid-coronal or mid-sagittal plane of a frame, on a hip of this side."""
        turn = 1.0 if plane == "coronal" and side == "right" else -1.0
        sideways = frame.axes[MEDIAL if plane == "coronal" else ANTERIOR]
        return cls(frame, plane, turn * sideways, frame.axes[SUPERIOR], turn)

    @property
    def half_mm(self) -> float:
        """Half the edge of the drawn square."""
        return WINDOW_RADII * self.frame.radius_mm

    def flat_mm(self, points_mm: FloatArray) -> FloatArray:
        """Points (..., 3) as they lie right of and above the head centre, (..., 2)."""
        return np.asarray((points_mm - self.frame.center_mm) @ np.stack([self.right, self.up], axis=1))

    def ring_mm(self, start_deg: float, end_deg: float, radii: float) -> FloatArray:
        """An arc (K, 2) round the head centre, this many head radii out, every degree or closer."""
        angles = np.radians(np.linspace(start_deg, end_deg, int(np.ceil(abs(end_deg - start_deg))) + 2))
        return radii * self.frame.radius_mm * np.stack([self.turn * np.sin(angles), np.cos(angles)], axis=1)

    def at_mm(self, angle_deg: float, radii: float) -> FloatArray:
        """A point (2,) in this direction from the head centre, this many head radii out."""
        return np.asarray(self.ring_mm(angle_deg, angle_deg, radii)[0])

    def raster_mm(self) -> FloatArray:
        """Points (RASTER, RASTER, 3) all over the square, rows upwards, in LPS."""
        ticks = np.linspace(-self.half_mm, self.half_mm, RASTER)
        return np.asarray(self.frame.center_mm + ticks[:, None, None] * self.up + ticks[:, None] * self.right)


def femoral_plane_figure(hip: Assessed, plane: Plane) -> Figure:
    """The mid-coronal or mid-sagittal plane of the femur's own frame, with the necrotic arc and the loaded cap."""
    grades, definitions = hip.grades, hip.grades.definitions
    sight = Sight.of(grades.frame, plane, hip.side)
    where = "coronal plane, from the front" if plane == "coronal" else "sagittal plane, from the patient's left"
    figure, axes = _cut_hip(hip, sight, f"Femoral head, mid-{where}")
    half_deg = definitions.weight_bearing_half_angle_deg
    _ring(axes, sight, (-half_deg, half_deg), ZONE_RADII, BLUE, "Weight-bearing zone")
    arc, arc_deg = (
        (grades.arcs.coronal, grades.arcs.coronal_deg)
        if plane == "coronal"
        else (grades.arcs.sagittal, grades.arcs.sagittal_deg)
    )
    if arc is not None:
        _wedge(axes, sight, arc.start_deg, arc.end_deg)
        x, y = sight.at_mm((arc.start_deg + arc.end_deg) / 2.0, LETTERS_RADII)
        axes.text(
            x,
            y,
            degrees(arc.angle_deg),
            fontsize=36.0 * POINTS,
            weight="bold",
            ha="center",
            va="center",
            color=tint(INK),
            path_effects=rim(6.0),
            gid="angle",
            zorder=8.0,
        )
    if hip.pelvis is not None and plane == "coronal":
        socket = acetabulum(near_head(hip.pelvis, grades.frame), grades.frame, 0.0)
        if isinstance(socket, Acetabulum):
            _point(axes, sight, socket.edge_mm, "Acetabular edge")
    _panel(
        figure,
        ("Necrotic arc", *worded(arc_deg, degrees)),
        ("Both arcs together", *worded(grades.arcs.kerboul_deg, degrees)),
        ("Weight-bearing, necrotic", *worded(grades.extent.weight_bearing_share, percent)),
    )
    return figure


def acetabular_figure(hip: Assessed, pelvis: Volume, graded: AcetabularGrades) -> Figure:
    """The mid-coronal plane of the pelvis, the hip as scanned: what the types by the acetabulum are read from."""
    sight = Sight.of(pelvic_frame(pelvis, hip.grades.frame, hip.side), "coronal", hip.side)
    figure, axes = _cut_hip(hip, sight, "Hip as scanned, mid-coronal plane of the pelvis, from the front")
    socket = acetabulum(near_head(pelvis, sight.frame), sight.frame, 0.0)
    if isinstance(socket, Acetabulum):
        ends = socket.edge_deg, socket.start_deg
        _ring(axes, sight, ends, ZONE_RADII, BLUE, "Weight-bearing thirds")
        for border in hip.grades.definitions.jic_borders:
            _ray(axes, sight, ends[1] + border * (ends[0] - ends[1]), (ZONE_RADII - 0.05, ZONE_RADII + 0.05), BLUE)
        _point(axes, sight, socket.edge_mm, "Acetabular edge")
        _point(axes, sight, socket.teardrop_mm, "Bottom of the teardrop", "v")
    margin = graded.lateral_margin_deg
    if margin.value is not None and margin.low is not None and margin.high is not None:
        _ring(axes, sight, (margin.low, margin.high), ARC_RADII, AMBER, "Lateral margin, range")
        _ray(axes, sight, margin.value, (0.0, ARC_RADII + 0.04), AMBER)
    _panel(
        figure,
        ("Lateral margin", *worded(margin, _sideways)),
        ("Acetabular edge", *worded(graded.acetabular_edge_deg, _sideways)),
        ("Weight-bearing, necrotic", *worded(graded.weight_bearing_arc_share, percent)),
    )
    return figure


def outline_mm(surface: Surface, sight: Sight) -> FloatArray:
    """The segments (K, 2, 2) in which the plane cuts the surface, right of and above the head centre."""
    height = (surface.vertices - sight.frame.center_mm) @ np.cross(sight.right, sight.up)
    above = (height > 0.0)[surface.faces]
    crossing = surface.faces[above.any(axis=1) & ~above.all(axis=1)]
    flat = sight.flat_mm(surface.vertices)
    begin, end = crossing, np.roll(crossing, -1, axis=1)
    cut = (height[begin] > 0.0) != (height[end] > 0.0)  # two edges of each face
    begin, end = begin[cut], end[cut]
    share = height[begin] / (height[begin] - height[end])
    return np.asarray((flat[begin] + share[:, None] * (flat[end] - flat[begin])).reshape(-1, 2, 2))


def resampled(image: Volume, points_mm: FloatArray) -> FloatArray:
    """The image's values (...,) at the points (..., 3), linear between voxel centres; NaN outside."""
    from scipy.ndimage import map_coordinates

    index = np.moveaxis(image.to_index(points_mm), -1, 0)
    return np.asarray(map_coordinates(image.voxels, index, output=np.float64, order=1, mode="constant", cval=np.nan))


def _cut_hip(hip: Assessed, sight: Sight, subject: str) -> tuple[Figure, Axes]:
    """The sheet with all that the plane cuts, before anything is measured in it."""
    figure = blank(hip.patient_id, hip.side, subject)
    axes = area(figure, SQUARE_LEFT, SCENE_TOP, SQUARE, SQUARE)
    axes.set_xlim(-sight.half_mm, sight.half_mm)
    axes.set_ylim(-sight.half_mm, sight.half_mm)
    raster = sight.raster_mm()
    if hip.image is not None:
        _grey(axes, resampled(hip.image, raster), sight.half_mm)
    _outlines(axes, hip, sight, raster)
    circle = sight.ring_mm(0.0, 360.0, 1.0)
    dashed = line_style(TEAL, 2.5) | {"linestyle": (0, (4, 2))}
    axes.plot(*circle.T, **dashed, label="Head circle", gid="head circle")
    axes.plot([0.0], [0.0], "+", markersize=18.0 * POINTS, markeredgewidth=3.0 * POINTS, **line_style(TEAL, 2.5))
    left, right = ("medial", "lateral") if sight.turn < 0.0 else ("lateral", "medial")
    if sight.plane == "sagittal":
        left, right = "anterior", "posterior"
    name_sides(axes, tell(left), tell(right), tell("superior"), tell("inferior"))
    scale_bar(figure, SQUARE_LEFT + SQUARE - 24.0, SCENE_TOP + SQUARE - 24.0, 2.0 * sight.half_mm / SQUARE)
    return figure, axes


def _outlines(axes: Axes, hip: Assessed, sight: Sight, raster_mm: FloatArray) -> None:
    """Pelvis, femur and lesion as the plane cuts them."""
    from matplotlib.collections import LineCollection

    ticks = np.linspace(-sight.half_mm, sight.half_mm, RASTER)
    if hip.pelvis is not None and _shows(inside := occupied(hip.pelvis, raster_mm)):
        lines = axes.contour(ticks, ticks, inside, levels=[0.5], colors=[tint(SLATE)], linewidths=2.0 * POINTS)
        lines.set(path_effects=rim(4.5), gid="pelvis")
        axes.plot([], [], **line_style(SLATE, 2.0), label="Pelvis")
    femur = LineCollection(list(outline_mm(hip.bone, sight)), **line_style(INK, 3.0), capstyle="round", gid="bone")
    femur.set_label("Femur")
    axes.add_collection(femur)
    if _shows(dead := occupied(hip.voxels, raster_mm)):
        axes.contourf(ticks, ticks, dead, levels=[0.5, 2.0], colors=[(*tint(RED), 0.45)]).set(gid="lesion")
        axes.contour(ticks, ticks, dead, levels=[0.5], colors=[tint(RED)], linewidths=2.5 * POINTS)
        axes.fill([], [], facecolor=(*tint(RED), 0.45), edgecolor=tint(RED), label="Lesion")


def _shows(occupancy: FloatArray) -> bool:
    """Whether a label has an outline here."""
    return bool(occupancy.min() < 0.5 < occupancy.max())


def _grey(axes: Axes, values: FloatArray, half_mm: float) -> None:
    """The image behind the drawing, white where it ends."""
    seen = values[np.isfinite(values)]
    if len(seen) == 0:
        return
    black, white = np.percentile(seen, GREYS)
    axes.imshow(
        values,
        cmap="gray",
        vmin=black,
        vmax=max(white, black + 1.0),
        origin="lower",
        aspect="auto",
        extent=(-half_mm, half_mm, -half_mm, half_mm),
        interpolation="bilinear",
        gid="image",
    )


def _wedge(axes: Axes, sight: Sight, start_deg: float, end_deg: float) -> None:
    """The necrotic arc as it is seen from the head centre."""
    corners = np.vstack([np.zeros(2), sight.ring_mm(start_deg, end_deg, ARC_RADII), np.zeros(2)])
    for width, colour in ((8.0, INK), (5.0, AMBER)):
        (line,) = axes.plot(
            *corners.T, color=tint(colour), linewidth=width * POINTS, solid_joinstyle="round", zorder=5.0
        )
    line.set(gid="arc", label="Necrotic arc")


def _ring(axes: Axes, sight: Sight, ends_deg: tuple[float, float], radii: float, colour: Colour, label: str) -> None:
    """A band along a ring round the head."""
    axes.plot(
        *sight.ring_mm(*ends_deg, radii).T,
        color=tint(colour),
        linewidth=9.0 * POINTS,
        label=label,
        solid_capstyle="butt",
        path_effects=rim(12.0),
        gid=label,
        zorder=4.0,
    )


def _ray(axes: Axes, sight: Sight, angle_deg: float, radii: tuple[float, float], colour: Colour) -> None:
    """A piece of a ray from the head centre, between two radii."""
    ends = np.vstack([sight.at_mm(angle_deg, each) for each in radii])
    axes.plot(*ends.T, color=tint(colour), linewidth=5.0 * POINTS, path_effects=rim(8.0, "black"), zorder=5.0)


def _point(axes: Axes, sight: Sight, point_mm: FloatArray, label: str, shape: str = "D") -> None:
    axes.plot(
        *sight.flat_mm(point_mm)[:, None],
        shape,
        color=tint(BLUE),
        markersize=16.0 * POINTS,
        label=label,
        markeredgecolor="white",
        linestyle="none",
        gid=label,
        zorder=6.0,
    )


def _sideways(angle_deg: float) -> str:
    """An angle from straight up, which is positive to medial."""
    return tell(f"{shown(abs(angle_deg), 1)}° {'medial' if angle_deg > 0.0 else 'lateral'}")


def _panel(figure: Figure, *rows: tuple[str, str, str]) -> None:
    """Beside the square: what was measured, each with its range or why there is none, and what the lines are."""
    y = SCENE_TOP + 14.0
    for name, value, doubt in rows:
        letters(figure, (PANEL_LEFT, y), tell(name), SMALL, QUIET)
        letters(figure, (PANEL_LEFT, y + 37.0), value, 36.0, weight="bold")
        lines = textwrap.wrap(doubt, PANEL_LETTERS + 4)
        letters(figure, (PANEL_LEFT, y + 60.0), "\n".join(lines), SMALL, va="top")
        y += 92.0 + 30.0 * len(lines)
    legend(figure, PANEL_LEFT, y)
