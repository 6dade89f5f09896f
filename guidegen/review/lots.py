"""What may be recorded of a printed lot, and under which release."""

from __future__ import annotations

import json
from collections.abc import Mapping

from guidegen.errors import ApprovalError
from guidegen.review import events
from guidegen.review.approval import Approval, find_approval
from guidegen.review.desk import Standing
from guidegen.review.events import AnyEvent, LotState, lot_after, lots_after
from guidegen.review.history import History
from guidegen.review.objections import typed_back
from guidegen.review.persons import Person
from guidegen.review.policy import ApprovalPolicy
from guidegen.review.records import Happened, Record, Released
from guidegen.review.revision import PLAN_FILE, Place
from guidegen.review.signed import unseal

# Events that need an approval which holds; that a lot was measured or thrown away is recorded in any case.
UNDER_APPROVAL = (events.Printed, events.Sterilised, events.Used)
LABELS = 8  # on the sheet of a revision


def labelled_lots(approval: Approval) -> tuple[str, ...]:
    """The lots on the label sheet of a revision: the plan's hash and the revision, which are engraved on the guide, and
    a running number.
    """
    plan_hash = json.loads(approval.read(PLAN_FILE))["guide"]["plan_hash"]
    return tuple(f"{plan_hash}-{approval.place.name}-{number:02d}" for number in range(1, LABELS + 1))


def happened(history: History, persons: Mapping[str, Person]) -> tuple[Happened, ...]:
    """Every event of a revision, signatures verified."""
    records = (unseal(entry, persons) for entry in history.events)
    return tuple(record for record in records if isinstance(record, Happened))


def lots_of(history: History, persons: Mapping[str, Person]) -> dict[str, LotState]:
    """Where every lot of a revision stands."""
    return lots_after(record.event for record in happened(history, persons))


def release_of(place: Place, standing: Standing, event: AnyEvent, rules: ApprovalPolicy) -> str:
    """The hash of the release that an event belongs to; ApprovalError where the event cannot come now."""
    before = happened(standing.history, standing.persons)
    lot_after(lots_after(record.event for record in before).get(event.lot), event)
    if isinstance(event, UNDER_APPROVAL):
        approval = find_approval(place, standing.entries, rules, standing.now)
        if approval.release is None:
            raise ApprovalError(f"expected {place.subject} to be released before it is {event.event}; release it")
        if isinstance(event, events.Printed):
            _require_labelled(event, approval)
            _require_released(event, unseal(approval.release, standing.persons))
            return approval.release.hash
    if isinstance(event, events.Used):
        _require_patient(event, place)
    return next(each.release for each in before if each.act == "printed" and each.event.lot == event.lot)


def _require_labelled(event: events.Printed, approval: Approval) -> None:
    lots = labelled_lots(approval)
    if event.lot not in lots:
        raise ApprovalError(
            f"expected a lot of the label sheet of {approval.place.subject}, found {event.lot!r}; put the next label "
            f"on the print: {', '.join(lots)}"
        )


def _require_released(event: events.Printed, released: Record) -> None:
    assert isinstance(released, Released), "the act of a release"
    if released.files.get(event.file) != event.file_sha256:
        raise ApprovalError(
            f"expected a released file, found {event.file!r}, which is another or was not released; discard the print"
        )


def _require_patient(event: events.Used, place: Place) -> None:
    if not typed_back(place, event.patient_id, event.side).matched:
        raise ApprovalError(
            f"expected patient {place.case_id} and side {place.side}, found {event.patient_id!r} and {event.side!r}; "
            "the guide is not this patient's"
        )
