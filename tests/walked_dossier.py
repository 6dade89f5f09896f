"""Every figure of a dossier's content, looked up where it says that it comes from; those worked out, anew."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

import numpy as np

from guidegen.show.dossier.words import Words, load_words

Files = Mapping[str, Any]  # what plan.json, findings.json and run.json hold, and under "files" the hashes, by name
NUMBER = re.compile(r"[−-]?\d+(?:[.,]\d+)?")
UNQUOTED = {
    "patient",
    "revision",
    "plan_hash",
    "version",
    "schema",
    "language",
    "unit",
    "file",
    "from",
    "how",
    "id",
    "align",
}


def figures(content: Any) -> Iterator[dict[str, Any]]:
    """Every cell that quotes or works something out, in order."""
    if isinstance(content, dict):
        if "text" in content and "from" in content:
            yield content
        else:
            for value in content.values():
                yield from figures(value)
    elif isinstance(content, list):
        for value in content:
            yield from figures(value)


def loose(content: Any, key: str = "") -> Iterator[str]:
    """Every text with a digit in it that says of no place that it comes from there."""
    if isinstance(content, dict):
        if not ("text" in content and "from" in content):
            for name, value in content.items():
                yield from loose(value, name)
    elif isinstance(content, list):
        for value in content:
            yield from loose(value, key)
    elif isinstance(content, str) and key not in UNQUOTED and any(letter.isdigit() for letter in content):
        yield content


def walk(content: Mapping[str, Any], files: Files) -> int:
    """Look every figure up; AssertionError names the one that is not what it says. Returns how many there were."""
    say, count = load_words(content["language"]), 0
    for cell in figures(content["sections"]):
        if isinstance(cell["from"], list):
            values = [looked_up(files, place) for place in cell["from"]]
            wrong = not worked_alike(cell, values, files["plan.json"]["side"], say)
        else:
            wrong = not quoted_alike(cell["text"], looked_up(files, cell["from"]), say)
        assert not wrong, f"{cell['text']!r} is not what stands at {cell['from']}"
        count += 1
    for text in loose(content["sections"]):
        assert _of_the_words(text, say), f"{text!r} has a figure and names no place that it comes from"
    return count


def looked_up(files: Files, pointer: str) -> Any:
    """What stands at a place such as plan.json#/tunnels/0/length_mm."""
    name, _, place = pointer.partition("#/")
    value = files[name]
    if name in ("files", "run.json"):  # names of files have slashes of their own
        return files["files"][place] if name == "files" else value["inputs_sha256"][place.partition("/")[2]]
    for key in place.split("/"):
        value = value[int(key)] if isinstance(value, list) else value[key]
    return value


def quoted_alike(text: str, value: Any, say: Words) -> bool:
    """Whether a text says a recorded value, to the decimals that it shows."""
    if value is None:
        return text in (say("not_computed"), say("not_stated"), say("not_measured"))
    if isinstance(value, str):
        return text in (say.told(value), value, say.words.get(f"rule_{value}")) or (
            value in ("left", "right") and text == say(value)
        )
    shown, step = number_in(text, say)
    return abs(shown - value * (100.0 if "%" in text else 1.0)) <= 0.5 * step + 1e-9


def number_in(text: str, say: Words) -> tuple[float, float]:
    """The number of a text and the step of its last digit."""
    (found,) = NUMBER.findall(re.sub("[²³]", "", text))
    decimals = len(found.partition(say.decimal)[2])
    return float(found.replace(say.decimal, ".").replace("−", "-")), 10.0**-decimals


def worked_alike(cell: Mapping[str, Any], values: list[Any], side: str, say: Words) -> bool:
    """Whether a figure is what its working makes of its places, worked out here in another way than there."""
    how, text = cell["how"], cell["text"]
    if how == "day the image is old":
        return bool(text == (date.fromisoformat(values[0]) + timedelta(days=90)).isoformat())
    if how == "wire beyond its boss":
        shown, step = number_in(text, say)
        return abs(shown - (values[0] - values[1])) <= 0.5 * step + 1e-9
    if how == "reached share":
        shown, step = number_in(text, say)
        return abs(shown - 100.0 * (values[0] + values[1]) / values[2]) <= 0.5 * step + 1e-9
    points = [np.array(value) for value in values]
    if how == "above along the shaft":
        landmark, axis, place = points
        return _way_alike(text, float((place - landmark) @ axis), ("above", "below"), say)
    head, shaft, axis = points[:3]
    medial = (head - shaft) - ((head - shaft) @ axis) * axis
    medial /= np.linalg.norm(medial)
    # on the left, front × … : the back is where left would turn to about the shaft
    back = np.cross(medial, axis) if side == "left" else np.cross(axis, medial)
    if how == "behind the shaft":
        return _way_alike(text, float((points[3] - shaft) @ back), ("behind", "in_front"), say)
    if how.startswith("tip "):
        away = points[3] - head
        along, words = {
            "tip above the head's centre": (axis, ("above", "below")),
            "tip medial of the head's centre": (medial, ("medial", "lateral")),
            "tip behind the head's centre": (back, ("behind", "in_front")),
        }[how]
        return _way_alike(text, float(away @ along), words, say)
    way = points[4] - points[3]
    beside = {"angle seen from the front": medial, "angle seen from the side": back}[how]
    angle = np.degrees(np.arctan2(abs(way @ beside), -(way @ axis)))
    shown, step = number_in(text, say)
    return abs(shown - angle) <= 0.5 * step + 1e-6


def _way_alike(text: str, away_mm: float, words: tuple[str, str], say: Words) -> bool:
    if abs(away_mm) < 0.5:
        return text in (say("level"), say("in_line"))
    shown, _ = number_in(text, say)
    return abs(shown - abs(away_mm)) <= 0.5 + 1e-9 and text.endswith(say(words[0] if away_mm > 0 else words[1]))


def _of_the_words(text: str, say: Words) -> bool:
    """Whether a text is one of the language's, but for the numbers in its holes, or counts something."""

    def bare(words: str) -> str:
        return re.sub(r"\d+", "", re.sub(r"\{\w*\}", "", words))

    return re.fullmatch(r"\d+( ×)?", text) is not None or bare(text) in {bare(words) for words in say.words.values()}
