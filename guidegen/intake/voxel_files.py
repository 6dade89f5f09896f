"""NIfTI, NRRD and MetaImage files → numbers with their place in LPS mm, in which two readers agree.

Readers of images are no safety layer: SimpleITK fills the rest of a cut-off NIfTI with 0 and makes NaN 0, follows a
header that names another file for its voxels, and stops before the check sum of a packed file. So the voxels are read
here, each byte once and to the end of its packing, as many as the header needs and not one more. SimpleITK says where
they lie, and every place that the header states by itself (for NIfTI as nibabel has it) must be the same.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from io import BufferedIOBase
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from guidegen.errors import VolumeError
from guidegen.frames import FloatArray
from guidegen.intake.headers import (
    DIRECTION_TOLERANCE,
    MAX_BYTES,
    MAX_SPACING_MM,
    MIN_SPACING_MM,
    PLACE_TOLERANCE_MM,
    Header,
)
from guidegen.intake.metaimage import opened_metaimage
from guidegen.intake.nifti import opened_nifti
from guidegen.intake.nrrd import opened_nrrd
from guidegen.volumes import Volume

UNREADABLE = (OSError, EOFError, zlib.error)
CHUNK_VOXELS = 1 << 20

Opener = Callable[[Path, str], AbstractContextManager[tuple[Header, BufferedIOBase]]]
Numbers = npt.NDArray[Any]

# File ending → what opens it, and SimpleITK's reader of its place.
FORMATS: dict[str, tuple[Opener, str]] = {
    ".nii": (opened_nifti, "NiftiImageIO"),
    ".nii.gz": (opened_nifti, "NiftiImageIO"),
    ".nrrd": (opened_nrrd, "NrrdImageIO"),
    ".mha": (opened_metaimage, "MetaImageIO"),
    ".mhd": (opened_metaimage, "MetaImageIO"),
}


@dataclass(frozen=True, eq=False)
class Grid:
    """Where voxels lie in LPS mm: spacing (3,), direction (3, 3) with the index axes as its columns, origin (3,)."""

    spacing_mm: FloatArray
    direction: FloatArray
    origin_mm: FloatArray

    def volume(self, voxels: Numbers) -> Volume:
        """The voxels (I, J, K), canonical; rounding of the direction is taken off about their middle."""
        to_middle = self.spacing_mm * (np.array(voxels.shape) - 1.0) / 2.0
        rotation = _nearest_rotation(self.direction)
        origin = self.origin_mm + (self.direction - rotation) @ to_middle
        return Volume(voxels, self.spacing_mm, rotation, origin).canonical()


@dataclass(frozen=True, eq=False)
class VoxelFile:
    """An open file: what it states, where it lies, and its voxels, which can be read once."""

    file: str
    header: Header
    grid: Grid
    stream: BufferedIOBase

    def volumes(self, kind: npt.DTypeLike, converted: Callable[[Numbers], Numbers]) -> tuple[Volume, ...]:
        """The layers as canonical volumes of numbers of `kind`, made by `converted` of stored ones, some at a time.

        VolumeError where there are fewer or more bytes than the header needs, or more than MAX_BYTES.
        """
        header, kind = self.header, np.dtype(kind)
        count = int(np.prod(header.shape, dtype=object))
        if count * header.layers * max(kind.itemsize, header.kind.itemsize) > MAX_BYTES:
            raise VolumeError(
                f"{self.file}: expected at most {MAX_BYTES >> 30} GiB of voxels, found {header.layers} × "
                f"{' × '.join(map(str, header.shape))} of {kind}; crop the image to the hip"
            )
        layers = np.empty((header.layers, count), kind)
        for start in range(0, count, CHUNK_VOXELS):
            stop = min(start + CHUNK_VOXELS, count)
            layers[:, start:stop] = converted(self._stored(start, stop, count)).reshape(-1, header.layers).T
        if self.stream.read(1):
            raise VolumeError(
                f"{self.file}: expected {count * header.layers * header.kind.itemsize} bytes of voxels for "
                f"{' × '.join(map(str, header.shape))}, found more: the header is altered; export it again"
            )
        return tuple(self.grid.volume(layer.reshape(header.shape[::-1]).transpose()) for layer in layers)

    def _stored(self, start: int, stop: int, count: int) -> Numbers:
        """The next numbers as they are stored, those of voxels `start` to `stop` of `count`."""
        voxel_bytes = self.header.layers * self.header.kind.itemsize
        raw = self.stream.read((stop - start) * voxel_bytes)
        if len(raw) < (stop - start) * voxel_bytes:
            raise VolumeError(
                f"{self.file}: expected {count * voxel_bytes} bytes of voxels for "
                f"{' × '.join(map(str, self.header.shape))}, found {start * voxel_bytes + len(raw)}: "
                "the file is cut off; copy it again"
            )
        return np.frombuffer(raw, self.header.kind)


@contextmanager
def opened(path: Path, file: str) -> Iterator[VoxelFile]:
    """The voxel file at `path`, its header and place checked; `file` is its name in messages. Raises VolumeError."""
    suffix = next((ending for ending in FORMATS if file.lower().endswith(ending)), None)
    if suffix is None:
        raise VolumeError(f"{file}: expected an image as {', '.join(FORMATS)}, found another ending; export it as one")
    opener, reader = FORMATS[suffix]
    try:
        with opener(path, file) as (header, stream):
            yield VoxelFile(file, header, _grid(path, reader, header, file), stream)
    except UNREADABLE as error:
        raise VolumeError(
            f"{file}: expected a whole file, found one that cannot be read ({error}); copy it again"
        ) from error


def _grid(path: Path, image_io: str, header: Header, file: str) -> Grid:
    """Where SimpleITK puts the voxels; refused where that is no place, or in doubt."""
    import SimpleITK as sitk

    reader = sitk.ImageFileReader()
    reader.SetImageIO(image_io)
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
    except RuntimeError as error:
        reason = (str(error).strip() or "no reason given").splitlines()[-1]
        raise VolumeError(f"{file}: expected an image that can be read, found: {reason}; export it again") from error
    if (*reader.GetSize(), *[1] * (3 - reader.GetDimension())) != header.shape:
        raise VolumeError(f"{file}: expected {header.shape} voxels, found that another reader sees {reader.GetSize()}")
    spacing, direction = np.array(reader.GetSpacing()), np.array(reader.GetDirection()).reshape(3, 3)
    grid = Grid(spacing, direction, np.array(reader.GetOrigin()))
    _check_spacing(grid, file)
    _check_places(grid, header, file)
    return grid


def _check_spacing(grid: Grid, file: str) -> None:
    if not ((grid.spacing_mm >= MIN_SPACING_MM) & (grid.spacing_mm <= MAX_SPACING_MM)).all():
        raise VolumeError(
            f"{file}: expected spacings from {MIN_SPACING_MM} to {MAX_SPACING_MM} mm, "
            f"found {' × '.join(f'{step:.6g}' for step in grid.spacing_mm)}; is the file in mm?"
        )
    if not np.abs(grid.direction.T @ grid.direction - np.eye(3)).max() <= DIRECTION_TOLERANCE:
        raise VolumeError(
            f"{file}: expected index axes at right angles, found direction {grid.direction.round(6).tolist()} "
            "(a tilted gantry?); resample the image to right angles"
        )


def _check_places(grid: Grid, header: Header, file: str) -> None:
    """Refuse a place that another reader, or another statement in the file itself, has elsewhere."""
    corners = np.array(list(product(*((0.0, count - 1.0) for count in header.shape))))
    corners_mm = (corners * grid.spacing_mm) @ grid.direction.T + grid.origin_mm
    from_first_mm = np.linalg.norm(corners_mm - corners_mm[0], axis=1)
    for stated in header.places:
        apart_mm = np.linalg.norm(corners @ stated.matrix[:, :3].T + stated.matrix[:, 3] - corners_mm, axis=1)
        if not (apart_mm <= PLACE_TOLERANCE_MM + stated.rounding_rad * from_first_mm).all():
            raise VolumeError(
                f"{file}: expected one place in the patient, found statements of it {apart_mm.max():.4g} mm apart "
                "(qform, sform or what another reader makes of them); export it again so that they agree"
            )


def _nearest_rotation(direction: FloatArray) -> FloatArray:
    """The orthogonal matrix nearest to one that is orthogonal but for rounding (polar decomposition)."""
    left, _, right = np.linalg.svd(direction)
    return np.asarray(left @ right)
