"""What a file holds, as a person who is about to use it wants to see it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from guidegen.errors import VolumeError
from guidegen.frames import FloatArray
from guidegen.intake.formats import STRUCTURE_SET, image_in, is_dicom, labels_in, sop_class
from guidegen.intake.identity import Identity
from guidegen.intake.label_maps import LabelMap
from guidegen.intake.structures import label_counts
from guidegen.intake.surface_files import FORMATS as SURFACE_FORMATS
from guidegen.intake.surface_files import shape_of_file
from guidegen.rounded import shown, significant
from guidegen.volumes import Volume

# A voxel file with more kinds of whole numbers than any label map has, or with numbers below 0, is an image.
MOST_LABELS = 1024


@dataclass(frozen=True)
class LabelSeen:
    """One label: its name where the file gives one, its number, and how much it holds; a contour has no volume yet."""

    name: str | None
    value: int | None
    volume_mm3: float | None


@dataclass(frozen=True, eq=False)
class Grid:
    """The voxels' number (3,) and spacing (3,) in mm along left, posterior and superior, the angle by which their axes
    are off these, and the corners (2, 3) of the box round their centres in LPS mm.
    """

    size: tuple[int, ...]
    spacing_mm: FloatArray
    turned_deg: float
    corners_mm: FloatArray

    def rows(self) -> Iterator[tuple[str, str]]:
        """Name and text of each fact, as a person reads it."""
        yield "voxels", " × ".join(str(count) for count in self.size)
        spacing = " × ".join(significant(step, 4) for step in self.spacing_mm)
        yield "spacing", f"{spacing} mm (left, posterior, superior)"
        yield "turned from the patient's axes", f"{shown(self.turned_deg, 1)}°"
        low, high = self.corners_mm
        for axis, ends in zip("xyz", (("right", "left"), ("front", "back"), ("foot", "head")), strict=True):
            k = "xyz".index(axis)
            yield f"{ends[0]} to {ends[1]}", f"{shown(low[k], 1)} to {shown(high[k], 1)} mm ({axis}, LPS)"


@dataclass(frozen=True, eq=False)
class Look:
    """What a file, or the folder of a series, holds.

    `values` are the 1st, 50th and 99th percentile of an image; `bounds` the least and greatest x, y, z of a surface, in
    the file's own unit.
    """

    file: str
    what: str
    sha256: str
    grid: Grid | None
    labels: tuple[LabelSeen, ...]
    values: tuple[float, ...]
    bounds: tuple[float, ...]
    identity: Identity | None

    def rows(self) -> Iterator[tuple[str, str]]:
        """Name and text of everything but the labels, as a person reads it."""
        yield "holds", self.what
        if self.grid is not None:
            yield from self.grid.rows()
        if self.values:
            yield "values (1 %, 50 %, 99 %)", ", ".join(significant(value, 4) for value in self.values)
        if self.bounds:
            x, y, z = (
                f"{significant(low, 4)} to {significant(high, 4)}"
                for low, high in zip(self.bounds[:3], self.bounds[3:], strict=True)
            )
            yield "x, y, z, in its own unit and space", f"{x} · {y} · {z}"
        said = self.identity or Identity(self.file)
        yield "patient id", said.patient_id or "not said"
        yield "side", said.laterality or "not said"
        yield "modality", said.modality or "not said"
        yield "study, acquired", f"{said.study_date or 'not said'}, {said.acquisition_date or 'not said'}"
        yield "SHA-256", self.sha256


def look_at(name: str, reading: Callable[[str], None] = lambda _file: None) -> Look:
    """Look at the file or folder of this name, in this process: for a file of unknown origin use `contained`.

    Raises VolumeError, LabelError or SurfaceError for what a case would refuse as well.
    """
    path = Path(name)
    reading(path.name)
    if not path.exists():
        raise VolumeError(f"{path.name}: expected a file or the folder of a DICOM series, found none of that name")
    if not path.is_dir() and path.name.lower().endswith(SURFACE_FORMATS):
        return _surface(path)
    if path.is_dir():
        image = image_in(path, path.name)
        return _image(path, image.volume, image.identity)
    if is_dicom(path):
        return _dicom(path)
    return _voxels(path)


def _surface(path: Path) -> Look:
    """A surface, whose file says neither its unit nor its side of the world, or only in part."""
    count, bounds = shape_of_file(path, path.name)
    return Look(path.name, f"surface of {count} triangles", _sha256(path), None, (), (), bounds, None)


def _dicom(path: Path) -> Look:
    if sop_class(path, path.name) == STRUCTURE_SET:
        from guidegen.intake.dicom import identity_of, open_dicom
        from guidegen.intake.structure_sets import names_in

        identity = identity_of(open_dicom(path, path.name, pixels=False), path.name)
        seen = tuple(LabelSeen(found, None, None) for found in names_in(path, path.name))
        return Look(path.name, "DICOM structure set", _sha256(path), None, seen, (), (), identity)
    return _label_map(path, labels_in(path, path.name), "DICOM segmentation")


def _voxels(path: Path) -> Look:
    """A label map if it can be one, else an image."""
    try:
        labels = labels_in(path, path.name)
    except VolumeError:
        image = image_in(path, path.name)  # it may be no label map because it is an image: then this succeeds
        return _image(path, image.volume, image.identity)
    voxels = labels.layers[0].voxels
    thinned = np.unique(voxels[::3, ::3, ::3])
    if not labels.segments and (thinned[0] < 0 or len(thinned) > MOST_LABELS):
        return _image(path, labels.layers[0], labels.identity)
    return _label_map(path, labels, "label map")


def _image(path: Path, volume: Volume, identity: Identity | None) -> Look:
    low, middle, high = np.percentile(volume.voxels[::2, ::2, ::2], [1, 50, 99])
    values = (float(low), float(middle), float(high))
    return Look(path.name, "image", _sha256(path), _grid(volume), (), values, (), identity)


def _label_map(path: Path, labels: LabelMap, what: str) -> Look:
    names = {(segment.layer, segment.value): segment.name for segment in labels.segments}
    size = labels.layers[0].voxel_volume_mm3
    seen = tuple(
        LabelSeen(names.get(key), key[1], count * size) for key, count in label_counts(labels).items()
    )  # fmt: skip
    return Look(path.name, what, _sha256(path), _grid(labels.layers[0]), seen, (), (), labels.identity)


def _grid(volume: Volume) -> Grid:
    shape = np.array(volume.voxels.shape)
    ends = np.stack(np.meshgrid(*([0, count - 1] for count in shape), indexing="ij"), axis=-1).reshape(-1, 3)
    corners = volume.to_lps(ends)
    turned = float(np.degrees(np.arccos(np.clip(np.diag(volume.direction), -1.0, 1.0))).max())
    box = np.stack([corners.min(axis=0), corners.max(axis=0)])
    return Grid(tuple(int(count) for count in shape), volume.spacing_mm, turned, box)


def _sha256(path: Path) -> str:
    """Of a file its SHA-256; of a folder that of the list of its files' names and SHA-256."""
    if not path.is_dir():
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    listed = "".join(f"{_sha256(entry)}  {entry.name}\n" for entry in sorted(path.iterdir()) if entry.is_file())
    return hashlib.sha256(listed.encode()).hexdigest()
