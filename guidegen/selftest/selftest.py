"""Is this installation sound? The made-up hip goes through everything, and what comes out is held to what is true.

The left hip is planned, its guide built and its files measured; the right hip, laid on an MR in another pose, is read
and graded: so the side, the mirror image and the registration are tested too. What the phantom has in closed form is
compared with that; what has none, with a table of stored figures (expected.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from guidegen import pipeline, record
from guidegen.check.files import read_findings, read_json, read_stl
from guidegen.check.finding import Finding, at_least, at_most
from guidegen.errors import GuidegenError
from guidegen.phantom import Hip, make_hip, write_case
from guidegen.pipeline import Progress, silent
from guidegen.selftest.expected import LEFT_PLAN, RIGHT_READ, stored_findings
from guidegen.selftest.guide_truth import guide_findings
from guidegen.selftest.hip_truth import anatomy_findings, lesion_findings, registration_finding
from guidegen.selftest.tunnel_truth import tunnel_findings
from guidegen.show.compare import leaves

SPACING_MM = (1.2, 1.2, 1.5)  # coarser than a CT is, so that it does not take long
# Under the joint surface, of the right hip's lesion: well within the band that counts as necrosis of the surface. At
# the band's very edge the last bit of another machine's arithmetic would decide the weight-bearing share.
RIGHT_LESION_DEPTH_MM = 1.0

WHY_THROUGH = "A sound hip is refused nowhere."
WHY_CHECKS = "The guide of a sound hip passes every check on its files."


@dataclass(frozen=True, eq=False)
class Made:
    """The two hips and what became of them: the left one's result folder, and what was read of the right one, as
    assessment.json has it.
    """

    left: Hip
    folder: Path
    right: Hip
    read: dict[str, Any]


def selftest(progress: Progress = silent) -> tuple[Finding, ...]:
    """Make up both hips, run them in a folder of their own that is gone afterwards, and compare. The same on every
    run: nothing in it is drawn by lot or depends on the day.
    """
    with TemporaryDirectory(prefix="guidegen-selftest-") as folder:
        try:
            return compare(run_hips(Path(folder), progress))
        except GuidegenError as refused:
            return (at_least("hips that went through", 0, 2, "", f"{WHY_THROUGH} Refused: {refused}"),)


def run_hips(folder: Path, progress: Progress = silent) -> Made:
    """Both hips, their cases and the left one's result written below `folder`."""
    progress("phantom")
    left, right = make_hip("left"), make_hip("right", lesion_depth_mm=RIGHT_LESION_DEPTH_MM)
    left_case = write_case(left, folder / "left", patient_id="SELFTEST", spacing_mm=SPACING_MM, mr=False)
    right_case = write_case(right, folder / "right", patient_id="SELFTEST", spacing_mm=SPACING_MM)
    assessed = pipeline.assess_case(right_case, folder / "output", progress)
    result = pipeline.run(left_case, folder / "output", None, progress)
    return Made(left, result.folder, right, record.assessment_json(assessed, ()))


def compare(made: Made) -> tuple[Finding, ...]:
    """How far everything lies from what is true, each against how far it may; the file of the guide is read back."""
    plan, findings = read_json(made.folder / "plan.json"), read_findings(made.folder)
    guides = [path for path in (made.folder / name for name in ("guide.stl", "rejected.stl")) if path.is_file()]
    guide = read_stl(guides[0]) if guides else None
    failed = [finding.name for finding in findings if not finding.passed]
    measured = {finding.name: finding.measured for finding in findings}
    return (
        *anatomy_findings("right", made.right.truth, made.read["anatomy"]),
        *lesion_findings("right", made.right.truth, made.read["lesion"]),
        registration_finding("right", made.right.truth, made.read["lesion"]["registration"]),
        *stored_findings("right", RIGHT_READ, leaves(made.read)),
        *anatomy_findings("left", made.left.truth, plan["anatomy"]),
        *lesion_findings("left", made.left.truth, plan["lesion"]),
        at_least("left tunnels", len(plan["tunnels"]), 1, "", WHY_THROUGH),
        *(tunnel_findings("left", made.left, plan) if plan["tunnels"] else ()),
        *guide_findings("left", made.left, plan, guide),
        *stored_findings("left", LEFT_PLAN, leaves(plan) | measured),
        at_most("left checks that failed", len(failed), 0, "", f"{WHY_CHECKS} {', '.join(failed)}".strip()),
    )
