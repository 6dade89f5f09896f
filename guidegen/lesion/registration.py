"""The MR laid on the bone: one femur surface onto the other, rigidly, by robust point-to-plane steps.

The femur alone is registered, never the whole hip: between two scans it moves against the pelvis, and
an image registration of both can miss by 5 mm.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from guidegen.bone.anatomy import Anatomy
from guidegen.bone.head import Head, even_faces, find_head
from guidegen.bone.neck import find_neck
from guidegen.bone.shaft import Shaft, find_shaft
from guidegen.bone.trochanters import ShaftFrame, shape_side
from guidegen.errors import AnatomyError, RegistrationError, SideError
from guidegen.frames import LPS, FloatArray, RigidTransform, across, angle_deg, rotation_about, unit
from guidegen.surfaces import Surface

MR = "MR"

# Starts lie this far apart about the neck axis, from the anatomy of both and from how the patient lay in both.
START_TURNS_DEG = (0.0, -20.0, 20.0)
COARSE = (1_000, 15)  # samples, steps at most
FINE = (4_000, 10)
SETTLED_MM = 0.005  # a step that moves no point of the bone's upper end further is the last
REACH_MM = 60.0  # how far that end reaches from its middle

# Point pairs further apart than this many robust standard deviations (but at least the floor) have no say:
# the ends of the scans, and bone that only one of them shows.
TUKEY_CONSTANT = 4.685
SCALE_FLOOR_MM = 0.3
MATCHED_MM = 2.0  # a pair this near counts as overlap
NORMAL_COSINE = 0.5  # and so does a pair only if its normals agree within 60°
MISSED_MM = 3.0  # what a pair that does not match costs at most, when starts are compared
RIVAL_COST_MM = 0.3  # an end that costs up to this much more than the best is as good a place for the bone
END_MARGIN_MM = 4.0  # the blurred end of a scan is no bone

# Surface-to-surface CT–MR registration of a femur reaches 0.5 ± 0.3 mm (6 porcine femora; BioMed Eng OnLine
# 2008;7:6).
# In benchmarks/registration.py the right bone lies within 0.44–0.56 mm in slices of 2 mm and about 0.07 mm more for
# each further mm, over 82–100 % of what both scans show; another patient's, or its own mirror image, within 0.8–1.3 mm
# over 35–79 %. Noise of an outline evens out over a patch and another shape does not: whole patches of the right bone
# lie off by 0.25–0.41 mm, of another patient's by 1.1–4 mm, however thick the slices.
RESIDUAL_LIMIT_MM = 0.9
THICK_SLICE_MM, RESIDUAL_PER_SLICE = 2.0, 0.07
OVERLAP_LIMIT = 0.80
PATCH_LIMIT_MM = 0.8
PATCH_MM, PATCH_SAMPLES, PATCH_REACH_MM = 12.0, 8, 6.0
AGREEMENT_LIMIT_MM = 1.0  # between starts, at the lesion's end of the bone

# The doubt: how wide the errors of an outline are taken to go together, on how many samples, and how sure the
# stated radius is.
NEIGHBOURHOOD_MM = 12.0
DOUBT_SAMPLES = 2_000
DOUBT_LEVEL = 0.95


@dataclass(frozen=True, eq=False)
class Registration:
    """The transform MR → LPS, how well the surfaces match (robust rms and 95th percentile, mm) and how much of the
    MR femur that the bone's scan shows too does.

    `lesion_doubt_mm` is the radius round the registered lesion inside which it lies with 95 % confidence, as far as
    the two outlines tell; None where it was not computed. `on_images` tells whether the images have had the last
    word, `note` what came of them. `patch_mm` is how far whole patches of the surface lie off: another bone's shape.
    """

    transform: RigidTransform
    rms_mm: float
    p95_mm: float
    overlap_fraction: float
    starts_agree_mm: float
    lesion_doubt_mm: float | None = None
    on_images: bool = False
    note: str = ""
    patch_mm: float | None = None


@dataclass(frozen=True, eq=False)
class Pairs:
    """Samples (K, 3) of the moving surface where a pose puts them, and what the fixed surface has for them: distance,
    signed gap along its normal (K, 3), the cosine between both normals, and the Tukey ratio (1: no say any more).
    """

    placed_mm: FloatArray
    distance_mm: FloatArray
    gap_mm: FloatArray
    normal: FloatArray
    cosine: FloatArray
    ratio: FloatArray

    @property
    def jacobian(self) -> FloatArray:
        """How the gaps (K,) change with a turn about the samples' middle (rad) and a shift (mm), (K, 6)."""
        return np.hstack([np.cross(self.placed_mm - self.placed_mm.mean(axis=0), self.normal), self.normal])

    @property
    def matched(self) -> npt.NDArray[np.bool_]:
        """Which samples (K,) lie on the fixed surface, the right way round."""
        return np.asarray((self.cosine > NORMAL_COSINE) & (self.distance_mm < MATCHED_MM))


