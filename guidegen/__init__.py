"""From a segmented hip to a drill guide that a surgeon can approve and a printer can print.

import guidegen

result = guidegen.run("case.toml", output="output")
result.folder, result.passed, result.findings
"""

from __future__ import annotations

from typing import Any

__version__ = "0.1.0"
__all__ = ["__version__", "load_case", "plan_case", "run"]


def __getattr__(name: str) -> Any:
    """The API, imported when it is first asked for: the program's start must not pay for what it does not use."""
    if name in ("plan_case", "run"):
        from guidegen import pipeline

        return getattr(pipeline, name)
    if name == "load_case":
        from guidegen.case import load_case

        return load_case
    raise AttributeError(f"module 'guidegen' has no attribute {name!r}")
