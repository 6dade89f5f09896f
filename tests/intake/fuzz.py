"""Seeded damage to good files, and the readers that must take it: a value, or one of our own errors, and soon.

The same seed gives the same damage. `test_fuzz.py` tries a few of each reader, `benchmarks/fuzz_intake.py` many.
"""

from __future__ import annotations

import gzip
import io
import re
import signal
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
from good_files import GOOD, VOXEL_FILES, box, text_stl

from guidegen.case import load_case
from guidegen.errors import GuidegenError
from guidegen.intake.formats import image_in
from guidegen.intake.images import Image, read_image
from guidegen.intake.label_maps import read_label_map
from guidegen.intake.label_names import read_label_names
from guidegen.intake.segmentations import read_segmentation
from guidegen.intake.series import read_series
from guidegen.intake.structure_sets import read_structure_set
from guidegen.intake.surface_files import read_surface

TIME_LIMIT_S = 2.0  # of the processor, so that a busy machine does not matter
STUCK_S = 60.0  # of the clock

NAMES = '# ITK-SnAP Label Description File\n0 0 0 0 0 0 0 "Clear Label"\n' + "".join(
    f'{k} 255 {k} 0 1 1 1 "label {k}"\n' for k in range(1, 8)
)

# Numbers that readers stumble over, as text and as bytes.
WORDS = (b"0", b"-1", b"1", b"nan", b"inf", b"1e308", b"-0.0", b"65536", b"2147483648", b"18446744073709551616", b"")
EDGES = (b"\0" * 4, b"\xff" * 4, b"\xff\xff\xff\x7f", b"\0\0\0\x80", b"\1\0\0\0", b"\0\0\xc0\x7f", b"\0\0\x80\x7f")


class Hang(BaseException):
    """The reader took longer than the limit; no reader can take it for an error of its own."""


@dataclass(frozen=True)
class Packing:
    """How what is damaged lies in its file: what is packed is damaged before it is packed, or its check sum tells."""

    unpack: Callable[[bytes], bytes]
    pack: Callable[[bytes], bytes]


def _model(archive: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(archive)) as package:
        return package.read(next(name for name in package.namelist() if name.endswith(".model")))


def _archive(model: bytes) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as package:
        package.writestr("3D/3dmodel.model", model)
    return content.getvalue()


PLAIN = Packing(bytes, bytes)
GZIP = Packing(gzip.decompress, lambda data: gzip.compress(data, 1, mtime=0))
THREEMF = Packing(_model, _archive)


@dataclass(frozen=True)
class Target:
    """A reader, by name: the file in `folder` that is damaged, and what reads it."""

    name: str
    folder: Path
    file: str
    read: Callable[[Path], object]
    packing: Packing = PLAIN


@dataclass
class Tally:
    """What came of one reader's inputs; `untyped` are errors of no class of ours, with the seed that gave them."""

    tried: int = 0
    refused: int = 0
    read: int = 0
    slowest_s: float = 0.0
    hangs: list[int] = field(default_factory=list)
    untyped: list[tuple[int, str]] = field(default_factory=list)


def damaged(whole: bytes, other: bytes, rng: np.random.Generator) -> bytes:
    """One to four of: bytes flipped, changed, put in, taken out, doubled, cut off, numbers swapped, files spliced."""
    data = whole
    for _ in range(int(rng.integers(1, 5))):
        data = _damaged_once(data, other, rng)
    return data


def _damaged_once(data: bytes, other: bytes, rng: np.random.Generator) -> bytes:
    if not data:
        return other[: int(rng.integers(0, 64))]
    # headers are short and matter most: half of the damage is done to the first bytes
    reach = len(data) if rng.random() < 0.5 else min(len(data), 600)
    at, size = int(rng.integers(0, reach)), int(rng.integers(1, 17))
    noise = rng.integers(0, 256, size, dtype=np.uint8).tobytes()
    ways: list[Callable[[], bytes]] = [
        lambda: data[:at] + bytes([data[at] ^ 1 << int(rng.integers(8))]) + data[at + 1 :],
        lambda: data[:at] + noise + data[at + size :],
        lambda: data[:at] + noise + data[at:],
        lambda: data[:at] + data[at + size :],
        lambda: data[:at] + data[at : at + size] * int(rng.integers(2, 5)) + data[at + size :],
        lambda: data[: int(rng.integers(0, len(data)))],
        lambda: data[:at] + other[int(rng.integers(0, len(other))) :],
        lambda: data[:at] + EDGES[int(rng.integers(len(EDGES)))] + data[at + 4 :],
        lambda: _number_swapped(data, rng),
        lambda: _number_swapped(data, rng),
    ]
    return ways[int(rng.integers(len(ways)))]()


