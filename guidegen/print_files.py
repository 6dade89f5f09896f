"""The files of what is printed, guide and inserts of a fan: each as it sits on the bone, and as it is printed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from guidegen import results
from guidegen.check.files import INSERTS, insert_name
from guidegen.guide.guide import Guide
from guidegen.stl import stl_bytes
from guidegen.threemf import print_orientation, threemf_bytes, travels_in


def insert_files(guide: Guide) -> dict[str, bytes]:
    """The inserts as they sit in the guide, in LPS mm; contents by the path in the result folder."""
    return {
        f"{INSERTS}/{insert_name(number)}.stl": stl_bytes(insert.surface)
        for number, insert in enumerate(guide.inserts, start=1)
    }


def print_files(content: Mapping[str, Any], guide: Guide, folder: Path) -> dict[str, bytes]:
    """Guide and inserts turned as they are printed, each bound to the STL in the folder that it was measured by;
    contents by the path in the result folder.
    """
    turned = guide.surface.transformed(print_orientation(guide.surface, guide.print_down))
    files = {"guide.3mf": threemf_bytes(turned, _texts(content, "drill guide", folder, "guide.stl"))}
    for number, insert in enumerate(guide.inserts, start=1):
        name = f"{INSERTS}/{insert_name(number)}"
        texts = _texts(content, f"insert {number}", folder, f"{name}.stl")
        files[f"{name}.3mf"] = threemf_bytes(insert.surface.transformed(insert.print_pose), texts)
    return files


def reject(folder: Path) -> None:
    """Rename what failed, and take away its print files: nothing of it can be printed by mistake."""
    (folder / "guide.stl").rename(folder / "rejected.stl")
    (folder / "guide.3mf").unlink()
    for path in sorted((folder / INSERTS).glob("*")):
        if path.suffix == ".3mf":
            path.unlink()
        else:
            path.rename(path.with_name(path.name.replace("insert", "rejected")))


def _texts(content: Mapping[str, Any], what: str, folder: Path, stl: str) -> dict[str, str]:
    plan_sha256, stl_sha256 = (results.sha256((folder / name).read_bytes()) for name in ("plan.json", stl))
    return travels_in(content, what, plan_sha256, stl_sha256)
