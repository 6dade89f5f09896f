"""A plan.json and findings.json of a left hip, made up, with a figure of its own in every place."""

from __future__ import annotations

import copy
import io
from functools import cache
from typing import Any

from guidegen.show.dossier.content import dossier_content

PICTURES = (
    "guide.png", "tunnel.png", "contact.png", "cuts.png", "trade_off.png", "strategies.png", "axes.png", "coronal.png",
    "sagittal.png", "polar.png", "acetabular.png", "contours.png", "checkerboard.png", "reformat_ct.png",
    "reformat_mr.png", "xray_front.png", "xray_side.png", "print.png", "seat.png", "inserts.png",
)  # fmt: skip
INPUTS = {"case.toml": "11" * 32, "ct/labels.nii.gz": "22" * 32}
HASHES = {"guide.stl": "ab" * 32, "metal/sleeve-1.step": "cd" * 32}
HOSTILE = '#panic("x") *bold* $x^2$ `raw` = [a] <b> \\ @ref // c ${d} "'


def measured(value: float | None, spread: float = 1.0, reason: str | None = None) -> dict[str, Any]:
    if value is None:
        return {"value": None, "low": None, "high": None, "reason": reason}
    return {"value": value, "low": value - spread, "high": value + spread, "reason": None}


def grade(system: str, value: str | None, *possible: str, reason: str | None = None) -> dict[str, Any]:
    return {"system": system, "value": value, "possible": list(possible), "reason": reason}


def budget(**changes: Any) -> dict[str, Any]:
    return {
        "seat": "the built guide's own", "seat_shift_rms_mm": 0.41, "seat_turn_rms_deg": 0.63,
        "entry_p95_mm": 1.13, "angle_p95_deg": 1.42,
        "tip_mean_mm": 1.71, "tip_p95_mm": 3.12, "to_lesion_p95_mm": 3.34, "reaches_lesion": 0.998,
        "breaches_cortex": 0.0012, "within_3_mm_of_joint": 0.207, "dominant": "seat turn", "stop_earlier_mm": None,
        "contributions": [
            {"name": "seat turn", "tip_rms_mm": 1.332, "share": 0.85, "source": "assumed"},
            {"name": "drill bend", "tip_rms_mm": 0.717, "share": 0.15, "source": "the kit's file"},
        ],
    } | changes  # fmt: skip


def tunnel(**changes: Any) -> dict[str, Any]:
    return {
        "entry_mm": [15.0, -3.0, 5.0], "target_mm": [-46.0, -2.0, 61.0], "diameter_mm": 8.0, "length_mm": 93.25,
        "shaft_angle_deg": 134.6, "wall_min_mm": 4.12, "subchondral_mm": 3.6, "lesion_reached_fraction": 0.314,
        "centroid_distance_mm": None, "vessel_wall_mm": 6.23, "subchondral_axis_mm": 5.84, "tool_to_joint_mm": 3.52,
        "obliquity_deg": 13.1, "entry_above_lesser_trochanter_mm": 12.34, "entry_below_vastus_ridge_mm": 4.96,
        "sleeve_offset_mm": 40.0, "depth_reading_mm": 133.25, "keep_out_mm": None, "broken_rules": [],
        "error_budget": budget(),
        "error_budget_assumed": budget(
            seat="assumed, since there is no guide yet", to_lesion_p95_mm=4.08, within_3_mm_of_joint=0.301
        ),
        "instruments": [
            {"number": 1, "tool": "two wires of 2 mm", "through": "the guide's pin holes",
             "stopped_by": "25 mm of bone: 34.1 / 34.6 mm from its tip to the top of its boss", "guide": "on"},
            {"number": 2, "tool": "metal sleeve for the drill of 8 mm", "through": "the hole in the guide",
             "stopped_by": "its flange, flat on the print", "guide": "on"},
            {"number": 3, "tool": "trephine of 8 mm", "through": "the metal sleeve",
             "stopped_by": "its stop, set at 133.3 mm (3.3 mm past the mark 130), on the metal sleeve's flange",
             "guide": "on"},
            {"number": 4, "tool": "blunt probe with depth marks", "through": "the tunnel, guide and pins taken off",
             "stopped_by": "the tunnel's floor, no deeper than 93.3 mm from the middle of its mouth", "guide": "off"},
        ],
    } | changes  # fmt: skip


