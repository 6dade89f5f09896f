"""A CT or MR series: a folder of DICOM slices, one image to a file → one volume with its place in LPS mm.

The place is computed from what each slice says of its own position and orientation (PS3.3, C.7.6.2), never from
numbers, thicknesses or the tilt of the gantry that a header states, and every slice must lie where the volume puts it.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from guidegen.errors import IdentityError, InputError, VolumeError
from guidegen.frames import FloatArray, angle_deg
from guidegen.intake.headers import MAX_SPACING_MM, MIN_SPACING_MM
from guidegen.intake.images import Image
from guidegen.intake.slices import Slice, read_slice
from guidegen.volumes import Volume

MIN_SLICES, MAX_SLICES = 3, 4096  # of two slices nobody can tell whether one is missing between them
# How far a slice may lie from where the volume puts it. Positions are written as decimal text: rounded to 0.01 mm, as
# few scanners do, a place is off by up to 0.009 mm, and the end slices, which define the steps, as much again.
STACK_TOLERANCE_MM = 0.02
SHOWN = 3  # how many slices a message names

SAME_IDENTITY: dict[str, tuple[str, ...]] = {
    "patient id": ("identity.patient_id",),
    "date of birth": ("identity.birth_date",),
    "sex": ("identity.sex",),
    "study": ("identity.study_uid",),
    "study date": ("identity.study_date",),
    "frame of reference": ("identity.frame_of_reference_uid",),
    "laterality": ("identity.laterality",),
}
SAME_SERIES: dict[str, tuple[str, ...]] = {
    "modality": ("identity.modality",),
    "series": ("identity.series_uid",),
    "size": ("layout.rows", "layout.columns"),
    "kind of stored value": ("layout.bits", "layout.signed"),
    "rescale slope and intercept": ("layout.slope", "layout.intercept"),
}


def read_series(folder: Path, file: str) -> Image:
    """The CT or MR series in a folder that holds nothing else; `file` is the folder's name in messages.

    VolumeError for anything that is not one whole, evenly spaced stack of grey slices; IdentityError if the slices
    are not of one patient, study and frame of reference.
    """
    paths = _files(folder, file)
    slices = [read_slice(path, f"{file}/{_printable(path.name)}", len(paths)) for path in paths]
    _check_one_series(slices, file)
    _check_one_grid(slices, file)
    normal = slices[0].axes[:, 2]
    slices.sort(key=lambda each: float(each.position_mm @ normal))
    volume = _volume(slices, file)
    dates = [each.identity.acquisition_date for each in slices if each.identity.acquisition_date]
    identity = replace(slices[0].identity, file=file, acquisition_date=min(dates, default=None))
    return Image(file, volume.canonical(), identity)


def _files(folder: Path, file: str) -> list[Path]:
    try:
        paths = sorted(folder.iterdir())
    except OSError as error:
        raise VolumeError(f"{file}: expected a folder of slices, found none ({error.strerror})") from error
    for path in paths:
        if path.is_symlink() or not path.is_file():
            raise VolumeError(
                f"{file}: expected nothing but slices, found {_printable(path.name)}, which is no file; "
                "give the series a folder of its own"
            )
    if not MIN_SLICES <= len(paths) <= MAX_SLICES:
        raise VolumeError(
            f"{file}: expected {MIN_SLICES} to {MAX_SLICES} slices, found {len(paths)}; "
            "give the folder that holds the slices of one series, one file each"
        )
    return paths


def _printable(name: str) -> str:
    return name if name.isprintable() else ascii(name)


def _check_one_series(slices: Sequence[Slice], file: str) -> None:
    """Refuse slices of more than one patient, study, frame, series, or that store their values in different ways."""
    for what, fields in SAME_IDENTITY.items():
        _check_same(slices, what, fields, file, IdentityError)
    for what, fields in SAME_SERIES.items():
        _check_same(slices, what, fields, file)


def _check_same(
    slices: Sequence[Slice],
    what: str,
    fields: Sequence[str],
    file: str,
    error: type[InputError] = VolumeError,
) -> None:
    """Refuse slices that differ; what they differ in is not shown, since it may be protected."""
    groups: dict[Hashable, list[Slice]] = {}
    for each in slices:
        groups.setdefault(attrgetter(*fields)(each), []).append(each)
    if len(groups) > 1:
        found = ", ".join(f"{len(group)} like {_own_name(group[0])}" for group in list(groups.values())[:SHOWN])
        raise error(
            f"{file}: expected slices of one {what}, found {len(groups)}: {found}; give each series a folder of its own"
        )


def _check_one_grid(slices: Sequence[Slice], file: str) -> None:
    """Refuse slices whose rows and columns would come apart by more than the tolerance if laid on each other."""
    first = slices[0]
    reach_mm = first.spacing_mm * (first.layout.columns, first.layout.rows)
    turned = [each for each in slices if _apart_mm(each.axes - first.axes, reach_mm) > STACK_TOLERANCE_MM]
    if turned:
        raise VolumeError(
            f"{file}: expected slices of one orientation, found another than in {_own_name(first)} in {_names(turned)} "
            "(a localizer, or reformatted slices?); give each series a folder of its own"
        )
    other = [each for each in slices if _apart_mm(each.axes, _steps_apart_mm(each, first)) > STACK_TOLERANCE_MM]
    if other:
        raise VolumeError(
            f"{file}: expected slices of one pixel spacing, found another than in {_own_name(first)} in "
            f"{_names(other)}; give each series a folder of its own"
        )


def _apart_mm(turn: FloatArray, reach_mm: FloatArray) -> float:
    """How far the corner at `reach_mm` (2,) along rows and columns comes to lie apart."""
    return float(np.abs(turn[:, :2] * reach_mm).sum(axis=1).max())


def _steps_apart_mm(each: Slice, first: Slice) -> FloatArray:
    return np.asarray((each.spacing_mm - first.spacing_mm) * (first.layout.columns, first.layout.rows))


def _volume(slices: Sequence[Slice], file: str) -> Volume:
    """The volume of slices that ascend along their normal; VolumeError if they are no even stack."""
    positions_mm = np.array([each.position_mm for each in slices])
    normal = slices[0].axes[:, 2]
    heights_mm = positions_mm @ normal
    gaps_mm = np.diff(heights_mm)
    _check_places(slices, gaps_mm, file)
    sideways_mm = positions_mm - positions_mm[0] - np.outer(heights_mm - heights_mm[0], normal)
    _check_upright(slices, sideways_mm, gaps_mm, file)
    _check_even(slices, heights_mm, gaps_mm, file)
    step_mm = (heights_mm[-1] - heights_mm[0]) / (len(slices) - 1)
    if not MIN_SPACING_MM <= step_mm <= MAX_SPACING_MM:
        raise VolumeError(
            f"{file}: expected slices {MIN_SPACING_MM} to {MAX_SPACING_MM} mm apart, found them {step_mm:.6g} mm "
            "apart; export it again from the scan"
        )
    spacing_mm = np.append(slices[0].spacing_mm, step_mm)
    return Volume(_grey(slices).transpose(), spacing_mm, slices[0].axes, positions_mm[0])


def _check_places(slices: Sequence[Slice], gaps_mm: FloatArray, file: str) -> None:
    """Refuse two slices at one place, and one slice under two names."""
    _check_unique_uids(slices, file)
    same = np.flatnonzero(gaps_mm <= STACK_TOLERANCE_MM)
    if same.size:
        pairs = ", ".join(f"{_own_name(slices[k])} and {_own_name(slices[k + 1])}" for k in same[:SHOWN])
        raise VolumeError(
            f"{file}: expected one slice at each place, found {same.size} more (copies, echoes or phases?): {pairs}; "
            "export one of them as a series of its own"
        )


def _check_unique_uids(slices: Sequence[Slice], file: str) -> None:
    by_uid: dict[str, Slice] = {}
    for each in slices:
        other = by_uid.setdefault(each.uid, each)
        if other is not each:
            raise VolumeError(
                f"{file}: expected each slice once, found {_own_name(other)} and {_own_name(each)} with one UID; "
                "export the series again"
            )


def _check_upright(slices: Sequence[Slice], sideways_mm: FloatArray, gaps_mm: FloatArray, file: str) -> None:
    """Refuse slices that do not lie above each other but `sideways_mm` (K, 3) of it, and say whether they all lean."""
    off_mm = np.linalg.norm(sideways_mm, axis=1)
    if off_mm.max() <= STACK_TOLERANCE_MM:
        return
    lean_mm = np.median(np.diff(sideways_mm, axis=0) / gaps_mm[:, None], axis=0) * gaps_mm.sum()
    if np.linalg.norm(lean_mm) > STACK_TOLERANCE_MM:
        normal = slices[0].axes[:, 2]
        tilt_deg = angle_deg(normal * gaps_mm.sum() + lean_mm, normal)
        raise VolumeError(
            f"{file}: expected slices stacked at right angles, found them leaning by {tilt_deg:.2f}°, "
            f"{np.linalg.norm(lean_mm):.3g} mm from first to last (a tilted gantry); "
            "resample the scan to right angles, or scan without tilt"
        )
    beside = [each for each, is_off in zip(slices, off_mm > STACK_TOLERANCE_MM, strict=True) if is_off]
    raise VolumeError(
        f"{file}: expected slices stacked above each other, found {_names(beside)} up to {off_mm.max():.3g} mm "
        f"beside {_own_name(slices[0])}; export it again from the scan"
    )


def _check_even(slices: Sequence[Slice], heights_mm: FloatArray, gaps_mm: FloatArray, file: str) -> None:
    """Refuse steps that are not even, and say where slices are missing if all steps are multiples of one."""
    even_mm = np.linspace(heights_mm[0], heights_mm[-1], len(slices))
    if np.abs(heights_mm - even_mm).max() <= STACK_TOLERANCE_MM:
        return
    step_mm = float(np.median(gaps_mm))
    steps = np.rint(gaps_mm / step_mm)
    if (np.abs(gaps_mm - steps * step_mm) <= STACK_TOLERANCE_MM * steps).all():
        wide = np.flatnonzero(steps > 1)
        places = ", ".join(
            f"{steps[k] - 1:.0f} between {_own_name(slices[k])} and {_own_name(slices[k + 1])}" for k in wide[:SHOWN]
        )
        raise VolumeError(
            f"{file}: expected a slice every {step_mm:.4g} mm, found {(steps - 1).sum():.0f} missing: {places}; "
            "export the whole series again"
        )
    odd = int(np.abs(gaps_mm - step_mm).argmax())
    raise VolumeError(
        f"{file}: expected even steps between slices, found {gaps_mm.min():.4g} to {gaps_mm.max():.4g} mm, the oddest "
        f"between {_own_name(slices[odd])} and {_own_name(slices[odd + 1])}; export it again, or resample it"
    )


def _grey(slices: Sequence[Slice]) -> npt.NDArray[Any]:
    """The grey values (K, rows, columns): int16 where they all are whole and fit, else float32."""
    layout = slices[0].layout
    low = min(int(each.pixels.min()) for each in slices) * layout.slope + layout.intercept
    high = max(int(each.pixels.max()) for each in slices) * layout.slope + layout.intercept
    limits = np.iinfo(np.int16)
    whole = layout.slope.is_integer() and layout.intercept.is_integer() and limits.min <= low and high <= limits.max
    grey = np.empty((len(slices), layout.rows, layout.columns), np.int16 if whole else np.float32)
    for plane, each in zip(grey, slices, strict=True):
        plane[:] = each.pixels * layout.slope + layout.intercept
    return grey


def _own_name(each: Slice) -> str:
    return each.name.rpartition("/")[2]


def _names(slices: Sequence[Slice]) -> str:
    names = ", ".join(_own_name(each) for each in slices[:SHOWN])
    return f"{names} and {len(slices) - SHOWN} more" if len(slices) > SHOWN else names
