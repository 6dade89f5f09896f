"""All that a dossier says, as plain data: one source for the PDF, for the review's page and for dossier.json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from guidegen.show.dossier.closing import checks_section, files_section, signature_section
from guidegen.show.dossier.doubt import doubt_section
from guidegen.show.dossier.guide import guide_section
from guidegen.show.dossier.hip import anatomy_section, images_section, lesion_section
from guidegen.show.dossier.reader import Reader
from guidegen.show.dossier.refused import FIRST_PICTURES, refused_section, rejected_block, tried_section
from guidegen.show.dossier.theatre import fallback_section, radiographs_section, theatre_section
from guidegen.show.dossier.tunnels import summary_section, tunnel_section
from guidegen.show.dossier.words import load_words

SCHEMA = "guidegen.dossier/1"

Sections = list[dict[str, Any] | None]


def dossier_content(
    plan: Mapping[str, Any],
    findings: Sequence[Mapping[str, Any]],
    drawn: frozenset[str],
    inputs_sha256: Mapping[str, str],
    files_sha256: Mapping[str, str],
    language: str,
    revision: str,
) -> dict[str, Any]:
    """The content of dossier.json, schema guidegen.dossier/1.

    `plan` and `findings` are plan.json and findings.json; `drawn` names the pictures there are; `inputs_sha256` as in
    run.json, `files_sha256` of the files that the dossier speaks of, by their path; `revision` the name of the result.
    Without a guide it says why there is none; without one that passed every check it has no page to sign. A cell is
    words, or {"text", "from"} with the place that it quotes, or {"parts", "join"} of such. TemplateError for a
    `language` without a file.
    """
    read = Reader(plan, findings, load_words(language))
    say, guide = read.say, plan["guide"]
    failed = sum(not finding["passed"] for finding in findings)
    sections = _of_refusal(read, drawn) if guide is None else _of_guide(read, drawn)
    sections += [files_section(read, inputs_sha256, files_sha256), signature_section(read) if read.is_sound else None]
    banner, status = "", say("status")
    if guide is None:
        banner, status = say("refused_banner"), say("refused_status")
    elif failed:
        banner, status = say("rejected_banner", failed=failed, count=len(findings)), say("rejected_status")
    return {
        "schema": SCHEMA,
        "language": language,
        "patient": plan["case_id"],
        "side": plan["side"],
        "side_words": say(f"{plan['side']}_hip"),
        "revision": revision,
        "plan_hash": "–" if guide is None else guide["plan_hash"],
        "version": plan["version"],
        "title": say("title"),
        "disclaimer": say("disclaimer"),
        "status": status,
        "banner": banner,
        "words": {key: say(key) for key in ("revision", "page", "of", "plan_hash_short")},
        "sections": [each for each in sections if each is not None],
    }


def _of_guide(read: Reader, drawn: frozenset[str]) -> Sections:
    return [
        summary_section(read, drawn, rejected_block(read)),
        images_section(read, drawn),
        anatomy_section(read, drawn),
        lesion_section(read, drawn),
        tunnel_section(read, drawn),
        doubt_section(read, drawn),
        guide_section(read, drawn),
        theatre_section(read, drawn),
        fallback_section(read),
        radiographs_section(read, drawn),
        checks_section(read),
    ]


def _of_refusal(read: Reader, drawn: frozenset[str]) -> Sections:
    """Why there is no guide, the hip, and the tunnel that breaks the rules, or what else was tried."""
    if read.has("plan/chosen"):
        tried: Sections = [tunnel_section(read, drawn - {*FIRST_PICTURES}), doubt_section(read, drawn)]
    else:
        tried = [tried_section(read, drawn)]
    hip = [images_section(read, drawn), anatomy_section(read, drawn), lesion_section(read, drawn)]
    return [refused_section(read, drawn), *tried, *hip]
