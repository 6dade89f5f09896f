"""The end of the dossier: every check, the notes, the hashes of the files, and the page to sign."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from guidegen.show.dossier.reader import (
    FINDINGS,
    Block,
    Cell,
    Reader,
    hashes,
    recorded_warnings,
    section,
    text,
)

RESULT, RUN = "files", "run.json"


def checks_section(read: Reader) -> dict[str, Any]:
    """Every finding with its limit, and of those that failed why it matters."""
    rows = [_finding(read, number) for number in range(len(read.findings))]
    passed = sum(bool(finding["passed"]) for finding in read.findings)
    title = read.say("checks_passed", passed=passed, count=len(rows))
    return section(
        "checks",
        read.say("checks"),
        [
            {
                "kind": "checks",
                "title": title,
                "head": [read.say(key) for key in ("check", "measured", "limit")],
                "pass": read.say("pass"),
                "fail": read.say("fail"),
                "rows": rows,
            }
        ],
    )


def _finding(read: Reader, number: int) -> dict[str, Any]:
    """A finding with its numbers as text."""
    finding = read.findings[number]
    measured, limit = read.judged(number)
    return {
        "name": read.quoted(FINDINGS, f"{number}/name", finding["name"]),
        "measured": measured,
        "limit": limit,
        "unit": finding["unit"],
        "passed": finding["passed"],
        "why": read.quoted(FINDINGS, f"{number}/why", finding["why"]),
    }


def files_section(read: Reader, inputs: Mapping[str, str], files: Mapping[str, str]) -> dict[str, Any]:
    """The notes that stand nowhere else, and the SHA-256 of the files that were read and of those that the dossier
    speaks of.
    """
    elsewhere = {read.at(place) for place in ("plan/explanation",) if read.has(place)}
    elsewhere |= {said for part in ("plan/chosen", "guide") if read.has(part) for said in read.at(f"{part}/warnings")}
    notes: list[Cell] = [
        read.quote(f"notes/{n}") for n in read.count("notes") if read.at(f"notes/{n}") not in elsewhere
    ]
    notes += (
        [read.quote(f"lesion/grades/notes/{n}") for n in read.count("lesion/grades/notes")]
        if read.has("lesion/grades/notes")
        else []
    )
    bound = read.say("hashes_note") if read.is_sound else None
    return section(
        "files",
        read.say("notes_and_files"),
        [
            text(notes, read.say("notes"), marked=True) if notes else None,
            hashes(inputs, f"{RUN}#/inputs_sha256", read.say("input_files")),
            hashes(files, f"{RESULT}#", read.say("hashes")),
            text([bound]) if bound else None,
        ],
    )


def signature_section(read: Reader) -> dict[str, Any]:
    """The page to sign on paper: nothing is filled in, and paper alone approves nothing."""
    waivers: list[Cell] = [
        {"parts": [read.rule(f"plan/waivers_proposed/{n}/rule"), "–", read.quote(f"plan/waivers_proposed/{n}/reason")]}
        for n in read.count("plan/waivers_proposed")
    ]
    block: Block = {
        "kind": "signature",
        "meaning": read.say("approval_meaning"),
        "decision": [read.say("approve"), read.say("reject")],
        "fields": [read.say(key) for key in FIELDS],
        "acknowledge": [[read.say("i_acknowledge"), each] for each in recorded_warnings(read)]
        + [[read.say("i_accept"), each] for each in waivers],
    }
    return section("signature", read.say("signature"), [block, text([read.say("paper_note")])])


FIELDS = (
    "typed_patient",
    "typed_side",
    "oldest_image",
    "image_age",
    "printed_name",
    "role",
    "date_time",
    "handwritten",
)
