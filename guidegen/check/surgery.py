"""What virtual surgery found, and what of it a guide is held to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from guidegen.check.finding import Finding, at_least, at_most
from guidegen.check.recorded import recorded
from guidegen.frames import FloatArray

WHY_HAND = (
    "The drill follows the guide as it sits in the hand, and the hand fits it to a bone that is not as segmented."
)
WHY_UNIQUE = "A guide that rests in more than one place looks seated where it is not."
WHY_HELD = "What friction does not hold shifts under the hand before the wires are in."
WHY_GRID = "Seats are told apart by less than a tenth of a millimetre; the distances to the bone must be finer."
NOT_OPERATED = "nothing of the guide rests on the bone, or a sleeve has no bore to drill through"


@dataclass(frozen=True)
class Spread:
    """The distribution of a length, in mm."""

    mean: float
    p50: float
    p95: float
    worst: float

    @classmethod
    def of(cls, values: FloatArray) -> Spread:
        """Of values (N,)."""
        p50, p95 = np.percentile(values, [50.0, 95.0])
        return cls(float(values.mean()), float(p50), float(p95), float(values.max()))


@dataclass(frozen=True)
class TipError:
    """Where the drill's tip ends: across the planned axis; along it, whichever way; and how far too deep at most.

    Of several tunnels the worst counts, each time.
    """

    lateral_mm: Spread
    depth_mm: Spread
    too_deep_mm: float

    @classmethod
    def of(cls, tips_mm: FloatArray) -> TipError:
        """Of N operations: across and along (N, 2, T) for each of T tunnels; along is too deep where positive."""
        across, along = tips_mm[:, 0], tips_mm[:, 1]
        return cls(
            lateral_mm=Spread.of(across.max(axis=1)),
            depth_mm=Spread.of(np.abs(along).max(axis=1)),
            too_deep_mm=max(0.0, float(along.max())),
        )


@dataclass(frozen=True)
class FalseSeat:
    """A place where the guide rests but does not belong."""

    shift_mm: float
    turn_deg: float
    lateral_mm: float


@dataclass(frozen=True)
class Pushed:
    """What came of so many starts: the share that came to rest, and the share that rests as intended; of the others,
    how many slid off and how many still moved. `tip` is of those at rest; None when there are none.
    """

    starts: int
    seated: float
    as_intended: float
    slid_off: int
    still_moving: int
    tip: TipError | None
    worst_false_seat: FalseSeat | None


@dataclass(frozen=True)
class Looseness:
    """How firmly the contact's shape holds: of six independent movements, by how much each changes the gap per mm (root
    mean square over the contact), the loosest first; how many of them nothing holds; and the loosest in numbers.

    The loosest movement moves the contact by 1 mm (root mean square): its shift along, and its turn about, the bench's
    axes, which point to the back, up the shaft and off the bone.
    """

    holding: tuple[float, ...]
    free: int
    loosest_shift_mm: tuple[float, ...]
    loosest_turn_deg: tuple[float, ...]


@dataclass(frozen=True)
class Surgery:
    """All that virtual surgery found: `segmented` on the bone as it is in its file, the others on bones that differ
    from it by `surface_error_mm`, each time differently. `held` is the share of pushes that friction holds.
    """

    seed: int
    surface_error_mm: float
    filled_mm: float
    grid_error_p99_mm: float
    looseness: Looseness
    segmented: Pushed
    rough: Pushed
    careful_hand: TipError
    held: float

    def record(self) -> dict[str, Any]:
        """Every figure by name, for the record."""
        return dict(recorded(self))


@dataclass(frozen=True)
class SurgeryLimits:
    """What a guide must reach.

    `careful_hand_p95_mm`: what an error budget with 1° and 0.7 mm for the seat (rms of three axes) allows it: 1.45 mm
    across the tunnel, rms, and so 2.5 mm in 95 of 100. The shares are judgements [D]: friction holds more than half of
    the pushes on the seated guide; and of starts 5 mm and 10° askew, without friction and without a hand that corrects,
    three in ten find home, where none do on a shape that is not unique.
    """

    careful_hand_p95_mm: float = 2.5
    held: float = 0.6
    as_intended: float = 0.3
    grid_error_mm: float = 0.02


def surgery_findings(surgery: Surgery | None, limits: SurgeryLimits) -> tuple[Finding, ...]:
    """Four figures of the surgery against their limits; all of them missing where nobody could operate."""
    hand = held = intended = grid = None
    if surgery is not None:
        hand, held = surgery.careful_hand.lateral_mm.p95, surgery.held
        intended, grid = surgery.segmented.as_intended, surgery.grid_error_p99_mm
    hand_limit, grid_limit = limits.careful_hand_p95_mm, limits.grid_error_mm
    return (
        at_most("tip off in a careful hand, P95", hand, hand_limit, "mm", WHY_HAND, NOT_OPERATED),
        at_least("starts that end as intended", intended, limits.as_intended, "", WHY_UNIQUE, NOT_OPERATED),
        at_least("pushes that friction holds", held, limits.held, "", WHY_HELD, NOT_OPERATED),
        at_most("distances of the virtual surgery, P99 of error", grid, grid_limit, "mm", WHY_GRID, NOT_OPERATED),
    )
