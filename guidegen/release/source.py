"""What a release is made from: an approval that holds, and the approved files as they were signed, read once."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from guidegen.check.asked import read_plan
from guidegen.check.finding import Finding
from guidegen.errors import ApprovalError, ResultError
from guidegen.plan.templates import Printer, load_template
from guidegen.results import RUN_FILE
from guidegen.review.approval import Approval
from guidegen.review.revision import FINDINGS_FILE, PLAN_FILE


@dataclass(frozen=True, eq=False)
class Source:
    """An approval, and what its plan.json, findings.json and printer template say.

    The printer template is that of the run, byte for byte: tolerances and density are taken from it.
    """

    approval: Approval
    plan: Mapping[str, Any]
    findings: Mapping[str, Finding]
    printer: Printer

    @classmethod
    def of(cls, approval: Approval) -> Source:
        """Read from the approved bytes; ApprovalError where one is another, or the printer's template is."""
        plan, run = (json.loads(approval.read(name)) for name in (PLAN_FILE, RUN_FILE))
        with told_of_plan():
            read_plan(plan)
            name, expected = plan["printing"]["printer"], run["parameters"]["templates_sha256"]["printer"]
            findings = [Finding(**each) for each in json.loads(approval.read(FINDINGS_FILE))]
        printer, found = load_template(Printer, name)
        if found != expected:
            raise ApprovalError(
                f"expected the printer template {name}.toml that the guide was made by, found another: its tolerances "
                "may be others; put it back, or make a revision with the new one"
            )
        return cls(approval, plan, {finding.name: finding for finding in findings}, printer)

    def mark(self) -> dict[str, Any]:
        """What every document of a release begins with, as text: whose, which side, which revision, until when."""
        place, guide = self.approval.place, self.plan["guide"]
        return {
            "case_id": place.case_id,
            "side": place.side,
            "revision": place.name,
            "plan_hash": guide["plan_hash"],
            "expires": f"{self.approval.expires:%Y-%m-%d %H:%M} UTC",
            "approver": self.approval.record.signer.printed_name,
            "entry": self.approval.entry.hash,
        }


@contextmanager
def told_of_plan() -> Iterator[None]:
    """ResultError where a record lacks what is looked for in it."""
    try:
        yield
    except (KeyError, TypeError, IndexError, AttributeError, ValueError) as error:
        raise ResultError(
            f"expected plan, findings and run of a whole guidegen run, found: {error!r}; run the case again"
        ) from error
