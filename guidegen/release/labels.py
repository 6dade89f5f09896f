"""The label sheet: one label for each print, each with a lot of its own."""

from __future__ import annotations

from guidegen.release.paper import pdf_bytes
from guidegen.release.source import Source
from guidegen.review.lots import labelled_lots


def label_sheet(source: Source) -> bytes:
    """The sheet as PDF."""
    printing = source.plan["printing"]
    content = {
        "mark": source.mark(),
        "lots": labelled_lots(source.approval),
        "material": printing["material"],
        "cycle": printing["sterilisation"]["text"],
    }
    return pdf_bytes("labels", content)
