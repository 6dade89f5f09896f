"""All checks, in the order a reader wants them: is it a solid, does it aim, sit and come off, is it the right one;
what it bears, and what comes of it in 200 operations.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from guidegen.check.arrows import arrow_findings
from guidegen.check.asked import Asked, read_plan
from guidegen.check.bore import pin_hole_findings, sleeve_findings
from guidegen.check.calliper import calliper_findings
from guidegen.check.chuck import chuck_findings
from guidegen.check.depth import sleeve_depth_findings
from guidegen.check.drill import drill_way_findings
from guidegen.check.fan import fan_findings
from guidegen.check.files import LESION_FILE, read_inserts, read_json, read_result, read_skin, read_stl
from guidegen.check.finding import Finding
from guidegen.check.gap import depth_finding, gap_findings
from guidegen.check.keep_out import keep_out_findings
from guidegen.check.label import label_findings
from guidegen.check.lesion import lesion_findings
from guidegen.check.loads import load_findings, loads
from guidegen.check.mesh import bone_mesh_findings, genus_finding, guide_mesh_findings
from guidegen.check.metal import part_findings
from guidegen.check.ordered import Ordered, ordered_findings
from guidegen.check.pins import pin_findings
from guidegen.check.print_file import (
    pose_finding,
    print_findings,
    print_pose,
    read_insert_prints,
    read_print,
    read_threemf,
)
from guidegen.check.print_form import print_form_findings
from guidegen.check.removal import removal_findings, wire_findings
from guidegen.check.seat import Seat, seated
from guidegen.check.side import side_findings
from guidegen.check.soft_tissue import soft_tissue_findings
from guidegen.check.stop import boss_findings, stop_findings
from guidegen.check.supports import support_findings
from guidegen.check.surgery import SurgeryLimits, surgery_findings
from guidegen.check.theatre import theatre_findings
from guidegen.check.trial_bone import (
    TRIAL_BONE_PRINT,
    read_trial_bone,
    trial_bone_findings,
    trial_print_findings,
)
from guidegen.check.tunnel import tunnel_findings
from guidegen.check.virtual_surgery import virtual_surgery
from guidegen.check.wall import wall_finding
from guidegen.check.words import word_findings
from guidegen.frames import FloatArray
from guidegen.results import RUN_FILE
from guidegen.surfaces import Surface
from guidegen.threemf import print_orientation

OnMetal = Callable[[Asked, Path], tuple[Finding, ...]]


def check_files(
    plan: dict[str, Any],
    bone: Surface,
    guide: Surface,
    keep_out: Surface | None = None,
    printed_mm: FloatArray | None = None,
    inserts: Sequence[Surface] = (),
    inserts_printed_mm: Sequence[FloatArray] | None = None,
    skin: Surface | None = None,
    lesion: Surface | None = None,
) -> tuple[Finding, ...]:
    """Every finding on a guide and on the inserts of a fan, from the content of plan.json and the surfaces as read back
    (LPS, mm); with the print files' triangles (M, 3, 3) as `read_print` gives them, those on the prints too, with the
    lesion what of it is reached.

    Nothing stops at a failure: all checks run, and the guide is good when all have passed.
    Raises ResultError when the plan lacks what the checks ask of it.

    One after the other, in one thread: libigl spreads its questions over all cores by itself, and PyMeshLab beside it
    in another thread corrupts the heap.
    """
    asked = read_plan(plan)
    seat = seated(bone, guide)
    return (
        *bone_mesh_findings(bone),
        *guide_mesh_findings(guide),
        genus_finding(asked, guide),
        *sleeve_findings(asked, guide),
        *stop_findings(asked, guide),
        *sleeve_depth_findings(asked, guide),
        *drill_way_findings(asked, guide),
        *chuck_findings(asked, guide),
        *pin_hole_findings(asked, guide),
        *boss_findings(asked, guide),
        *pin_findings(asked, bone),
        *tunnel_findings(asked, bone),
        *(() if lesion is None else lesion_findings(asked, lesion)),
        *gap_findings(asked, seat),
        depth_finding(bone, guide, seat),
        *removal_findings(asked, bone, guide, seat),
        *wire_findings(asked, bone, guide, seat),
        wall_finding(asked, guide, seat),
        *keep_out_findings(asked, bone, guide, seat, keep_out),
        *soft_tissue_findings(asked, skin),
        *theatre_findings(asked, guide),
        *calliper_findings(asked, guide),
        *side_findings(asked, bone),
        *word_findings(asked),
        *label_findings(asked, guide),
        *arrow_findings(asked, guide, seat),
        *_on_print(asked, guide, seat, printed_mm),
        *fan_findings(asked, inserts, guide, inserts_printed_mm),
    )


def _on_print(asked: Asked, guide: Surface, seat: Seat, printed_mm: FloatArray | None) -> list[Finding]:
    if printed_mm is None:
        return []
    pose = print_pose(printed_mm, guide)
    turn = None if pose is None else pose[0]
    planned = pose_finding(pose, print_orientation(guide, asked.guide.print_down).rotation)
    return [*print_findings(asked, printed_mm, pose), planned, *support_findings(asked, seat, turn)]


@dataclass(frozen=True)
class Checked:
    """What was found on the files of a result folder: the findings, and what the virtual surgery and the loads tell
    beyond them, as recorded in surgery.json.
    """

    findings: tuple[Finding, ...]
    operated: dict[str, Any]


@dataclass(frozen=True, eq=False)
class Written:
    """What lies in a result folder, read back as a stranger would."""

    folder: Path
    plan: dict[str, Any]
    asked: Asked
    bone: Surface
    guide: Surface
    keep_out: Surface | None


def read_written(folder: Path) -> Written:
    """The files of a result folder; ResultError when one is unusable."""
    plan, bone, guide, keep_out = read_result(folder)
    return Written(folder, plan, read_plan(plan), bone, guide, keep_out)


def check_guide(written: Written) -> tuple[Finding, ...]:
    """Every finding on the guide, on the inserts of a fan, and on their prints."""
    inserts = read_inserts(written.folder, written.plan)
    prints = read_insert_prints(written.folder, len(inserts))
    skin, lesion = read_skin(written.folder, written.plan), read_stl(written.folder / LESION_FILE)
    return check_files(
        written.plan, written.bone, written.guide, written.keep_out, read_print(written.folder), inserts, prints, skin,
        lesion,
    )  # fmt: skip


def check_order(written: Written, parameters: Any) -> tuple[Finding, ...]:
    """Whether the plan is what run.json's `parameters` order; ResultError where they are not those of a run."""
    return ordered_findings(written.plan, written.asked, Ordered.read(parameters))


