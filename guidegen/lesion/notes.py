"""What a reader of the grades must know besides them."""

from __future__ import annotations

from guidegen.lesion.depression import SOUND_MM
from guidegen.lesion.grades import Grades
from guidegen.rounded import shown

THICK_SLICE_MM = 3.0
OUTLINE = "Every grade rests on the outline of the lesion: automatic ones on 2D MR reach a Dice of about 0.75."
PLANES = (
    "Arcs and Kerboul angle are read on the femur's own planes: the mid-coronal one is spanned by shaft axis and neck "
    "axis through the head centre, the mid-sagittal one stands across it. They do not depend on how the leg lay."
)
THICK_SLICES = "Slices as thick as these blur the ends of the arcs by about half a slice."
NO_PELVIS = "No pelvis is in view: JIC, ARCO 2021 and CJFH types and the pose of the hip are not computable."
POSITION = "JIC C1 and C2 depend on the hip's position: in one study 70 % of C1 in neutral were C2 at 45° of flexion."


def grade_notes(grades: Grades) -> tuple[str, ...]:
    """Sentences on how the grades were found and where they are weak, in the order of the grades."""
    slices_mm, pieces = float(grades.spacing_mm.max()), len(grades.components)
    reach = (
        f"Where the lesion comes within {shown(grades.surface_band_mm, 1)} mm of the joint surface, that counts as "
        f"necrotic; the lesion's voxels are up to {shown(slices_mm, 1)} mm long."
    )
    notes = [OUTLINE, PLANES, reach]
    if slices_mm > THICK_SLICE_MM:
        notes.append(THICK_SLICES)
    if grades.arcs.kerboul_deg.value is None:
        notes.append(f"There is no Kerboul angle: {grades.arcs.kerboul_deg.reason}.")
    if pieces > 1 or grades.specks:
        notes.append(f"Pieces of the lesion, graded together: {pieces}; specks under 1 % of it: {grades.specks}.")
    return tuple(notes + _on_pose(grades))


def grade_warnings(grades: Grades) -> tuple[str, ...]:
    """What the surgeon must know of the grades before approving a plan: a stage that the measurement does not tell."""
    depression, stage = grades.depression_mm, grades.classes.depression
    if depression.value is None or depression.low is None or depression.high is None:
        return ()
    other = [each for each in stage.possible if each != stage.value]
    none = ["none"] if depression.low <= SOUND_MM else []
    if not none and not other:
        return ()
    value, low, high = (shown(each, 1) for each in (depression.value, depression.low, depression.high))
    said = (
        f"The depression of the head, {value} mm, may be {low} to {high} mm, and sound heads are measured as 0 to "
        f"{SOUND_MM:g} mm: besides {stage.value} the doubt allows {' and '.join([*none, *other])}. Whether the head "
        "has collapsed must be seen on the images."
    )
    return (said,)


def _on_pose(grades: Grades) -> list[str]:
    pose, definitions = grades.hip_pose, grades.definitions
    if pose is None:
        return [NO_PELVIS]
    flexion, abduction, rotation = (
        shown(angle, 0) for angle in (pose.flexion_deg, pose.abduction_deg, pose.external_rotation_deg)
    )
    lay = (
        f"Pose of the hip in the scan: flexion {flexion}°, abduction {abduction}°, external rotation {rotation}°, if "
        f"the pelvis lies straight and the femoral torsion is the median of {definitions.neutral_version_deg:g}°."
    )
    notes = [lay]
    if len(grades.acetabular) > 1:
        notes.append(
            f"The pose is beyond {definitions.pose_limit_deg:g}°: types against the pelvis are given as scanned and as "
            "turned to neutral."
        )
    if {"C1", "C2"} & set(grades.classes.jic.possible):
        notes.append(POSITION)
    return notes
