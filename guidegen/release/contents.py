"""Everything that a release holds, by path: approved files as they are, and what is made from them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from guidegen.release.inspection import inspection_files
from guidegen.release.instructions import instruction_files
from guidegen.release.labels import label_sheet
from guidegen.release.navigation import navigation_files
from guidegen.release.print_job import PRINT_FILE, print_job
from guidegen.release.robot import robot_record
from guidegen.release.signed_dossier import signed_files
from guidegen.release.source import Source, told_of_plan
from guidegen.review.approval import Approval
from guidegen.review.revision import GUIDE_FILE

FIGURES = "metal/metal.json"
NAVIGATION = "navigation"  # the folder of what 3D Slicer reads
NEEDED = (GUIDE_FILE, PRINT_FILE)
# How the paths begin of what goes along where it is there: trial bone, metal parts, and the inserts of several tunnels.
COMPANIONS = ("trial_bone.", "metal/", "inserts/")


@dataclass(frozen=True)
class Contents:
    """The files by path, and what the slicer did, or why it did not, in a sentence."""

    files: Mapping[str, bytes] = field(repr=False)
    print_job: str


def release_contents(approval: Approval) -> Contents:
    """All files but the manifest; ApprovalError where an approved file is another, ResultError where one says too
    little, SlicerError where the slicer does not take the print file.
    """
    source = Source.of(approval)
    copied = _copied(approval)
    with told_of_plan():
        metal = json.loads(copied[FIGURES]) if FIGURES in copied else None
        robot = json.dumps(robot_record(source.plan), indent=1) + "\n"
        made = {
            "robot.json": robot.encode(),
            **{f"{NAVIGATION}/{name}": content for name, content in navigation_files(source.plan).items()},
            **inspection_files(source, metal),
            **instruction_files(source),
            "labels.pdf": label_sheet(source),
        }
    sliced = print_job(source)
    return Contents({**copied, **signed_files(approval), **made, **sliced.files}, sliced.said)


def _copied(approval: Approval) -> dict[str, bytes]:
    """Approved files that leave the house as they are."""
    names = [name for name in approval.files if name.startswith(COMPANIONS)]
    return {name: approval.read(name) for name in (*NEEDED, *sorted(names))}
