"""All checks, in the order a reader wants them: is it a solid, does it aim, sit and come off, is it the right one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from guidegen.check.asked import read_plan
from guidegen.check.bore import pin_hole_findings, sleeve_findings
from guidegen.check.drill import drill_way_findings
from guidegen.check.files import read_result
from guidegen.check.finding import Finding
from guidegen.check.gap import depth_finding, gap_findings
from guidegen.check.keep_out import keep_out_findings
from guidegen.check.label import label_findings
from guidegen.check.mesh import bone_mesh_findings, guide_mesh_findings
from guidegen.check.pins import pin_findings
from guidegen.check.print_file import print_findings
from guidegen.check.removal import removal_finding
from guidegen.check.seat import seated
from guidegen.check.side import side_findings
from guidegen.check.tunnel import tunnel_findings
from guidegen.check.wall import wall_finding
from guidegen.surfaces import Surface


def check_files(
    plan: dict[str, Any], bone: Surface, guide: Surface, keep_out: Surface | None = None
) -> tuple[Finding, ...]:
    """Every finding on a guide, from the content of plan.json and the surfaces as read back (LPS, mm).

    Nothing stops at a failure: all checks run, and the guide is good when all have passed.
    Raises ResultError when the plan lacks what the checks ask of it.
    """
    asked = read_plan(plan)
    seat = seated(bone, guide)
    return (
        *bone_mesh_findings(bone),
        *guide_mesh_findings(guide),
        *sleeve_findings(asked, guide),
        *drill_way_findings(asked, guide),
        *pin_hole_findings(asked, guide),
        *pin_findings(asked, bone),
        *tunnel_findings(asked, bone),
        *gap_findings(asked, seat),
        depth_finding(bone, guide, seat),
        removal_finding(asked, bone, guide, seat),
        wall_finding(asked, guide),
        *keep_out_findings(asked, bone, guide, seat, keep_out),
        *side_findings(asked, bone),
        *label_findings(asked, guide),
    )


def check_result(folder: Path) -> tuple[Finding, ...]:
    """Every finding on the files of a result folder, read as a stranger would; ResultError when one is unusable."""
    plan, bone, guide, keep_out = read_result(folder)
    return (*check_files(plan, bone, guide, keep_out), *print_findings(folder, guide))
