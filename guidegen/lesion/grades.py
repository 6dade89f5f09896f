"""The lesion graded: size, place, arcs, classes and types, each with its doubt, and what they have meant elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

from guidegen.bone.anatomy import Anatomy
from guidegen.errors import LesionError
from guidegen.frames import FloatArray
from guidegen.lesion.acetabular import AcetabularGrades, acetabular_grades, coronal_planes
from guidegen.lesion.arcs import Arc, angle_deg, kerboul_deg, koo_kim_index, necrotic_arc
from guidegen.lesion.components import Component, components, inner_point_mm
from guidegen.lesion.definitions import Definitions
from guidegen.lesion.depression import depression_mm
from guidegen.lesion.depth import depth_mm, joint_surface, least_depth_mm
from guidegen.lesion.doubt import moved_frames, plane_offsets_mm
from guidegen.lesion.extension import extended_lesion
from guidegen.lesion.grade import Grade, Measured
from guidegen.lesion.head_frame import HeadFrame, Plane, femoral_frame
from guidegen.lesion.hip_pose import HipPose, hip_pose, in_neutral, pelvic_frame
from guidegen.lesion.lattice import fine_points_mm, lattice
from guidegen.lesion.lesion import Lesion
from guidegen.lesion.location_types import ARCO_2021, ARCO_2021_TYPES, CJFH, CJFH_TYPES, JIC, JIC_TYPES
from guidegen.lesion.meaning import Statement, statements
from guidegen.lesion.necrotic_surface import Necrosis
from guidegen.lesion.octants import Octant, Place, octants, place
from guidegen.lesion.shares import cut_share, sphere_share, weight_bearing_share
from guidegen.lesion.size_class import (
    STEINBERG_CUT,
    depression_class,
    kerboul_grade,
    kerboul_risk,
    koo_kim_extent,
    steinberg,
)
from guidegen.surfaces import Surface
from guidegen.volumes import Volume

DEFAULTS = Definitions()

NO_PELVIS = 'the pelvis is not in view; if it is, name its label as "pelvis" in [bone] of the case file'
NO_ARC = "neither the mid-coronal nor the mid-sagittal plane shows necrosis of the joint surface"
NOT_OVER = "no part of the lesion lies under the dome of the head"


@dataclass(frozen=True)
class Extent:
    """How large the lesion is and how deep it lies: shares of 1, depths of voxel centres under the joint surface."""

    volume_mm3: float
    sphere_share: Measured
    cut_share: Measured
    weight_bearing_share: Measured
    least_depth_mm: float
    centroid_depth_mm: float


@dataclass(frozen=True)
class Arcs:
    """The necrotic arcs on the mid-coronal and mid-sagittal plane of the femur; None where a plane shows none."""

    coronal: Arc | None
    sagittal: Arc | None
    coronal_deg: Measured
    sagittal_deg: Measured
    kerboul_deg: Measured
    koo_kim_index: Measured


@dataclass(frozen=True)
class Classes:
    """Every graded class, in the order in which they are read.

    JIC, ARCO 2021 and CJFH have the type of the hip as scanned, and every type that either pose allows.
    """

    steinberg: Grade
    steinberg_cut: Grade
    kerboul: Grade
    kerboul_risk: Grade
    koo_kim: Grade
    jic: Grade
    arco_2021: Grade
    cjfh: Grade
    depression: Grade

    @property
    def all(self) -> tuple[Grade, ...]:
        """All of them."""
        return tuple(getattr(self, each.name) for each in fields(self))


@dataclass(frozen=True, eq=False)
class Grades:
    """Everything that is said of a lesion. Points (3,) in LPS mm.

    `inner_point_mm`, the lesion's deepest point, is given where the centroid lies outside it. `acetabular` holds the
    types of the hip as scanned, and in neutral too where it lay beyond the limit; it is empty without a pelvis.
    """

    definitions: Definitions
    frame: HeadFrame
    spacing_mm: FloatArray
    surface_band_mm: float
    extent: Extent
    centroid_mm: FloatArray
    place: Place
    inner_point_mm: FloatArray | None
    octants: tuple[Octant, ...]
    components: tuple[Component, ...]
    specks: int
    arcs: Arcs
    depression_mm: Measured
    hip_pose: HipPose | None
    acetabular: tuple[AcetabularGrades, ...]
    classes: Classes
    statements: tuple[Statement, ...]


def grade_lesion(
    lesion: Lesion, bone: Surface, anatomy: Anatomy, pelvis: Volume | None, definitions: Definitions = DEFAULTS
) -> Grades:
    """Grade a lesion in its femur; `pelvis` is the bool label of the same scan as the bone, None where not in view.

    Everything in LPS mm. What cannot be computed is None with its reason. LesionError where the lesion's points do
    not lie on a rectangular grid, or where the bone has no surface on the head sphere.
    """
    voxels = lattice(lesion.points_mm, lesion.volume_mm3 / len(lesion.points_mm))
    frame = femoral_frame(anatomy)
    necrosis = Necrosis(voxels, extended_lesion(voxels, bone, frame), bone, definitions)
    points = fine_points_mm(voxels)
    point_mm3 = lesion.volume_mm3 / len(points)
    pieces, specks = components(voxels, frame)
    extent = _extent(lesion, necrosis, frame, points, point_mm3)
    arcs = _arcs(necrosis, frame)
    sunk = _depression(necrosis, frame)
    pose, acetabular = _acetabular(necrosis, frame, anatomy, pelvis)
    classes = _classes(extent, arcs, sunk, acetabular, definitions)
    return Grades(
        definitions=definitions,
        frame=frame,
        spacing_mm=voxels.spacing_mm,
        surface_band_mm=necrosis.band_mm,
        extent=extent,
        centroid_mm=lesion.centroid_mm,
        place=place(lesion.centroid_mm, frame),
        inner_point_mm=inner_point_mm(voxels, voxels.voxels, lesion.centroid_mm),
        octants=octants(points, point_mm3, frame),
        components=pieces,
        specks=specks,
        arcs=arcs,
        depression_mm=sunk,
        hip_pose=pose,
        acetabular=acetabular,
        classes=classes,
        statements=statements(classes.all),
    )


def _extent(lesion: Lesion, necrosis: Necrosis, frame: HeadFrame, points: FloatArray, point_mm3: float) -> Extent:
    """Volume, shares and depths; `points` (K, 3) fill the lesion, each for `point_mm3`."""
    bone, definitions = necrosis.bone, necrosis.definitions
    radii = [frame.radius_mm + sign * definitions.radius_doubt_mm for sign in (0.0, 1.0, -1.0)]
    spheres = [sphere_share(lesion.volume_mm3, radius) for radius in radii]
    # the junction moves with the head's radius, and with its centre along the neck
    along_neck = definitions.center_doubt_mm * frame.neck_axis
    heads = [replace(frame, radius_mm=radius) for radius in radii]
    heads += [replace(frame, center_mm=frame.center_mm + sign * along_neck) for sign in (1.0, -1.0)]
    cuts = [cut_share(points, point_mm3, bone, head, definitions.junction_radii) for head in heads]
    bearing = [weight_bearing_share(necrosis, head) for head in moved_frames(frame, definitions)]
    joint = joint_surface(bone, frame, definitions.junction_radii)
    if joint is None:
        raise LesionError("expected a bone with a joint surface round its head centre, found none; check the anatomy")
    return Extent(
        volume_mm3=lesion.volume_mm3,
        sphere_share=Measured.of(spheres[0], spheres),
        cut_share=Measured.of(cuts[0], cuts),
        weight_bearing_share=Measured.of(bearing[0], bearing),
        least_depth_mm=least_depth_mm(lesion.points_mm, bone, joint, frame),
        centroid_depth_mm=float(depth_mm(lesion.centroid_mm[None], bone, joint)[0]),
    )


def _arcs(necrosis: Necrosis, frame: HeadFrame) -> Arcs:
    """Both arcs; their sum and product belong to one head centre, but to any pair of planes."""
    offsets = plane_offsets_mm(necrosis.definitions)

    def read(head: HeadFrame, plane: Plane) -> list[Arc | None]:
        return [necrotic_arc(necrosis, head, plane, offset) for offset in offsets]

    read_by_head = [
        (read(head, "coronal"), read(head, "sagittal")) for head in moved_frames(frame, necrosis.definitions)
    ]
    pairs = [(angle_deg(a), angle_deg(b)) for coronal, sagittal in read_by_head for a in coronal for b in sagittal]
    sums, indices = [kerboul_deg(*pair) for pair in pairs], [koo_kim_index(*pair) for pair in pairs]
    coronal, sagittal = (read_by_head[0][k][0] for k in (0, 1))
    shown = coronal is not None or sagittal is not None
    return Arcs(
        coronal=coronal,
        sagittal=sagittal,
        coronal_deg=Measured.of(pairs[0][0], [pair[0] for pair in pairs]),
        sagittal_deg=Measured.of(pairs[0][1], [pair[1] for pair in pairs]),
        kerboul_deg=Measured.of(sums[0], sums) if shown else Measured.none(NO_ARC),
        koo_kim_index=Measured.of(indices[0], indices) if shown else Measured.none(NO_ARC),
    )


def _depression(necrosis: Necrosis, frame: HeadFrame) -> Measured:
    depths = [depression_mm(necrosis, head) for head in moved_frames(frame, necrosis.definitions)]
    if depths[0] is None:
        return Measured.none(NOT_OVER)
    return Measured.of(depths[0], [each for each in depths if each is not None])


def _acetabular(
    necrosis: Necrosis, frame: HeadFrame, anatomy: Anatomy, pelvis: Volume | None
) -> tuple[HipPose | None, tuple[AcetabularGrades, ...]]:
    """The hip's pose and the types as scanned, and in neutral too where the pose is beyond the limit."""
    if pelvis is None:
        return None, ()
    definitions = necrosis.definitions
    pelvic = pelvic_frame(pelvis, frame, anatomy.side)
    pose = hip_pose(frame, pelvic, definitions)
    planes = coronal_planes(pelvis, pelvic, definitions)
    as_scanned = acetabular_grades(necrosis, planes, pelvic, "as scanned")
    if pose.greatest_deg <= definitions.pose_limit_deg:
        return pose, (as_scanned,)
    return pose, (as_scanned, acetabular_grades(necrosis, planes, in_neutral(frame, definitions), "neutral"))


