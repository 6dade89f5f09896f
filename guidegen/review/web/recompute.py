"""A changed order computed by the ordinary pipeline, in a process of its own: JSON in, a line of JSON a stage out.

The process may be started long before anybody asks: it gets ready, and waits. Where nobody asks, it ends.

{"case": "…/case.toml", "order": {…}, "output": "…"}
→  {"stage": "plan"} …  {"plan": {…}, "findings": […]} …  {"revision": "r002", "passed": true}
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict, replace
from typing import IO, Any

from guidegen import libraries, pipeline
from guidegen.case import Order, load_case
from guidegen.errors import GuidegenError
from guidegen.workshop import Workshop


def recompute(request: IO[str], answers: IO[str], workshop: Workshop) -> None:
    """Do what is asked for, and say how far it is; nothing where the request ends before it began."""

    def say(**told: Any) -> None:
        answers.write(json.dumps(told) + "\n")
        answers.flush()

    text = request.read()
    if not text:
        return
    asked = json.loads(text)
    try:
        order = Order.model_validate(asked["order"])
        case = replace(load_case(asked["case"]), order=order)
        result = pipeline.run(
            case, asked["output"], order.size, lambda stage: say(stage=stage),
            lambda plan, findings: say(plan=plan, findings=[asdict(finding) for finding in findings]), workshop,
        )  # fmt: skip
    except GuidegenError as error:
        say(error=str(error))
        return
    say(revision=result.folder.name, passed=result.passed, unchanged=result.unchanged)


if __name__ == "__main__":
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as kept:
        os.dup2(2, 1)  # what a library prints is no answer
        with Workshop() as opened:
            libraries.load()
            recompute(sys.stdin, kept, opened)
