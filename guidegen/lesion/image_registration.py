"""The MR laid on the bone once more, by what both images show inside the femur.

The surfaces come first and the images only sharpen them: mutual information (Mattes 2003) of the voxels inside the
femur alone, for what lies outside moves against it. The images have the last word only where they agree with the
surfaces and are surer than these; otherwise they are left out, and the note says why.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from guidegen.bone.anatomy import Anatomy
from guidegen.errors import RegistrationError
from guidegen.frames import LPS, FloatArray, RigidTransform
from guidegen.lesion.registration import MR, Registration, measured_fit
from guidegen.rounded import shown, shown_beside
from guidegen.surfaces import Surface
from guidegen.volumes import Volume, bounding_box

# Every voxel of this grid well inside the femur is a sample: nothing is drawn at random. Its outermost voxels are not
# taken, where an outline may lie outside the femur.
GRID_MM = 1.5
FEWEST_SAMPLES = 4_000
BINS = 32

# The optimiser's steps at the bone's upper end: the surfaces have come within a millimetre already.
FIRST_STEP_MM, LAST_STEP_MM, STEPS = 0.3, 0.01, 25
LEVER_MM = 40.0  # what a turn of 1 rad moves that end by, for weighing turns against shifts

# The doubt: each quarter of the bone once more on its own, dealt out in cells.
QUARTERS = 4
CELL_MM = 15.0
DOUBT_LEVEL = 0.95
# What no quarter shows: between its slices an image is interpolated, and the optimum wanders with the grid.
SLICE_SHARE = 0.1


def refine_on_images(
    registration: Registration,
    *,
    ct: Volume,
    mr: Volume,
    bone: Surface,
    mr_femur: Surface,
    anatomy: Anatomy,
    at_mm: FloatArray,
) -> Registration:
    """The registration sharpened on the CT (HU, in the frame of the bone) and the MR (grey values, in its own frame).

    `at_mm` (3,) is the lesion in the frame of the MR. The images are left out, and `note` says why, where they put
    the lesion further from its place than both doubts together allow, where they are no surer than the surfaces, or
    where they show too little of the femur.
    """
    doubt = registration.lesion_doubt_mm
    if doubt is None:
        raise ValueError("expected a registration with the doubt at its lesion, found none")
    center = registration.transform.points(at_mm)
    try:
        pose, image_doubt = _by_images(registration.transform, ct, mr, bone, center)
    except RegistrationError as error:
        return replace(registration, note=f"images left out: {error}")
    moved = float(np.linalg.norm(pose.points(at_mm) - center))
    by, with_doubt, usual = (shown(each, 2) for each in (moved, image_doubt, doubt))
    found = f"they move the lesion by {by} mm with a doubt of {with_doubt} mm, the surfaces' is {usual}"
    if moved > doubt + image_doubt:
        return replace(registration, note=f"images left out, they disagree with the surfaces: {found} mm")
    if image_doubt >= doubt:
        return replace(registration, note=f"images left out, they are no surer than the surfaces: {found} mm")
    fit = measured_fit(mr_femur, bone, pose, anatomy)
    return Registration(
        pose,
        fit.rms_mm,
        fit.p95_mm,
        fit.overlap,
        registration.starts_agree_mm,
        lesion_doubt_mm=image_doubt,
        on_images=True,
        note=f"sharpened on the images: {found} mm",
        patch_mm=fit.patch_mm,
    )


def _by_images(
    start: RigidTransform, ct: Volume, mr: Volume, bone: Surface, center: FloatArray
) -> tuple[RigidTransform, float]:
    """The pose that the images prefer and its doubt (mm) at `center` (3,); RegistrationError where they show too
    little.
    """
    grid = _inside(bone, ct, mr, start)
    samples = int(grid.voxels.sum())
    if samples < FEWEST_SAMPLES:
        found_cm3, least_cm3 = (count * GRID_MM**3 / 1000.0 for count in (samples, FEWEST_SAMPLES))
        raise RegistrationError(
            f"expected both images to show at least {shown(least_cm3, 0)} cm³ of the femur, found "
            f"{shown_beside(found_cm3, least_cm3, 0)} cm³; give the images that were segmented"
        )
    fixed, moving = _on_grid(ct, grid), _image(mr.voxels.astype(np.float32), mr)
    pose = _settled(fixed, moving, grid, grid.voxels, start, center)
    lesion = pose.inverse().points(center)
    quarter = _quarters(grid)
    places = [
        _settled(fixed, moving, grid, grid.voxels & (quarter == number), pose, center).points(lesion)
        for number in range(QUARTERS)
    ]
    return pose, float(np.hypot(_radius_mm(np.array(places)), SLICE_SHARE * mr.spacing_mm.max()))


def _radius_mm(places_mm: FloatArray) -> float:
    """The radius that holds the error of the whole with 95 %, from the places (K, 3) that K parts of it find: the
    variance of their mean, alike in all directions, with the quantile of F that so few parts ask for.
    """
    from scipy.stats import f

    count = len(places_mm)
    variance = float(((places_mm - places_mm.mean(axis=0)) ** 2).sum()) / (3.0 * (count - 1) * count)
    return float(np.sqrt(3.0 * variance * f.ppf(DOUBT_LEVEL, 3, 3 * (count - 1))))


def _inside(bone: Surface, ct: Volume, mr: Volume, start: RigidTransform) -> Volume:
    """A grid round the bone and which of its voxels lie well inside the femur and in both images."""
    from scipy import ndimage

    low, high = bone.bounds_mm
    shape = np.floor((high - low) / GRID_MM).astype(int) + 1
    grid = Volume(np.zeros(shape, dtype=bool), np.full(3, GRID_MM), np.eye(3), low)
    points = grid.to_lps(np.indices(shape).reshape(3, -1).T)
    shown = _holds(ct, points) & _holds(mr, start.inverse().points(points))
    inside = np.zeros(len(points), dtype=bool)
    inside[shown] = bone.contains(points[shown])
    grid = replace(grid, voxels=ndimage.binary_erosion(inside.reshape(shape)))
    box = bounding_box(grid.voxels, margin=2)
    return grid if box is None else grid.cropped(box)


def _holds(volume: Volume, points_mm: FloatArray) -> npt.NDArray[np.bool_]:
    """Which points (K, 3) lie between the voxel centres of a volume."""
    index = volume.to_index(points_mm)
    return np.asarray(((index >= 0.0) & (index <= np.array(volume.voxels.shape) - 1.0)).all(axis=1))


def _quarters(grid: Volume) -> npt.NDArray[np.int64]:
    """To which part each voxel of the grid belongs, (I, J, K): cells dealt out so that neighbours differ."""
    i, j, k = (np.indices(grid.voxels.shape) * GRID_MM // CELL_MM).astype(np.int64)
    return np.asarray((i + 2 * j + 3 * k) % QUARTERS)


def _image(voxels: npt.NDArray[Any], place: Volume) -> Any:
    """SimpleITK's image of voxels (I, J, K) at the place of a volume."""
    import SimpleITK as sitk

    image = sitk.GetImageFromArray(np.ascontiguousarray(voxels.transpose()))
    image.SetSpacing(place.spacing_mm.tolist())
    image.SetDirection(place.direction.ravel().tolist())
    image.SetOrigin(place.origin_mm.tolist())
    return image


