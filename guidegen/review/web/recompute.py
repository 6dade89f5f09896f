"""A changed order computed by the ordinary pipeline, in a process of its own: JSON in, a line of JSON a stage out.

{"case": "…/case.toml", "order": {…}, "output": "…"}
→  {"stage": "plan"} …  {"plan": {…}, "findings": […]} …  {"revision": "r002", "passed": true}
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict, replace
from typing import IO, Any

from guidegen import pipeline
from guidegen.case import Order, load_case
from guidegen.errors import GuidegenError


def recompute(request: IO[str], answers: IO[str]) -> None:
    """Do what is asked for, and say how far it is."""

    def say(**told: Any) -> None:
        answers.write(json.dumps(told) + "\n")
        answers.flush()

    asked = json.load(request)
    try:
        order = Order.model_validate(asked["order"])
        case = replace(load_case(asked["case"]), order=order)
        result = pipeline.run(
            case, asked["output"], order.size, lambda stage: say(stage=stage),
            lambda plan, findings: say(plan=plan, findings=[asdict(finding) for finding in findings]),
        )  # fmt: skip
    except GuidegenError as error:
        say(error=str(error))
        return
    say(revision=result.folder.name, passed=result.passed, unchanged=result.unchanged)


if __name__ == "__main__":
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as kept:
        os.dup2(2, 1)  # what a library prints is no answer
        recompute(sys.stdin, kept)
