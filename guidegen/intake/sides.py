"""What the files of a case say of the side: the names of labels and files, and the laterality of DICOM files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from guidegen.case import Case
from guidegen.intake.identity import Identity

Side = Literal["left", "right"]

# Structures that are of the ordered side; an implant or a place to keep away from may be of the other one.
SIDED = ("femur", "pelvis", "lesion", "old_tunnel")

# A word of a name: "FemurLeft" and "left_femur" have two.
WORD = re.compile("[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
SIDES: dict[str, Side] = {"left": "left", "lt": "left", "l": "left", "right": "right", "rt": "right", "r": "right"}
# L and R alone ("femur L", "femur_l", "FemurL") mean a side only in a name with one of these words; L5 is no side.
LETTER = re.compile("(?:(?<![A-Za-z0-9])[LRlr]|(?<=[a-z])[LR])(?![A-Za-z0-9])")
SIDED_WORDS = {"femur", "femora", "femoral", "hip", "hips", "pelvis", "thigh", "head", "lesion", "necrosis", "onfh"}


@dataclass(frozen=True)
class SideSource:
    """Something that says a side: `source` in words, for messages and records."""

    source: str
    says: Side


def sides_said(case: Case, identities: Iterable[Identity], segment_names: Mapping[str, str]) -> tuple[SideSource, ...]:
    """Every name and every DICOM file of the case that says a side; none of them is believed here.

    `segment_names` has, by key of the case file ("bone.femur"), the name that the file itself gives to the label that
    was taken. Names are read word by word in English, paths part by part; a name with both sides says nothing.
    """
    found = []
    for section, shape in (("bone", case.bone), ("lesion", case.lesion)):
        for key in ("labels", "surface", "image"):
            found += _in_path(f"{section}.{key}", getattr(shape, key))
        for key in SIDED:
            label = getattr(shape, key, None)
            if isinstance(label, str):
                found += _in_path(f"{section}.{key}", label)
    for key, name in segment_names.items():
        if key.rpartition(".")[2] in SIDED:
            found += _in_path(key, name)
    found += [
        SideSource(f"the laterality in {identity.file}", identity.laterality)
        for identity in identities
        if identity.laterality is not None
    ]
    return tuple(dict.fromkeys(found))


def side_in_name(name: str) -> Side | None:
    """The side that a name says, word by word; None for no side or both."""
    words = {word.lower() for word in WORD.findall(name)}
    said = {word for word in words if len(word) > 1}
    if words & SIDED_WORDS:
        said |= {letter.lower() for letter in LETTER.findall(name)}
    sides = {SIDES[word] for word in said & SIDES.keys()}
    return sides.pop() if len(sides) == 1 else None


def _in_path(key: str, path: str | None) -> list[SideSource]:
    """What each part of a path, or a plain name, says."""
    said = [(part, side_in_name(part)) for part in (path or "").split("/")]
    return [SideSource(f"the name {part!r} ({key})", side) for part, side in said if side is not None]
