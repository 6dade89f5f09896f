"""The print file as the slicer made it ready for the printer, supports included."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from guidegen.check import slicer
from guidegen.errors import SlicerError
from guidegen.release.source import Source

PRINT_FILE = "guide.3mf"


@dataclass(frozen=True)
class PrintJob:
    """What the slicer wrote, by file name, and in a sentence what it is, or why there is none."""

    files: dict[str, bytes] = field(repr=False)
    said: str


def print_job(source: Source) -> PrintJob:
    """The approved guide.3mf sliced by PrusaSlicer with the printer's shipped profile.

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
    with tempfile.TemporaryDirectory(prefix="guidegen-release-") as name:
        print_file = Path(name) / PRINT_FILE
        print_file.write_bytes(source.approval.read(PRINT_FILE))
        _require_seen(Path(name))
        sliced = slicer.slice_print(print_file, profile)
    suffix = ".sl1" if sliced[:2] == b"PK" else ".gcode"
    return PrintJob({f"guide{suffix}": sliced}, f"sliced by PrusaSlicer with the shipped profile {profile}")


def _require_seen(folder: Path) -> None:
    """SlicerError where the slicer sees another body in the print file than guidegen."""
    failed = [finding for finding in slicer.slicer_findings(folder) if not finding.passed]
    if failed:
        reasons = "; ".join(f"{finding.name}: {finding.why}" for finding in failed)
        raise SlicerError(f"expected the slicer to see the approved guide in {PRINT_FILE}, found {reasons}; reject it")