class Fit(NamedTuple):
    """Rms and 95th percentile (mm) over the matched share of the MR femur, that share, and the spread of patches."""

    rms_mm: float
    p95_mm: float
    overlap: float
    patch_mm: float


def register_femur(
    mr_femur: Surface,
    bone: Surface,
    anatomy: Anatomy,
    *,
    slice_mm: float = THICK_SLICE_MM,
    at_mm: FloatArray | None = None,
) -> Registration:
    """Lay the femur of the MR (in its own LPS) on the bone; RegistrationError where it does not fit.

    The starts come from the anatomy of both (head centre, neck axis, shaft axis) and from how the patient lay; all
    that fit must end at one place, with the residual of one and the same bone. `slice_mm` is the largest voxel edge
    of the MR, which the residual may grow with; `at_mm` (3,) is the lesion in the frame of the MR, the place of the
    doubt (the head's centre if None). SideError for an MR femur of the other side, as a mirrored file shows it.
    """
    head = find_head(mr_femur)
    ends = [_settled(mr_femur, bone, start, *COARSE) for start in _starts(mr_femur, head, anatomy)]
    costs = np.array([_cost_mm(_pairs(mr_femur, bone, end, COARSE[0])) for end in ends])
    best = ends[int(np.argmin(costs))]
    rivals = [end for end, cost in zip(ends, costs, strict=True) if cost < costs.min() + RIVAL_COST_MM]
    apart = max(_apart_mm(best, rival, head) for rival in rivals)
    pose = _settled(mr_femur, bone, best, *FINE)
    _require_side(mr_femur.transformed(pose), head, pose, anatomy)
    fit = measured_fit(mr_femur, bone, pose, anatomy)
    _judge(fit, apart, slice_mm)
    target = pose.points(head.center_mm if at_mm is None else at_mm)
    doubt = radius_mm(target_covariance(_pairs(mr_femur, bone, pose, DOUBT_SAMPLES), target))
    return Registration(pose, fit.rms_mm, fit.p95_mm, fit.overlap, apart, doubt, patch_mm=fit.patch_mm)


def registration_given(
    mr_femur: Surface, bone: Surface, anatomy: Anatomy, pose: RigidTransform, at_mm: FloatArray
) -> Registration:
    """The registration that an expert gave, measured like one that was found; RegistrationError where the femora do not
    even meet.
    """
    fit = measured_fit(mr_femur, bone, pose, anatomy)
    if not np.isfinite([fit.rms_mm, fit.patch_mm]).all():
        raise RegistrationError(
            "expected a given registration that lays the MR femur on the bone, found one that leaves them apart; "
            "check its numbers: it leads from the MR to the bone, LPS mm"
        )
    doubt = radius_mm(target_covariance(_pairs(mr_femur, bone, pose, DOUBT_SAMPLES), pose.points(at_mm)))
    note = "Given by an expert; not compared with other places."
    return Registration(pose, fit.rms_mm, fit.p95_mm, fit.overlap, 0.0, doubt, note=note, patch_mm=fit.patch_mm)


def residual_limit_mm(slice_mm: float) -> float:
    """The rms (mm) above which an MR of slices this thick (mm) is refused."""
    return RESIDUAL_LIMIT_MM + RESIDUAL_PER_SLICE * max(0.0, slice_mm - THICK_SLICE_MM)


