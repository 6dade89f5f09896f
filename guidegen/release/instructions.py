"""The instructions for use: a page or two for the theatre, from the kit's steps and the plan, in each language.

The sentences are templates/release/instructions.*.toml; which of them apply and every figure come from plan.json. The
kit's own words for its instruments, the depths to read among them, and the warnings as they were acknowledged, stand as
they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from guidegen.release.paper import pdf_bytes
from guidegen.release.source import Source
from guidegen.release.words import LANGUAGES, load_words
from guidegen.rounded import shown

Words = Mapping[str, str]


def instruction_files(source: Source) -> dict[str, bytes]:
    """Contents by file name."""
    return {f"instructions.{language}.pdf": _instructions(source, language) for language in LANGUAGES}


def _instructions(source: Source, language: str) -> bytes:
    words = load_words(language)
    return pdf_bytes("instructions", {"language": language, **page_content(source, words)})


def page_content(source: Source, words: Words) -> dict[str, Any]:
    """All that the pages say: marks, sections of a heading and sentences, the steps of each tunnel, the warnings."""
    plan, record = source.plan, source.approval.record
    return {
        "mark": source.mark(),
        "words": {name: words[name] for name in ("title", "patient", "side", "revision", "plan", "until", "device")},
        "side_word": words[source.plan["side"]],
        "sections": [
            [words["before"], list(_before(plan, words))],
            [words["seat"], list(_seat(plan, words))],
            [words["wires"], list(_wires(plan, words))],
            [words["drilling"], list(_drilling(plan, words))],
        ],
        "step_heads": [words[name] for name in ("step", "tool", "through", "stopped_by", "guide")],
        "tunnels": _tunnels(plan, words),
        "after": [words["after"], list(_after(plan, words))],
        "warnings_head": words["warnings"],
        "warnings": [warning.text for warning in record.warnings]
        + [f"{waiver.rule}: {waiver.reason} / {waiver.surgeon_reason}" for waiver in record.waivers],
    }


def _before(plan: Mapping[str, Any], words: Words) -> Iterable[str]:
    printing = plan["printing"]
    engraved = " · ".join(" / ".join(label["lines"]) for label in plan["guide"]["labels"])
    yield words["identity"].format(engraved=engraved)
    yield words["single_use"]
    yield words["inspected"]
    yield words["sterilise"].format(cycle=printing["sterilisation"]["text"], material=printing["material"])
    yield words["trial"]


def _seat(plan: Mapping[str, Any], words: Words) -> Iterable[str]:
    guide = plan["guide"]
    if guide["seat"]["incision_mm"] is not None:
        yield words["incision"].format(incision=f"{guide['seat']['incision_mm']:.0f}")
    periosteum_mm, clearance = guide["periosteum_mm"], f"{guide['clearance_mm']:.2f}"
    if periosteum_mm > 0.0:
        yield words["periosteum_left"].format(clearance=clearance, periosteum=f"{periosteum_mm:.2f}")
    else:
        yield words["periosteum_off"].format(clearance=clearance)
    if guide["pointer"] is not None:
        doubt = (plan["anatomy"].get("uncertainty_95") or {}).get("vastus_ridge_mm")
        yield words["pointer_plain"] if doubt is None else words["pointer"].format(doubt=f"{doubt:.1f}")
    kinds = [window["kind"] for window in guide["windows"] or ()]
    for kind, sentence in (("window", "windows"), ("probe", "probes")):
        if kind in kinds:
            yield words[sentence].format(count=kinds.count(kind))
    yield words["no_seat"]
    for number, tunnel in enumerate(plan["tunnels"], start=1):
        yield words["landmarks"].format(
            number=number,
            below=f"{tunnel['entry_below_vastus_ridge_mm']:.1f}",
            above=f"{tunnel['entry_above_lesser_trochanter_mm']:.1f}",
            angle=f"{tunnel['shaft_angle_deg']:.0f}",
        )


def _wires(plan: Mapping[str, Any], words: Words) -> Iterable[str]:
    yield words["hold"]
    for number, pin in enumerate(plan["guide"]["pins"], start=1):
        yield words["wire"].format(
            number=number,
            diameter=f"{pin['wire_diameter_mm']:.1f}",
            depth=shown(pin["depth_mm"], 1),
            reading=shown(pin["reading_mm"], 1),
            out=shown(pin["wire_length_mm"] - pin["reading_mm"], 1),
            length=f"{pin['wire_length_mm']:.0f}",
        )


def _drilling(plan: Mapping[str, Any], words: Words) -> Iterable[str]:
    for number, sleeve in enumerate(plan["guide"]["sleeves"], start=1):
        sentence = words["metal_sleeve" if sleeve["kind"] == "metal" else "printed_sleeve"]
        yield sentence.format(
            number=number, drill=f"{sleeve['drill_diameter_mm']:.1f}", offset=f"{sleeve['offset_mm']:.0f}"
        )
        reducer = sleeve.get("reducer")
        if reducer is not None:
            yield words["reducer"].format(
                number=number,
                wire=f"{reducer['drill_diameter_mm']:.1f}",
                reading=shown(sleeve["wire_reading_mm"], 1),
                higher=shown(reducer["flange_height_mm"], 1),
            )
    for number, insert in enumerate(plan["guide"].get("inserts", ()), start=1):
        yield words["insert"].format(
            number=number,
            drill=f"{insert['drill_diameter_mm']:.1f}",
            offset=f"{insert['offset_mm']:.0f}",
            reading=shown(insert["reading_mm"], 1),
            text=" / ".join(insert["label"]["lines"]),
        )
    yield words["xray"]


def _tunnels(plan: Mapping[str, Any], words: Words) -> list[dict[str, Any]]:
    """The steps of each tunnel; with several, those that come once the guide is off stand together, after the last."""
    tunnels = list(enumerate(plan["tunnels"], start=1))
    if len(tunnels) == 1:
        return [_steps(_head(*tunnels[0], words), tunnels, ("on", "off"), words)]
    each = [_steps(_head(number, tunnel, words), [(number, tunnel)], ("on",), words) for number, tunnel in tunnels]
    return [*each, _steps(words["guide_is_off"], tunnels, ("off",), words)]


def _head(number: int, tunnel: Mapping[str, Any], words: Words) -> str:
    return words["tunnel"].format(number=number, diameter=f"{tunnel['diameter_mm']:.1f}")


def _steps(
    head: str, tunnels: list[tuple[int, Mapping[str, Any]]], guide: tuple[str, ...], words: Words
) -> dict[str, Any]:
    """The steps of these tunnels with the guide so; each with its number, or of several tunnels with theirs."""
    steps = [
        [
            str(step["number"] if len(tunnels) == 1 else number),
            step["tool"],
            step["through"],
            step["stopped_by"],
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
