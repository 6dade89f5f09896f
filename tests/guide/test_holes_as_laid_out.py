"""A guide in pieces, or with a hole that nobody laid out, is not built: the next seat is tried."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from guidegen.errors import NoSafeGuide
from guidegen.guide import guide as guides

LAID_OUT, IN_PIECES = 10, -1


@pytest.fixture
def build(monkeypatch: pytest.MonkeyPatch) -> Any:
    """`_built` on three seats, whose bodies have so many holes; gives the seat that it took."""

    def on_seats_with(*holes: int) -> str:
        seats = [f"seat {number}" for number in range(len(holes))]
        stub = SimpleNamespace(ground=None, zones=None)
        frames = dict(zip(seats, holes, strict=True))

        def lay_out(_ground: Any, _zones: Any, left: list[str], _task: Any) -> Any:
            return SimpleNamespace(genus=LAID_OUT, seat=Seat(left[0]))

        class Seat(str):
            frame = None

        def body_of(layout: Any, *_given: Any) -> Any:
            if frames[layout.seat] == IN_PIECES:
                raise NoSafeGuide("expected a guide in one piece, found 2 bodies", rule="one_piece", figures={})
            return SimpleNamespace(genus=lambda: frames[layout.seat])

        monkeypatch.setattr(guides, "lay_out", lay_out)
        monkeypatch.setattr(guides, "body_of", body_of)
        monkeypatch.setattr(guides, "_as_written", lambda _body, seat: str(seat))
        bone = SimpleNamespace(transformed=lambda _frame: None)
        task: Any = SimpleNamespace(order=None)
        layout, surface = guides._built(stub, seats, bone, task, None)  # type: ignore[arg-type]  # stand-ins
        assert layout.seat == surface
        return str(surface)

    return on_seats_with


def test_the_first_seat_without_a_gap_is_taken(build: Any) -> None:
    assert build(LAID_OUT, LAID_OUT + 1) == "seat 0"
    assert build(LAID_OUT + 1, LAID_OUT - 1, LAID_OUT) == "seat 2"


def test_a_seat_on_which_it_comes_in_pieces_is_passed_over(build: Any) -> None:
    assert build(IN_PIECES, LAID_OUT + 1, LAID_OUT) == "seat 2"
    with pytest.raises(NoSafeGuide, match="expected a guide in one piece, found 2 bodies"):
        build(LAID_OUT + 1, IN_PIECES)


def test_where_every_seat_leaves_one_the_guide_is_refused(build: Any) -> None:
    with pytest.raises(NoSafeGuide, match="expected 10 holes through the guide, found 12: a gap was left"):
        build(LAID_OUT + 1, LAID_OUT + 2)
