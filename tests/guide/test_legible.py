"""Whether what is engraved reads once the printer has closed its finest strokes, at the least heights allowed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from orders import order_for

from guidegen.check import label as checks
from guidegen.guide import parts
from guidegen.guide.label import LINE_STEP, alone_mm
from guidegen.plan.guide_shapes import LabelShape
from guidegen.surfaces import Surface

AROUND_MM = 1.0
TEXTS = [("z001L", "LEFT", "ANT ↑"), ("2 Ø9", "139.5", "r001", "9f7e7edc"), ("8", "3"), ("PROX →",)]


def printed_for(finest_mm: float) -> LabelShape:
    """The letters of a printer whose finest stroke this is."""
    order = order_for("multiple-3.2")
    build = order.printer.build.model_copy(update={"least_feature_mm": finest_mm})
    return replace(order, printer=order.printer.model_copy(update={"build": build})).label


def reads(lines: tuple[str, ...], height_mm: float, finest_mm: float) -> float:
    """How a text reads as printed: the check's own measure, on letters as the engraver draws them."""
    mask = engraved(lines, height_mm)
    printed = checks._as_printed(mask, finest_mm * checks.POINTS_PER_TEXT_HEIGHT / height_mm)
    bands = checks._line_bands(printed, len(lines))
    if len(bands) != len(lines):
        return 0.0
    drawn = [checks._drawn(text) for text in lines]
    seen = [checks._in_frame(printed[a:b], picture.shape) for (a, b), picture in zip(bands, drawn, strict=True)]
    return checks._correlation(seen, drawn)


def engraved(lines: tuple[str, ...], height_mm: float) -> npt.NDArray[np.bool_]:
    """Where the letters cut, seen from outside."""
    solids = [Surface(*part) for part in parts.make("letters", lines, height_mm, LINE_STEP * height_mm, 0.6, False)]
    bounds = np.array([solid.bounds_mm for solid in solids])
    low, high = bounds[:, 0].min(axis=0) - AROUND_MM, bounds[:, 1].max(axis=0) + AROUND_MM
    pitch = height_mm / checks.POINTS_PER_TEXT_HEIGHT
    x, y = np.meshgrid(np.arange(low[0], high[0], pitch), np.arange(high[1], low[1], -pitch))
    eyes = np.stack([x.ravel(), y.ravel(), np.full(x.size, high[2])], axis=1)
    cut = [np.isfinite(solid.ray_hits(eyes, np.array([0.0, 0.0, -1.0]))[0]) for solid in solids]
    return np.any(cut, axis=0).reshape(x.shape)


@pytest.mark.parametrize("finest_mm", [0.4, 0.5, 0.8])
def test_texts_of_the_least_height_read_on_the_print(finest_mm: float) -> None:
    shape = printed_for(finest_mm)
    for lines in TEXTS:
        assert reads(lines, shape.least_text_height_mm, finest_mm) > checks.READABLE


@pytest.mark.parametrize("finest_mm", [0.4, 0.5, 0.8])
@pytest.mark.parametrize("lines", [("PROX", "→"), ("ANT ↑",), ("ANT ↓",)])
def test_an_arrow_alone_reads_on_the_print(lines: tuple[str, ...], finest_mm: float) -> None:
    """Of the height of letters, it did not: 0.69 on polyamide."""
    shape = printed_for(finest_mm)
    assert reads(lines, alone_mm(shape), finest_mm) > checks.READABLE
    assert reads(("PROX", "→"), shape.least_text_height_mm, finest_mm) < checks.READABLE
