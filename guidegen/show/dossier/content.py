"""All that a dossier says, as plain data: one source for the PDF, for the review's page and for dossier.json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from guidegen.show.dossier.closing import checks_section, files_section, signature_section
from guidegen.show.dossier.doubt import doubt_section
from guidegen.show.dossier.guide import guide_section
from guidegen.show.dossier.hip import anatomy_section, images_section, lesion_section
from guidegen.show.dossier.reader import Reader
from guidegen.show.dossier.theatre import fallback_section, radiographs_section, theatre_section
from guidegen.show.dossier.tunnels import summary_section, tunnel_section
from guidegen.show.dossier.words import load_words

SCHEMA = "guidegen.dossier/1"


def dossier_content(
    plan: Mapping[str, Any],
    findings: Sequence[Mapping[str, Any]],
    drawn: frozenset[str],
    inputs_sha256: Mapping[str, str],
    files_sha256: Mapping[str, str],
    language: str,
) -> dict[str, Any]:
    """The content of dossier.json, schema guidegen.dossier/1.

    `plan` and `findings` are plan.json, with a chosen plan and a guide, and findings.json; `drawn` names the pictures
    there are; `inputs_sha256` as in run.json, `files_sha256` of the files that the dossier speaks of, by their
    path. A cell is words, or {"text", "from"} with the place that it quotes, or {"parts", "join"} of such.
    TemplateError for a `language` without a file.
    """
    read = Reader(plan, findings, load_words(language))
    say, passed = read.say, sum(bool(finding["passed"]) for finding in findings)
    sections = [
        summary_section(read, drawn),
        images_section(read, drawn, inputs_sha256),
        anatomy_section(read, drawn),
        lesion_section(read, drawn),
        tunnel_section(read, drawn),
        doubt_section(read, drawn),
        guide_section(read, drawn),
        theatre_section(read),
        fallback_section(read),
        radiographs_section(read, drawn),
        checks_section(read),
        files_section(read, files_sha256),
        signature_section(read),
    ]
    return {
        "schema": SCHEMA,
        "language": language,
        "patient": plan["case_id"],
        "side": plan["side"],
        "side_words": say(f"{plan['side']}_hip"),
        "revision": plan["guide"]["revision"],
        "plan_hash": plan["guide"]["plan_hash"],
        "version": plan["version"],
        "title": say("title"),
        "disclaimer": say("disclaimer"),
        "status": say("status"),
        "verdict": ""
        if passed == len(findings)
        else say("checks_failed", failed=len(findings) - passed, count=len(findings)),
        "words": {key: say(key) for key in ("revision", "page", "of", "plan_hash_short")},
        "sections": [each for each in sections if each is not None],
    }