def _judge(fit: Fit, apart_mm: float, slice_mm: float) -> None:
    limit = residual_limit_mm(slice_mm)
    if fit.rms_mm > limit or fit.overlap < OVERLAP_LIMIT or fit.patch_mm > PATCH_LIMIT_MM:
        raise RegistrationError(
            f"expected the MR femur to lie on the bone within {limit:.2f} mm (rms, slices of {slice_mm:g} mm) over at "
            f"least {OVERLAP_LIMIT:.0%} of it, whole patches within {PATCH_LIMIT_MM:g} mm, found {fit.rms_mm:.2f} mm "
            f"over {fit.overlap:.0%}, patches {fit.patch_mm:.2f} mm; "
            "check that both are the same hip of the same patient, and the femur label of the MR"
        )
    if apart_mm > AGREEMENT_LIMIT_MM:
        raise RegistrationError(
            f"expected the MR femur to lie on the bone in one place only, found equally good places {apart_mm:.1f} mm "
            "apart at the head; segment more of the neck and shaft in the MR"
        )


def _require_side(placed: Surface, head: Head, pose: RigidTransform, anatomy: Anatomy) -> None:
    """Refuse the other side's femur; the shaft is the bone's, since the MR may show too little of its own."""
    here = Head(pose.points(head.center_mm), head.radius_mm, head.cover, head.rms_mm)
    shaft = Shaft(anatomy.shaft_point_mm, anatomy.shaft_axis, anatomy.shaft_is_short)
    frame = ShaftFrame.of(here.center_mm, shaft.point_mm, shaft.axis)
    side = shape_side(placed, here, frame, find_neck(placed, here, shaft)[0])
    if side != anatomy.side:
        raise SideError(
            f"expected the femur of the MR to be a {anatomy.side} one like the bone, found the shape of a {side} one; "
            "check which femur of the MR was segmented, and whether its file is mirrored"
        )


def _starts(mr_femur: Surface, head: Head, anatomy: Anatomy) -> list[RigidTransform]:
    """MR → LPS, head centre on head centre, turned as the axes of both femora say and as the patients lay."""
    lying = [np.eye(3)]
    try:
        shaft = find_shaft(mr_femur, head)
        _, neck_axis = find_neck(mr_femur, head, shaft)
        lying.append(_triad(anatomy.neck_axis, anatomy.shaft_axis).T @ _triad(neck_axis, shaft.axis))
    except AnatomyError:
        pass  # an MR that shows too little of the shaft: how the patient lay must do
    turns = [rotation_about(anatomy.neck_axis, degrees) @ first for first in lying for degrees in START_TURNS_DEG]
    return [RigidTransform(turn, anatomy.head_center_mm - turn @ head.center_mm, MR, LPS) for turn in turns]


def _triad(neck_axis: FloatArray, shaft_axis: FloatArray) -> FloatArray:
    """Rows: neck axis, shaft axis at right angles to it, and across both."""
    up = unit(across(shaft_axis, neck_axis))
    return np.stack([neck_axis, up, np.cross(neck_axis, up)])


def _pairs(moving: Surface, fixed: Surface, pose: RigidTransform, samples: int) -> Pairs:
    faces = even_faces(moving, samples)
    placed = pose.points(moving.face_centers_mm[faces])
    distance, face, nearest = fixed.nearest(placed)
    normal = fixed.face_normals[face]
    cosine = (pose.vectors(moving.face_normals[faces]) * normal).sum(axis=1)
    scale = max(SCALE_FLOOR_MM, 1.4826 * float(np.median(distance)))
    ratio = np.where(cosine > NORMAL_COSINE, np.minimum(distance / (TUKEY_CONSTANT * scale), 1.0), 1.0)
    return Pairs(placed, distance, ((placed - nearest) * normal).sum(axis=1), normal, cosine, ratio)


def _settled(moving: Surface, fixed: Surface, pose: RigidTransform, samples: int, steps: int) -> RigidTransform:
    """Point-to-plane steps with Tukey weights from `pose` on, until they no longer move it."""
    for _ in range(steps):
        pairs = _pairs(moving, fixed, pose, samples)
        weight = 1.0 - pairs.ratio**2
        step = np.linalg.lstsq(pairs.jacobian * weight[:, None], -pairs.gap_mm * weight, rcond=None)[0]
        angle = float(np.linalg.norm(step[:3]))
        turn = rotation_about(step[:3], np.degrees(angle)) if angle > 1e-12 else np.eye(3)
        center = pairs.placed_mm.mean(axis=0)
        pose = pose.then(RigidTransform(turn, center - turn @ center + step[3:], LPS, LPS))
        if float(np.linalg.norm(step[3:])) + REACH_MM * angle < SETTLED_MM:
            break
    return pose


