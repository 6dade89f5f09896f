"""What the labels say, in words and figures: whose guide it is, which side, which revision, which tunnel."""

from __future__ import annotations

import re
from collections.abc import Sequence

from guidegen.check.asked import Asked, AskedLabel
from guidegen.check.finding import Finding, at_least

# Figures on a label are rounded: diameters to a tenth, depths to half a millimetre, as they are read off a drill.
DIAMETER_ROUNDED_MM = 0.05
DEPTH_ROUNDED_MM = 0.25 + 1e-6
NUMBER = re.compile(r"\d+(?:\.\d+)?")

WHY_SIDE = "The word on the guide is the last thing read before the wrong hip would be drilled."
WHY_PATIENT = "A guide fits one patient only, and its label is all that tells two guides apart."
WHY_REVISION = "Of two prints for one patient only the approved one may be used, and they look alike."
WHY_PLAN = "The plan's hash ties the print in the hand to the plan that was signed."
WHY_INSERT = "All inserts of a fan go into its socket: only what stands on them tells them apart."
WHY_DEPTH = "The stop is set in the theatre by what the guide says: diameter and depth belong beside the tunnel."


def word_findings(asked: Asked) -> tuple[Finding, ...]:
    """Whether side, patient, revision, plan and each tunnel's diameter and stop depth stand on the labels."""
    guide = asked.guide
    findings = [
        _said("labels name the side", _names_side(asked), WHY_SIDE),
        _said("labels name the patient", _names_patient(asked), WHY_PATIENT),
        _said("labels name the revision", _is_word(asked, guide.revision), WHY_REVISION),
        _said("labels name the plan", _is_word(asked, guide.plan_hash), WHY_PLAN),
    ]
    for number, sleeve in enumerate(guide.sleeves, start=1):
        tunnel = asked.tunnels[sleeve.tunnel]
        named = _names_depth(guide.labels, tunnel.diameter_mm, sleeve.offset_mm + tunnel.length_mm)
        findings.append(_said(f"labels name tunnel {number}'s diameter and depth", named, WHY_DEPTH))
    for number, insert in enumerate(guide.inserts, start=1):
        tunnel = asked.tunnels[insert.tunnel]
        named = _names_depth([insert.label], tunnel.diameter_mm, insert.offset_mm + tunnel.length_mm)
        numbered = insert.label.lines[0].split()[0] == str(number)
        findings.append(_said(f"insert {number} names its tunnel, diameter and depth", named and numbered, WHY_INSERT))
        planned = guide.plan_hash in insert.label.lines
        findings.append(_said(f"insert {number} names the plan", planned, WHY_PLAN))
    return tuple(findings)


def _said(name: str, said: bool, why: str) -> Finding:
    return at_least(name, float(said), 1, "", why)


def _lines(asked: Asked) -> list[str]:
    return [line for label in asked.guide.labels for line in label.lines]


def _names_side(asked: Asked) -> bool:
    """Whether the labels, apart from the patient's id, have the word of this side and not that of the other."""
    lines = [line.upper() for line in _lines(asked) if line != asked.case_id]
    words = re.findall(r"[A-Z]+", " ".join(lines))
    return {word for word in words if word in ("LEFT", "RIGHT")} == {asked.side.upper()}


def _names_patient(asked: Asked) -> bool:
    """Whether a label begins with the whole id, maybe broken over lines, and then has the word of the side."""
    for label in asked.guide.labels:
        starts = ["".join(label.lines[:count]) for count in range(1, len(label.lines))]
        if asked.case_id in starts:
            after = label.lines[starts.index(asked.case_id) + 1].upper()
            return asked.side.upper() in re.findall(r"[A-Z]+", after)
    return False


def _is_word(asked: Asked, text: str) -> bool:
    """Whether it stands on a label as a word of its own, or broken over whole lines."""
    for label in asked.guide.labels:
        words = [re.findall(r"[0-9A-Z]+", line.upper()) for line in label.lines]
        whole = [word[0] if len(word) == 1 else " " for word in words]
        runs = {"".join(whole[first:last]) for first in range(len(whole)) for last in range(first + 1, len(whole) + 1)}
        if text.upper() in runs | {word for line in words for word in line}:
            return True
    return False


def _names_depth(labels: Sequence[AskedLabel], diameter_mm: float, depth_mm: float) -> bool:
    """Whether one of the labels has both figures."""
    for label in labels:
        figures = [float(number) for number in NUMBER.findall(" ".join(label.lines))]
        diameters = [each for each in figures if abs(each - diameter_mm) <= DIAMETER_ROUNDED_MM]
        depths = [each for each in figures if abs(each - depth_mm) <= DEPTH_ROUNDED_MM]
        if diameters and depths:
            return True
    return False
