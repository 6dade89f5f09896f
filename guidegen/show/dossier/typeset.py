"""Content made into PDF by Typst. What comes from a case reaches the document as data alone: no text acts as markup."""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from guidegen.show.dossier.words import layout

PAGE = "page.typ"  # what both layouts share
QUALITY = 88  # of the pictures in the PDF, as JPEG without fewer colours than pixels; the PNG stay beside it


def dossier_pdf(content: Mapping[str, Any], pictures: Mapping[str, bytes]) -> bytes:
    """The dossier as PDF, from `dossier_content` and the PNG of every picture that it names; the same arguments give
    the same bytes.
    """
    return typeset("dossier.typ", content, pictures)


def typeset(name: str, data: Mapping[str, Any], pictures: Mapping[str, bytes]) -> bytes:
    """A layout of templates/dossier filled with data, without date and with no typeface of the machine's own."""
    import typst

    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for source in (name, PAGE):
            (folder / source).write_text(layout(source), encoding="utf-8")
        for picture, png in pictures.items():
            (folder / picture).with_suffix(".jpg").write_bytes(_jpeg(png))
        return typst.compile(
            folder / name, root=folder, ignore_system_fonts=True, sys_inputs={"content": json.dumps(data)}
        )


def _jpeg(png: bytes) -> bytes:
    """A picture in a third of the room, which keeps a dossier of twenty small enough to be sent."""
    from PIL import Image

    content = io.BytesIO()
    Image.open(io.BytesIO(png)).convert("RGB").save(content, "JPEG", quality=QUALITY, subsampling=0)
    return content.getvalue()
