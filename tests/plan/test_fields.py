"""Numbers in a range: both ends are allowed, all else is refused with what was expected."""

from __future__ import annotations

from typing import Annotated

import pytest
from pydantic import ValidationError

from guidegen.packed import packed, unpacked
from guidegen.plan.fields import Name, Positive, Share, Switch, Template, Within


class Made(Template):
    """A table of one line of each kind."""

    length_mm: Annotated[float, Within(0.5, 8)] = 1.0
    count: Annotated[int, Within(1, 4)] = 1
    pair: tuple[Annotated[float, Within(0, 2)], Annotated[float, Within(0, 2)]] = (0.0, 0.0)
    maybe: Annotated[float, Within(1, 2)] | None = None
    above: Positive = 1.0
    share: Share = 0.5
    on: Switch = True
    name: Name = "a"


@pytest.mark.parametrize(
    ("line", "value"),
    [("length_mm", 0.5), ("length_mm", 8), ("count", 1), ("count", 4), ("pair", [0, 2]), ("maybe", 2.0), ("share", 1),
     ("name", "steam-121.15")],
)  # fmt: skip
def test_the_ends_of_a_range_are_in_it(line, value) -> None:
    made = Made.model_validate({line: value})
    assert getattr(made, line) == (tuple(value) if isinstance(value, list) else value)
    assert unpacked(Made, packed(made)) == made


def test_a_whole_number_becomes_a_length() -> None:
    assert isinstance(Made.model_validate({"length_mm": 8}).length_mm, float)


@pytest.mark.parametrize(
    ("line", "value", "match"),
    [
        ("length_mm", 0.49, r"expected a number from 0\.5 to 8, found 0\.49"),
        ("length_mm", 8.01, r"expected a number from 0\.5 to 8, found 8\.01"),
        ("length_mm", float("nan"), r"expected a number from 0\.5 to 8, found nan"),
        ("length_mm", float("inf"), r"expected a number from 0\.5 to 8, found inf"),
        ("length_mm", "4.0", r"expected a number from 0\.5 to 8, found '4\.0'"),
        ("length_mm", True, r"expected a number from 0\.5 to 8, found True"),
        ("length_mm", None, r"expected a number from 0\.5 to 8, found None"),
        ("count", 0, "expected a number from 1 to 4, found 0"),
        ("count", 2.5, "valid integer"),
        ("pair", [0.0, 2.1], "expected a number from 0 to 2, found 2.1"),
        ("pair", [0.0], "Field required"),
        ("maybe", 0.9, r"expected a number from 1 to 2, found 0\.9"),
        ("above", "1.0", "valid number"),
        ("above", True, "valid number"),
        ("share", "0.5", "valid number"),
        ("on", 1, "valid boolean"),
        ("on", "yes", "valid boolean"),
        ("name", "Steam 121", "should match pattern"),
        ("name", "", "should match pattern"),
    ],
)
def test_what_is_no_such_value_is_refused(line, value, match) -> None:
    with pytest.raises(ValidationError, match=match):
        Made.model_validate({line: value})
