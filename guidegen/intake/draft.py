"""A case file from files that were looked at.

Labels are taken as they were asked for or by their names, and never guessed from their numbers.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from guidegen.case import companions, load_case
from guidegen.errors import CaseFileError, IdentityError, LabelError
from guidegen.intake.look import LabelSeen, Look
from guidegen.store import write_atomically

Side = Literal["left", "right"]
SIDES: tuple[Side, Side] = ("left", "right")
Section = Literal["bone", "lesion"]
BONE: Section = "bone"
LESION: Section = "lesion"

# What a structure is called, once its side is taken off the name. TotalSegmentator calls the hip bone hip.
NAMES: dict[str, frozenset[str]] = {
    "femur": frozenset({"femur", "proximal femur"}),
    "pelvis": frozenset({"pelvis", "hip", "hip bone"}),
    "implant": frozenset({"implant", "metal"}),
    "old_tunnel": frozenset({"old tunnel"}),
    "avoid": frozenset({"avoid"}),
    "lesion": frozenset({"lesion", "necrosis", "osteonecrosis"}),
}
SIDE_WORDS: dict[str, Side] = {"left": "left", "l": "left", "right": "right", "r": "right"}
# The keys of each section, its own shape first, and the command's options for them.
OPTIONS: dict[str, dict[str, str]] = {
    "bone": {key: f"--{key.replace('_', '-')}" for key in ("femur", "pelvis", "implant", "old_tunnel", "avoid")},
    "lesion": {"lesion": "--lesion-label", "femur": "--lesion-femur"},
}


@dataclass(frozen=True, eq=False)
class Part:
    """The section `bone` or `lesion`: its file as the case names it, what was seen in it, and what was asked for.

    `asked` goes from a key to a label, "left=LABEL,right=LABEL" for the two sides; `image` is a file or folder.
    """

    section: Section
    name: str
    look: Look
    asked: Mapping[str, str] = field(default_factory=dict)
    image: str | None = None
    unit: str | None = None
    space: str | None = None


def draft_case(patient_id: str | None, side: Side, bone: Part, lesion: Part, known_ids: Collection[str]) -> str:
    """The text of a case file; `known_ids` are the patient ids in the DICOM files, of which there may be one.

    IdentityError for more; LabelError where the femur or the lesion is neither asked for, nor named, nor the only
    label of its file; CaseFileError where there is no id, or a surface lacks its unit or space.
    """
    if len(known_ids) > 1:
        raise IdentityError(
            f"expected files of one patient, found {len(known_ids)} patient ids in them; choose the files of one"
        )
    dicom_id = next(iter(known_ids), None)
    patient_id = patient_id or dicom_id
    if patient_id is None:
        raise CaseFileError("expected the patient's id, found none in the files; give --id")
    patient = [f"id = {_quoted(patient_id)}", f"side = {_quoted(side)}"]
    if dicom_id is not None and dicom_id != patient_id:
        patient.append(f"dicom_id = {_quoted(dicom_id)}")
    sections = {
        "patient": patient,
        "bone": list(_section(bone, side)),
        "lesion": list(_section(lesion, side)),
    }
    return "\n".join(f"[{name}]\n" + "\n".join(lines) + "\n" for name, lines in sections.items())


def _section(part: Part, side: Side) -> Iterator[str]:
    if part.look.what.startswith("surface"):
        for key, value in (("unit", part.unit), ("space", part.space)):
            if value is None:
                raise CaseFileError(
                    f"{part.name}: expected the {key} that its numbers are in, found none; a surface file does not "
                    f"say it: give --{part.section}-{key}"
                )
        yield f"surface = {_quoted(part.name)}"
        yield f"unit = {_quoted(part.unit or '')}"
        yield f"space = {_quoted(part.space or '')}"
    else:
        yield f"labels = {_quoted(part.name)}"
        for k, key in enumerate(OPTIONS[part.section]):
            label = _label(part, key, side, needed=k == 0)
            if label is not None:
                yield f"{key} = {label if isinstance(label, int) else _quoted(label)}"
    if part.image is not None:
        yield f"image = {_quoted(part.image)}"


def _label(part: Part, key: str, side: Side, needed: bool) -> int | str | None:
    """The label for a key: as asked for, else the one of that name, else the only one there if one is needed."""
    asked = _of_side(part.asked.get(key), side)
    if asked is not None:
        return int(asked) if asked.isdecimal() else asked
    named = [seen for seen in part.look.labels if seen.name is not None and _is(seen.name, key, side)]
    if len(named) == 1:
        return named[0].name
    if needed and not named and len(part.look.labels) == 1:
        return part.look.labels[0].name or part.look.labels[0].value
    if needed or named:
        raise LabelError(
            f"{part.name}: expected one label for the {side} {key}, found {len(named)} of that name among "
            f"{_listing(part.look.labels)}; say which it is with {OPTIONS[part.section][key]}"
        )
    return None


def _of_side(asked: str | None, side: Side) -> str | None:
    """The label for a side out of "left=LABEL,right=LABEL", or the label itself."""
    if asked is None or "=" not in asked:
        return asked
    sides = dict(pair.split("=", 1) for pair in asked.split(",") if "=" in pair)
    if set(sides) != {"left", "right"}:
        raise CaseFileError(f'expected one label, or "left=LABEL,right=LABEL", found {asked!r}')
    return sides[side]


def _is(name: str, key: str, side: Side) -> bool:
    """Whether a label's name is that of a structure on this side, or of one without a side."""
    words = [word for word in re.split(r"[^a-z0-9]+", name.lower()) if word not in ("", "label", "mask", "seg")]
    sides = {SIDE_WORDS[word] for word in words if word in SIDE_WORDS}
    what = " ".join(word for word in words if word not in SIDE_WORDS)
    return what in NAMES[key] and sides <= {side}


