"""The text of a plate: broken to its width, and its arrows where they are drawn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guidegen.guide import parts
from guidegen.guide.label import Label, broken, text_width_mm

LETTERS = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_", min_size=1, max_size=64)


@given(LETTERS, st.floats(2.0, 6.0), st.floats(8.0, 40.0))
def test_a_broken_text_is_all_there_and_fits(text: str, height_mm: float, width_mm: float) -> None:
    lines = broken(text, height_mm, width_mm)
    assert "".join(lines) == text
    assert all(text_width_mm(line, height_mm) <= width_mm for line in lines)
    lengths = [len(line) for line in lines]
    assert max(lengths) == lengths[0]
    fewer = -(-len(text) // max(len(lines) - 1, 1))
    if len(lines) > 1:  # in one line less, one would be too long
        parts_ = [text[start : start + fewer] for start in range(0, len(text), fewer)]
        assert any(text_width_mm(part, height_mm) > width_mm for part in parts_)


def test_where_no_letter_fits_each_has_its_line() -> None:
    assert broken("LEFT", 10.0, 1.0) == ("L", "E", "F", "T")


def test_the_width_goes_with_the_height_and_the_letters() -> None:
    assert text_width_mm("MM", 4.0) == pytest.approx(2.0 * text_width_mm("M", 4.0))
    assert text_width_mm("M", 8.0) == pytest.approx(2.0 * text_width_mm("M", 4.0))
    assert text_width_mm("I", 4.0) < text_width_mm("M", 4.0)


def plate(*lines: str) -> Label:
    """A plate that reads along y, up along z, seen from +x, its middle 100 mm out."""
    middle, reading, up, out = np.array([100.0, 0.0, 0.0]), *np.eye(3)[[1, 2, 0]]
    return Label(lines, 4.0, 0.6, False, middle, reading, up, out, 30.0, 20.0, 5.0)


@pytest.mark.parametrize(("lines", "way", "word"), [
    (("ID", "LEFT", "ANT ↑"), [0.0, 0.0, 1.0], "ANT"),
    (("ID", "LEFT", "ANT ↓"), [0.0, 0.0, -1.0], "ANT"),
    (("PROX →",), [0.0, 1.0, 0.0], "PROX"),
    (("PROX", "→"), [0.0, 1.0, 0.0], "PROX"),
])  # fmt: skip
def test_an_arrow_is_told_as_it_is_drawn(lines: tuple[str, ...], way: list[float], word: str) -> None:
    """In its own line, in the face, from tail to tip."""
    (arrow,) = plate(*lines).arrows(parts.make)
    assert arrow.text == word
    along = arrow.end_mm - arrow.start_mm
    np.testing.assert_allclose(along / np.linalg.norm(along), way, atol=1e-9)
    assert 2.0 < np.linalg.norm(along) < 4.5
    level = ((len(lines) - 1) / 2.0 - (len(lines) - 1)) * 1.3 * 4.0
    middle = (arrow.start_mm + arrow.end_mm) / 2.0
    assert middle[0] == pytest.approx(100.0)
    assert middle[2] == pytest.approx(level, abs=0.8)
    if word != lines[-1]:
        assert middle[1] > -0.5  # after its word, or alone in the middle


def test_a_plate_without_an_arrow_has_none() -> None:
    assert plate("T001L", "LEFT").arrows(parts.make) == ()
