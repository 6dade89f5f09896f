"""The sentences of the instructions for use, one file for each language, which a hospital edits."""

from __future__ import annotations

import string
from collections.abc import Mapping
from importlib import resources

from guidegen.errors import TemplateError
from guidegen.release.paper import FOLDER
from guidegen.toml_files import NotToml, read_toml

LANGUAGES = ("en", "tr")


def load_words(language: str) -> Mapping[str, str]:
    """Every sentence by its name; TemplateError where the file is none, or differs from English in what it fills in."""
    words = _read(language)
    expected = {name: _places(text) for name, text in _read(LANGUAGES[0]).items()}
    found = {name: _places(text) for name, text in words.items()}
    wrong = sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))
    if wrong:
        raise TemplateError(
            f"expected instructions.{language}.toml with the sentences of {LANGUAGES[0]} and the same figures in "
            f"braces, found others: {', '.join(wrong)}; mend the file"
        )
    return words


def _read(language: str) -> dict[str, str]:
    path = resources.files("guidegen.templates") / FOLDER / f"instructions.{language}.toml"
    try:
        return {str(name): str(text) for name, text in read_toml(path.read_bytes()).items()}
    except (OSError, NotToml) as error:
        raise TemplateError(f"expected a usable {path.name}, found: {error}; mend the file") from error


def _places(text: str) -> list[str]:
    return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name is not None)