def check_companions(written: Written, on_metal: OnMetal = part_findings) -> tuple[Finding, ...]:
    """Every finding on the trial bone, on its print, on the metal parts, and on what the print files hold beside their
    bodies. `on_metal` looks at the metal parts: here and now, or in a `Workshop` that was opened earlier.
    """
    trial, printed_mm = read_trial_bone(written.folder), read_threemf(written.folder / TRIAL_BONE_PRINT)
    return (
        *trial_bone_findings(written.asked, written.bone, written.guide, trial),
        *trial_print_findings(written.asked, trial, printed_mm),
        *on_metal(written.asked, written.folder),
        *print_form_findings(written.folder, written.plan),
    )


def operate(written: Written) -> Checked:
    """What the guide bears, and what comes of it in 200 operations: the longest part of all checks."""
    borne = loads(written.asked, written.bone, written.guide)
    operated = virtual_surgery(written.asked, written.bone, written.guide)
    return Checked(
        (*load_findings(borne), *surgery_findings(operated, SurgeryLimits())),
        {"surgery": None if operated is None else operated.record(), "loads": borne.record()},
    )


def check_result(folder: Path) -> tuple[Finding, ...]:
    """Everything that is found on the files of a result folder; ResultError when one is unusable."""
    written, parameters = read_written(folder), read_json(folder / RUN_FILE).get("parameters")
    return (
        *check_guide(written),
        *check_order(written, parameters),
        *check_companions(written),
        *operate(written).findings,
    )
