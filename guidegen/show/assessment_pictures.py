"""The pictures of an assessment: the head cut by planes, the lesion on a map of the head, the bone with its axes."""

from __future__ import annotations

from guidegen.bone.anatomy import Anatomy
from guidegen.lesion.grades import Grades
from guidegen.lesion.lattice import lattice
from guidegen.lesion.lesion import Lesion
from guidegen.show.assessed import Assessed
from guidegen.show.axes_view import axes_figure
from guidegen.show.head_planes import acetabular_figure, femoral_plane_figure
from guidegen.show.paper import plain_settings, png
from guidegen.show.polar_map import polar_figure
from guidegen.surfaces import Surface
from guidegen.volumes import Volume


def assessment_pictures(
    bone: Surface,
    lesion: Lesion,
    anatomy: Anatomy,
    grades: Grades,
    pelvis: Volume | None,
    image: Volume | None,
    patient_id: str,
) -> dict[str, bytes]:
    """coronal.png, sagittal.png, polar.png, axes.png, and acetabular.png where there is a pelvis: 1200 × 900.

    Everything in LPS mm and in the frame of the bone; `grades` are those of this lesion; `pelvis` is its bool label,
    `image` the scan that is shown behind the planes, each None where there is none. The same arguments give the same
    bytes on the same machine. GuidegenError where there is nothing to draw the bone with.
    """
    voxels = lattice(lesion.points_mm, lesion.volume_mm3 / len(lesion.points_mm))
    hip = Assessed(patient_id, anatomy.side, bone, voxels, grades, pelvis, image)
    with plain_settings():
        figures = {
            "coronal.png": femoral_plane_figure(hip, "coronal"),
            "sagittal.png": femoral_plane_figure(hip, "sagittal"),
        }
        if pelvis is not None:
            figures["acetabular.png"] = acetabular_figure(hip, pelvis, grades.acetabular[0])
        figures["polar.png"] = polar_figure(hip)
        figures["axes.png"] = axes_figure(patient_id, bone, anatomy)
        return {name: png(figure) for name, figure in figures.items()}
