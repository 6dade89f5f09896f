"""The plan for 3D Slicer: each line as markups, each tunnel's pose as a transform. All of it says that it is LPS, mm.

Markups are JSON of Slicer's schema 1.0.3, one line to a file, which every version since 4.11 reads. A transform is an
ITK file (.tfm). ITK's transforms lead from the fixed frame into the moving one, and Slicer takes what it reads for
"from parent": the file holds the way from the patient into the tool's frame, so that a tool drawn with its entry at
the origin and its axis along z lies in its tunnel once Slicer applies it.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from guidegen.release.tools import ToolPath, tool_paths

SCHEMA = (
    "https://raw.githubusercontent.com/slicer/slicer/master/Modules/Loadable/Markups/Resources/Schema/"
    "markups-schema-v1.0.3.json#"
)
UPRIGHT = [-1.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 1.0]  # a control point's own axes, as Slicer writes them in LPS


def navigation_files(plan: Mapping[str, Any]) -> dict[str, bytes]:
    """Contents by file name."""
    files: dict[str, bytes] = {}
    for path in tool_paths(plan):
        files[f"{path.name}.mrk.json"] = markups_bytes(path)
        if path.kind == "drill":
            files[f"patient_to_{path.name}.tfm"] = transform_bytes(path)
    return files


def markups_bytes(path: ToolPath) -> bytes:
    """A line from entry to target."""
    ends = (("entry", path.entry_mm), ("target", path.target_mm))
    line = {
        "name": path.name,
        "type": "Line",
        "coordinateSystem": "LPS",
        "coordinateUnits": "mm",
        "locked": True,
        "fixedNumberOfControlPoints": True,
        "labelFormat": "%N-%d",
        "lastUsedControlPointNumber": len(ends),
        "controlPoints": [
            {
                "id": str(number),
                "label": f"{path.name} {label}",
                "description": "",
                "associatedNodeID": "",
                "position": place.tolist(),
                "orientation": UPRIGHT,
                "selected": True,
                "locked": True,
                "visibility": True,
                "positionStatus": "defined",
            }
            for number, (label, place) in enumerate(ends, start=1)
        ],
        "measurements": [],
    }
    return (json.dumps({"@schema": SCHEMA, "markups": [line]}, indent=1) + "\n").encode()


def transform_bytes(path: ToolPath) -> bytes:
    """The pose of a tool as an ITK transform file: its points are LPS mm, what it gives is the tool's frame, mm."""
    import SimpleITK

    transform = SimpleITK.AffineTransform(3)
    transform.SetMatrix(path.pose.rotation.ravel().tolist())
    transform.SetTranslation(path.pose.translation_mm.tolist())
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "pose.tfm"
        SimpleITK.WriteTransform(transform, str(file))
        return file.read_bytes()
