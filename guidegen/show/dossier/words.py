"""The words of the dossier in one language, from templates/dossier/LANGUAGE.toml.

The English file says which words there must be. What a run records in English (findings, warnings, notes) is told in
another language where its file has the sentence, and as recorded where it has not.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Annotated

from pydantic import Field, ValidationError

from guidegen.errors import TemplateError
from guidegen.plan.fields import Template
from guidegen.rounded import shown
from guidegen.toml_files import NotToml, read_toml

FOLDER = "dossier"
REFERENCE = "en"
# Of a recorded sentence: whatever stands there, a number in most; a number only.
HOLES = {"{}": "(.+?)", "{#}": r"(-?\d+(?:\.\d+)?)"}
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?: / -?\d+(?:\.\d+)?)*")  # or several, one for each wire
SENTENCE_ENDS = re.compile(r"(?<=[.!?]) (?=[A-Z\d])")
POINT = re.compile(r"(?<=\d)\.(?=\d)")  # of a decimal number
PERCENT = re.compile(r"(\d+(?:[.,]\d+)?) %")
RULE = re.compile(r"[a-z0-9]+(?:_[a-z0-9]+)+")  # or another name out of a file
DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


class _File(Template):
    """A language's file. `words` by their keys; `recorded`: what a run says in English, and how it is said here;
    `lettering`: the same of what stands in the pictures.
    """

    language: Annotated[str, Field(pattern=r"^[a-z]{2}$")]  # ISO 639-1
    decimal: Annotated[str, Field(pattern=r"^[.,]$")]
    percent: Annotated[str, Field(pattern=r"^.*\{\}.*$")]
    words: dict[str, Annotated[str, Field(min_length=1)]]
    recorded: dict[str, Annotated[str, Field(min_length=1)]] = Field(default_factory=dict)
    lettering: dict[str, Annotated[str, Field(min_length=1)]] = Field(default_factory=dict)


Patterns = tuple[tuple[re.Pattern[str], str], ...]


@dataclass(frozen=True, eq=False)
class Words:
    """Words by key, and how numbers are written among them."""

    language: str
    decimal: str
    percent: str
    words: dict[str, str]
    patterns: Patterns
    in_pictures: Patterns

    def __call__(self, key: str, **holes: str | int) -> str:
        """The words of a key, their holes filled."""
        return self.words[key].format(**holes)

    def number(self, value: float, decimals: int, unit: str = "") -> str:
        """A number with its unit, as this language writes it; halves go up, as they do in what stands on the guide."""
        text = shown(value, decimals).replace(".", self.decimal).replace("-", "−")
        return f"{text}{'' if unit in ('', '°') else ' '}{unit}"

    def share(self, fraction: float, decimals: int = 0) -> str:
        """A share of 1 in percent."""
        return self.percent.format(self.number(100.0 * fraction, decimals))

    def rule(self, name: str) -> str:
        """A rule in words, or as it is told where there are none."""
        return self.words.get(f"rule_{name}") or self.told(name)

    def told(self, recorded: str) -> str:
        """A recorded text in this language, as a whole or sentence by sentence; what the language's file does not have
        stays as it is.
        """
        if not self.patterns:
            return recorded
        whole = self._told(recorded, self.patterns)
        if whole is not None:
            return whole
        return " ".join(self._told(each, self.patterns) or each for each in SENTENCE_ENDS.split(recorded))

    def lettered(self, english: str) -> str:
        """What stands in a picture in this language; what the language's file does not have stays as it is but for its
        numbers.
        """
        if not self.in_pictures:
            return english
        known = self._told(english, self.in_pictures, self.lettered)
        told = self.told(english) if known is None else known
        if told != english or known is not None:
            return told
        return PERCENT.sub(lambda found: self.percent.format(found[1]), POINT.sub(self.decimal, english))

    def _told(self, sentence: str, patterns: Patterns, told: Callable[[str], str] | None = None) -> str | None:
        """A sentence by the first pattern that it fits; what stood in its holes is `told` too."""
        for pattern, words in patterns:
            found = pattern.fullmatch(sentence)
            if found is not None:
                return words.format(*map(told or self._localised, found.groups()))
        return None

    def _localised(self, part: str) -> str:
        """What stood in a hole: a number in this language's form, a rule by its words, others as they are told here if
        they are known.
        """
        if DATE.fullmatch(part):
            return part
        if NUMBER.fullmatch(part):
            return part.replace(".", self.decimal)
        return self.rule(part) if RULE.fullmatch(part) else self.told(part)


@cache
def load_words(language: str) -> Words:
    """The words of a language; TemplateError where there is no such file, or one that lacks words."""
    folder = resources.files("guidegen.templates") / FOLDER
    known = sorted(path.name.removesuffix(".toml") for path in folder.iterdir() if path.name.endswith(".toml"))
    if language not in known:
        raise TemplateError(
            f"expected one of the dossier's languages {', '.join(known)}, found {language!r}; choose one of them"
        )
    name = f"{FOLDER}/{language}.toml"
    try:
        file = _File.model_validate(read_toml((folder / f"{language}.toml").read_bytes()))
    except (ValidationError, NotToml) as error:
        raise TemplateError(f"expected a usable template {name}, found: {error}; mend the file") from error
    if language != REFERENCE:
        _require_all(load_words(REFERENCE), file, name)
    return Words(
        file.language, file.decimal, file.percent, file.words, _patterns(file.recorded), _patterns(file.lettering)
    )


def sources_sha256(language: str) -> str:
    """SHA-256 over the files that a dossier of this language is made by: its words and the layouts. Raises as
    `load_words`.
    """
    load_words(language)
    folder = resources.files("guidegen.templates") / FOLDER
    digest = hashlib.sha256()
    for name in (f"{REFERENCE}.toml", f"{language}.toml", "dossier.typ", "signed.typ", "page.typ"):
        digest.update(name.encode() + b"\0" + (folder / name).read_bytes())
    return digest.hexdigest()


def layout(name: str) -> str:
    """The source of a layout, a Typst document of templates/dossier."""
    return (resources.files("guidegen.templates") / FOLDER / name).read_text(encoding="utf-8")


def _require_all(reference: Words, file: _File, name: str) -> None:
    """TemplateError for words that are missing or unknown, or whose holes are others than the English ones."""
    missing = sorted(reference.words.keys() - file.words.keys())
    unknown = sorted(file.words.keys() - reference.words.keys())
    holes = [
        key
        for key in reference.words.keys() & file.words.keys()
        if _holes(reference.words[key]) != _holes(file.words[key])
    ]
    for what, keys in (("all words", missing), ("no others", unknown), ("the same holes {…}", sorted(holes))):
        if keys:
            raise TemplateError(
                f"expected {what} of {REFERENCE}.toml in {name}, found otherwise: {', '.join(keys)}; mend the file"
            )


def _holes(words: str) -> set[str]:
    return set(re.findall(r"\{(\w*)\}", words))


def _patterns(told: dict[str, str]) -> Patterns:
    return tuple((_pattern(sentence), words) for sentence, words in told.items())


def _pattern(sentence: str) -> re.Pattern[str]:
    escaped = re.escape(sentence)
    for hole, held in HOLES.items():
        escaped = escaped.replace(re.escape(hole), held)
    return re.compile(escaped, re.DOTALL)