def size(scale: float) -> dict[str, Any]:
    return {
        "incision_mm": 60.0 * scale, "stripped_area_cm2": 31.4 * scale, "contact_length_mm": 44.0 * scale,
        "contact_area_mm2": 2400.0 * scale, "fit_tip_mm": {"mean": 0.81 / scale, "p95": 1.61 / scale},
        "dock_tip_mm": {"mean": 1.02 / scale, "p95": 2.22 / scale}, "held_share": 0.71,
        "weakest_motion": "turns 0.6° about the shaft, slides 0.3 mm along the shaft",
    }  # fmt: skip


def soft_tissue(**changes: Any) -> dict[str, Any]:
    out = {
        "depth_mm": 71.6, "top_beyond_mm": -31.2, "through": "stab incision", "from_end_mm": 12.4, "in_front_mm": -8.3,
        "drill_needed_mm": 174.7, "drill_length_mm": 200.0, "drill_spare_mm": 25.3,
    }  # fmt: skip
    wire = {"depth_mm": 47.3, "wire_needed_mm": 102.4, "wire_length_mm": 150.0, "wire_spare_mm": 47.6}
    return {"tunnels": [out | changes], "pins": [wire, None]}


def guide() -> dict[str, Any]:
    pin = {
        "point_mm": [15.0, 9.0, 10.2], "direction": [-1.0, 0.0, 0.0], "hole_diameter_mm": 2.25, "boss_diameter_mm": 7.4,
        "wire_diameter_mm": 2.0, "wire_length_mm": 150.0, "depth_mm": 25.0, "guided_length_mm": 8.1,
        "top_mm": [24.0, 9.0, 10.2], "cortices": 1, "far_exit_mm": None, "reading_mm": 34.125,
    }  # fmt: skip
    return {
        "size": "M", "revision": "r007", "plan_hash": "8f2096d2", "warnings": [], "clearance_mm": 0.32,
        "print_clearance_mm": 0.22,
        "periosteum_mm": 0.1, "thickness_mm": 3.6, "contact_area_mm2": 1834.0, "print_down": [1.0, 0.0, 0.0],
        "sleeves": [{
            "tunnel": 0, "kind": "metal", "inner_diameter_mm": 10.2, "outer_diameter_mm": 16.2,
            "drill_diameter_mm": 8.0,
            "guided_length_mm": 34.4, "stop_face_mm": [45.0, -3.0, -22.0], "offset_mm": 40.0,
            "metal": {"inner_diameter_mm": 8.1, "outer_diameter_mm": 10.1, "length_mm": 36.3},
        }],
        "pins": [pin, pin | {"point_mm": [14.0, -9.0, 4.4], "cortices": 2, "far_exit_mm": 1.3,
                        "reading_mm": 34.575}],
        "windows": [{"kind": "window", "diameter_mm": 6.0}, {"kind": "probe", "diameter_mm": 2.0}],
        "pointer": {"tip_mm": [15.0, 1.0, 9.0], "landmark": "vastus ridge"},
        "axis_mark": {"start_mm": [20.0, 0.0, 0.0], "end_mm": [30.0, 0.0, -9.0]},
        "calliper": {"distance_mm": 20.0},
        "gauges": [
            {"name": "calliper faces", "nominal_mm": 20.0, "tolerance_mm": 0.24, "go_mm": None, "no_go_mm": None},
            {"name": "sleeve 1 hole", "nominal_mm": 10.2, "tolerance_mm": 0.05, "go_mm": 10.15, "no_go_mm": 10.25},
        ],
        "labels": [{"lines": ["Z019L", "LEFT"]}, {"lines": ["1 Ø8", "133.3", "r007", "8f2096d2"]}],
        "soft_tissue": soft_tissue(), "seat": size(1.0), "sizes": {"S": size(0.8), "M": size(1.0), "L": size(1.2)},
    }  # fmt: skip


