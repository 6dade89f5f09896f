"""What a plan takes out of the bone, what of the lesion it reaches, and what it leaves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from guidegen.frames import LPS, FloatArray, RigidTransform, across, perpendicular_pair
from guidegen.plan.hip import Hip
from guidegen.plan.pieces import pieces
from guidegen.plan.tool import tool_solid
from guidegen.plan.tunnel import Tunnel

RESIDUAL_FLAG_MM3 = 1000.0  # less left behind: no failures among 28 hips (Arch Orthop Trauma Surg 2015;135:1357)
BACK_MM = 30.0  # of the tool outside the entry: past the cortex on the far side of an oblique mouth


@dataclass(frozen=True)
class Piece:
    """One piece of the lesion: its volume, what of it the tools sweep and the curette scrapes, in mm³."""

    volume_mm3: float
    by_tool_mm3: float
    by_curette_mm3: float

    @property
    def served(self) -> bool:
        """Whether any of it is reached."""
        return self.by_tool_mm3 + self.by_curette_mm3 > 0.0


@dataclass(frozen=True)
class Volumes:
    """Volumes in mm³, of all tunnels of a plan together.

    `bone_removed`: all that the tools sweep in the bone, lesion included; `by_tool`, `by_curette`: of the lesion, each
    part counted once; `residual`: what stays of it; `graft_ml`: to fill the tunnels and what was scraped out.
    """

    lesion_mm3: float
    bone_removed_mm3: float
    by_tool_mm3: float
    by_curette_mm3: float
    residual_mm3: float
    graft_ml: float
    pieces: tuple[Piece, ...]

    @property
    def reached_fraction(self) -> float:
        """The share of the lesion that tool and curette reach."""
        return (self.by_tool_mm3 + self.by_curette_mm3) / self.lesion_mm3

    @property
    def much_is_left(self) -> bool:
        """Whether as much stays as has meant failures elsewhere."""
        return self.residual_mm3 >= RESIDUAL_FLAG_MM3


def plan_volumes(hip: Hip, tunnels: tuple[Tunnel, ...]) -> Volumes:
    """Volumes of the tunnels together: bone by the solids' own intersection, the lesion by its points of equal volume.

    The curette scrapes as far beyond the tunnels' walls as the kit's file says, and stays as far from the joint as a
    drill's rim must.
    """
    lesion = hip.lesion
    each_mm3 = lesion.volume_mm3 / len(lesion.points_mm)
    by_tool, by_curette = _reached(hip, tunnels)
    number = pieces(lesion)
    listed = tuple(
        Piece(
            *(
                float((number == k).astype(float) @ part) * each_mm3
                for part in (np.ones(len(number)), by_tool, by_curette)
            )
        )
        for k in range(int(number.max()) + 1)
    )
    tool_mm3, curette_mm3 = float(by_tool.sum()) * each_mm3, float(by_curette.sum()) * each_mm3
    removed = _removed_mm3(hip, tunnels)
    return Volumes(
        lesion_mm3=lesion.volume_mm3,
        bone_removed_mm3=removed,
        by_tool_mm3=tool_mm3,
        by_curette_mm3=curette_mm3,
        residual_mm3=max(0.0, lesion.volume_mm3 - tool_mm3 - curette_mm3),
        graft_ml=(removed + curette_mm3) / 1000.0,
        pieces=listed,
    )


def _reached(hip: Hip, tunnels: tuple[Tunnel, ...]) -> tuple[FloatArray, FloatArray]:
    """Which of the lesion's points (K,) the tools sweep, and which of the others the curette scrapes, as 0 and 1."""
    points, tool = hip.lesion.points_mm, hip.tool
    swept, near = np.zeros(len(points), dtype=np.bool_), np.zeros(len(points), dtype=np.bool_)
    for tunnel in tunnels:
        relative = points - tunnel.target_mm
        along, beside = relative @ tunnel.axis, np.linalg.norm(across(relative, tunnel.axis), axis=1)
        swept |= tool.swept(along, beside)
        near |= _scraped(along, beside, tool.radius_mm, tool.curette_reach_mm)
    if tool.curette_reach_mm:
        near &= -hip.bone.signed_distance_mm(points) >= hip.rules.subchondral_rim_mm
    return swept.astype(np.float64), (near & ~swept).astype(np.float64)


def _scraped(along: FloatArray, beside: FloatArray, radius: float, reach: float) -> npt.NDArray[np.bool_]:
    """Whether points lie within the curette's reach of the tunnel's wall or floor; of none without a curette."""
    if reach == 0.0:
        return np.zeros(along.shape, dtype=np.bool_)
    return np.asarray(np.hypot(np.maximum(along, 0.0), np.maximum(beside - radius, 0.0)) <= reach)


def _removed_mm3(hip: Hip, tunnels: tuple[Tunnel, ...]) -> float:
    """The bone inside all tools together, from outside the entry on."""
    import manifold3d

    # along the first tunnel as z: long thin faces askew to the axes make a boolean a hundred times slower
    first, second = perpendicular_pair(tunnels[0].axis)
    turn = RigidTransform.to_frame(tunnels[0].target_mm, np.stack([first, second, tunnels[0].axis]), LPS, "tunnel")
    tools = [tool_solid(hip.tool, turn.points(each.entry_mm), turn.points(each.target_mm), BACK_MM) for each in tunnels]
    bone = manifold3d.Manifold(manifold3d.Mesh64(turn.points(hip.bone.vertices), hip.bone.faces.astype(np.uint64)))
    return float((bone ^ manifold3d.Manifold.batch_boolean(tools, manifold3d.OpType.Add)).volume())
