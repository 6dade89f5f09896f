"""What becomes of a printed guide after its release: printed, inspected, sterilised, used or discarded, lot by lot.

    printed ─→ inspected ─(every line passed)→ sterilised ─→ used
       └───────────┴──────────→ discarded ←───────┘

A lot is one printed guide. An inspection may be repeated; the last one counts, until the lot is sterilised.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from guidegen.errors import ApprovalError
from guidegen.review.fields import Hash, Line, Lot, Reason, Value
from guidegen.review.persons import Role

LARGEST_MM, WIDEST_TOLERANCE_MM = 1000.0, 5.0
HEAVIEST_G, WIDEST_TOLERANCE_G = 1000.0, 100.0
EQUAL = 1e-9  # a figure on the edge of its tolerance is inside, however the difference is rounded

Deviation = Annotated[float, Field(ge=0, le=WIDEST_TOLERANCE_MM)]
Answer = Annotated[bool, Field(strict=True)]


class Printed(Value):
    """A lot was printed from a released file."""

    event: Literal["printed"] = "printed"
    lot: Lot
    operator: Line
    file: Line
    file_sha256: Hash
    printer: Line
    material: Line
    material_lot: Line


class Length(Value):
    """A length: what it should be, how far under and over that it may be, and what the calliper said."""

    name: Line
    nominal_mm: Annotated[float, Field(gt=0, le=LARGEST_MM)]
    under_mm: Deviation
    over_mm: Deviation
    measured_mm: Annotated[float, Field(ge=0, le=LARGEST_MM, strict=True)]

    @property
    def passed(self) -> bool:
        """Whether it is within its tolerance."""
        return -self.under_mm - EQUAL <= self.measured_mm - self.nominal_mm <= self.over_mm + EQUAL


class Gauged(Value):
    """A hole tried with two pins: whether the go pin went in, and the no-go pin did not."""

    name: Line
    go_mm: Annotated[float, Field(gt=0, le=LARGEST_MM)]
    no_go_mm: Annotated[float, Field(gt=0, le=LARGEST_MM)]
    go_goes_in: Answer
    no_go_stays_out: Answer

    @property
    def passed(self) -> bool:
        """Whether both pins did as they should."""
        return self.go_goes_in and self.no_go_stays_out


class Weight(Value):
    """The weight: what it should be, how far off it may be, and what the balance said."""

    name: Line
    nominal_g: Annotated[float, Field(gt=0, le=HEAVIEST_G)]
    tolerance_g: Annotated[float, Field(gt=0, le=WIDEST_TOLERANCE_G)]
    measured_g: Annotated[float, Field(ge=0, le=HEAVIEST_G, strict=True)]

    @property
    def passed(self) -> bool:
        """Whether it is within its tolerance."""
        return abs(self.measured_g - self.nominal_g) <= self.tolerance_g + EQUAL


class Seen(Value):
    """What was looked for, in words, and whether it was seen."""

    name: Line
    seen: Answer

    @property
    def passed(self) -> bool:
        """Whether it was."""
        return self.seen


InspectionLine = Length | Gauged | Weight | Seen


class Inspected(Value):
    """A lot was inspected, line by line."""

    event: Literal["inspected"] = "inspected"
    lot: Lot
    operator: Line
    lines: Annotated[tuple[InspectionLine, ...], Field(min_length=1, max_length=100)]

    @property
    def passed(self) -> bool:
        """Whether every line is."""
        return all(line.passed for line in self.lines)


class Sterilised(Value):
    """A lot went through a sterilisation cycle; `load` is the steriliser's own number of it."""

    event: Literal["sterilised"] = "sterilised"
    lot: Lot
    operator: Line
    cycle: Line
    load: Line


class Used(Value):
    """A lot was used, with patient and side typed once more."""

    event: Literal["used"] = "used"
    lot: Lot
    operator: Line
    patient_id: str
    side: str


class Discarded(Value):
    """A lot was thrown away."""

    event: Literal["discarded"] = "discarded"
    lot: Lot
    operator: Line
    reason: Reason


Event = Annotated[Printed | Inspected | Sterilised | Used | Discarded, Field(discriminator="event")]
AnyEvent = Printed | Inspected | Sterilised | Used | Discarded


class LotState(StrEnum):
    """Where a lot stands."""

    PRINTED = "printed"
    PASSED = "inspected and passed"
    FAILED = "inspected and failed"
    STERILE = "sterilised"
    USED = "used"
    DISCARDED = "discarded"


@dataclass(frozen=True)
class Step:
    """From which states of a lot an event may come, and whose it is to record."""

    starts: frozenset[LotState]
    roles: frozenset[Role]


MAKERS, ALL = frozenset({Role.ENGINEER, Role.SURGEON}), frozenset(Role)
L = LotState

STEPS: Mapping[str, Step] = {
    "printed": Step(frozenset(), MAKERS),
    "inspected": Step(frozenset({L.PRINTED, L.PASSED, L.FAILED}), MAKERS),
    "sterilised": Step(frozenset({L.PASSED}), MAKERS),
    "used": Step(frozenset({L.STERILE}), frozenset({Role.SURGEON})),
    "discarded": Step(frozenset({L.PRINTED, L.PASSED, L.FAILED, L.STERILE}), ALL),
}


def lots_after(events: Iterable[AnyEvent]) -> dict[str, LotState]:
    """Where every lot stands after these events; ApprovalError where one of them cannot come when it does."""
    lots: dict[str, LotState] = {}
    for event in events:
        lots[event.lot] = lot_after(lots.get(event.lot), event)
    return lots


def lot_after(state: LotState | None, event: AnyEvent) -> LotState:
    """Where a lot stands after an event; None: there was no such lot. ApprovalError where the event cannot come now."""
    if isinstance(event, Printed):
        if state is not None:
            raise ApprovalError(f"expected a new lot, found {event.lot}, which is {state}; give each print its own lot")
        return LotState.PRINTED
    allowed = STEPS[event.event].starts
    if state not in allowed:
        raise ApprovalError(
            f"expected a lot that is {' or '.join(sorted(allowed))} to be {event.event}, found {event.lot}, which is "
            f"{state or 'not printed'}"
        )
    if isinstance(event, Inspected):
        return LotState.PASSED if event.passed else LotState.FAILED
    return {"sterilised": LotState.STERILE, "used": LotState.USED, "discarded": LotState.DISCARDED}[event.event]
