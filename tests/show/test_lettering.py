"""The letters in the pictures: in the language that was ordered, every word of them, and with its own capitals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from finished import Finished, read

from guidegen import pipeline
from guidegen.errors import TemplateError
from guidegen.show.canvas import Sheet, View, named
from guidegen.show.dossier.words import Words, load_words
from guidegen.show.lettering import capitals, lettered, tell
from guidegen.show.result_pictures import result_pictures

BODY = {("anterior", "posterior"): np.array([0.0, 0.0, 1.0]), ("lateral", "medial"): np.array([0.0, 1.0, 0.0])}


def test_words_are_told_in_the_language_and_numbers_written_as_it_does() -> None:
    with lettered("tr"):
        assert tell("LEFT hip") == "SOL kalça"
        assert tell("wall 3.1 mm") == "duvar 3,1 mm"
        assert tell("4.5 to 6.25 mm") == "4,5 – 6,25 mm"
        assert tell("±5.3 mm") == "±5,3 mm"
        assert tell("31.5 %") == "%31,5"
        assert tell("seat turn") == "oturuşta dönme"  # as the dossier tells what was recorded
        assert tell("A word that nobody knows") == "A word that nobody knows"
    assert tell("wall 3.1 mm") == "wall 3.1 mm"


def test_what_is_lettered_inside_ends_with_it_even_after_an_error() -> None:
    with pytest.raises(RuntimeError, match="inside"), lettered("tr"):
        raise RuntimeError("inside")
    assert tell("Guide") == "Guide"


def test_an_unknown_language_is_refused_before_anything_is_drawn() -> None:
    with (
        pytest.raises(TemplateError, match="expected one of the dossier's languages en, tr, found 'xx'"),
        lettered("xx"),
    ):
        pass


def test_capitals_keep_their_dots() -> None:
    assert capitals("medial") == "MEDIAL"
    with lettered("tr"):
        assert capitals("medial") == "MEDİAL"
        assert named(np.array([0.0, 0.6, 0.8]), BODY) == "ön-lateral"


def test_the_typeface_has_every_letter_of_the_words() -> None:
    """A letter that it lacks would be drawn as the box of all unknown letters."""
    sheet = Sheet(np.full((4, 4, 3), 255, np.uint8), View(np.eye(3), np.zeros(3), 1.0))

    def drawn(letter: str) -> bytes:
        blank = Sheet(np.full((4, 4, 3), 255, np.uint8), sheet.view)
        blank.text((100.0, 100.0), letter, 60.0)
        return blank.png()

    unknown = drawn("\U000f0000")
    assert drawn("Ğ") != drawn("G")
    assert unknown not in {drawn(letter) for letter in "çğıİöşüÇĞÖŞÜâ×°±–³Ø"}


def test_no_word_of_any_picture_is_left_in_english(done: Finished, tmp_path: Any, monkeypatch: Any) -> None:
    left, say, told = set(), load_words("tr"), Words.lettered

    def watched(self: Words, english: str) -> str:
        words = told(self, english)
        known = self._told(english, self.in_pictures) is not None or self.told(english) != english
        if not known and sum(map(str.isalpha, english.replace("mm", ""))) > 2:
            left.add(english)
        return words

    class Drawn:
        """Draws at once, in this process, in Turkish."""

        def begin_pictures(self, *drawn: Any) -> None:
            self.pictures = result_pictures(*drawn[:-1], "tr")

    state = pipeline._start(done.case, done.stages_to(tmp_path / "output"), None, pipeline.silent)
    planned, built, _ = pipeline._guide(state, pipeline._plan(state), None, "r001")
    monkeypatch.setattr(Words, "lettered", watched)
    drawn = Drawn()
    pipeline._begin_pictures(state, planned, read(done.result.folder / "plan.json"), built[0], drawn)
    assert left == set()
    assert {f"preview/{name}" for name in drawn.pictures} == {
        path.relative_to(done.result.folder).as_posix() for path in (done.result.folder / "preview").iterdir()
    }
    english = {path.name: path.read_bytes() for path in (done.result.folder / "preview").iterdir()}
    assert say.language == "tr"
    assert not [name for name, png in drawn.pictures.items() if png == english[name]]
