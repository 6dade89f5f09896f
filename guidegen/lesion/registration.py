"""The MR laid on the bone: one femur surface onto the other, rigidly, by robust point-to-plane steps.

The femur alone is registered, never the whole hip: between two scans it moves against the pelvis, and
an image registration of both can miss by 5 mm.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from guidegen.bone.anatomy import Anatomy
from guidegen.bone.head import even_faces, find_head
from guidegen.bone.neck import find_neck
from guidegen.bone.shaft import find_shaft
from guidegen.errors import RegistrationError
from guidegen.frames import LPS, FloatArray, RigidTransform, across, angle_deg, rotation_about, unit
from guidegen.surfaces import Surface

MR = "MR"

# The shaft of a short MR may lean by 20°: starts this far apart about the neck axis must end at one place.
START_TURNS_DEG = (0.0, -20.0, 20.0)
COARSE = (1_000, 15)  # samples, steps
FINE = (4_000, 10)

# Point pairs further apart than this many robust standard deviations (but at least the floor) have no say:
# the ends of the scans, and bone that only one of them shows.
TUKEY_CONSTANT = 4.685
SCALE_FLOOR_MM = 0.3
MATCHED_MM = 2.0  # a pair this near counts as overlap
NORMAL_COSINE = 0.5  # and so does a pair only if its normals agree within 60°

# Surface-to-surface CT–MR registration of a femur reaches 0.5 ± 0.3 mm (6 porcine femora, clinical facts §6).
# Five real femora lie on their own MR within 0.42–0.49 mm over 92–96 % of it; another patient's, or the
# other side's mirror image, within 0.94–1.3 mm over 60–81 %: what lies between is refused.
RESIDUAL_LIMIT_MM = 0.9
OVERLAP_LIMIT = 0.85
AGREEMENT_LIMIT_MM = 1.0  # between starts, at the lesion's end of the bone


@dataclass(frozen=True, eq=False)
class Registration:
    """The transform MR → LPS, how well the surfaces match (robust rms and 95th percentile, mm) and how much of the
    MR femur does.
    """

    transform: RigidTransform
    rms_mm: float
    p95_mm: float
    overlap_fraction: float
    starts_agree_mm: float


def register_femur(mr_femur: Surface, bone: Surface, anatomy: Anatomy) -> Registration:
    """Lay the femur of the MR (in its own LPS) on the bone; RegistrationError where it does not fit.

    The start comes from the anatomy of both (head centre, neck axis, shaft axis); every start must
    end at one place and the residual must be that of one and the same bone.
    """
    start = _anatomical_start(mr_femur, anatomy)
    ends = [_settle(mr_femur, bone, _turned(start, anatomy, degrees), *COARSE) for degrees in START_TURNS_DEG]
    misfits = [_misfit(mr_femur, bone, end)[0] for end in ends]
    best = ends[int(np.argmin(misfits))]
    head = start.inverse().points(anatomy.head_center_mm)
    rivals = [end for end, misfit in zip(ends, misfits, strict=True) if misfit < min(misfits) + SCALE_FLOOR_MM]
    apart = max(_apart_mm(best, rival, head, anatomy.head_radius_mm) for rival in rivals)
    final = _settle(mr_femur, bone, best, *FINE)
    rms, p95, overlap = _misfit(mr_femur, bone, final)
    _judge(rms, overlap, apart)
    return Registration(final, rms, p95, overlap, apart)


def _judge(rms_mm: float, overlap: float, apart_mm: float) -> None:
    if rms_mm > RESIDUAL_LIMIT_MM or overlap < OVERLAP_LIMIT:
        raise RegistrationError(
            f"expected the MR femur to lie on the bone within {RESIDUAL_LIMIT_MM:g} mm (rms) over at least "
            f"{OVERLAP_LIMIT:.0%} of it, found {rms_mm:.2f} mm over {overlap:.0%}; "
            "check that both are the same hip of the same patient, and the femur label of the MR"
        )
    if apart_mm > AGREEMENT_LIMIT_MM:
        raise RegistrationError(
            f"expected the MR femur to lie on the bone in one place only, found equally good places {apart_mm:.1f} mm "
            "apart at the head; segment more of the neck and shaft in the MR"
        )


def _anatomical_start(mr_femur: Surface, anatomy: Anatomy) -> RigidTransform:
    """MR → LPS from head centres and from the planes of neck and shaft of both."""
    head = find_head(mr_femur)
    shaft = find_shaft(mr_femur, head)
    _, neck_axis = find_neck(mr_femur, head, shaft)
    here = _triad(neck_axis, shaft.axis)
    there = _triad(anatomy.neck_axis, anatomy.shaft_axis)
    rotation = there.T @ here
    return RigidTransform(rotation, anatomy.head_center_mm - rotation @ head.center_mm, MR, LPS)


def _triad(neck_axis: FloatArray, shaft_axis: FloatArray) -> FloatArray:
    """Rows: neck axis, shaft axis at right angles to it, and across both."""
    up = unit(across(shaft_axis, neck_axis))
    return np.stack([neck_axis, up, np.cross(neck_axis, up)])


def _turned(start: RigidTransform, anatomy: Anatomy, degrees: float) -> RigidTransform:
    turn = rotation_about(anatomy.neck_axis, degrees)
    center = anatomy.head_center_mm
    return start.then(RigidTransform(turn, center - turn @ center, LPS, LPS))


def _settle(moving: Surface, fixed: Surface, pose: RigidTransform, samples: int, steps: int) -> RigidTransform:
    """Point-to-plane steps with Tukey weights from `pose` on."""
    faces = even_faces(moving, samples)
    points, normals = moving.face_centers_mm[faces], moving.face_normals[faces]
    for _ in range(steps):
        placed = pose.points(points)
        distance, face, nearest = fixed.nearest(placed)
        normal = fixed.face_normals[face]
        gap = ((placed - nearest) * normal).sum(axis=1)
        scale = max(SCALE_FLOOR_MM, 1.4826 * float(np.median(distance)))
        weight = np.clip(1.0 - (distance / (TUKEY_CONSTANT * scale)) ** 2, 0.0, None)
        weight[(pose.vectors(normals) * normal).sum(axis=1) < NORMAL_COSINE] = 0.0
        center = placed.mean(axis=0)
        jacobian = np.c_[np.cross(placed - center, normal), normal]
        step = np.linalg.lstsq(jacobian * weight[:, None], -gap * weight, rcond=None)[0]
        angle = float(np.linalg.norm(step[:3]))
        turn = rotation_about(step[:3], np.degrees(angle)) if angle > 1e-12 else np.eye(3)
        pose = pose.then(RigidTransform(turn, center - turn @ center + step[3:], LPS, LPS))
    return pose


def _misfit(moving: Surface, fixed: Surface, pose: RigidTransform) -> tuple[float, float, float]:
    """Rms and 95th percentile (mm) over the matched share of the moving surface, and that share."""
    faces = even_faces(moving, FINE[0])
    distance, face, _ = fixed.nearest(pose.points(moving.face_centers_mm[faces]))
    facing = (pose.vectors(moving.face_normals[faces]) * fixed.face_normals[face]).sum(axis=1) > NORMAL_COSINE
    matched = facing & (distance < MATCHED_MM)
    if not matched.any():
        return np.inf, np.inf, 0.0
    near = distance[matched]
    return float(np.sqrt((near**2).mean())), float(np.percentile(near, 95)), float(matched.mean())


def _apart_mm(first: RigidTransform, second: RigidTransform, head_mm: FloatArray, radius_mm: float) -> float:
    """How far apart two poses can put a point of the head (centre (3,) in the MR frame)."""
    move = float(np.linalg.norm(first.points(head_mm) - second.points(head_mm)))
    turn = first.inverse().then(second).rotation
    angle = max(angle_deg(turn @ axis, axis) for axis in np.eye(3))
    return move + radius_mm * float(np.radians(angle))
