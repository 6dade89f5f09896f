"""What slices are drawn on: the CT, the MR where it lies on the bone, or nothing."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum

import numpy as np

from guidegen.errors import ResultError
from guidegen.frames import LPS, RigidTransform
from guidegen.lesion.registration import MR
from guidegen.review.revision import Place
from guidegen.review.web.cases import CaseFiles, Images
from guidegen.review.web.shapes import Shapes
from guidegen.volumes import Volume


class Ground(StrEnum):
    """The image of the bone, that of the lesion, or none."""

    BONE = "bone image"
    LESION = "lesion image"
    NONE = "no image"


def grounds_of(cases: CaseFiles, place: Place) -> tuple[Ground, ...]:
    """The grounds that a revision's case has, the one that its page opens with first."""
    try:
        case = cases.seen_source(place).case
    except ResultError:
        return (Ground.NONE,)
    given = {Ground.BONE: case.bone.image, Ground.LESION: case.lesion.image}
    return (*(ground for ground, image in given.items() if image), Ground.NONE)


def image_on_bone(images: Images, shapes: Shapes, ground: Ground) -> Volume | None:
    """The image of a ground in the frame of the bone, to which the plan's registration brings the lesion's."""
    image = {Ground.BONE: images.bone, Ground.LESION: images.lesion}.get(ground)
    pose = shapes.plan["lesion"]["registration"] if ground is Ground.LESION else None
    if image is None or pose is None:
        return image
    moved = RigidTransform(np.array(pose["rotation"]), np.array(pose["translation_mm"]), MR, LPS)
    direction = moved.vectors(image.direction.T).T  # its columns are the axes
    return replace(image, direction=direction, origin_mm=moved.points(image.origin_mm))