def _classes(
    extent: Extent, arcs: Arcs, sunk: Measured, acetabular: tuple[AcetabularGrades, ...], definitions: Definitions
) -> Classes:
    return Classes(
        steinberg=steinberg(extent.sphere_share, definitions),
        steinberg_cut=steinberg(extent.cut_share, definitions, STEINBERG_CUT),
        kerboul=kerboul_grade(arcs.kerboul_deg, definitions),
        kerboul_risk=kerboul_risk(arcs.kerboul_deg, definitions),
        koo_kim=koo_kim_extent(arcs.koo_kim_index, definitions),
        jic=_over_poses(JIC, JIC_TYPES, [each.jic for each in acetabular]),
        arco_2021=_over_poses(ARCO_2021, ARCO_2021_TYPES, [each.arco_2021 for each in acetabular]),
        cjfh=_over_poses(CJFH, CJFH_TYPES, [each.cjfh for each in acetabular]),
        depression=depression_class(sunk, definitions),
    )


def _over_poses(system: str, types: tuple[str, ...], grades: list[Grade]) -> Grade:
    """The type as scanned, with every type that any pose allows."""
    if not grades:
        return Grade.none(system, NO_PELVIS)
    if grades[0].value is None:
        return grades[0]
    return Grade.of_seen(system, grades[0].value, [each for grade in grades for each in grade.possible], types)
