"""The sizes of a guide side by side as rows of text, for the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from guidegen.rounded import shown, shown_percent

Heads = tuple[str, ...]
Rows = list[tuple[str, ...]]


def seat_table(guide: Mapping[str, Any]) -> tuple[Heads, Rows]:
    """Headings and rows on every size that plan.json's `guide` knows a seat of, the smallest first; the one that was
    built is marked.
    """
    sizes = {name: guide["sizes"][name] for name in ("S", "M", "L") if name in guide["sizes"]}
    heads = ("size", *(f"{name} (built)" if name == guide["size"] else name for name in sizes))

    def row(name: str, decimals: int, *keys: str) -> tuple[str, ...]:
        return (name, *(" / ".join(shown(_of(size, key), decimals) for key in keys) for size in sizes.values()))

    return heads, [
        row("contact along the shaft (mm)", 0, "contact_length_mm"),
        row("incision (mm)", 0, "incision_mm"),
        row("stripped area (cm²)", 1, "stripped_area_cm2"),
        row("contact area (mm²)", 0, "contact_area_mm2"),
        row("tip, careful hand: mean / P95 (mm)", 2, "fit_tip_mm.mean", "fit_tip_mm.p95"),
        row("tip, pushed without friction: mean / P95 (mm)", 1, "dock_tip_mm.mean", "dock_tip_mm.p95"),
        ("pushes that friction holds", *(shown_percent(size["held_share"], 0) for size in sizes.values())),
        ("weakest motion", *(size["weakest_motion"] for size in sizes.values())),
    ]


def _of(size: Mapping[str, Any], key: str) -> Any:
    for step in key.split("."):
        size = size[step]
    return size
