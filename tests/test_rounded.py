"""Numbers as they are recorded and as they are read: the same halves everywhere."""

from __future__ import annotations

import pytest

from guidegen.rounded import number, shown


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (140.25, 1, "140.3"), (140.25 - 1e-12, 1, "140.3"), (140.35, 1, "140.4"), (-140.25, 1, "-140.3"),
        (140.2499, 1, "140.2"), (2.5, 0, "3"), (1e-7, 2, "0.00"), (-1e-4, 2, "0.00"), (100.0, 0, "100"),
        (217057.9, 0, "217058"),
    ],
)  # fmt: skip
def test_halves_go_away_from_zero_in_whatever_place_a_number_is_read(value: float, decimals: int, text: str) -> None:
    assert shown(value, decimals) == text
    assert shown(number(value), decimals) == text
