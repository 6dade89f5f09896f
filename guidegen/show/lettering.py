"""The language that pictures are lettered in.

A picture is written in English and told in its language where it is drawn: the table `lettering` of
templates/dossier/LANGUAGE.toml has each of its words, with {} where a figure stands, and after it `recorded` is asked.
What neither has stays English, with its numbers as the language writes them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from guidegen.show.dossier.words import REFERENCE, load_words

_LANGUAGE = ContextVar("language", default=REFERENCE)


@contextmanager
def lettered(language: str) -> Iterator[None]:
    """All that is drawn meanwhile is lettered in this language; TemplateError for one without a file."""
    load_words(language)
    token = _LANGUAGE.set(language)
    try:
        yield
    finally:
        _LANGUAGE.reset(token)


def tell(english: str) -> str:
    """Words of a picture in its language."""
    return load_words(_LANGUAGE.get()).lettered(english)


def rule_words(name: str) -> str:
    """A rule as the dossier calls it, or its name where it has no words."""
    return load_words(_LANGUAGE.get()).words.get(f"rule_{name}", name)


def capitals(words: str) -> str:
    """Words of a picture in capital letters, as its language has them."""
    return (words.replace("i", "İ") if _LANGUAGE.get() == "tr" else words).upper()