def fan_guide() -> dict[str, Any]:
    """The same with a socket and an insert for each of two tunnels."""

    def insert(number: int, reading_mm: float) -> dict[str, Any]:
        return {
            "tunnel": number, "bore_mm": 3.4, "drill_diameter_mm": 3.2, "guided_length_mm": 36.7 + number,
            "offset_mm": 40.0, "reading_mm": reading_mm, "label": {"lines": [f"{number + 1} Ø3.2", f"{reading_mm}"]},
        }  # fmt: skip

    socket = {"rim_mm": 35.4, "low_mm": 3.1}
    return guide() | {"sleeves": [], "socket": socket, "inserts": [insert(0, 124.0), insert(1, 121.5)]}


def grades() -> dict[str, Any]:
    return {
        "support": "Decision support.", "sphere_share_fraction": measured(0.3053, 0.02),
        "cut_share_fraction": measured(0.3692, 0.01), "weight_bearing_share_fraction": measured(0.7283, 0.03),
        "least_depth_mm": 0.0677, "centroid_depth_mm": 14.3794, "depression_mm": measured(0.8595, 0.7),
        "arcs": {
            "coronal_deg": measured(111.5), "sagittal_deg": measured(None, reason="the scan ends before"),
            "kerboul_deg": measured(201.0), "koo_kim_index": measured(30.8002),
        },
        "place": {"octant": "anterior-superior-lateral"},
        "classes": {
            "kerboul": grade("modified Kerboul grade", "2", "1", "2"),
            "jic": grade("JIC type", None, reason="there is no pelvis"),
        },
        "statements": [{
            "system": "modified Kerboul grade", "grade": "2", "text": "24 of 30 hips collapsed.",
            "source": "Somebody 2002",
        }],
        "notes": ["Every grade rests on the outline of the lesion."],
    }  # fmt: skip


def proposal(**changes: Any) -> dict[str, Any]:
    volumes = {
        "lesion_mm3": 10000.0, "bone_removed_mm3": 4698.0, "reached_by_tool_mm3": 3000.0,
        "reached_by_curette_mm3": 150.0, "residual_mm3": 6850.0, "graft_ml": 4.85,
    }  # fmt: skip
    return {"strategy": "ordered", "kit": "core-8", "volumes": volumes, "warnings": []} | changes


def proposed(**changes: Any) -> dict[str, Any]:
    """What stands under `plan` in plan.json."""
    other = proposal(strategy="coverage") | {"tunnels": [tunnel(wall_min_mm=3.33), tunnel(wall_min_mm=4.4)]}
    return {
        "explanation": "One paragraph of figures.", "chosen": proposal(warnings=["The tunnel comes close."]),
        "alternatives": [other], "trade_off": [], "waivers_proposed": [],
        "ruled_out": [{"strategy": "multiple", "message": "expected 3.0 mm of wall, found 2.1 mm"}],
    } | changes  # fmt: skip


