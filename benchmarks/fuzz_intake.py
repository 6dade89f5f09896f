"""Damaged files by the thousand against every reader, and single flipped bits against every format that can carry one.

    python benchmarks/fuzz_intake.py [--count N] [--first SEED] [--flips N]

A damaged file must be read, or be refused by one of our own errors, within two seconds of processor time. A flipped bit
must change no voxel and no place without an error where the format carries a check sum; how often it does where the
format carries none is printed. Leaves with 1 for anything else. The same seeds give the same files.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "intake"))

from fuzz import Tally, Target, fuzz, targets

from guidegen.errors import GuidegenError
from guidegen.intake.formats import image_in
from guidegen.intake.label_maps import read_label_map
from guidegen.intake.segmentations import read_segmentation
from guidegen.volumes import Volume

HEAD = f"{'reader':<26}{'tried':>9}{'refused':>9}{'read':>9}{'untyped':>9}{'hung':>6}{'slowest, s':>12}"
FLIPS_HEAD = f"{'one bit in':<34}{'tried':>9}{'refused':>9}{'the same':>9}{'changed':>9}"

# What flips are made in: the good case, its file, the text that ends what has no check sum (None: nothing has), reader.
Reads = Callable[[Path], Volume]
FLIPPED: dict[str, tuple[str, str, bytes | None, Reads]] = {
    ".nii.gz": ("labels.nii.gz", "labels.nii.gz", b"", lambda f: _labels(f, "labels.nii.gz")),
    ".nrrd, packed": ("packed.nrrd", "packed.nrrd", b"\n\n", lambda f: _labels(f, "packed.nrrd")),
    ".mha, packed": ("packed.mha", "packed.mha", b"ElementDataFile = LOCAL\n", lambda f: _labels(f, "packed.mha")),
    ".nii": ("labels.nii", "labels.nii", None, lambda f: _labels(f, "labels.nii")),
    ".dcm, a slice": ("seg", "ct/0003.dcm", None, lambda f: image_in(f / "ct", "ct").volume),
    ".dcm, a SEG": ("seg", "seg.dcm", None, lambda f: read_segmentation(f / "seg.dcm", "seg.dcm").layers[0]),
}


def _labels(folder: Path, name: str) -> Volume:
    return read_label_map(folder / name, name).layers[0]


def row(name: str, tally: Tally) -> str:
    counts = (tally.tried, tally.refused, tally.read, len(tally.untyped))
    return f"{name:<26}{''.join(f'{count:>9}' for count in counts)}{len(tally.hangs):>6}{tally.slowest_s:>12.2f}"


def fuzz_all(readers: list[Target], seeds: range) -> bool:
    """Print a row for each reader; whether nothing hung and no error was untyped."""
    sound, total = True, 0
    print(HEAD)
    for target in readers:
        tally = fuzz(target, seeds)
        total += tally.tried
        print(row(target.name, tally), flush=True)
        for seed, what in tally.untyped[:5]:
            print(f"    seed {seed}: {what[:300]}")
        for seed in tally.hangs[:5]:
            print(f"    seed {seed}: took longer than the limit")
        sound &= not (tally.untyped or tally.hangs)
    print(f"{total} damaged files")
    return sound


def is_same(found: Volume, truth: Volume) -> bool:
    corner = np.array(truth.voxels.shape)
    return (
        found.voxels.shape == truth.voxels.shape
        and bool(np.array_equal(found.voxels, truth.voxels))
        and bool(np.allclose(found.to_lps([0 * corner, corner]), truth.to_lps([0 * corner, corner]), atol=1e-6, rtol=0))
    )


def flip_all(root: Path, count: int) -> bool:
    """Print two rows for each format, what has a check sum and what has none; whether the first never changed."""
    sound = True
    print(FLIPS_HEAD)
    for name, (good, file, end, read) in FLIPPED.items():
        path, tallies = root / good / file, (Counter[str](), Counter[str]())
        whole, truth = path.read_bytes(), read(root / good)
        start = len(whole) if end is None else whole.index(end) + len(end)
        for bit in np.random.default_rng(11).integers(0, 8 * len(whole), count):
            flipped = bytearray(whole)
            flipped[bit // 8] ^= 1 << (bit % 8)
            path.write_bytes(flipped)
            try:
                what = "the same" if is_same(read(root / good), truth) else "changed"
            except GuidegenError:
                what = "refused"
            tallies[int(bit) // 8 < start][what] += 1
        path.write_bytes(whole)
        for tally, part in zip(tallies, ("with a check sum", "without"), strict=True):
            if tally:
                counts = (tally.total(), tally["refused"], tally["the same"], tally["changed"])
                print(f"{f'{name}, {part}':<34}{''.join(f'{each:>9}' for each in counts)}", flush=True)
        sound &= not tallies[0]["changed"]
    return sound


def main() -> int:
    parser = argparse.ArgumentParser(description="Damaged files against every reader.")
    parser.add_argument("--count", type=int, default=1000, metavar="N", help="damaged files for each reader")
    parser.add_argument("--first", type=int, default=0, metavar="SEED", help="the first seed")
    parser.add_argument("--flips", type=int, default=500, metavar="N", help="flipped bits for each format")
    asked = parser.parse_args()
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as name, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        root = Path(name)
        readers = targets(root)
        sound = fuzz_all(readers, range(asked.first, asked.first + asked.count))
        sound &= flip_all(root, asked.flips)
    print(f"{time.perf_counter() - started:.0f} s; " + ("all read or refused" if sound else "NOT ALL READ OR REFUSED"))
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main())
