"""The files from which a workshop makes the metal parts: for each a STEP and a DXF, and all figures in one JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict

from guidegen.guide.metal import MetalPart, Whose
from guidegen.guide.metal_drawing import drawing_bytes
from guidegen.guide.metal_shapes import metal_shape
from guidegen.guide.step_file import step_bytes

FIGURES = "metal.json"


def metal_files(parts: Mapping[str, MetalPart], whose: Whose) -> dict[str, bytes]:
    """Contents by file name, for parts by the name that their files bear ("sleeve-1", "stop-collar"); each says whose
    guide it is for.
    """
    files: dict[str, bytes] = {}
    for name, part in parts.items():
        files[f"{name}.step"] = step_bytes(part, metal_shape(part), whose)
        files[f"{name}.dxf"] = drawing_bytes(part, whose)
    figures = {"unit": "mm", **asdict(whose), "parts": {name: part.record for name, part in parts.items()}}
    files[FIGURES] = (json.dumps(figures, indent=2, sort_keys=True) + "\n").encode()
    return files
