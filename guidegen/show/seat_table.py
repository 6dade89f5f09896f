"""The sizes of a guide side by side as rows of text, for the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Heads = tuple[str, ...]
Rows = list[tuple[str, ...]]


def seat_table(guide: Mapping[str, Any]) -> tuple[Heads, Rows]:
    """Headings and rows on every size that plan.json's `guide` knows a seat of, the smallest first; the one that was
    built is marked.
    """
    sizes = {name: guide["sizes"][name] for name in ("S", "M", "L") if name in guide["sizes"]}
    heads = ("size", *(f"{name} (built)" if name == guide["size"] else name for name in sizes))

    def row(name: str, text: str, *keys: str) -> tuple[str, ...]:
        return (name, *(text.format(*(_of(size, key) for key in keys)) for size in sizes.values()))

    return heads, [
        row("contact along the shaft (mm)", "{:.0f}", "contact_length_mm"),
        row("incision (mm)", "{:.0f}", "incision_mm"),
        row("stripped area (cm²)", "{:.1f}", "stripped_area_cm2"),
        row("contact area (mm²)", "{:.0f}", "contact_area_mm2"),
        row("tip, careful hand: mean / P95 (mm)", "{:.2f} / {:.2f}", "fit_tip_mm.mean", "fit_tip_mm.p95"),
        row("tip, pushed without friction: mean / P95 (mm)", "{:.1f} / {:.1f}", "dock_tip_mm.mean", "dock_tip_mm.p95"),
        row("pushes that friction holds", "{:.0%}", "held_share"),
        row("weakest motion", "{}", "weakest_motion"),
    ]


def _of(size: Mapping[str, Any], key: str) -> Any:
    for step in key.split("."):
        size = size[step]
    return size
