"""The process that makes parts: it makes the same, hands on what goes wrong, and ends."""

from __future__ import annotations

import numpy as np
import pytest

from guidegen.errors import NoSafeGuide
from guidegen.guide import parts
from guidegen.workshop import Workshop

MEASURES = ("boss", 9.0, 6.0)


def test_it_makes_the_same_parts_as_here() -> None:
    with Workshop() as workshop:
        for measures in (MEASURES, ("plate", 20.0, 12.0, 5.0)):
            for (vertices, faces), (points, corners) in zip(
                parts.make(*measures), workshop.make(*measures), strict=True
            ):
                np.testing.assert_array_equal(points, vertices)
                np.testing.assert_array_equal(corners, faces)
        with pytest.raises(KeyError, match="no such part"):
            workshop.make("no such part")
        assert len(workshop.make(*MEASURES)) == 1  # and works on after that
        process = workshop._process
    assert process.returncode is not None


def test_a_refusal_there_is_one_here() -> None:
    """A trial bone that cannot be made refuses the run, with its rule, and is no fault of the program."""
    nothing = [(np.zeros((0, 3)), np.zeros((0, 3), dtype=np.int64))]
    with Workshop() as workshop:
        workshop._begin("guidegen.guide.solids:part_solid", (nothing, "a boss"), {})
        with pytest.raises(NoSafeGuide, match=r"expected a closed solid for a boss") as refused:
            workshop._finish()
    assert refused.value.rule == "solid"
