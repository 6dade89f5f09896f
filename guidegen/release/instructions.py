"""The instructions for use: a page or two for the theatre, from the kit's steps and the plan, in each language.

The sentences are templates/release/instructions.*.toml; which of them apply and every figure come from plan.json.
Numbers are written as in the dossier of the language, and what a run records in English (the kit's steps, the
sterilisation, the warnings that were acknowledged) is told as it is told there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from guidegen.release.paper import pdf_bytes
from guidegen.release.source import Source
from guidegen.release.words import LANGUAGES, load_words
from guidegen.show.dossier.words import Words as Told
from guidegen.show.dossier.words import load_words as load_told

Words = Mapping[str, str]


def instruction_files(source: Source) -> dict[str, bytes]:
    """Contents by file name."""
    return {f"instructions.{language}.pdf": _instructions(source, language) for language in LANGUAGES}


def _instructions(source: Source, language: str) -> bytes:
    return pdf_bytes("instructions", {"language": language, **page_content(source, language)})


def page_content(source: Source, language: str) -> dict[str, Any]:
    """All that the pages say: marks, sections of a heading and sentences, the steps of each tunnel, the warnings."""
    words, say = load_words(language), load_told(language)
    plan, record = source.plan, source.approval.record
    return {
        "mark": source.mark(),
        "words": {name: words[name] for name in ("title", "patient", "side", "revision", "plan", "until", "device")},
        "side_word": words[source.plan["side"]],
        "sections": [
            [words["before"], list(_before(plan, words, say))],
            [words["seat"], list(_seat(plan, words, say))],
            [words["wires"], list(_wires(plan, words, say))],
            [words["drilling"], list(_drilling(plan, words, say))],
        ],
        "step_heads": [words[name] for name in ("step", "tool", "through", "stopped_by", "guide")],
        "tunnels": _tunnels(plan, words, say),
        "after": [words["after"], list(_after(plan, words))],
        "warnings_head": words["warnings"],
        "warnings": [say.told(warning.text) for warning in record.warnings]
        + [f"{say.rule(waiver.rule)}: {waiver.reason} / {waiver.surgeon_reason}" for waiver in record.waivers],
    }


def _before(plan: Mapping[str, Any], words: Words, say: Told) -> Iterable[str]:
    printing = plan["printing"]
    engraved = " · ".join(" / ".join(label["lines"]) for label in plan["guide"]["labels"])
    yield words["identity"].format(engraved=engraved)
    yield words["single_use"]
    yield words["inspected"]
    yield words["sterilise"].format(
        cycle=say.told(printing["sterilisation"]["text"]), material=say.told(printing["material"])
    )
    yield words["trial"]


def _seat(plan: Mapping[str, Any], words: Words, say: Told) -> Iterable[str]:
    guide = plan["guide"]
    if guide["seat"]["incision_mm"] is not None:
        yield words["incision"].format(incision=say.number(guide["seat"]["incision_mm"], 0))
    periosteum_mm, clearance = guide["periosteum_mm"], say.number(guide["clearance_mm"], 2)
    if periosteum_mm > 0.0:
        yield words["periosteum_left"].format(clearance=clearance, periosteum=say.number(periosteum_mm, 2))
    else:
        yield words["periosteum_off"].format(clearance=clearance)
    if guide["pointer"] is not None:
        doubt = (plan["anatomy"].get("uncertainty_95") or {}).get("vastus_ridge_mm")
        yield words["pointer_plain"] if doubt is None else words["pointer"].format(doubt=say.number(doubt, 1))
    kinds = [window["kind"] for window in guide["windows"] or ()]
    for kind, sentence in (("window", "windows"), ("probe", "probes")):
        if kind in kinds:
            yield words[sentence].format(count=kinds.count(kind))
    yield words["no_seat"]
    for number, tunnel in enumerate(plan["tunnels"], start=1):
        yield words["landmarks"].format(
            number=number,
            below=say.number(tunnel["entry_below_vastus_ridge_mm"], 1),
            above=say.number(tunnel["entry_above_lesser_trochanter_mm"], 1),
            angle=say.number(tunnel["shaft_angle_deg"], 0),
        )


def _wires(plan: Mapping[str, Any], words: Words, say: Told) -> Iterable[str]:
    yield words["hold"]
    for number, pin in enumerate(plan["guide"]["pins"], start=1):
        yield words["wire"].format(
            number=number,
            diameter=say.number(pin["wire_diameter_mm"], 1),
            depth=say.number(pin["depth_mm"], 1),
            reading=say.number(pin["reading_mm"], 1),
            out=say.number(pin["wire_length_mm"] - pin["reading_mm"], 1),
            length=say.number(pin["wire_length_mm"], 0),
        )


def _drilling(plan: Mapping[str, Any], words: Words, say: Told) -> Iterable[str]:
    for number, sleeve in enumerate(plan["guide"]["sleeves"], start=1):
        sentence = words["metal_sleeve" if sleeve["kind"] == "metal" else "printed_sleeve"]
        yield sentence.format(
            number=number, drill=say.number(sleeve["drill_diameter_mm"], 1), offset=say.number(sleeve["offset_mm"], 0)
        )
        reducer = sleeve.get("reducer")
        if reducer is not None:
            yield words["reducer"].format(
                number=number,
                wire=say.number(reducer["drill_diameter_mm"], 1),
                reading=say.number(sleeve["wire_reading_mm"], 1),
                higher=say.number(reducer["flange_height_mm"], 1),
            )
    for number, insert in enumerate(plan["guide"].get("inserts", ()), start=1):
        yield words["insert"].format(
            number=number,
            drill=say.number(insert["drill_diameter_mm"], 1),
            offset=say.number(insert["offset_mm"], 0),
            reading=say.number(insert["reading_mm"], 1),
            text=" / ".join(insert["label"]["lines"]),
        )
    yield words["xray"]


def _tunnels(plan: Mapping[str, Any], words: Words, say: Told) -> list[dict[str, Any]]:
    """The steps of each tunnel; with several, those that come once the guide is off stand together, after the last."""
    tunnels = list(enumerate(plan["tunnels"], start=1))
    if len(tunnels) == 1:
        return [_steps(_head(*tunnels[0], words, say), tunnels, ("on", "off"), words, say)]
    each = [
        _steps(_head(number, tunnel, words, say), [(number, tunnel)], ("on",), words, say) for number, tunnel in tunnels
    ]
    return [*each, _steps(words["guide_is_off"], tunnels, ("off",), words, say)]


def _head(number: int, tunnel: Mapping[str, Any], words: Words, say: Told) -> str:
    return words["tunnel"].format(number=number, diameter=say.number(tunnel["diameter_mm"], 1))


def _steps(
    head: str, tunnels: list[tuple[int, Mapping[str, Any]]], guide: tuple[str, ...], words: Words, say: Told
) -> dict[str, Any]:
    """The steps of these tunnels with the guide so; each with its number, or of several tunnels with theirs."""
    steps = [
        [
            str(step["number"] if len(tunnels) == 1 else number),
            *(say.told(step[name]) for name in ("tool", "through", "stopped_by")),
            words[f"guide_{step['guide']}"],
        ]
        for number, tunnel in tunnels
        for step in tunnel["instruments"]
        if step["guide"] in guide
    ]
    return {"head": head, "steps": steps}


def _after(plan: Mapping[str, Any], words: Words) -> Iterable[str]:
    guide = plan["guide"]
    reducers = sum(sleeve.get("reducer") is not None for sleeve in guide["sleeves"])
    pieces = {
        ("one_metal_sleeve", "metal_sleeves"): sum(sleeve["kind"] == "metal" for sleeve in guide["sleeves"]),
        ("one_reducer", "reducers"): reducers,
        ("one_insert", "inserts"): len(guide.get("inserts", ())),
        ("one_stop_collar", "stop_collars"): 2 if reducers else 1,  # the drill's, and that of the guide wire
        ("one_wire", "some_wires"): len(guide["pins"]) + (1 if reducers else 0),
    }
    counted = [words[one if count == 1 else more].format(count=count) for (one, more), count in pieces.items() if count]
    yield words["take_off"]
    yield words["count"].format(pieces=", ".join([words["one_guide"], *counted]))
    yield words["discard"]
