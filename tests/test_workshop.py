"""The process that makes parts: it makes the same, hands on what goes wrong, and ends."""

from __future__ import annotations

import numpy as np
import pytest

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