def plan(**changes: Any) -> dict[str, Any]:
    """A left femur with its shaft along z, the greater trochanter 40 mm above the entry and the ridge 5 mm above it."""
    return {
        "case_id": "Z019L", "side": "left", "version": "1.2.3", "keep_out": ["implant"], "overrides": None,
        "anatomy": {
            "head_center_mm": [-40.0, 0.0, 50.0], "head_radius_mm": 24.1, "head_rms_mm": 0.51,
            "neck_isthmus_center_mm": [-20.0, 1.0, 33.0], "neck_axis": [-0.8, 0.0, 0.6],
            "shaft_point_mm": [0.0, 0.0, -50.0], "shaft_axis": [0.0, 0.0, 1.0],
            "greater_trochanter_mm": [5.0, 10.0, 45.0], "vastus_ridge_mm": [15.0, 0.0, 10.0],
            "lesser_trochanter_mm": [-15.0, 10.0, -7.0], "neck_shaft_angle_deg": 127.3, "neck_version_deg": None,
            "uncertainty_95": {
                "head_center_mm": 0.9, "head_radius_mm": 0.6, "neck_isthmus_center_mm": 5.1, "neck_axis_deg": 2.4,
                "shaft_axis_deg": 6.4, "lesser_trochanter_mm": 2.9, "greater_trochanter_mm": 5.3,
                "vastus_ridge_mm": 8.5, "neck_shaft_angle_deg": 6.8, "neck_version_deg": None,
            },
        },
        "bone": {"volume_mm3": 217057.9, "label_fit": {"rms_mm": 0.133, "p99_mm": 0.354}},
        "inputs": {
            "identities": [
                {"file": "ct", "modality": "CT", "acquisition_date": "2026-01-31", "study_date": "2026-01-30"},
                {"file": "labels.dcm", "modality": "SEG", "acquisition_date": None, "study_date": "2026-02-02"},
            ],
            "side_sources": [{"source": "the order", "says": "left"}],
            "on_image": [{"kind": "CT", "explained": 0.71, "least": 0.19}],
        },
        "lesion": {
            "volume_mm3": 9875.4, "head_fraction": 0.181, "pieces": 1, "grades": grades(),
            "registration": {
                "rms_mm": 0.4466, "p95_mm": 0.874, "overlap_fraction": 0.955, "starts_agree_mm": 0.07,
                "lesion_doubt_95_mm": 0.2143, "on_images": True, "note": None,
            },
        },
        "tunnels": [tunnel()], "guide": guide(), "plan": proposed(),
        "limits": {
            "wall_min_mm": 3.0, "vessel_wall_min_mm": 5.0, "subchondral_axis_mm": 5.0, "subchondral_rim_mm": 3.0,
            "centroid_distance_max_mm": None, "obliquity_max_deg": 60.0, "keep_out_min_mm": 3.0,
        },
        "printing": {
            "printer": "sla", "process": "SLA", "material": "resin", "layer_mm": 0.1, "least_wall_mm": 2.0,
            "sterilisation": {"name": "steam", "text": "steam, 121 °C, 15 min"},
        },
        "notes": ["The shaft is short.", "One paragraph of figures.", "The tunnel comes close."],
    } | changes  # fmt: skip


def finding(**changes: Any) -> dict[str, Any]:
    why = "Where it touches it stands proud."
    return {"name": "least gap", "measured": 0.31, "limit": 0.0, "unit": "mm", "passed": True, "why": why} | changes


def files(found: list[dict[str, Any]], **changes: Any) -> dict[str, Any]:
    """The records that a dossier's figures are looked up in."""
    return {
        "plan.json": plan(**changes),
        "findings.json": found,
        "run.json": {"inputs_sha256": INPUTS},
        "files": HASHES,
    }


def told(found: list[dict[str, Any]] | None = None, language: str = "en", **changes: Any) -> dict[str, Any]:
    """The content of a dossier."""
    findings = [finding()] if found is None else found
    return copy.deepcopy(
        dossier_content(plan(**changes), findings, frozenset(PICTURES), INPUTS, HASHES, language, "r007")
    )


@cache
def pictures() -> dict[str, bytes]:
    """A small picture for every name."""
    from PIL import Image

    content = io.BytesIO()
    Image.new("RGB", (120, 90), "teal").save(content, "PNG")
    return {name: content.getvalue() for name in PICTURES}