def _listing(labels: tuple[LabelSeen, ...]) -> str:
    listed = [
        f"{repr(seen.name) if seen.value is None else seen.value}"
        + (f" ({seen.name!r})" if seen.name and seen.value is not None else "")
        + ("" if seen.volume_mm3 is None else f" of {seen.volume_mm3 / 1000.0:.1f} ml")
        for seen in labels
    ]
    return ", ".join(listed[:20]) + (f" and {len(listed) - 20} more" if len(listed) > 20 else "") or "no labels"


def _quoted(text: str) -> str:
    """A TOML basic string: JSON's, since both escape alike what is printable on one line."""
    return json.dumps(text, ensure_ascii=False)


def name_in(folder: Path, given: Path) -> str:
    """The name that a file, or the folder of a series, has or will have inside the folder of a case."""
    source, folder = given.resolve(), folder.resolve()
    inside = source.is_relative_to(folder) and source != folder
    return source.relative_to(folder).as_posix() if inside else source.name


def bring_in(folder: Path, given: Path) -> None:
    """Copy a file, or the folder of a series, into the folder of a case, unless it lies there.

    CaseFileError where another of that name is there already.
    """
    if given.resolve() == (folder / name_in(folder, given)).resolve():
        return
    folder.mkdir(parents=True, exist_ok=True)
    for source in (given, *companions(given)):
        place = folder / source.name
        if place.exists():
            raise CaseFileError(
                f"{source.name}: expected no such file in {folder.name} yet, found one; move it away, or name that one"
            )
        if source.is_dir():
            shutil.copytree(source, place)
        else:
            shutil.copyfile(source, place)


def write_case_files(folder: Path, texts: Mapping[str, str]) -> list[Path]:
    """Write case files by their names, all of them or none; each is loaded as a check. CaseFileError where one is there
    already, or is no case.
    """
    paths = [folder / name for name in texts]
    there = [path.name for path in paths if path.exists()]
    if there:
        raise CaseFileError(f"{there[0]}: expected no such case file in {folder.name} yet, found one; move it away")
    try:
        for path, text in zip(paths, texts.values(), strict=True):
            write_atomically(path, text.encode())
            load_case(path)
    except CaseFileError:
        for path in paths:
            path.unlink(missing_ok=True)
        raise
    return paths
