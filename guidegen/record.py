"""What a run leaves in words and numbers: plan.json and run.json."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping
from dataclasses import asdict
from importlib import metadata
from types import MappingProxyType
from typing import Any

import guidegen
from guidegen.assessed import Assessed, Planned
from guidegen.bone.anatomy import Anatomy
from guidegen.bone.surface import Bone
from guidegen.errors import NoSafePlan
from guidegen.frames import LPS
from guidegen.guide.guide import Guide
from guidegen.guide.marks import Identity
from guidegen.guide.record import guide_record
from guidegen.guide.soft_tissue import SoftTissue
from guidegen.intake.inputs import Origin
from guidegen.intake.sides import SideSource
from guidegen.lesion.grades_record import grades_json
from guidegen.lesion.lesion import Lesion
from guidegen.plan.fit import Fit
from guidegen.plan.printers import Cycle, Printer
from guidegen.plan.record import plan_record
from guidegen.plan.rules import Rules
from guidegen.rounded import axis, number, point

PLAN_SCHEMA = "guidegen.plan/1"
ASSESSMENT_SCHEMA = "guidegen.assessment/1"
RUN_SCHEMA = "guidegen.run/1"

# a guide, what is written on it, how it fits, and the soft tissue over it
Built = tuple[Guide, Identity, Fit, SoftTissue]

LIBRARIES = (
    "numpy", "numba", "scipy", "SimpleITK", "scikit-image", "trimesh", "vtk", "manifold3d", "libigl", "embreex",
    "pymeshlab", "cadquery", "lib3mf", "pydantic", "typst", "nibabel", "pydicom", "highdicom",
)  # fmt: skip


def to_json(value: Any) -> bytes:
    """JSON with sorted keys, one space of indent and a last newline; ValueError for a number that is not finite."""
    return (json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n").encode()


def assessment_json(assessed: Assessed, notes: tuple[str, ...]) -> dict[str, Any]:
    """The content of assessment.json, schema guidegen.assessment/1: the hip as read."""
    return {"schema": ASSESSMENT_SCHEMA, **_assessed(assessed), "notes": list(notes)}


def plan_json(
    planned: Planned,
    built: Built | None,
    limits: Mapping[str, float | None],
    notes: tuple[str, ...],
    printing: Mapping[str, Any],
    printer: Printer,
    refusal: NoSafePlan | None = None,
) -> dict[str, Any]:
    """The content of plan.json, schema guidegen.plan/1; what was not reached is empty or null, with its reason in
    the notes.
    """
    return {
        "schema": PLAN_SCHEMA,
        **_assessed(planned.assessed),
        **plan_record(planned.plan),
        "guide": None if built is None else guide_record(*built, planned.assessed.bone.error_mm, printer),
        "refusal": None if refusal is None else _refusal(refusal),
        "printing": dict(printing),
        "limits": dict(limits),
        "notes": list(notes),
    }


def _assessed(assessed: Assessed) -> dict[str, Any]:
    return {
        "case_id": assessed.case.patient.id,
        "side": assessed.anatomy.side,
        "frame": LPS,
        "unit": "mm",
        "version": guidegen.__version__,
        "inputs": _inputs(assessed.origin, assessed.sides.sources),
        "bone": _bone(assessed.bone),
        "keep_out": list(assessed.keep_out.names),
        "anatomy": _anatomy(assessed.anatomy),
        "overrides": _overrides(assessed),
        "lesion": _lesion(assessed.lesion) | {"grades": grades_json(assessed.grades)},
    }


def _refusal(refusal: NoSafePlan) -> dict[str, Any]:
    """Why there is no guide: the ruling rule, and what was measured by name."""
    return {
        "stage": refusal.stage,
        "rule": refusal.rule,
        "message": refusal.message,
        "figures": {name: number(value) for name, value in refusal.figures.items()},
    }


def _overrides(assessed: Assessed) -> dict[str, Any] | None:
    """What an expert overruled, beside what was computed; null where nothing was."""
    given = assessed.case.overrides
    if given is None:
        return None
    return {
        "author": given.author,
        "reason": given.reason,
        "values": [asdict(each) for each in assessed.overruled],
        "registration": given.registration is not None,
        "not_kept_away": list(given.not_kept_away),
    }


def limits(
    rules: Rules,
    least_guided_mm: float,
    least_wall_mm: float,
    contact_area_mm2: float,
    through_centroid: bool,
    unwaived: Mapping[str, float] = MappingProxyType({}),
) -> dict[str, Any]:
    """Every limit that the checks hold the files to; only a tunnel `through_centroid` is held to the centroid.

    `unwaived`: what the rules ask where a proposed waiver has lowered a limit.
    """
    return {
        "unwaived": dict(unwaived),
        **rules.record(),
        "centroid_distance_max_mm": rules.centroid_distance_max_mm if through_centroid else None,
        "guided_length_mm": least_guided_mm,
        "wall_p1_mm": least_wall_mm,
        "contact_area_mm2": contact_area_mm2,
    }


def plan_hash(planned: Planned, inputs: Mapping[str, str], parameters: Mapping[str, Any]) -> str:
    """SHA-256 over all that decides what a guide will be: what was read (SHA-256 of each input by name) and asked, as
    run.json states them, the version that reads and builds, and what was planned, as plan.json states it.

    It stands on the guide (its first eight digits) beside the revision, so that a print can be matched with the plan on
    the screen. What is found out only while the guide is laid out, such as the depth to read, follows from these.
    """
    tunnels = [] if planned.plan is None else plan_record(planned.plan)["tunnels"]
    made_from = {
        "version": guidegen.__version__,
        "inputs_sha256": dict(inputs),
        "parameters": dict(parameters),
        "patient": planned.assessed.case.patient.id,
        "side": planned.assessed.anatomy.side,
        "anatomy": _anatomy(planned.assessed.anatomy),
        "lesion": _lesion(planned.assessed.lesion),
        "tunnels": [{key: tunnel[key] for key in HASHED} for tunnel in tunnels],
    }
    return hashlib.sha256(to_json(made_from)).hexdigest()


SHORT_HASH = 8
HASHED = ("entry_mm", "target_mm", "diameter_mm", "end_outline_mm")  # no sleeve pushed off the bone moves these


def printing(name: str, printer: Printer, sterilisation: Cycle) -> dict[str, Any]:
    """How the guide is to be made and sterilised: on the printer of this `name`, within its limits."""
    build = printer.build
    return {
        "printer": name,
        "process": printer.process,
        "material": printer.material,
        "build_mm": list(build.build_mm),
        "least_wall_mm": build.least_wall_mm,
        "least_feature_mm": build.least_feature_mm,
        "least_drain_mm": build.least_drain_mm,
        "steepest_overhang_deg": build.steepest_overhang_deg,
        "layer_mm": build.layer_mm,
        "slicer_profile": printer.slicer_profile,
        "sterilisation": {"name": sterilisation.name, "text": sterilisation.text},
    }


def run_json(
    fingerprint: str, build: str, inputs: Mapping[str, str], parameters: Mapping[str, Any], outputs: Mapping[str, str]
) -> dict[str, Any]:
    """The content of run.json: what went in, what it was asked, what ran, and the SHA-256 of every file that came
    out.
    """
    return {
        "schema": RUN_SCHEMA,
        "fingerprint": fingerprint,
        "version": guidegen.__version__,
        "build": build,
        "python": platform.python_version(),
        "libraries": library_versions(),
        "inputs_sha256": dict(inputs),
        "parameters": dict(parameters),
        "outputs_sha256": dict(outputs),
    }


def library_versions() -> dict[str, str]:
    """The version of every library that a result depends on, as installed."""
    return {name: metadata.version(name) for name in LIBRARIES}


def _inputs(origin: Origin, sides: tuple[SideSource, ...]) -> dict[str, Any]:
    """What says the side, what the DICOM files say of themselves, and how well each femur lies on its image."""
    return {
        "side_sources": [asdict(source) for source in sides],
        "identities": list(origin.identities),
        "on_image": [
            {
                "kind": found.kind,
                "explained": number(found.score),
                "least": number(found.least),
                "explained_elsewhere": number(found.rival),
                "elsewhere": found.rival_place,
            }
            for found in origin.on_image
        ],
    }


def _bone(bone: Bone) -> dict[str, Any]:
    """The surface and its error against the label; null where the bone came as a surface, whose error nobody knows."""
    fit = bone.fit
    return {
        "volume_mm3": number(bone.surface.volume_mm3),
        "faces": len(bone.surface.faces),
        "label_fit": None
        if fit is None
        else {key: value if isinstance(value, int) else number(value) for key, value in asdict(fit).items()},
    }


def _anatomy(anatomy: Anatomy) -> dict[str, Any]:
    line, version, doubt = anatomy.intertrochanteric_line_mm, anatomy.neck_version_deg, anatomy.uncertainty
    return {
        "head_center_mm": point(anatomy.head_center_mm),
        "head_radius_mm": number(anatomy.head_radius_mm),
        "head_rms_mm": number(anatomy.head_rms_mm),
        "neck_isthmus_center_mm": point(anatomy.neck_isthmus_center_mm),
        "neck_axis": axis(anatomy.neck_axis),
        "shaft_point_mm": point(anatomy.shaft_point_mm),
        "shaft_axis": axis(anatomy.shaft_axis),
        "shaft_is_short": anatomy.shaft_is_short,
        "lesser_trochanter_mm": point(anatomy.lesser_trochanter_mm),
        "greater_trochanter_mm": point(anatomy.greater_trochanter_mm),
        "vastus_ridge_mm": point(anatomy.vastus_ridge_mm),
        "intertrochanteric_line_mm": None if line is None else [point(corner) for corner in line],
        "neck_shaft_angle_deg": number(anatomy.neck_shaft_angle_deg),
        "neck_version_deg": None if version is None else number(version),
        "uncertainty_95": None
        if doubt is None
        else {key: None if value is None else number(value) for key, value in asdict(doubt).items()},
    }


def _lesion(lesion: Lesion) -> dict[str, Any]:
    registration = lesion.registration
    doubt_mm = None if registration is None else registration.lesion_doubt_mm
    return {
        "volume_mm3": number(lesion.volume_mm3),
        "head_fraction": number(lesion.head_fraction),
        "centroid_mm": point(lesion.centroid_mm),
        "pieces": lesion.pieces,
        "centroid_inside": lesion.centroid_inside,
        "registration": None
        if registration is None
        else {
            "rms_mm": number(registration.rms_mm),
            "p95_mm": number(registration.p95_mm),
            "overlap_fraction": number(registration.overlap_fraction),
            "starts_agree_mm": number(registration.starts_agree_mm),
            "patch_mm": None if registration.patch_mm is None else number(registration.patch_mm),
            "lesion_doubt_95_mm": None if doubt_mm is None else number(doubt_mm),
            "on_images": registration.on_images,
            "note": registration.note,
            "rotation": [axis(row) for row in registration.transform.rotation],
            "translation_mm": point(registration.transform.translation_mm),
        },
    }
