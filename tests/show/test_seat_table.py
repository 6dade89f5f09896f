"""The sizes side by side."""

from __future__ import annotations

from guidegen.show.seat_table import seat_table


def seat(size_mm: float) -> dict:
    spread = {"mean": size_mm / 100.0, "p95": size_mm / 50.0}
    return {
        "contact_length_mm": size_mm, "incision_mm": size_mm + 20.0, "stripped_area_cm2": 11.25,
        "contact_area_mm2": 1800.0, "fit_tip_mm": spread, "dock_tip_mm": spread, "held_share": 0.947,
        "weakest_motion": "turns 1.1° about the shaft",
    }  # fmt: skip


def test_sizes_stand_side_by_side_from_the_smallest_and_the_built_one_is_marked() -> None:
    heads, rows = seat_table({"size": "M", "sizes": {"L": seat(70.0), "M": seat(55.0), "S": seat(40.0)}})
    assert heads == ("size", "S", "M (built)", "L")
    table = {row[0]: row[1:] for row in rows}
    assert table["contact along the shaft (mm)"] == ("40", "55", "70")
    assert table["tip, careful hand: mean / P95 (mm)"] == ("0.40 / 0.80", "0.55 / 1.10", "0.70 / 1.40")
    assert table["pushes that friction holds"] == ("95%", "95%", "95%")
    assert table["weakest motion"] == ("turns 1.1° about the shaft",) * 3


def test_a_size_without_a_seat_is_left_out() -> None:
    heads, rows = seat_table({"size": "L", "sizes": {"L": seat(70.0)}})
    assert heads == ("size", "L (built)")
    assert all(len(row) == 2 for row in rows)
