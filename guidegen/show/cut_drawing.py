"""A plane through the bone drawn flat: bone, lesion, what is kept out, and tunnels with the shape of their end."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from guidegen.bone.anatomy import Anatomy
from guidegen.frames import FloatArray
from guidegen.plan.tunnel import Tunnel
from guidegen.show.canvas import INK, named
from guidegen.show.paper import POINTS, SMALL, name_sides, rim, tint
from guidegen.show.pictures import BLUE, IVORY, RED, VIOLET
from guidegen.show.section import Cut, outline_path, outlines_mm
from guidegen.surfaces import Surface

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SCALE_BAR_MM = 10.0
DRILL_OUTSIDE_MM = 14.0  # of its axis that is drawn outside the bone
MOUTH_MM = 30.0  # outside the entry, from where the tunnel is drawn: past the cortex on the far side of its mouth


@dataclass(frozen=True, eq=False)
class CutHip:
    """A hip and the plane that it is drawn in, LPS mm."""

    bone: Surface
    lesion: Surface
    keep_out: Surface | None
    anatomy: Anatomy
    cut: Cut

    @cached_property
    def bone_loops(self) -> list[FloatArray]:
        """The bone's outlines (K, 2) in the plane."""
        return outlines_mm(self.bone, self.cut)

    @cached_property
    def lesion_loops(self) -> list[FloatArray]:
        """The lesion's."""
        return outlines_mm(self.lesion, self.cut)


def draw_cut(axes: Axes, hip: CutHip, low_mm: FloatArray, high_mm: FloatArray, width: float = 3.0) -> None:
    """What the plane cuts, between two corners (2,) right of and above its origin; `width` of the bone's line."""
    from matplotlib.patches import PathPatch

    axes.set_xlim(low_mm[0], high_mm[0])
    axes.set_ylim(low_mm[1], high_mm[1])
    line = width * POINTS
    bone = outline_path(hip.bone_loops)
    axes.add_artist(PathPatch(bone, facecolor=tint(IVORY), edgecolor=tint(INK), linewidth=line, gid="bone"))
    if hip.lesion_loops:
        axes.add_artist(
            PathPatch(
                outline_path(hip.lesion_loops), facecolor=(*tint(RED), 0.45), edgecolor=tint(RED),
                linewidth=0.8 * line, hatch="///", label="Lesion", gid="lesion", zorder=2.0,
            )
        )  # fmt: skip
    kept_out = [] if hip.keep_out is None else outlines_mm(hip.keep_out, hip.cut)
    if kept_out:
        axes.add_artist(
            PathPatch(
                outline_path(kept_out), facecolor=(*tint(VIOLET), 0.6), edgecolor=tint(VIOLET),
                linewidth=0.8 * line, hatch="xx", label="Kept out", gid="kept out", zorder=2.5,
            )
        )  # fmt: skip


def draw_tunnel(
    axes: Axes, hip: CutHip, tunnel: Tunnel, *, in_plane: bool, width: float = 3.0, label: str | None = None
) -> None:
    """One tunnel as it is seen along the plane's normal: its outline inside the bone, and the drill's axis.

    One whose axis does not lie in the plane (not `in_plane`) is dashed, and begins at its entry, whose cortex the plane
    does not show.
    """
    from matplotlib.patches import PathPatch, Polygon

    corners = tunnel_outline_mm(hip.cut, tunnel, MOUTH_MM if in_plane else 0.0)
    outline = Polygon(
        corners, closed=True, facecolor=(1.0, 1.0, 1.0, 0.6 if in_plane else 0.25), edgecolor=tint(BLUE),
        linewidth=width * POINTS, linestyle="solid" if in_plane else (0, (3.0, 1.5)), zorder=3.0,
        label=label, gid="tunnel",
    )  # fmt: skip
    axes.add_artist(outline)
    if in_plane:
        ends = np.stack([tunnel.entry_mm - DRILL_OUTSIDE_MM * tunnel.axis, tunnel.target_mm])
        axes.plot(
            *hip.cut.flat_mm(ends).T, color=tint(BLUE), linewidth=0.6 * width * POINTS,
            linestyle=(0, (6.0, 2.0, 1.0, 2.0)), zorder=4.0, gid="axis",
        )  # fmt: skip
        outline.set_clip_path(PathPatch(outline_path(hip.bone_loops), transform=axes.transData))


def tunnel_outline_mm(cut: Cut, tunnel: Tunnel, outside_mm: float) -> FloatArray:
    """The tunnel's silhouette (K, 2) along the plane's normal, from so far outside its entry, with the shape of its
    end. A silhouette is as wide as the tunnel, and as much shorter as the axis leans out of the plane.
    """
    setback, radius = tunnel.outline_mm.T
    along = np.concatenate([tunnel.length_mm - setback, [tunnel.length_mm - setback[-1], -outside_mm]])
    beside = np.concatenate([radius, [tunnel.diameter_mm / 2.0] * 2])
    flat_axis = np.array([tunnel.axis @ cut.right, tunnel.axis @ cut.up])
    flat_across = np.array([-flat_axis[1], flat_axis[0]]) / np.linalg.norm(flat_axis)
    middle = cut.flat_mm(tunnel.entry_mm) + along[:, None] * flat_axis
    half = beside[:, None] * flat_across
    return np.concatenate([middle + half, (middle - half)[::-1]])


def name_directions(axes: Axes, anatomy: Anatomy, cut: Cut, height: float = 0.5) -> None:
    """At each side of the drawing the direction of the body that lies there; `height` as for `name_sides`."""
    directions = {
        ("proximal", "distal"): anatomy.shaft_axis,
        ("lateral", "medial"): anatomy.lateral,
        ("posterior", "anterior"): anatomy.posterior,
    }
    left, right, top, bottom = (named(towards, directions) for towards in (-cut.right, cut.right, cut.up, -cut.up))
    name_sides(axes, left, right, top, bottom, height)


def scale_bar(axes: Axes, left_mm: float, bottom_mm: float, size: float = SMALL) -> None:
    """A bar of 10 mm that begins at this place of the plane."""
    right_mm, tick = left_mm + SCALE_BAR_MM, 1.2
    x = [left_mm, left_mm, left_mm, right_mm, right_mm, right_mm]
    y = [bottom_mm + offset for offset in (-tick, tick, 0.0, 0.0, -tick, tick)]
    axes.plot(x, y, color=tint(INK), linewidth=3.5 * POINTS, path_effects=rim(7.0), gid="scale bar", zorder=9.0)
    words = f"{SCALE_BAR_MM:g} mm"
    middle = left_mm + SCALE_BAR_MM / 2.0
    axes.text(
        middle, bottom_mm + 1.6, words, ha="center", va="bottom", fontsize=size * POINTS, color=tint(INK),
        path_effects=rim(5.0), zorder=9.0,
    )  # fmt: skip
