"""robot.json: where a robot or a navigation system brings each tool, in millimetres and in metres.

Robots' own frames and units differ (ROS counts in metres), and a factor of a thousand or a mirrored axis is how such
files do harm: frame, axes and units stand in the file, and every length twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from guidegen.release.tools import ToolPath, tool_paths

SCHEMA = "guidegen.robot/1"
MM_PER_M = 1000.0
MM_DECIMALS, M_DECIMALS, UNIT_DECIMALS = 6, 9, 9  # a nanometre


def robot_record(plan: Mapping[str, Any]) -> dict[str, Any]:
    """The content of robot.json."""
    return {
        "schema": SCHEMA,
        "case_id": plan["case_id"],
        "side": plan["side"],
        "revision": plan["guide"]["revision"],
        "plan_hash": plan["guide"]["plan_hash"],
        "frame": {
            "name": "LPS",
            "x": "to the patient's left",
            "y": "to the patient's back",
            "z": "to the patient's head",
            "origin": "that of the images in which the bone was segmented",
            "handedness": "right",
        },
        "units": {"mm": "millimetre", "m": "metre", "axis": "unit vector from entry to target, without unit"},
        "tools": [_tool(path) for path in tool_paths(plan)],
    }


def _tool(path: ToolPath) -> dict[str, Any]:
    """`pose`: from the tool's own frame (origin at the entry, z along the axis) into LPS, homogeneous, rows first."""
    return {
        "name": path.name,
        "kind": path.kind,
        "diameter": _both(path.diameter_mm),
        "entry": _both(path.entry_mm),
        "target": _both(path.target_mm),
        "stop": _both(path.stop_mm),
        "length": _both(path.length_mm),
        "axis": _rounded(path.axis, UNIT_DECIMALS),
        "pose": _poses(path),
    }


def _poses(path: ToolPath) -> dict[str, Any]:
    matrix = path.pose.inverse().matrix()
    metres = matrix.copy()
    metres[:3, 3] /= MM_PER_M
    return {"mm": _rounded(matrix, UNIT_DECIMALS), "m": _rounded(metres, M_DECIMALS)}


def _both(length_mm: npt.ArrayLike) -> dict[str, Any]:
    """A length or a point in both units."""
    length = np.asarray(length_mm, dtype=np.float64)
    return {"mm": _rounded(length, MM_DECIMALS), "m": _rounded(length / MM_PER_M, M_DECIMALS)}


def _rounded(values: npt.NDArray[np.float64], decimals: int) -> Any:
    """Plain numbers; no negative zero, which would be another text for the same."""
    return (np.round(values, decimals) + 0.0).tolist()