def _cost_mm(pairs: Pairs) -> float:
    """Rms of the distances of all samples, none above MISSED_MM: little overlap does not make a good place."""
    capped = np.where(pairs.cosine > NORMAL_COSINE, np.minimum(pairs.distance_mm, MISSED_MM), MISSED_MM)
    return float(np.sqrt((capped**2).mean()))


def measured_fit(mr_femur: Surface, bone: Surface, pose: RigidTransform, anatomy: Anatomy) -> Fit:
    """How the MR femur lies on the bone in this pose, as far as the bone's scan reaches."""
    pairs = _pairs(mr_femur, bone, pose, FINE[0])
    axis = anatomy.shaft_axis
    shown = pairs.placed_mm @ axis > (bone.vertices @ axis).min() + END_MARGIN_MM
    near = pairs.distance_mm[pairs.matched & shown]
    if len(near) == 0:
        return Fit(np.inf, np.inf, 0.0, np.inf)
    facing = shown & (pairs.cosine > NORMAL_COSINE) & (pairs.distance_mm < PATCH_REACH_MM)
    return Fit(
        float(np.sqrt((near**2).mean())),
        float(np.percentile(near, 95)),
        len(near) / int(shown.sum()),
        _patch_mm(pairs.placed_mm[facing], pairs.gap_mm[facing]),
    )


def _patch_mm(points_mm: FloatArray, gap_mm: FloatArray) -> float:
    """The robust spread of the mean gap of each patch; an outline drawn wider all round is no other shape."""
    cells = np.floor(points_mm / PATCH_MM).astype(np.int64)
    patch = np.unique(cells, axis=0, return_inverse=True)[1].ravel()
    count = np.bincount(patch)
    mean = (np.bincount(patch, gap_mm) / count)[count >= PATCH_SAMPLES]
    return float(1.4826 * np.median(np.abs(mean - np.median(mean)))) if len(mean) else np.inf


def target_covariance(pairs: Pairs, target_mm: FloatArray) -> FloatArray:
    """The covariance (3, 3), mm², of where the fit puts a point (3,).

    The sandwich of a robust fit (Huber 1967) whose scores err together where they are neighbours: each pair of
    samples counts by a Gaussian of its distance (Conley 1999), several times as wide as an outline wanders. What both
    outlines have wrong alike, or an MR's distortion, it cannot see.
    """
    u, jacobian = pairs.ratio**2, pairs.jacobian
    curvature = (jacobian * ((1.0 - u) * (1.0 - 5.0 * u))[:, None]).T @ jacobian
    scores = jacobian * ((1.0 - u) ** 2 * pairs.gap_mm)[:, None]
    squared = ((pairs.placed_mm**2).sum(axis=1)[:, None] + (pairs.placed_mm**2).sum(axis=1)) - (
        2.0 * pairs.placed_mm @ pairs.placed_mm.T
    )
    together = np.exp(-squared / (2.0 * NEIGHBOURHOOD_MM**2))
    patches = len(u) ** 2 / float(together.sum())  # that err on their own; six of them the fit has used up
    x, y, z = target_mm - pairs.placed_mm.mean(axis=0)
    lever = np.array([[0.0, z, -y, 1.0, 0.0, 0.0], [-z, 0.0, x, 0.0, 1.0, 0.0], [y, -x, 0.0, 0.0, 0.0, 1.0]])
    reach = np.linalg.solve(curvature, lever.T).T
    return np.asarray(reach @ (scores.T @ together @ scores) @ reach.T * patches / (patches - 6.0))


def radius_mm(covariance: FloatArray) -> float:
    """The radius of the ball that holds a normal deviate of this covariance (3, 3) with 95 %: its squared length as
    a scaled chi-square of the same mean and variance (Satterthwaite 1946).
    """
    from scipy.stats import chi2

    spread = np.linalg.eigvalsh(covariance)
    scale = float((spread**2).sum() / spread.sum()) if spread.sum() > 0.0 else 0.0
    if scale == 0.0:
        return 0.0
    return float(np.sqrt(scale * chi2.ppf(DOUBT_LEVEL, spread.sum() / scale)))


def _apart_mm(first: RigidTransform, second: RigidTransform, head: Head) -> float:
    """How far apart two poses can put a point of the head."""
    move = float(np.linalg.norm(first.points(head.center_mm) - second.points(head.center_mm)))
    turn = first.inverse().then(second).rotation
    angle = max(angle_deg(turn @ axis, axis) for axis in np.eye(3))
    return move + head.radius_mm * float(np.radians(angle))
