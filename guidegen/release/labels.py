"""The label sheet: one label for each print, each with a lot of its own."""

from __future__ import annotations

from guidegen.release.paper import pdf_bytes
from guidegen.release.source import Source

LABELS = 8  # on a sheet; who prints more asks for another release


def lots(plan_hash: str) -> tuple[str, ...]:
    """The lots of a sheet: the plan's hash, which is engraved on the guide, and a running number."""
    return tuple(f"{plan_hash}-{number:02d}" for number in range(1, LABELS + 1))


def label_sheet(source: Source) -> bytes:
    """The sheet as PDF."""
    mark, printing = source.mark(), source.plan["printing"]
    content = {
        "mark": mark,
        "lots": lots(mark["plan_hash"]),
        "material": printing["material"],
        "cycle": printing["sterilisation"]["text"],
    }
    return pdf_bytes("labels", content)
