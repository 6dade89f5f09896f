"""The grades as JSON: finite numbers with their unit in the name, and a reason wherever there is none."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from guidegen.frames import FloatArray
from guidegen.lesion.acetabular import AcetabularGrades
from guidegen.lesion.arcs import Arc
from guidegen.lesion.components import Component
from guidegen.lesion.grade import Grade, Measured
from guidegen.lesion.grades import Grades
from guidegen.lesion.meaning import SUPPORT
from guidegen.lesion.notes import grade_notes
from guidegen.lesion.octants import Place

DECIMALS = 4


def grades_json(grades: Grades) -> dict[str, Any]:
    """Everything in `grades`; every number is finite, in the unit that its name or its group's name ends with."""
    extent, arcs = grades.extent, grades.arcs
    return {
        "support": SUPPORT,
        "voxel_spacing_mm": _point(grades.spacing_mm),
        "surface_band_mm": _number(grades.surface_band_mm),
        "volume_mm3": _number(extent.volume_mm3),
        "sphere_share_fraction": _measured(extent.sphere_share),
        "cut_share_fraction": _measured(extent.cut_share),
        "weight_bearing_share_fraction": _measured(extent.weight_bearing_share),
        "least_depth_mm": _number(extent.least_depth_mm),
        "centroid_depth_mm": _number(extent.centroid_depth_mm),
        "centroid_mm": _point(grades.centroid_mm),
        "inner_point_mm": None if grades.inner_point_mm is None else _point(grades.inner_point_mm),
        "place": _place(grades.place),
        "octants": {
            each.name: {
                "lesion_share_fraction": _number(each.lesion_share),
                "necrotic_share_fraction": _number(each.necrotic_share),
            }
            for each in grades.octants
        },
        "components": [_component(each) for each in grades.components],
        "specks_count": grades.specks,
        "arcs": {
            "coronal": _arc(arcs.coronal),
            "sagittal": _arc(arcs.sagittal),
            "coronal_deg": _measured(arcs.coronal_deg),
            "sagittal_deg": _measured(arcs.sagittal_deg),
            "kerboul_deg": _measured(arcs.kerboul_deg),
            "koo_kim_index": _measured(arcs.koo_kim_index),
        },
        "depression_mm": _measured(grades.depression_mm),
        "hip_pose": None if grades.hip_pose is None else _numbers(asdict(grades.hip_pose)),
        "acetabular": [_acetabular(each) for each in grades.acetabular],
        "classes": {name: _grade(Grade(**each)) for name, each in asdict(grades.classes).items()},
        "statements": [asdict(each) for each in grades.statements],
        "notes": list(grade_notes(grades)),
        "definitions": grades.definitions.record(),
    }


def _number(value: float) -> float:
    return round(float(value), DECIMALS) + 0.0


def _numbers(values: dict[str, Any]) -> dict[str, Any]:
    return {key: _number(value) if isinstance(value, float) else value for key, value in values.items()}


def _point(values: FloatArray) -> list[float]:
    return [_number(value) for value in values]


def _measured(measured: Measured) -> dict[str, Any]:
    return _numbers(asdict(measured))


def _grade(grade: Grade) -> dict[str, Any]:
    return asdict(grade) | {"possible": list(grade.possible)}


def _arc(arc: Arc | None) -> dict[str, Any] | None:
    return None if arc is None else _numbers(asdict(arc)) | {"angle_deg": _number(arc.angle_deg)}


def _place(place: Place) -> dict[str, Any]:
    return _numbers(asdict(place))


def _component(component: Component) -> dict[str, Any]:
    inner = component.deepest_inner_point_mm
    return {
        "volume_mm3": _number(component.volume_mm3),
        "centroid_mm": _point(component.centroid_mm),
        "place": _place(component.place),
        "deepest_inner_point_mm": None if inner is None else _point(inner),
    }


def _acetabular(grades: AcetabularGrades) -> dict[str, Any]:
    return {
        "pose": grades.pose,
        "lateral_margin_deg": _measured(grades.lateral_margin_deg),
        "acetabular_edge_deg": _measured(grades.acetabular_edge_deg),
        "weight_bearing_start_deg": _measured(grades.weight_bearing_start_deg),
        "weight_bearing_arc_share_fraction": _measured(grades.weight_bearing_arc_share),
        "jic": _grade(grades.jic),
        "arco_2021": _grade(grades.arco_2021),
        "cjfh": _grade(grades.cjfh),
    }
