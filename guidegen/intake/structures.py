"""One structure out of a label map: found by number or name, cut to its box, with a rim of empty voxels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from guidegen.case import Label
from guidegen.errors import LabelError
from guidegen.intake.label_maps import LabelMap
from guidegen.volumes import Index, Volume, bounding_box

# Room around a structure for what later stages blur, grow and mesh.
MARGIN_MM = 6.0
ROUNDING = 1e-6  # of a voxel: by which the same spacing differs from file to file, which must not change the margin
# Voxels are looked at in slabs of this many layers, so that no second copy of a whole scan is made.
SLAB = 16
LISTED_LABELS = 20

# The low and high end of each canonical axis.
ENDS = (("right", "left"), ("anterior", "posterior"), ("inferior", "superior"))


@dataclass(frozen=True)
class Found:
    """A label's layer and value in its map, and the box of its voxels."""

    layer: int
    value: int
    box: Index


@dataclass(frozen=True, eq=False)
class Structure:
    """`mask`: bool voxels, empty for at least MARGIN_MM round the structure, beyond the scan if need be.

    `box` holds, in the mask's own indices, the voxels of the first label it was cut for. `touches_border` names
    the ends of the scan that the structure reaches, where it may be cut off.
    """

    mask: Volume
    box: Index
    touches_border: tuple[str, ...]


def find(labels: LabelMap, wanted: Label | None, key: str) -> Found:
    """The label that `key` of the case file asks for; None: the only one there. LabelError if it is not there."""
    layer, value = _only_value(labels, key) if wanted is None else _value(labels, wanted, key)
    box = _box(labels.layers[layer].voxels, value)
    if box is None:
        raise LabelError(f"{key}: expected voxels of label {wanted!r} in {labels.file}, found {listing(labels)}")
    return Found(layer, value, box)


def cut_out(labels: LabelMap, first: Found, *others: Found) -> Structure:
    """The voxels of one label, or of several as one structure, cut out early so that the scan can be let go."""
    volume, found = labels.layers[first.layer], (first, *others)
    low = np.array([[axis.start for axis in each.box] for each in found]).min(axis=0)
    high = np.array([[axis.stop for axis in each.box] for each in found]).max(axis=0)
    shape = np.array(volume.voxels.shape)
    margin = np.ceil(MARGIN_MM / volume.spacing_mm - ROUNDING).astype(int)
    start, stop = low - margin, high + margin
    inside_start, inside_stop = np.maximum(start, 0), np.minimum(stop, shape)
    mask = np.zeros(stop - start, dtype=np.bool_)
    inside = mask[_index(inside_start - start, inside_stop - start)]
    for each in found:
        inside |= labels.layers[each.layer].voxels[_index(inside_start, inside_stop)] == each.value
    touches = [ENDS[axis][0] for axis in range(3) if low[axis] == 0]
    touches += [ENDS[axis][1] for axis in range(3) if high[axis] == shape[axis]]
    own_low, own_high = ([getattr(axis, end) for axis in first.box] for end in ("start", "stop"))
    placed = Volume(mask, volume.spacing_mm, volume.direction, volume.to_lps(start))
    return Structure(placed, _index(own_low - start, own_high - start), tuple(touches))


def _index(start: npt.ArrayLike, stop: npt.ArrayLike) -> Index:
    i, j, k = (slice(int(a), int(b)) for a, b in zip(np.asarray(start), np.asarray(stop), strict=True))
    return (i, j, k)


def _slabs(voxels: npt.NDArray[Any]) -> Iterator[Index]:
    """Boxes that tile the voxels along their slowest axis."""
    axis = int(np.argmax(np.abs(voxels.strides)))
    for start in range(0, voxels.shape[axis], SLAB):
        low, high = [0, 0, 0], list(voxels.shape)
        low[axis], high[axis] = start, min(start + SLAB, voxels.shape[axis])
        yield _index(low, high)


def _box(voxels: npt.NDArray[Any], value: int) -> Index | None:
    ends = []
    for slab in _slabs(voxels):
        box = bounding_box(voxels[slab] == value)
        if box is not None:
            offset = np.array([axis.start for axis in slab])
            ends.append([offset + [axis.start for axis in box], offset + [axis.stop for axis in box]])
    return _index(np.min(ends, axis=0)[0], np.max(ends, axis=0)[1]) if ends else None


def _value(labels: LabelMap, wanted: Label, key: str) -> tuple[int, int]:
    """Layer and value of a label that is asked for by number or by name."""
    if isinstance(wanted, int):
        return _numbered(labels, wanted, key)
    if not labels.segments:
        raise LabelError(
            f"{key}: expected a label number, found the name {wanted!r}, but {labels.file} names no labels; "
            "give the number"
        )
    named = [segment for segment in labels.segments if segment.name == wanted]
    if len(named) != 1:
        raise LabelError(
            f"{key}: expected one segment named {wanted!r} in {labels.file}, found {len(named)}; "
            f"the segments are {', '.join(f'{segment.name!r} = {segment.value}' for segment in labels.segments)}"
        )
    return named[0].layer, named[0].value


def _numbered(labels: LabelMap, value: int, key: str) -> tuple[int, int]:
    """The layer that holds a number, which in a map of several layers may stand for several segments."""
    if len(labels.layers) == 1:
        return 0, value
    layers = [k for k, volume in enumerate(labels.layers) if _box(volume.voxels, value) is not None]
    if len(layers) > 1:
        names = ", ".join(repr(segment.name) for segment in labels.segments if segment.value == value)
        raise LabelError(
            f"{key}: expected one segment of number {value} in {labels.file}, found {len(layers)} in its layers "
            f"({names}); give the name"
        )
    return layers[0] if layers else 0, value


def _only_value(labels: LabelMap, key: str) -> tuple[int, int]:
    """Layer and value of the only structure of a file that holds one."""
    voxels = labels.layers[0].voxels
    value = int(voxels.max())
    others = any(((voxels[slab] != 0) & (voxels[slab] != value)).any() for slab in _slabs(voxels))
    if value <= 0 or others or len(labels.layers) > 1:
        raise LabelError(
            f"{key}: expected one structure in {labels.file}, found {listing(labels)}; "
            'to take one of several, name the file as "labels" and give the label\'s number'
        )
    return 0, value


def label_counts(labels: LabelMap) -> dict[tuple[int, int], int]:
    """How many voxels each (layer, value) has, in their order; 0 is no label."""
    counts: Counter[tuple[int, int]] = Counter()
    for layer, volume in enumerate(labels.layers):
        for slab in _slabs(volume.voxels):
            part = volume.voxels[slab]
            part = part[part != 0]  # sorting takes long, and most of a scan is no label
            values, times = np.unique(part, return_counts=True)
            counts.update({(layer, int(value)): int(n) for value, n in zip(values, times, strict=True)})
    return dict(sorted(counts.items()))


def listing(labels: LabelMap) -> str:
    """The labels that are there, with how many voxels each has, as the end of a sentence."""
    counts = label_counts(labels)
    listed = [f"{value} ({counts[layer, value]} voxels)" for layer, value in list(counts)[:LISTED_LABELS]]
    more = f" and {len(counts) - LISTED_LABELS} more" if len(counts) > LISTED_LABELS else ""
    return f"labels {', '.join(listed)}{more}" if listed else "an empty label map"
