"""Frames that each state their own place in the patient → the one grid that all of them lie on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from guidegen.case import MAX_COORDINATE_MM
from guidegen.errors import VolumeError
from guidegen.frames import FloatArray, IntArray, across
from guidegen.intake.dicom import numbers, text
from guidegen.intake.elements import items, within
from guidegen.intake.headers import DIRECTION_TOLERANCE, MAX_SPACING_MM, MIN_SPACING_MM
from guidegen.intake.series import STACK_TOLERANCE_MM

if TYPE_CHECKING:
    from pydicom.dataset import Dataset


@dataclass(frozen=True, eq=False)
class Planes:
    """What the frames of a multi-frame object state of their places, one row per frame.

    `positions_mm` (F, 3): the centre of the first voxel. `cosines` (F, 2, 3): the directions in which one runs along a
    row and along a column. `steps_mm` (F, 2): from voxel to voxel along a row and along a column. `between_mm`: from
    slice to slice, None where it is not stated.
    """

    positions_mm: FloatArray
    cosines: FloatArray
    steps_mm: FloatArray
    between_mm: float | None


@dataclass(frozen=True, eq=False)
class Grid:
    """A grid of `shape` columns, rows and slices, placed as in Volume; `slices` (F,) is where each frame belongs."""

    shape: tuple[int, int, int]
    spacing_mm: FloatArray
    direction: FloatArray
    origin_mm: FloatArray
    slices: IntArray


def per_frame(dataset: Dataset, group: str, keyword: str, size: int, file: str) -> FloatArray:
    """The numbers (F, size) that each frame states in a functional group, for itself or all frames together."""
    shared = [
        each for one in items(dataset, "SharedFunctionalGroupsSequence", file) for each in items(one, group, file)
    ]
    rows = []
    for number, frame in enumerate(items(dataset, "PerFrameFunctionalGroupsSequence", file), start=1):
        stated = items(frame, group, file) or shared
        if len(stated) != 1:
            raise VolumeError(
                f"{file}: expected one {group} for frame {number}, found {len(stated)}; export it again with the place "
                "of every frame"
            )
        rows.append(numbers(stated[0], keyword, size, f"{file}, frame {number}"))
    return np.array(rows)


def planes_of(dataset: Dataset, file: str) -> Planes:
    """The places of all frames, as stated; VolumeError for one that is missing or no number."""
    count = within(dataset, "NumberOfFrames", 1, 2**31 - 1, file)
    found = len(items(dataset, "PerFrameFunctionalGroupsSequence", file))
    if found != count:
        raise VolumeError(f"{file}: expected the places of {count} frames, found {found}; export it again")
    positions = per_frame(dataset, "PlanePositionSequence", "ImagePositionPatient", 3, file)
    if np.abs(positions).max() > MAX_COORDINATE_MM:
        raise VolumeError(
            f"{file}: expected places within ±{MAX_COORDINATE_MM} mm, found {np.abs(positions).max():.6g}; "
            "is the file in mm?"
        )
    return Planes(
        positions_mm=positions,
        cosines=per_frame(dataset, "PlaneOrientationSequence", "ImageOrientationPatient", 6, file).reshape(-1, 2, 3),
        steps_mm=per_frame(dataset, "PixelMeasuresSequence", "PixelSpacing", 2, file)[:, ::-1],
        between_mm=_between_mm(dataset, file),
    )


def _between_mm(dataset: Dataset, file: str) -> float | None:
    groups = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")
    frames = [frame for group in groups for frame in items(dataset, group, file)]
    measures = [each for frame in frames for each in items(frame, "PixelMeasuresSequence", file)]
    if all(text(each, "SpacingBetweenSlices") is None for each in measures):
        return None
    return float(
        _alike(per_frame(dataset, "PixelMeasuresSequence", "SpacingBetweenSlices", 1, file), "spacing", file)[0]
    )


def _alike(rows: FloatArray, what: str, file: str) -> FloatArray:
    """The one row that all frames state."""
    same = (rows == rows[0]).reshape(len(rows), -1).all(axis=1)
    if not same.all():
        raise VolumeError(
            f"{file}: expected one {what} for all frames, found another for frame {int(same.argmin()) + 1}; "
            "export the segmentation of one series only"
        )
    return np.asarray(rows[0])


def grid_of(planes: Planes, columns: int, rows: int, file: str) -> Grid:
    """The grid of all frames: right-angled, evenly spaced; VolumeError where there is none."""
    cosines = _alike(planes.cosines, "orientation", file).clip(-2.0, 2.0)  # what overflows is no direction either
    if not np.abs(cosines @ cosines.T - np.eye(2)).max() <= DIRECTION_TOLERANCE:
        raise VolumeError(
            f"{file}: expected rows and columns at right angles, found {cosines.round(6).tolist()}; "
            "resample the image to right angles"
        )
    left, _, right = np.linalg.svd(np.column_stack([*cosines, np.cross(*cosines)]))  # rounding is taken off
    direction = np.asarray(left @ right)
    normal = direction[:, 2]
    feet_mm = across(planes.positions_mm, normal)
    aside_mm = np.linalg.norm(feet_mm - feet_mm[0], axis=1)
    if aside_mm.max() > STACK_TOLERANCE_MM:
        raise VolumeError(
            f"{file}: expected frames straight above one another, found frame {int(aside_mm.argmax()) + 1} "
            f"{aside_mm.max():.4g} mm aside (a tilted gantry?); resample the image to right angles"
        )
    heights_mm = planes.positions_mm @ normal
    slices, between_mm = _slices(heights_mm, planes.between_mm, file)
    spacing = np.array([*_alike(planes.steps_mm, "spacing", file), between_mm])
    _check_spacing(spacing, file)
    shape = (columns, rows, int(slices.max()) + 1)
    return Grid(shape, spacing, direction, feet_mm.mean(axis=0) + heights_mm.min() * normal, slices)


def _check_spacing(spacing_mm: FloatArray, file: str) -> None:
    if not ((spacing_mm >= MIN_SPACING_MM) & (spacing_mm <= MAX_SPACING_MM)).all():
        raise VolumeError(
            f"{file}: expected spacings from {MIN_SPACING_MM} to {MAX_SPACING_MM} mm, "
            f"found {' × '.join(f'{step:.6g}' for step in spacing_mm)}; is the file in mm?"
        )


def _slices(heights_mm: FloatArray, stated_mm: float | None, file: str) -> tuple[IntArray, float]:
    """The slice (F,) that each frame belongs to, counted from the lowest, and the mm from one slice to the next."""
    order = np.argsort(heights_mm, kind="stable")
    gaps_mm = np.diff(heights_mm[order])
    apart = gaps_mm > STACK_TOLERANCE_MM
    if stated_mm is None and not apart.any():
        raise VolumeError(
            f"{file}: expected SpacingBetweenSlices, or frames in several slices, found neither, so that no slice has "
            "a thickness; export it again with its geometry"
        )
    step_mm = float(gaps_mm[apart].min()) if stated_mm is None else stated_mm
    _check_spacing(np.array([step_mm]), file)
    steps = np.where(apart, np.rint(gaps_mm / step_mm), 0.0)
    slices = np.zeros(len(order), dtype=np.int64)
    slices[order[1:]] = np.cumsum(steps)
    last = int(slices.max())
    between_mm = float(np.ptp(heights_mm)) / last if last else step_mm
    off_mm = np.abs(heights_mm - heights_mm.min() - slices * between_mm).max()
    if max(off_mm, abs(between_mm - step_mm)) > STACK_TOLERANCE_MM:
        worst = int(np.where(apart, np.abs(gaps_mm - steps * step_mm), 0.0).argmax())
        raise VolumeError(
            f"{file}: expected slices every {step_mm:.6g} mm, found frames {order[worst] + 1} and "
            f"{order[worst + 1] + 1} one after the other at a distance of {gaps_mm[worst]:.6g} mm; "
            "resample the image to even slices"
        )
    if last and steps[apart].min() > 1:
        raise VolumeError(
            f"{file}: expected neighbouring slices {step_mm:.6g} mm apart, as the file states, found none nearer than "
            f"{gaps_mm[apart].min():.6g} mm; export it again with its geometry"
        )
    return slices, between_mm
