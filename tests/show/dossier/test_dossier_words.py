"""The languages of the dossier: the same words in all, and what a run records told where the language knows it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from guidegen.errors import TemplateError
from guidegen.show.dossier import words as module
from guidegen.show.dossier.words import load_words, sources_sha256

ROOT = Path(__file__).parents[3]
TEMPLATES = ROOT / "templates" / "dossier"


@pytest.fixture
def edited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A hospital's own copy of the folder."""
    folder = tmp_path / "dossier"
    folder.mkdir()
    for path in TEMPLATES.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(module.resources, "files", lambda _package: tmp_path)
    load_words.cache_clear()
    yield folder
    load_words.cache_clear()


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_numbers_are_written_as_the_language_does() -> None:
    english, turkish = load_words("en"), load_words("tr")
    assert english.number(-140.25, 1, "mm") == "−140.3 mm"
    assert turkish.number(140.25, 1, "mm") == "140,3 mm"
    assert english.number(-0.04, 1) == "0.0"
    assert english.share(0.2508, 1) == "25.1 %"
    assert turkish.share(0.2508, 1) == "%25,1"
    assert english.number(2.5, 0, "°") == "3°"


def test_recorded_sentences_are_told_with_their_numbers_or_left_as_they_are() -> None:
    say = load_words("tr")
    assert say.told("sleeve 2 bore axis off plan") == "kovan 2: eksenin plandan sapması"
    assert (
        say.told("its stop, set at 140.3 mm (0.3 mm past the mark 140), on the sleeve's top")
        == "140,3 mm'ye ayarlı durdurucusu (140 işaretini 0,3 mm geçince), kovanın tepesinde"
    )
    assert say.told("25 mm of bone: 34.5 / 35 mm from its tip to the top of its boss") == (
        "25 mm kemik: ucundan yuvasının tepesine 34,5 / 35 mm"
    )
    assert say.told("turns 0.6° about the shaft, slides 0.3 mm along the shaft and 0.2 mm off the bone") == (
        "şaft çevresinde 0,6° döner, şaft boyunca 0,3 mm ve kemikten dışa 0,2 mm kayar"
    )
    assert say.told("A sentence that nobody knows, with 3.5 mm.") == "A sentence that nobody knows, with 3.5 mm."
    assert say.told("The plan reaches 7.8% of the lesion and leaves 15267 mm³. A new sentence.") == (
        "Plan lezyonun %7,8 kadarına ulaşır ve 15267 mm³ bırakır. A new sentence."
    )
    assert load_words("en").told("seat turn") == "seat turn"


def test_every_check_of_the_documentation_has_a_turkish_name() -> None:
    say = load_words("tr")
    table = (ROOT / "docs" / "checks.md").read_text(encoding="utf-8")
    names = re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE)
    told = {name: say.told(re.sub(r"\bN\b", "1", name)) for name in names}
    outside = ("slicer: ", "files changed")  # said at the terminal, in no dossier
    assert len(names) > 90
    assert [name for name, words in told.items() if words in (name, re.sub(r"\bN\b", "1", name))] == [
        name for name in names if name.startswith(outside)
    ]


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(TemplateError, match="expected one of the dossier's languages en, tr, found 'xx'"):
        load_words("xx")
    with pytest.raises(TemplateError, match="expected one of the dossier's languages en, tr, found 'xx'"):
        sources_sha256("xx")


def test_a_language_has_the_words_of_the_english_file_with_their_holes(edited: Path) -> None:
    replace(edited / "tr.toml", 'title = "', 'titel = "')
    with pytest.raises(
        TemplateError, match=r"expected all words of en.toml in dossier/tr.toml, found otherwise: title"
    ):
        load_words("tr")
    replace(edited / "tr.toml", 'titel = "', 'title = "')
    replace(edited / "tr.toml", "tünel {number}", "tünel {nummer}")
    with pytest.raises(TemplateError, match=r"the same holes .* found otherwise: tunnel_n"):
        load_words("tr")
    replace(edited / "tr.toml", "tünel {nummer}", "tünel {number}")
    replace(edited / "tr.toml", "[words]", '[words]\nmore = "çok"')
    with pytest.raises(TemplateError, match=r"expected no others of en.toml in .* found otherwise: more"):
        load_words("tr")


def test_a_file_that_cannot_be_is_refused_by_name(edited: Path) -> None:
    replace(edited / "tr.toml", 'decimal = ","', 'decimal = ";"')
    with pytest.raises(TemplateError, match=r"expected a usable template dossier/tr.toml, found"):
        load_words("tr")
    (edited / "tr.toml").write_text("no toml", encoding="utf-8")
    with pytest.raises(TemplateError, match=r"expected a usable template dossier/tr.toml, found"):
        load_words("tr")


def test_another_word_or_layout_is_another_dossier(edited: Path) -> None:
    before = sources_sha256("tr")
    assert before != sources_sha256("en")
    replace(edited / "page.typ", "9pt", "9.1pt")
    assert sources_sha256("tr") != before
