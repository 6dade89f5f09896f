"""A revision in a line of the list: what was made, how its checks went, and whether it can become anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from guidegen.errors import GuidegenError
from guidegen.plan.planning import ORDERED
from guidegen.review.revision import Place, Revision, skim_revision
from guidegen.show.figures import value_at

WORDS = {"entry_mm": "entry ordered", "target_mm": "target ordered"}


@dataclass(frozen=True)
class Summary:
    """What tells a revision from the others of its case. `plan_hash` stands on its guide; `fault` says in words why
    nothing may be made of it, None where nothing speaks against that.
    """

    size: str | None = None
    kit: str | None = None
    strategy: str | None = None
    plan_hash: str | None = None
    passed: int = 0
    count: int = 0
    warnings: int = 0
    fault: str | None = None


def summary_of(place: Place, today: date) -> Summary:
    """The summary of a revision as its run recorded it; all else of its files is for its own page to look at."""
    try:
        revision = skim_revision(place)
    except GuidegenError:
        return Summary(fault="ALTERED: not what its run left")
    plan, order = revision.plan, revision.order
    strategy = value_at(plan, "plan/chosen/strategy") or order.get("strategy")
    ordered = [words for name, words in WORDS.items() if order.get(name) is not None]
    how = ordered if strategy == ORDERED else [strategy, *ordered] if strategy else []
    return Summary(
        size=order["size"],
        kit=value_at(plan, "plan/chosen/kit") or order.get("kit"),
        strategy=", ".join(how) or None,
        plan_hash=value_at(plan, "guide/plan_hash"),
        passed=sum(finding.passed for finding in revision.findings),
        count=len(revision.findings),
        warnings=len(revision.warnings(today)) + len(revision.waivers),
        fault=fault_of(revision),
    )


def fault_of(revision: Revision) -> str | None:
    """Why nothing may be made of a revision, in words: it has no guide, or one that failed; None for any other."""
    plan: Mapping[str, Any] = revision.plan
    if not plan.get("guide"):
        return "REFUSED: no guide"
    if not revision.findings:
        return "FAILED: no check was made"
    failed = sum(not finding.passed for finding in revision.findings)
    return f"FAILED: {failed} of {len(revision.findings)} checks" if failed else None
