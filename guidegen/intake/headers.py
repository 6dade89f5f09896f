"""What a voxel file states of itself before its voxels are read, and what the text headers of two formats share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedIOBase
from typing import Any

import numpy as np

from guidegen.errors import VolumeError
from guidegen.frames import FloatArray

# More than any hip scan. A file of more voxels is refused by the arithmetic of its header, and of any other file
# no byte more is unpacked than its header needs.
MAX_BYTES = 1 << 30
MAX_HEADER_BYTES = 1 << 22

MIN_SPACING_MM, MAX_SPACING_MM = 0.1, 10.0
# How far index axes may be from right angles: what a header of few decimals rounds, not shear.
DIRECTION_TOLERANCE = 1e-4
# How far two statements of the same place may be apart, anywhere in the volume, beyond their own rounding.
PLACE_TOLERANCE_MM = 0.01


@dataclass(frozen=True, eq=False)
class Place:
    """A matrix (3, 4) from index to LPS mm, and the angle by which its own rounding may have turned it."""

    matrix: FloatArray
    rounding_rad: float


@dataclass(frozen=True, eq=False)
class Header:
    """How the voxels are stored: numbers of `kind` (with its byte order), the axis of layers fastest, then I, J and K.

    A number n stands for slope × n + intercept. `places` are statements of the place, each on its own: a NIfTI with
    qform and sform has two. `names` are (name, layer, value) as the file has them, not yet checked.
    """

    kind: np.dtype[Any]
    shape: tuple[int, int, int]
    places: tuple[Place, ...]
    layers: int = 1
    slope: float = 1.0
    intercept: float = 0.0
    names: tuple[tuple[str, int, int], ...] = ()


def text_lines(stream: BufferedIOBase, file: str) -> Iterator[str]:
    """The lines of a text header, without their ends; the stream stands after each. VolumeError if it has no end."""
    while stream.tell() < MAX_HEADER_BYTES:
        line = stream.readline(MAX_HEADER_BYTES)
        if not line.endswith(b"\n"):
            break
        yield line.decode(errors="surrogateescape").rstrip("\r\n")
    raise VolumeError(f"{file}: expected the end of the header, found none; export it again")


def stated_once(fields: dict[str, str], key: str, value: str, file: str) -> None:
    """Add a field to those of a header; VolumeError where it is there already: readers differ in which they take."""
    if key in fields:
        raise VolumeError(f"{file}: expected one {key!r} in the header, found two; export it again")
    fields[key] = value


def numbers(text: str, count: int) -> list[float] | None:
    """The finite numbers, between commas or blanks, that a text is; None if it is not `count` of them."""
    try:
        found = [float(word) for word in text.replace(",", " ").split()]
    except ValueError:
        return None
    return found if len(found) == count and np.isfinite(found).all() else None


def sizes(text: str, axes: str, file: str) -> tuple[int, ...]:
    """The numbers of voxels along the axes, as the header's field named `axes` has them."""
    words = text.split()
    if not words or not all(word.isascii() and word.isdigit() and 0 < int(word[:10]) < 1 << 31 for word in words):
        raise VolumeError(f"{file}: expected numbers of voxels above 0 as {axes}, found {text[:80]!r}; export it again")
    return tuple(int(word) for word in words)


def scalar_volume(axes: tuple[int, ...], file: str) -> tuple[int, int, int]:
    """The three sizes of a volume; VolumeError for more or fewer axes."""
    if len(axes) != 3:
        raise VolumeError(f"{file}: expected a volume of 3 axes, found {len(axes)}; export one volume only")
    return (axes[0], axes[1], axes[2])


def one_per_voxel(count: int | str, file: str) -> VolumeError:
    """The error for a file of colours, vectors or statistics."""
    return VolumeError(
        f"{file}: expected one number per voxel, found {count} values (colours, vectors or a series); "
        "export one volume of plain numbers"
    )
