"""What a dossier quotes: figures and sentences of plan.json and findings.json, each with the place that it comes from.

A figure cannot stand in a dossier without its place, so that a test, or the review, may look each of them up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from guidegen.check.finding import SIGNS, decimals_of
from guidegen.show.dossier.words import Words

Cell = str | dict[str, Any]  # words, or {"text", "from"} and more
Row = list[Cell]
Block = dict[str, Any]

PLAN, FINDINGS = "plan.json", "findings.json"


@dataclass(frozen=True, eq=False)
class Reader:
    """The records of a run, and the language that they are told in.

    Places are written as in "tunnels/0/length_mm"; a figure's `from` is the file and a JSON pointer (RFC 6901).
    """

    plan: Mapping[str, Any]
    findings: Sequence[Mapping[str, Any]]
    say: Words

    @property
    def is_sound(self) -> bool:
        """Whether there is a guide and every check on it passed: something to approve."""
        return self.has("guide") and all(finding["passed"] for finding in self.findings)

    def at(self, place: str) -> Any:
        """What stands at a place of plan.json; KeyError where there is none."""
        value: Any = self.plan
        for key in place.split("/"):
            value = value[int(key)] if isinstance(value, list | tuple) else value[key]
        return value

    def has(self, place: str) -> bool:
        """Whether there is such a place, and something at it."""
        try:
            return self.at(place) is not None
        except (KeyError, IndexError, TypeError):
            return False

    def count(self, place: str) -> range:
        """The numbers of a list at a place."""
        return range(len(self.at(place)))

    def figure(self, place: str, decimals: int = 1, unit: str = "mm") -> Cell:
        """A figure, or that it was not computed."""
        value = self.at(place)
        text = self.say("not_computed") if value is None else self.say.number(value, decimals, unit)
        return {"text": text, "from": pointer(PLAN, place)}

    def share(self, place: str, decimals: int = 0) -> Cell:
        """A share of 1 in percent, or that it was not computed."""
        value = self.at(place)
        text = self.say("not_computed") if value is None else self.say.share(value, decimals)
        return {"text": text, "from": pointer(PLAN, place)}

    def measured(self, place: str, decimals: int, unit: str = "mm", share: bool = False) -> tuple[Cell, Cell]:
        """A measured value of the grades and its range of doubt, or the reason why there is none."""
        if self.at(f"{place}/value") is None:
            return self.figure(f"{place}/value"), self.quote(f"{place}/reason")

        def write(part: str) -> Cell:
            place_of = f"{place}/{part}"
            return self.share(place_of, decimals) if share else self.figure(place_of, decimals, unit)

        return write("value"), {"parts": [write("low"), self.say("to"), write("high")]}

    def quote(self, place: str) -> Cell:
        """A recorded text, word for word, or as this language tells it."""
        return self.quoted(PLAN, place, self.at(place))

    def quoted(self, file: str, place: str, text: object) -> Cell:
        """The same of any file."""
        told = self.say("not_stated") if text is None else self.say.told(str(text))
        return {"text": told, "from": pointer(file, place)}

    def rule(self, place: str) -> Cell:
        """A rule in words, or by its name where there are none."""
        return {"text": self.say.rule(str(self.at(place))), "from": pointer(PLAN, place)}

    def failed(self, number: int) -> Cell:
        """A failed check with its figures."""
        finding = self.findings[number]
        measured, limit = self.judged(number)
        name = self.quoted(FINDINGS, f"{number}/name", finding["name"])
        unit = finding["unit"]
        return {"parts": [name, "–", measured, f"{unit},".lstrip(), self.say("limit"), limit, unit]}

    def judged(self, number: int) -> tuple[Cell, Cell]:
        """What a check measured and its limit, with as many decimals as tell them apart."""
        finding = self.findings[number]
        decimals = decimals_of(finding["unit"], finding["limit"], finding["measured"])
        found = finding["measured"]
        text = self.say("not_measured") if found is None else self.say.number(found, decimals)
        return {"text": text, "from": pointer(FINDINGS, f"{number}/measured")}, self.limit(number, decimals)

    def limit(self, number: int, decimals: int, unit: str = "") -> Cell:
        """The limit of a check, behind the sign of its side where that was recorded."""
        finding = self.findings[number]
        text, bound = self.say.number(finding["limit"], decimals, unit), finding.get("bound")
        limit: Cell = {"text": text, "from": pointer(FINDINGS, f"{number}/limit")}
        return limit if bound is None else {"parts": [SIGNS[bound], limit]}

    def derived(self, value: float, decimals: int, unit: str, how: str, *places: str) -> Cell:
        """A figure worked out of others; `how` names the working, which docs/dossier.md explains."""
        return self.worked(self.say.number(value, decimals, unit), how, *places)

    def worked(self, text: str, how: str, *places: str) -> Cell:
        """Words with a figure worked out of others."""
        return {"text": text, "from": [pointer(PLAN, place) for place in places], "how": how}


def recorded_warnings(read: Reader) -> list[Cell]:
    """Every warning of the plan and of the guide, which the surgeon must acknowledge."""
    return [
        read.quote(f"{part}/warnings/{number}")
        for part in ("plan/chosen", "guide")
        if read.has(part)
        for number in read.count(f"{part}/warnings")
    ]


def pointer(file: str, place: str) -> str:
    """A file and the place in it."""
    return f"{file}#/{place}"


def table(rows: Sequence[Row], title: str | None = None, head: Sequence[Cell] | None = None, **how: Any) -> Block:
    """Rows of cells under a head. `how`: "align", a letter l or r for each column; "widths", shares of the width;
    "small", letters.
    """
    return {
        "kind": "table",
        "title": title,
        "head": None if head is None else list(head),
        "rows": [list(row) for row in rows],
        **how,
    }


def text(
    paragraphs: Sequence[Cell], title: str | None = None, marked: bool = False, sticky: bool = False
) -> Block:  # fmt: skip
    """Paragraphs; `marked`: each with a bullet; `sticky`: on the page of what follows."""
    return {"kind": "text", "title": title, "paragraphs": list(paragraphs), "marked": marked, "sticky": sticky}


def warning(paragraphs: Sequence[Cell], title: str | None = None, grave: bool = False) -> Block:
    """What must not be overlooked; `grave`: what stands in the way."""
    return {"kind": "warning", "title": title, "paragraphs": list(paragraphs), "grave": grave}


def pictures(
    read: Reader, names: Sequence[str], drawn: frozenset[str], columns: int = 1, width: float = 1.0
) -> Block | None:
    """Those of the pictures that there are, each with what it shows; `width` of the page's. None without any."""
    items = [{"file": name, "caption": read.say(f"pic_{name.removesuffix('.png')}")} for name in names if name in drawn]
    return {"kind": "pictures", "items": items, "columns": columns, "width": width} if items else None


def hashes(of: Mapping[str, str], where: str, title: str) -> Block:
    """SHA-256 by the names of files; `where` these stand, up to the name."""
    rows = [{"file": name, "text": digest, "from": f"{where}/{name}"} for name, digest in of.items()]
    return {"kind": "hashes", "title": title, "rows": rows}


def beside(left: Sequence[Block | None], right: Sequence[Block | None], share: float = 0.5) -> Block:
    """Blocks in two columns; `share` of the width is the left one's."""
    columns = {"left": [block for block in left if block], "right": [block for block in right if block]}
    return {"kind": "columns", "share": share, **columns}


def section(name: str, title: str, blocks: Sequence[Block | None], fresh: bool = True) -> dict[str, Any]:
    """A part of the dossier; `fresh`: it begins a page."""
    return {"id": name, "title": title, "fresh": fresh, "blocks": [block for block in blocks if block is not None]}
