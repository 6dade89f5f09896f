"""Numbers and shares as the dossier writes them."""

from __future__ import annotations

UNKNOWN = "not computed"


def figure_text(value: float | None, decimals: int, unit: str = "") -> str:
    """A figure with its unit."""
    if value is None:
        return UNKNOWN
    return f"{value:.{decimals}f}{'' if unit in ('', '°') else ' '}{unit}"


def percent_text(fraction: float | None, decimals: int = 0) -> str:
    """A share of 1 in percent."""
    return figure_text(None if fraction is None else 100.0 * fraction, decimals, "%")
