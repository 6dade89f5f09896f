"""A result folder read back from disk, as a stranger would read it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from guidegen.check.finding import Finding
from guidegen.errors import ResultError
from guidegen.surfaces import Surface

# Binary STL: a header of 80 bytes, a count of 4, and 50 bytes per triangle.
STL_HEADER_BYTES = 84
STL_FACE_BYTES = 50
MOST_MM = 10_000.0  # no scanner reaches further; NaN and infinity fail it too

FINDINGS_FILE = "findings.json"
LESION_FILE = "lesion.stl"
INSERTS = "inserts"  # the folder of a fan's inserts
INSERT, REJECTED = "insert-{}", "rejected-{}"


def read_result(folder: Path) -> tuple[dict[str, Any], Surface, Surface, Surface | None]:
    """The plan, the femur, the guide and what is kept out, in `folder`; the guide is guide.stl or rejected.stl, never
    both, and keep_out.stl is there when the plan names something to keep out, and only then.
    """
    if not folder.is_dir():
        raise ResultError(f"expected a result folder such as output/CASE-left/r001, found none at {folder}")
    guides = [path for path in (folder / "guide.stl", folder / "rejected.stl") if path.is_file()]
    if len(guides) != 1:
        raise ResultError(
            f"expected guide.stl or rejected.stl in {folder.name}, found {len(guides)} of the two; run the case again"
        )
    plan = read_json(folder / "plan.json")
    return plan, read_stl(folder / "femur.stl"), read_stl(guides[0]), _read_keep_out(folder, plan)


def insert_name(number: int, rejected: bool = False) -> str:
    """What the files of an insert are called, without the ending: its number is that of its tunnel."""
    return (REJECTED if rejected else INSERT).format(number)


def read_inserts(folder: Path, plan: dict[str, Any]) -> list[Surface]:
    """The inserts of a fan, in the order of their numbers; each is insert-N.stl or rejected-N.stl, never both."""
    guide = plan.get("guide")
    inserts = guide.get("inserts") if isinstance(guide, dict) else None
    found = []
    for number in range(1, len(inserts) + 1 if isinstance(inserts, list) else 1):
        names = [f"{insert_name(number, rejected)}.stl" for rejected in (False, True)]
        files = [path for name in names if (path := folder / INSERTS / name).is_file()]
        if len(files) != 1:
            raise ResultError(
                f"expected {' or '.join(names)} in {folder.name}/{INSERTS}, found {len(files)} of the two; run the "
                "case again"
            )
        found.append(read_stl(files[0]))
    return found


def _read_keep_out(folder: Path, plan: dict[str, Any]) -> Surface | None:
    path, named = folder / "keep_out.stl", bool(plan.get("keep_out"))
    if path.exists() != named:
        raise ResultError(
            f"expected keep_out.stl in {folder.name} where plan.json names something to keep out, and only there, "
            f"found {'none' if named else 'one that it does not name'}; run the case again"
        )
    return read_stl(path) if named else None


def read_skin(folder: Path, plan: dict[str, Any]) -> Surface | None:
    """The skin near the guide: skin.stl is there when the plan knows of the skin, and only then."""
    guide = plan.get("guide")
    path, known = folder / "skin.stl", isinstance(guide, dict) and guide.get("soft_tissue") is not None
    if path.exists() != known:
        raise ResultError(
            f"expected skin.stl in {folder.name} where plan.json knows of the skin, and only there, "
            f"found {'none' if known else 'one that it does not know'}; run the case again"
        )
    return read_stl(path) if known else None


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file; ResultError when there is none."""
    content = read_any_json(path)
    if not isinstance(content, dict):
        raise ResultError(f"expected one object in {path.name}, found a {type(content).__name__}; run the case again")
    return content


def read_any_json(path: Path) -> Any:
    """What a JSON file holds; ResultError where it is none, is nested without end, or has a number that is none."""
    try:
        return json.loads(path.read_text(encoding="utf-8"), parse_constant=_no_number)
    except (OSError, ValueError, RecursionError) as error:
        raise ResultError(f"expected {path.name} to be readable JSON, found: {error}; run the case again") from error


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name}, which is no number")


def read_findings(folder: Path) -> tuple[Finding, ...]:
    """The findings recorded in a result folder; ResultError where they are none."""
    try:
        return tuple(Finding(**finding) for finding in read_any_json(folder / FINDINGS_FILE))
    except (TypeError, ValueError) as error:
        raise ResultError(f"expected the findings of a run in {FINDINGS_FILE}, found: {error}; run again") from error


def refusal_findings(folder: Path) -> tuple[Finding, ...] | None:
    """The findings of a case that was refused, the reason among them; None for a folder that has a guide.

    ResultError where there is no guide though the plan has one or nothing failed.
    """
    if any((folder / name).is_file() for name in ("guide.stl", "rejected.stl")):
        return None
    plan, findings = read_json(folder / "plan.json"), read_findings(folder)
    if plan.get("guide") is not None or not plan.get("refusal") or all(finding.passed for finding in findings):
        raise ResultError(
            f"expected guide.stl or rejected.stl in {folder.name}, or a plan that was refused with its reason, found "
            "neither; run the case again"
        )
    return findings


def read_stl(path: Path) -> Surface:
    """A binary STL as a surface, corners merged only where they are equal to the last bit.

    Nothing is repaired: a file of the wrong length, or with a number that is not finite, is a ResultError.
    """
    import trimesh

    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            count = int(np.frombuffer(file.read(STL_HEADER_BYTES)[80:84].ljust(4, b"\0"), "<u4")[0])
            whole = count > 0 and size == STL_HEADER_BYTES + STL_FACE_BYTES * count
            file.seek(0)
            mesh = trimesh.Trimesh(**trimesh.exchange.stl.load_stl_binary(file), process=False) if whole else None
    except OSError as error:
        raise ResultError(f"expected to read {path.name}, found: {error}; run the case again") from error
    if mesh is None or not (np.abs(mesh.vertices) <= MOST_MM).all():
        raise ResultError(
            f"expected {path.name} to be a whole binary STL of finite numbers within ±{MOST_MM:g} mm, found {count} "
            f"triangles announced in {size} bytes; run the case again"
        )
    return merged(np.asarray(mesh.vertices, dtype=np.float32)[np.asarray(mesh.faces).ravel()])


def merged(corners: np.ndarray[Any, np.dtype[np.float32]]) -> Surface:
    """The surface of triangle corners (3 M, 3), those that are exactly equal made one vertex."""
    order = np.lexsort(corners.T)
    ordered = corners[order]
    new = np.r_[True, (ordered[1:] != ordered[:-1]).any(axis=1)]
    faces = np.empty(len(corners), dtype=np.int64)
    faces[order] = np.cumsum(new) - 1
    return Surface(ordered[new].astype(np.float64), faces.reshape(-1, 3))