def _number_swapped(data: bytes, rng: np.random.Generator) -> bytes:
    """A number in the text at the beginning replaced by another one that is there, or by an odd one."""
    found = list(re.finditer(rb"-?[0-9][0-9.e+-]*", data[:4096]))
    if not found:
        return data
    match = found[int(rng.integers(len(found)))]
    others = [*WORDS, *(each[0] for each in found[:40])]
    return data[: match.start()] + others[int(rng.integers(len(others)))] + data[match.end() :]


@contextmanager
def time_limit(cpu_s: float) -> Iterator[None]:
    def late(_signal: int, _frame: FrameType | None) -> None:
        raise Hang

    clocks = ((signal.SIGPROF, signal.ITIMER_PROF, cpu_s), (signal.SIGALRM, signal.ITIMER_REAL, STUCK_S))
    before = [signal.signal(number, late) for number, _, _ in clocks]
    try:
        for _, clock, limit_s in clocks:
            signal.setitimer(clock, limit_s)
        yield
    finally:
        for (number, clock, _), handler in zip(clocks, before, strict=True):
            signal.setitimer(clock, 0.0)
            signal.signal(number, handler)


def fuzz(target: Target, seeds: range, limit_s: float = TIME_LIMIT_S) -> Tally:
    """Damage the target's file once for each seed and read it."""
    path, tally = target.folder / target.file, Tally()
    stored = path.read_bytes()
    whole = target.packing.unpack(stored)
    other = whole[::-1]
    try:
        for seed in seeds:
            path.write_bytes(target.packing.pack(damaged(whole, other, np.random.default_rng(seed))))
            started = time.process_time()
            try:
                with time_limit(limit_s):
                    target.read(target.folder)
                tally.read += 1
            except GuidegenError:
                tally.refused += 1
            except Hang:
                tally.hangs.append(seed)
            except Exception as error:  # noqa: BLE001 - what is looked for
                tally.untyped.append((seed, f"{type(error).__name__}: {error}"))
            tally.tried += 1
            tally.slowest_s = max(tally.slowest_s, time.process_time() - started)
    finally:
        path.write_bytes(stored)
    return tally


def targets(root: Path) -> list[Target]:
    """Every reader, with a file of its own in `root`, which is made."""
    for name, make in GOOD.items():
        (root / name).mkdir(parents=True)
        make(root / name)
    (root / "names").mkdir()
    (root / "names" / "names.txt").write_text(NAMES)
    (root / "text").mkdir()
    (root / "text" / "bone.stl").write_text(text_stl(box()))
    for k, path in enumerate(sorted((root / "seg" / "ct").iterdir())):
        if k >= 5:  # enough of a series, and fast
            path.unlink()
    return [
        *(
            Target(
                f"label map {name}", root / name, name, lambda folder, name=name: read_label_map(folder / name, name)
            )  # type: ignore[misc]
            for name in VOXEL_FILES
        ),
        Target("label map, packed after", root / "labels.nii.gz", "labels.nii.gz", _read_packed, GZIP),
        Target("voxels beside", root / "labels.mhd", "labels.zraw", _read_beside),
        Target("image", root / "image", "ct.nrrd", lambda folder: read_image(folder / "ct.nrrd", "ct.nrrd")),
        Target("series", root / "seg", "ct/0003.dcm", lambda folder: read_series(folder / "ct", "ct")),
        Target(
            "segmentation", root / "seg", "seg.dcm", lambda folder: read_segmentation(folder / "seg.dcm", "seg.dcm")
        ),
        Target("structure set", root / "contours", "rs.dcm", _StructureSet(root / "contours")),
        *(
            Target(f"surface {name}", root / name, name, lambda folder, name=name: _surface(folder / name))  # type: ignore[misc]
            for name in ("bone.stl", "bone.ply", "bone.obj", "bone.vtp", "bone.3mf")
        ),
        Target(
            "3MF, packed after", root / "bone.3mf", "bone.3mf", lambda folder: _surface(folder / "bone.3mf"), THREEMF
        ),
        Target("surface, text STL", root / "text", "bone.stl", lambda folder: _surface(folder / "bone.stl")),
        Target(
            "label names", root / "names", "names.txt", lambda folder: read_label_names(folder / "names.txt", "n.txt")
        ),
        Target("case file", root / "hip", "case.toml", lambda folder: load_case(folder / "case.toml")),
    ]


def _read_beside(folder: Path) -> object:
    return read_label_map(folder / "labels.mhd", "labels.mhd")


def _read_packed(folder: Path) -> object:
    return read_label_map(folder / "labels.nii.gz", "labels.nii.gz")


def _surface(path: Path) -> object:
    return read_surface(path, path.name, "mm", "LPS")


class _StructureSet:
    """Reads a structure set on its series, which is read once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.image: Image | None = None

    def __call__(self, folder: Path) -> Any:
        self.image = self.image or image_in(self.folder / "ct", "ct")
        return read_structure_set(folder / "rs.dcm", "rs.dcm", self.image)
