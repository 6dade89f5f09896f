"""A result as a run leaves it, with a plan of round numbers and files without geometry, ready to be released."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from review_cases import PLAN_HASH, WARNING, World, make_revision

from guidegen.check.finding import Finding, at_least, at_most
from guidegen.plan.templates import Printer, load_template
from guidegen.release.release import Release, release_to
from guidegen.results import hashes

ENTRY_MM, TARGET_MM = [60.0, 20.0, -100.0], [0.0, 20.0, -20.0]  # 100 mm along (-0.6, 0, 0.8)
STOP_MM = [84.0, 20.0, -132.0]  # 40 mm outside of the entry
PIN_MM, PIN_DIRECTION = [61.5, 10.0, -80.0], [-1.0, 0.0, 0.0]
METAL = {"parts": {"sleeve-1": {"sizes": [{"name": "bore", "nominal_mm": 8.1, "over_mm": 0.022, "under_mm": 0.0}]}}}

PLAN: Mapping[str, Any] = {
    "schema": "guidegen.plan/1", "case_id": "Z019L", "side": "left", "frame": "LPS", "unit": "mm", "version": "0.1.0",
    "inputs": {"identities": [{"file": "ct/1.dcm", "modality": "CT", "acquisition_date": "2025-11-20"}]},
    "anatomy": {
        "head_center_mm": [0.0, 20.0, -20.0], "head_radius_mm": 24.0, "neck_axis": [-0.6, 0.0, 0.8],
        "shaft_point_mm": [50.0, 20.0, -150.0], "shaft_axis": [0.0, 0.0, 1.0],
        "lesser_trochanter_mm": [30.0, 40.0, -105.0],
    },
    "lesion": {"centroid_mm": [0.0, 20.0, -20.0]},
    "tunnels": [{
        "entry_mm": ENTRY_MM, "target_mm": TARGET_MM, "diameter_mm": 8.0, "length_mm": 100.0, "wall_min_mm": 5.0,
        "subchondral_mm": 4.0, "subchondral_axis_mm": 5.5, "centroid_distance_mm": 0.0, "depth_reading_mm": 140.0,
        "sleeve_offset_mm": 40.0, "lesion_reached_fraction": 0.1,
        "entry_below_vastus_ridge_mm": 20.75, "entry_above_lesser_trochanter_mm": 3.25, "shaft_angle_deg": 132.0,
        "instruments": [
            {"number": 1, "tool": "wires", "through": "the holes", "stopped_by": "25 mm of bone", "guide": "on"},
            {"number": 2, "tool": "trephine", "through": "the sleeve", "stopped_by": "stop at 140.0 mm", "guide": "on"},
            {"number": 3, "tool": "probe", "through": "the tunnel", "stopped_by": "its floor", "guide": "off"},
        ],
    }],
    "plan": {"chosen": {"kit": "core-8", "warnings": [WARNING]}, "waivers_proposed": []},
    "guide": {
        "revision": "r001", "plan_hash": PLAN_HASH, "size": "M", "genus": 4, "removal_direction": [1.0, 0.0, 0.0],
        "print_down": [1.0, 0.0, 0.0],
        "clearance_mm": 0.3, "periosteum_mm": 0.0, "surface_error_mm": 0.3, "warnings": [],
        "soft_tissue": None, "stop_collar": {"bore_mm": 8.1, "height_mm": 10.0},
        "arrows": [], "seat": {"incision_mm": 68.0},
        "sleeves": [{
            "tunnel": 0, "kind": "metal", "inner_diameter_mm": 10.2, "drill_diameter_mm": 8.0, "guided_length_mm": 34.8,
            "top_mm": [82.8, 20.0, -130.4], "stop_face_mm": STOP_MM, "offset_mm": 40.0, "outer_diameter_mm": 16.2,
            "chuck_diameter_mm": 30.0, "chuck_length_mm": 60.0,
            "metal": {"inner_diameter_mm": 8.1, "outer_diameter_mm": 10.1, "length_mm": 36.0,
                      "flange_diameter_mm": 14.1, "flange_height_mm": 2.0},
        }],
        "pins": [{
            "point_mm": PIN_MM, "direction": PIN_DIRECTION, "hole_diameter_mm": 2.2, "wire_diameter_mm": 2.0,
            "guided_length_mm": 8.0, "top_mm": [70.0, 10.0, -80.0], "depth_mm": 25.0,
            "wire_length_mm": 70.0, "cortices": 1, "far_exit_mm": None, "reading_mm": 33.7,
        }],
        "windows": [
            {"kind": "window", "point_mm": [60.0, 0.0, -90.0], "direction": [1.0, 0.0, 0.0], "diameter_mm": 6.0},
            {"kind": "probe", "point_mm": [60.0, 5.0, -90.0], "direction": [1.0, 0.0, 0.0], "diameter_mm": 2.0},
        ],
        "pointer": {"tip_mm": [60.0, 20.0, -60.0], "direction": [1.0, 0.0, 0.0], "landmark": "vastus ridge"},
        "calliper": {"points_mm": [[70.0, 10.0, -90.0], [70.0, 30.0, -90.0]], "normal": [0.0, 1.0, 0.0],
                     "distance_mm": 20.0},
        "labels": [{
            "lines": ["Z019L", "LEFT", PLAN_HASH], "center_mm": [64.0, 20.0, -90.0],
            "reading_direction": [0.0, 1.0, 0.0], "up_direction": [0.0, 0.0, 1.0],
            "outward_direction": [1.0, 0.0, 0.0], "width_mm": 15.0, "height_mm": 12.0, "text_height_mm": 3.5,
            "depth_mm": 0.6,
        }],
    },
    "printing": {
        "printer": "sls-pa12", "process": "SLS", "material": "PA12", "build_mm": [300.0, 300.0, 300.0],
        "least_feature_mm": 0.5, "least_drain_mm": 1.5, "steepest_overhang_deg": 90.0, "slicer_profile": None,
        "sterilisation": {"name": "steam-134-4", "text": "steam, 134 °C, 4 min"},
    },
    "limits": {"wall_min_mm": 3.0, "subchondral_axis_mm": 5.0, "subchondral_rim_mm": 3.0, "guided_length_mm": 30.0,
               "contact_area_mm2": 300.0},
}  # fmt: skip

# As much of dossier.json as the signed page reads.
DOSSIER: Mapping[str, Any] = {
    "language": "en", "patient": "Z019L", "side": "left", "side_words": "LEFT hip", "revision": "r001",
    "plan_hash": PLAN_HASH, "version": "0.1.0", "disclaimer": "No medical device.",
    "words": {"revision": "Revision", "page": "Page", "of": "of", "plan_hash_short": "Plan"},
}  # fmt: skip

INSERT: Mapping[str, Any] = {
    "tunnel": 0, "bore_mm": 3.4, "drill_diameter_mm": 3.2, "stop_face_mm": STOP_MM, "offset_mm": 40.0,
    "reading_mm": 140.0, "label": {"lines": ["1 Ø3.2", "140.0"]},
}  # fmt: skip

FINDINGS: tuple[Finding, ...] = (
    at_least("guide volume", 23.331145, 0.0, "cm³", "A body without volume is none."),
    at_most("sleeve 1 bore diameter off plan", 0.0012, 0.02, "mm", "A bore too wide lets the drill tilt."),
    at_most("pin 1 hole diameter off plan", 0.0004, 0.02, "mm", "A hole too wide lets the wire tilt."),
    at_most("calliper faces off their distance", 0.00001, 0.01, "mm", "The reading tells how true the print is."),
)


def changed_plan(**parts: Any) -> dict[str, Any]:
    """The plan with some of its tables changed in some of their lines."""
    plan = copy.deepcopy(dict(PLAN))
    for name, changes in parts.items():
        plan[name] = {**plan[name], **changes} if isinstance(changes, dict) else changes
    return plan


def make_result(
    output: Path,
    plan: Mapping[str, Any] = PLAN,
    name: str = "r001",
    files: Mapping[str, bytes] = {},  # never changed
) -> Path:
    """A result folder with everything that a release needs."""
    written = {
        "findings.json": json.dumps([asdict(each) for each in FINDINGS]).encode(),
        "dossier.json": json.dumps({**DOSSIER, "revision": name}).encode(),
        "trial_bone.stl": b"trial " * 40,
        "trial_bone.3mf": b"packed trial " * 20,
        "metal/sleeve-1.step": b"ISO-10303-21; sleeve",
        "metal/sleeve-1.dxf": b"0 SECTION sleeve",
        "metal/metal.json": json.dumps(METAL).encode(),
        "inserts/insert-1.stl": b"insert " * 30,
        **files,
    }
    folder = make_revision(output, name, plan, FINDINGS, written)
    record(folder, load_template(Printer, plan["printing"]["printer"])[1])
    return folder


def record(folder: Path, printer_sha256: str) -> None:
    """run.json of the files as they are."""
    run = json.loads((folder / "run.json").read_text())
    run["parameters"]["templates_sha256"] = {"printer": printer_sha256}
    (folder / "run.json").write_text(json.dumps(run | {"outputs_sha256": hashes(folder)}))


@dataclass(frozen=True)
class Done:
    """A world with a release in it."""

    world: World
    result: Path
    folder: Path
    release: Release

    @property
    def public_pem(self) -> str:
        """The key of who released it."""
        return self.world.reviews.people.find("ann").key.public_pem

    def read(self, name: str) -> Any:
        """A JSON file of the release."""
        return json.loads((self.folder / name).read_text(encoding="utf-8"))


Released = Callable[..., Done]


def approved(world: World, **changes: Any) -> Path:
    """An approved result."""
    folder = make_result(world.output, **changes)
    world.reviews.submit(folder, world.who("ann"))
    world.approve(folder)
    return folder


def released(world: World, folder: Path, **changes: Any) -> Done:
    """A released result."""
    result = approved(world, **changes)
    return Done(world, result, folder, release_to(world.reviews, result, world.who("ann"), folder))
