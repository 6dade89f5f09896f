"""What a print file holds beside its triangles: what our own writer puts there, and nothing else.

A build item may mirror, stretch, turn or repeat a part, a component may do so too, and a further part of the package
may hold settings: a slicer obeys all of them, and none of them shows in the triangles.
"""

from __future__ import annotations

import re
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import numpy as np

from guidegen.check.files import INSERTS, insert_name
from guidegen.check.finding import Finding, at_most
from guidegen.intake.plain_xml import NotPlain, plain_xml
from guidegen.results import sha256
from guidegen.surfaces import Surface
from guidegen.threemf import threemf_bytes, travels_in

NUMBER, COUNT = rb'"[-+.e\d]+"', rb'"\d+"'
# The mesh itself, which is measured elsewhere: corners and triangles with nothing more to them, such as a colour.
ROWS = re.compile(
    rb"\s*<(?:vertex x=%b y=%b z=%b|triangle v1=%b v2=%b v3=%b) ?/>" % (NUMBER, NUMBER, NUMBER, COUNT, COUNT, COUNT)
)
IDENTIFIER = re.compile(r"\{.*\}UUID")  # of what is in the file, computed from it
# The least body that there is: only what stands round it is looked at.
LEAST = Surface(np.eye(4, 3), np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [0, 3, 2]])[:, ::-1])
# Larger parts than a model of ten million triangles are no print file of ours.
MOST_BYTES = 1 << 30
SHOWN = 3

WHY = "A slicer obeys all that a print file says: it may turn, mirror, stretch or repeat the part, or be another's."


def print_form_findings(folder: Path, plan: Mapping[str, Any]) -> tuple[Finding, ...]:
    """How far the print files of a result folder differ from what our writer puts round their triangles: guide, inserts
    and trial bone; a rejected guide has none of the first two.
    """
    made = {"trial bone": ("trial_bone", "trial bone")}
    if not (folder / "rejected.stl").exists():
        inserts = range(1, len(plan["guide"].get("inserts") or ()) + 1)
        guide = {"": ("guide", "drill guide")}
        made = guide | {f"insert {n}": (f"{INSERTS}/{insert_name(n)}", f"insert {n}") for n in inserts} | made
    plan_sha256 = sha256((folder / "plan.json").read_bytes())
    findings = []
    for of, (stem, what) in made.items():
        path = folder / f"{stem}.stl"
        texts = travels_in(plan, what, plan_sha256, sha256(path.read_bytes()) if path.is_file() else "")
        findings.append(form_finding(f"{of} print file beside its body".lstrip(), folder / f"{stem}.3mf", texts))
    return tuple(findings)


def form_finding(name: str, path: Path, texts: Mapping[str, str]) -> Finding:
    """The number of things in a print file, or missing from it, by which it differs from ours with these texts."""
    try:
        found = _told(path.read_bytes())
    except (OSError, zipfile.BadZipFile, NotPlain, NotImplementedError, RuntimeError) as error:
        return at_most(name, None, 0, "", WHY, missing=f"{path.name} is no plain 3MF file ({error})")
    ours = _told(threemf_bytes(LEAST, texts))
    differing = sorted(((found - ours) + (ours - found)).elements())
    more = "" if len(differing) <= SHOWN else " …"
    why = f"{WHY} It differs in: {'; '.join(differing[:SHOWN])}{more}." if differing else WHY
    return at_most(name, len(differing), 0, "", why)


def _told(package: bytes) -> Counter[str]:
    """All that a 3MF file holds, a line for each part and each element in it, corners and triangles aside."""
    lines: Counter[str] = Counter()
    with zipfile.ZipFile(BytesIO(package)) as archive:
        for part in archive.infolist():
            if part.file_size > MOST_BYTES:
                raise NotPlain(f"{part.filename} of {part.file_size} bytes")
            lines[part.filename] += 1
            if part.filename.endswith((".model", ".rels", ".xml")):
                lines.update(_elements(part.filename, plain_xml(ROWS.sub(b"", archive.read(part)))))
    return lines


def _elements(place: str, element: Element) -> Iterator[str]:
    """A line for an element, by its place, and for each in it; identifiers are left out."""
    name = f"{place}/{element.tag.rpartition('}')[2]}"
    attributes = " ".join(
        f"{key.rpartition('}')[2]}={value}"
        for key, value in sorted(element.attrib.items())
        if not IDENTIFIER.fullmatch(key)
    )
    yield " ".join(filter(None, (name, attributes, (element.text or "").strip(), (element.tail or "").strip())))
    for inner in element:
        yield from _elements(name, inner)
