"""Pages of a release: a Typst template of templates/release/, filled with data, as PDF."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

FOLDER = "release"
COMMON = "common"


def pdf_bytes(template: str, content: Mapping[str, Any]) -> bytes:
    """The pages of a template; the same content gives the same bytes.

    What comes from the case reaches the template as data alone, so that no name can act as markup.
    """
    import typst

    sources = resources.files("guidegen.templates") / FOLDER
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for each in (template, COMMON):
            (folder / f"{each}.typ").write_bytes((sources / f"{each}.typ").read_bytes())
        page, data = folder / f"{template}.typ", {"page": json.dumps(content)}
        return bytes(typst.compile(page, root=folder, ignore_system_fonts=True, sys_inputs=data))
