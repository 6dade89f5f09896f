"""The print file as the slicer made it ready for the printer, supports included."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from guidegen.check import slicer
from guidegen.errors import SlicerError
from guidegen.release.source import Source

PRINT_FILE = "guide.3mf"
INSERTS = "inserts/"


@dataclass(frozen=True)
class PrintJob:
    """What the slicer wrote, by path, and in a sentence what it is, or why there is none."""

    files: dict[str, bytes] = field(repr=False)
    said: str


def print_job(source: Source) -> PrintJob:
    """The approved guide.3mf, and that of each insert, sliced by PrusaSlicer with the printer's shipped profile.

    There is none for a printer without profile, and where the slicer is not installed: guide.3mf is what was approved,
    and any slicer takes it. SlicerError where the slicer is there and does not take the file.

    The slicer writes the time into its file and scatters the supports of a resin print at random: of all files of a
    release these alone are not the same bytes when they are made again.
    """
    profile = source.plan["printing"].get("slicer_profile")
    if profile is None:
        return PrintJob({}, f"not sliced: no slicer profile is shipped for {source.plan['printing']['process']}")
    if not slicer.is_installed():
        return PrintJob({}, f"not sliced: PrusaSlicer is not installed ({slicer.INSTALL})")
    files = {}
    for name in (PRINT_FILE, *sorted(filter(_is_insert, source.approval.files))):
        sliced = _sliced(source.approval.read(name), name, profile)
        suffix = ".sl1" if sliced[:2] == b"PK" else ".gcode"
        files[name.removesuffix(".3mf") + suffix] = sliced
    return PrintJob(files, f"sliced by PrusaSlicer with the shipped profile {profile}")


def _is_insert(name: str) -> bool:
    return name.startswith(INSERTS) and name.endswith(".3mf")


def _sliced(content: bytes, name: str, profile: str) -> bytes:
    """A print file sliced; SlicerError where the slicer sees another body in it than guidegen, or does not slice it."""
    with tempfile.TemporaryDirectory(prefix="guidegen-release-") as room:
        print_file = Path(room) / PRINT_FILE  # the name that slicer_findings looks for
        print_file.write_bytes(content)
        failed = [finding for finding in slicer.slicer_findings(Path(room)) if not finding.passed]
        if failed:
            reasons = "; ".join(f"{finding.name}: {finding.why}" for finding in failed)
            raise SlicerError(f"expected the slicer to see the approved body in {name}, found {reasons}; reject it")
        return slicer.slice_print(print_file, profile)
