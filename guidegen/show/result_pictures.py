"""Every picture of a result: the guide on its bone, and the plan that it was built on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from guidegen.assessed import Assessed
from guidegen.plan.planning import Plan
from guidegen.show.pictures import draw_pictures
from guidegen.show.plan_pictures import plan_pictures


def result_pictures(assessed: Assessed, plan: Plan, guide: Mapping[str, Any]) -> dict[str, bytes]:
    """PNG by file name: those of `draw_pictures`, which takes `guide`, and those of `plan_pictures`."""
    return draw_pictures(**guide) | plan_pictures(assessed, plan, guide["patient_id"])
