"""An assessment in rows of words, for the terminal and the dossier."""

from __future__ import annotations

from guidegen.bone.anatomy import Anatomy
from guidegen.frames import FloatArray
from guidegen.lesion.grade import Measured
from guidegen.lesion.grades import Grades
from guidegen.lesion.lesion import Lesion
from guidegen.rounded import shown, shown_percent, significant

Row = tuple[str, str, str]
UNKNOWN = "–"


def anatomy_rows(anatomy: Anatomy) -> list[Row]:
    """Landmark or axis, where or how large it is (LPS mm, degrees), and how far off it may be in 95 %."""
    version = anatomy.neck_version_deg

    def mm(name: str) -> str:
        value = getattr(anatomy.uncertainty, name, None)
        return UNKNOWN if value is None else f"{shown(value, 1)} mm"

    def deg(name: str) -> str:
        value = getattr(anatomy.uncertainty, name, None)
        return UNKNOWN if value is None else f"{shown(value, 1)}°"

    return [
        ("head centre", _place(anatomy.head_center_mm), mm("head_center_mm")),
        ("head radius", f"{shown(anatomy.head_radius_mm, 1)} mm", mm("head_radius_mm")),
        ("neck isthmus", _place(anatomy.neck_isthmus_center_mm), mm("neck_isthmus_center_mm")),
        ("neck axis", _axis(anatomy.neck_axis), deg("neck_axis_deg")),
        ("shaft axis", _axis(anatomy.shaft_axis), deg("shaft_axis_deg")),
        ("neck-shaft angle", f"{shown(anatomy.neck_shaft_angle_deg, 1)}°", deg("neck_shaft_angle_deg")),
        ("neck version", UNKNOWN if version is None else f"{shown(version, 1)}°", deg("neck_version_deg")),
        ("lesser trochanter", _place(anatomy.lesser_trochanter_mm), mm("lesser_trochanter_mm")),
        ("greater trochanter", _place(anatomy.greater_trochanter_mm), mm("greater_trochanter_mm")),
        ("vastus ridge", _place(anatomy.vastus_ridge_mm), mm("vastus_ridge_mm")),
    ]


def measure_rows(lesion: Lesion, grades: Grades) -> list[Row]:
    """What is measured of a lesion, its value, and the range of its doubt or the reason why it is not computable."""
    extent, arcs, registration = grades.extent, grades.arcs, lesion.registration
    rows = [
        ("volume", f"{shown(extent.volume_mm3 / 1000.0, 2)} ml", ""),
        _measured("share of the head's sphere", extent.sphere_share, 100.0, " %"),
        _measured("share of the head down to its junction", extent.cut_share, 100.0, " %"),
        _measured("share of the weight-bearing surface", extent.weight_bearing_share, 100.0, " %"),
        ("least depth under the joint surface", f"{shown(extent.least_depth_mm, 1)} mm", ""),
        _measured("necrotic arc, coronal", arcs.coronal_deg, 1.0, "°"),
        _measured("necrotic arc, sagittal", arcs.sagittal_deg, 1.0, "°"),
        _measured("modified Kerboul angle", arcs.kerboul_deg, 1.0, "°"),
        _measured("Koo–Kim index", arcs.koo_kim_index, 1.0, ""),
        _measured("depression of the head", grades.depression_mm, 1.0, " mm"),
        ("pieces", str(len(grades.components)), ""),
    ]
    if registration is not None:
        overlap = f"over {shown_percent(registration.overlap_fraction, 0)} of it"
        rows.append(("MR femur on the bone, residual", f"{shown(registration.rms_mm, 2)} mm rms", overlap))
        if registration.lesion_doubt_mm is not None:
            how = "refined on the images" if registration.on_images else "by the surfaces"
            rows.append(
                ("lesion's place in the bone, doubt (95 %)", f"{shown(registration.lesion_doubt_mm, 2)} mm", how)
            )
    return rows


def grade_rows(grades: Grades) -> list[Row]:
    """System, class, and every class that the doubt allows or the reason why there is none."""
    return [
        (grade.system, grade.value or UNKNOWN, ", ".join(grade.possible) if grade.value else grade.reason or UNKNOWN)
        for grade in grades.classes.all
    ]


def _measured(name: str, measured: Measured, scale: float, unit: str) -> Row:
    if measured.value is None or measured.low is None or measured.high is None:
        return name, UNKNOWN, measured.reason or UNKNOWN
    value, low, high = (significant(scale * each, 3) for each in (measured.value, measured.low, measured.high))
    return name, f"{value}{unit}", f"{low} to {high}{unit}"


def _place(point: FloatArray) -> str:
    return ", ".join(shown(value, 1) for value in point)


def _axis(axis: FloatArray) -> str:
    return ", ".join(shown(value, 3) for value in axis)
