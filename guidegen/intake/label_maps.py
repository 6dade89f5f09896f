"""Label maps: NIfTI, NRRD and MHA files → whole-number voxels with their place in LPS mm."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from guidegen.case import MAX_LABEL
from guidegen.errors import VolumeError
from guidegen.frames import FloatArray
from guidegen.intake.headers import MAX_BYTES, UNREADABLE, Header, mha_header, nifti_header, nrrd_header
from guidegen.volumes import Volume

MIN_SPACING_MM, MAX_SPACING_MM = 0.1, 10.0
# How far index axes may be from right angles: what a header of few decimals rounds, not shear.
DIRECTION_TOLERANCE = 1e-4
# How far two statements of the same place may be apart, anywhere in the volume, beyond their own rounding.
PLACE_TOLERANCE_MM = 0.01
# How far a label stored as a float may be from a whole number.
LABEL_TOLERANCE = 1e-6

# File ending → the one reader that may open it, and the check of what that reader lets pass.
FORMATS: dict[str, tuple[str, Callable[[Path, str], Header]]] = {
    ".nii": ("NiftiImageIO", nifti_header),
    ".nii.gz": ("NiftiImageIO", nifti_header),
    ".nrrd": ("NrrdImageIO", nrrd_header),
    ".mha": ("MetaImageIO", mha_header),
}


@dataclass(frozen=True, eq=False)
class LabelMap:
    """A whole label map. `volume` is canonical and its voxels are whole numbers, 0 where nothing is.

    `names` are the pairs of name and value that a .seg.nrrd states; other formats have none.
    """

    file: str
    volume: Volume
    names: tuple[tuple[str, int], ...]


class _Buffer:
    """The voxels of a SimpleITK image for numpy, uncopied: the array keeps this object, and so the image, alive."""

    def __init__(self, image: Any) -> None:
        import SimpleITK as sitk

        self.image = image
        self.__array_interface__ = sitk.GetArrayViewFromImage(image).__array_interface__


def read_label_map(path: Path, file: str) -> LabelMap:
    """The label map at `path`; `file` is its name in messages. VolumeError for anything that is no label map."""
    import SimpleITK as sitk

    suffix = next((ending for ending in FORMATS if file.lower().endswith(ending)), None)
    if suffix is None:
        raise VolumeError(
            f"{file}: expected a label map as {', '.join(FORMATS)}, found another ending; export it as one"
        )
    reader_name, check_header = FORMATS[suffix]
    try:
        header = check_header(path, file)
    except UNREADABLE as error:
        raise VolumeError(
            f"{file}: expected a whole file, found one that cannot be read ({error}); copy it again"
        ) from error
    reader = sitk.ImageFileReader()
    reader.SetImageIO(reader_name)
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
        _check_kind(reader, header, file)
        _check_place(reader, header, file)
        image = reader.Execute()
    except (RuntimeError, MemoryError) as error:
        reason = (str(error).strip() or "not enough memory").splitlines()[-1]
        raise VolumeError(f"{file}: expected an image that can be read, found: {reason}; export it again") from error
    voxels = _whole_numbers(np.asarray(_Buffer(image)), file).transpose()
    return LabelMap(file, _placed(voxels, image, file), _segment_names(reader))


def _check_kind(reader: Any, header: Header, file: str) -> None:
    """Refuse what is no scalar volume, or not wholly there, before its memory is asked for."""
    import SimpleITK as sitk

    size, components = reader.GetSize(), reader.GetNumberOfComponents()
    if len(size) != 3:
        raise VolumeError(f"{file}: expected a volume of 3 axes, found {len(size)}; export one volume only")
    if components != 1:
        raise VolumeError(
            f"{file}: expected one label per voxel, found {components} values (colours, or a segmentation "
            "in several layers); export it as one label map"
        )
    kind = sitk.GetArrayViewFromImage(sitk.Image([1, 1, 1], reader.GetPixelID())).dtype
    if kind.kind not in "iuf":
        raise VolumeError(f"{file}: expected whole numbers as labels, found another kind of voxel; export a label map")
    expected = int(np.prod(size, dtype=np.float64)) * kind.itemsize
    if expected > MAX_BYTES:
        raise VolumeError(f"{file}: expected at most {MAX_BYTES >> 30} GiB of voxels, found {size}; crop the image")
    if header.data_bytes < expected:
        raise VolumeError(
            f"{file}: expected {expected} bytes of voxels for {size[0]} × {size[1]} × {size[2]}, "
            f"found {header.data_bytes}: the file is cut off; copy it again"
        )


def _whole_numbers(voxels: npt.NDArray[Any], file: str) -> npt.NDArray[Any]:
    """The voxels as they are if their type is whole, else as int32; VolumeError if one is no whole number."""
    if voxels.dtype.kind != "f":
        return voxels
    whole = np.empty(voxels.shape, np.int32)
    for plane, target in zip(voxels, whole, strict=True):
        if not np.isfinite(plane).all() or np.abs(plane).max() >= MAX_LABEL:
            raise VolumeError(f"{file}: expected finite labels below {MAX_LABEL}, found others; export a label map")
        rounded = np.rint(plane)
        off = np.abs(plane - rounded)
        if off.max() > LABEL_TOLERANCE:
            found = float(plane.flat[int(off.argmax())])
            raise VolumeError(
                f"{file}: expected whole numbers as labels, found {found:.6g}; this is an image or was "
                "interpolated: export the label map itself (nearest neighbour)"
            )
        target[:] = rounded
    return whole


def _check_place(reader: Any, header: Header, file: str) -> None:
    """Refuse a place that is none, or that is in doubt."""
    spacing, direction, origin = _place(reader)
    if not ((spacing >= MIN_SPACING_MM) & (spacing <= MAX_SPACING_MM)).all():
        raise VolumeError(
            f"{file}: expected spacings from {MIN_SPACING_MM} to {MAX_SPACING_MM} mm, "
            f"found {' × '.join(f'{step:.6g}' for step in spacing)}; is the file in mm?"
        )
    if not np.abs(direction.T @ direction - np.eye(3)).max() <= DIRECTION_TOLERANCE:
        raise VolumeError(
            f"{file}: expected index axes at right angles, found direction {direction.round(6).tolist()} "
            "(a tilted gantry?); resample the image to right angles"
        )
    corners = np.array(list(product(*((0.0, count - 1.0) for count in reader.GetSize()))))
    corners_mm = (corners * spacing) @ direction.T + origin
    from_first_mm = np.linalg.norm(corners_mm - corners_mm[0], axis=1)
    for stated in header.places:
        apart_mm = np.linalg.norm(corners @ stated.matrix[:, :3].T + stated.matrix[:, 3] - corners_mm, axis=1)
        if not (apart_mm <= PLACE_TOLERANCE_MM + stated.rounding_rad * from_first_mm).all():
            raise VolumeError(
                f"{file}: expected one place in the patient, found statements of it {apart_mm.max():.4g} mm apart "
                "(qform, sform or what the reader makes of them); export it again so that they agree"
            )


def _placed(voxels: npt.NDArray[Any], image: Any, file: str) -> Volume:
    """The voxels (I, J, K) at the image's place, canonical; rounding of its direction is taken off about its middle."""
    spacing, direction, origin = _place(image)
    to_middle = spacing * (np.array(voxels.shape) - 1.0) / 2.0
    rotation = _nearest_rotation(direction)
    try:
        return Volume(voxels, spacing, rotation, origin + (direction - rotation) @ to_middle).canonical()
    except ValueError as error:
        raise VolumeError(f"{file}: {error}; export it again from the scan") from error


def _place(image: Any) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Spacing (3,), direction (3, 3) and origin (3,) as SimpleITK has them: LPS mm."""
    direction = np.array(image.GetDirection()).reshape(3, 3)
    return np.array(image.GetSpacing()), direction, np.array(image.GetOrigin())


def _nearest_rotation(direction: FloatArray) -> FloatArray:
    """The orthogonal matrix nearest to one that is orthogonal but for rounding (polar decomposition)."""
    left, _, right = np.linalg.svd(direction)
    return np.asarray(left @ right)


def _segment_names(reader: Any) -> tuple[tuple[str, int], ...]:
    """The names and values that 3D Slicer writes into a .seg.nrrd as Segment<n>_Name and Segment<n>_LabelValue."""
    stated = {key: reader.GetMetaData(key) for key in reader.GetMetaDataKeys() if key.startswith("Segment")}
    pairs = []
    for key in sorted(stated):
        value = stated.get(key.removesuffix("_Name") + "_LabelValue", "")
        if re.fullmatch("Segment[0-9]+_Name", key) and re.fullmatch("[0-9]{1,9}", value):
            pairs.append((stated[key], int(value)))
    return tuple(pairs)