def _on_grid(ct: Volume, grid: Volume) -> Any:
    """The CT at the voxels of the grid, blurred to what the grid can carry."""
    import SimpleITK as sitk

    corners = np.indices((2, 2, 2)).reshape(3, -1).T * (np.array(grid.voxels.shape) - 1)
    index = ct.to_index(grid.to_lps(corners))
    first = np.maximum(0, np.floor(index.min(axis=0)).astype(int) - 3)
    last = np.minimum(ct.voxels.shape, np.ceil(index.max(axis=0)).astype(int) + 4)
    part = ct.cropped((slice(first[0], last[0]), slice(first[1], last[1]), slice(first[2], last[2])))
    blurred = sitk.SmoothingRecursiveGaussian(_image(part.voxels.astype(np.float32), part), GRID_MM / 2.0)
    return sitk.Resample(blurred, _image(grid.voxels.astype(np.uint8), grid), sitk.Transform(), sitk.sitkLinear)


def _settled(
    fixed: Any, moving: Any, grid: Volume, samples: npt.NDArray[np.bool_], start: RigidTransform, center: FloatArray
) -> RigidTransform:
    """The pose MR → LPS of the most mutual information of the samples (I, J, K), from `start` on."""
    import SimpleITK as sitk

    back = start.inverse()
    turn = sitk.Euler3DTransform()
    turn.SetCenter(center.tolist())
    turn.SetMatrix(back.rotation.ravel().tolist())
    turn.SetTranslation((back.points(center) - center).tolist())
    threads = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)  # the sums of several come in any order
    try:
        method = sitk.ImageRegistrationMethod()
        method.SetMetricAsMattesMutualInformation(BINS)
        method.SetMetricFixedMask(_image(samples.astype(np.uint8), grid))
        method.SetMetricSamplingStrategy(method.NONE)
        method.SetMetricUseMovingImageGradientFilter(False)  # it blurs the MR, and its optimum lies 0.3 mm off
        method.SetMetricUseFixedImageGradientFilter(False)
        method.SetInterpolator(sitk.sitkLinear)
        method.SetOptimizerAsRegularStepGradientDescent(
            FIRST_STEP_MM, LAST_STEP_MM, STEPS, relaxationFactor=0.5, gradientMagnitudeTolerance=1e-8
        )
        method.SetOptimizerScales([LEVER_MM**2] * 3 + [1.0] * 3)
        method.SetInitialTransform(turn, inPlace=True)
        method.Execute(fixed, moving)
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[-1]
        raise RegistrationError(f"expected images that can be laid on each other, found: {reason}") from error
    finally:
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(threads)
    rotation = np.array(turn.GetMatrix()).reshape(3, 3)
    return RigidTransform(rotation, np.array(turn.TransformPoint((0.0, 0.0, 0.0))), LPS, MR).inverse()
