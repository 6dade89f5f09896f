"""Heads with lesions whose grades are known in closed form: a ball of bone, voxels cut from it, a cup of pelvis."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache

import manifold3d as m3
import numpy as np

from guidegen.bone.anatomy import Anatomy, Side
from guidegen.frames import FloatArray, unit
from guidegen.lesion.lesion import Lesion
from guidegen.surfaces import Surface
from guidegen.volumes import Volume

RADIUS_MM = 24.0
CENTER_MM = np.array([-80.0, 12.0, -600.0])
CT_MM = (0.7, 0.7, 1.0)
NECK_SHAFT_DEG = 127.0

Inside = Callable[[FloatArray], np.ndarray]


@cache
def ball_surface(radius_mm: float = RADIUS_MM) -> Surface:
    """A ball of bone round the origin, within 0.01 mm of it."""
    mesh = m3.Manifold.sphere(radius_mm, 320).to_mesh64()
    return Surface(np.asarray(mesh.vert_properties)[:, :3], np.asarray(mesh.tri_verts).astype(np.int64))


@dataclass(frozen=True, eq=False)
class HeadPhantom:
    """A head in its own anatomical coordinates (medial, anterior, superior; mm from its centre), and its way to LPS.

    `turn` (3, 3) takes anatomical coordinates of the femur into those of the pelvis (neutral torsion or a pose).
    """

    side: Side = "right"
    turn: FloatArray = field(default_factory=lambda: np.eye(3))

    @property
    def body(self) -> FloatArray:
        """Medial, anterior, superior of the patient as rows, LPS."""
        return np.diag([-1.0 if self.side == "left" else 1.0, -1.0, 1.0])

    @property
    def axes(self) -> FloatArray:
        """Medial, anterior, superior of the femur as rows, LPS."""
        return self.turn.T @ self.body

    def lps(self, anatomical: FloatArray) -> FloatArray:
        """Points of the femur in LPS mm."""
        return CENTER_MM + np.asarray(anatomical) @ self.axes

    def anatomy(self, template: Anatomy) -> Anatomy:
        """This head's centre, radius, axes and side; what no grade looks at stays that of `template`."""
        lean = np.radians(180.0 - NECK_SHAFT_DEG)
        return replace(
            template,
            side=self.side,
            head_center_mm=CENTER_MM,
            head_radius_mm=RADIUS_MM,
            neck_axis=np.array([np.sin(lean), 0.0, np.cos(lean)]) @ self.axes,
            shaft_axis=self.axes[2],
        )

    @property
    def bone(self) -> Surface:
        return Surface(ball_surface().vertices + CENTER_MM, ball_surface().faces)

    def lesion(self, inside: Inside, spacing_mm=CT_MM, direction=None, offset_mm=(0.1, 0.2, 0.3)) -> Lesion:
        """The voxels of an LPS grid whose centres lie in the head and `inside` (anatomical coordinates (K, 3))."""
        label = self.label(lambda at: inside(at) & (np.linalg.norm(at, axis=-1) <= RADIUS_MM), spacing_mm, direction,
                           offset_mm)  # fmt: skip
        points = label.to_lps(np.argwhere(label.voxels))
        return lesion_of(points, label.voxel_volume_mm3)

    def label(self, inside: Inside, spacing_mm=CT_MM, direction=None, offset_mm=(0.1, 0.2, 0.3)) -> Volume:
        spacing, axes = np.array(spacing_mm), np.eye(3) if direction is None else direction
        count = np.ceil(2.0 * (RADIUS_MM + 4.0) / spacing).astype(int)
        origin = CENTER_MM + offset_mm - axes @ (spacing * (count - 1) / 2.0)
        empty = Volume(np.zeros(count, dtype=bool), spacing, axes, origin)
        index = np.stack(np.meshgrid(*(np.arange(n) for n in count), indexing="ij"), axis=-1)
        at = (empty.to_lps(index) - CENTER_MM) @ self.axes.T
        return replace(empty, voxels=inside(at))

    def pelvis(self, edge_deg: float, floor_deg: float, spacing_mm=(0.7, 0.7, 1.0)) -> Volume:
        """A cup round the head, open below: on every coronal plane from `edge_deg` (lateral, < 0) to `floor_deg`."""
        spacing = np.array(spacing_mm)
        half = np.array([46.0, 24.0, 46.0])
        count = np.ceil(2.0 * half / spacing).astype(int)
        origin = CENTER_MM - spacing * (count - 1) / 2.0
        empty = Volume(np.zeros(count, dtype=bool), spacing, np.eye(3), origin)
        index = np.stack(np.meshgrid(*(np.arange(n) for n in count), indexing="ij"), axis=-1)
        at = (empty.to_lps(index) - CENTER_MM) @ self.body.T
        way = np.hypot(at[..., 0], at[..., 2])
        angle = np.degrees(np.arctan2(at[..., 0], at[..., 2]))
        wall = (way > RADIUS_MM + 3.5) & (way < RADIUS_MM + 12.0)
        return replace(empty, voxels=wall & (angle > edge_deg) & (angle < floor_deg))


def lesion_of(points_mm: FloatArray, voxel_volume_mm3: float) -> Lesion:
    """A lesion of these voxel centres, as `measure_lesion` makes it; its surface is not looked at by any grade."""
    volume = len(points_mm) * voxel_volume_mm3
    share = volume / (4.0 / 3.0 * np.pi * RADIUS_MM**3)
    return Lesion(volume, points_mm.mean(axis=0), share, points_mm, ball_surface(), None)


def cone(axis, half_angle_deg: float) -> Inside:
    """All directions within the half angle of the axis."""
    return lambda at: at @ unit(axis) >= np.linalg.norm(at, axis=-1) * np.cos(np.radians(half_angle_deg))


def cap(axis, half_angle_deg: float) -> Inside:
    """The part of the head beyond a plane, whose edge is seen under the half angle from the centre."""
    return lambda at: at @ unit(axis) >= RADIUS_MM * np.cos(np.radians(half_angle_deg))


def ball(center, radius_mm: float) -> Inside:
    return lambda at: np.linalg.norm(at - np.asarray(center), axis=-1) <= radius_mm


def arc_deg(axis, half_angle_deg: float, plane: str) -> tuple[float, float] | None:
    """The closed form: where the cone's or cap's edge crosses a mid plane, (start, end) in degrees; None if nowhere."""
    w = unit(axis)
    side, up = (w[0], w[2]) if plane == "coronal" else (w[1], w[2])
    cosine = np.cos(np.radians(half_angle_deg)) / np.hypot(side, up)
    if cosine >= 1.0:
        return None
    middle, half = np.degrees(np.arctan2(side, up)), np.degrees(np.arccos(cosine))
    return float(middle - half), float(middle + half)
