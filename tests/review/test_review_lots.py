"""What becomes of a printed guide: in its order, under a release, with figures that can be."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError
from review_cases import LOT, OTHER_LOT, PLAN_HASH, World

from guidegen.errors import AccessError, ApprovalError
from guidegen.review.events import (
    AnyEvent,
    Discarded,
    Gauged,
    Inspected,
    Length,
    LotState,
    Printed,
    Seen,
    Sterilised,
    Used,
    Weight,
    lots_after,
)
from guidegen.review.lots import LABELS, labelled_lots
from guidegen.review.records import Happened

OPERATOR: dict[str, Any] = {"lot": LOT, "operator": "Ela Su"}


BLOCK = {"name": "calliper block", "nominal_mm": 20.0, "under_mm": 0.2, "over_mm": 0.1, "measured_mm": 20.0}
HOLE = {"name": "hole", "go_mm": 2.0, "no_go_mm": 2.2, "go_goes_in": True, "no_go_stays_out": True}
WEIGHT = {"name": "weight", "nominal_g": 20.0, "tolerance_g": 1.0, "measured_g": 20.5}
OTHERS = (Gauged(**HOLE), Weight(**WEIGHT), Seen(name="no crack", seen=True))


def printed(world: World, lot: str = LOT, **changes: Any) -> Printed:
    sha256 = world.reviews.approval_of(world.made["r001"]).files["guide.stl"]
    fields = {
        "lot": lot, "operator": "Ela Su", "file": "guide.stl", "file_sha256": sha256, "printer": "Form 4B",
        "material": "Surgical Guide", "material_lot": "SG-7",
    }  # fmt: skip
    return Printed(**{**fields, **changes})


def inspected(measured_mm: float = 20.1) -> Inspected:
    return Inspected(**OPERATOR, lines=(Length(**BLOCK | {"measured_mm": measured_mm}), *OTHERS))


STERILISED = Sterilised(**OPERATOR, cycle="134 °C, 18 min", load="77")
USED = Used(**OPERATOR, patient_id="Z019L", side="left")
DISCARDED = Discarded(**OPERATOR, reason="dropped")


def tell(world: World, *events: AnyEvent, user: str = "bora") -> None:
    for event in events:
        world.reviews.record_event(world.made["r001"], world.who(user), event)


def test_from_print_to_use(world: World) -> None:
    folder = world.released()
    assert world.reviews.lots_of(folder) == {}
    tell(world, printed(world), inspected(), STERILISED, USED)
    assert world.reviews.lots_of(folder) == {LOT: LotState.USED}
    records = [world.reviews.record_of(entry) for entry in world.reviews.history_of(folder).events]
    assert [record.act for record in records] == ["printed", "inspected", "sterilised", "used"]
    release = world.reviews.history_of(folder).release
    assert release is not None
    assert all(isinstance(record, Happened) and record.release == release.hash for record in records)
    assert isinstance(records[1], Happened)
    assert records[1].event == inspected()
    world.reviews.verify()


def test_lots_go_their_own_ways(world: World) -> None:
    folder = world.released()
    tell(world, printed(world), printed(world, OTHER_LOT), DISCARDED, inspected_of(OTHER_LOT))
    assert world.reviews.lots_of(folder) == {LOT: LotState.DISCARDED, OTHER_LOT: LotState.PASSED}


def inspected_of(lot: str) -> Inspected:
    return inspected().model_copy(update={"lot": lot})


FIRST = ("printed", "inspected", "failed", "sterilised", "used", "discarded")
ALLOWED = {
    (): {"printed"},
    ("printed",): {"inspected", "failed", "discarded"},
    ("printed", "inspected"): {"inspected", "failed", "sterilised", "discarded"},
    ("printed", "failed"): {"inspected", "failed", "discarded"},
    ("printed", "inspected", "failed"): {"inspected", "failed", "discarded"},
    ("printed", "failed", "inspected"): {"inspected", "failed", "sterilised", "discarded"},
    ("printed", "inspected", "sterilised"): {"used", "discarded"},
    ("printed", "inspected", "sterilised", "used"): set[str](),
    ("printed", "discarded"): set[str](),
}


@pytest.mark.parametrize("next_", FIRST)
@pytest.mark.parametrize("before", ALLOWED, ids=" ".join)
def test_every_order(before: tuple[str, ...], next_: str) -> None:
    some: dict[str, AnyEvent] = {
        "printed": Printed(**OPERATOR, file="f", file_sha256="0" * 64, printer="p", material="m", material_lot="l"),
        "inspected": inspected(), "failed": inspected(20.3), "sterilised": STERILISED, "used": USED,
        "discarded": DISCARDED,
    }  # fmt: skip
    events = [some[name] for name in (*before, next_)]
    if next_ in ALLOWED[before]:
        lots_after(events)
    else:
        with pytest.raises(ApprovalError, match=r"expected a (new lot|lot that is)"):
            lots_after(events)


@pytest.mark.parametrize(
    ("measured_mm", "passed"),
    [(20.0, True), (20.1, True), (19.8, True), (20.101, False), (19.799, False), (0.0, False)],
)
def test_a_length_passes_within_its_tolerance_edges_included(measured_mm: float, passed: bool) -> None:
    assert inspected(measured_mm).passed is passed


@pytest.mark.parametrize(
    ("line", "passed"),
    [
        (Gauged(**HOLE), True), (Gauged(**HOLE | {"go_goes_in": False}), False),
        (Gauged(**HOLE | {"no_go_stays_out": False}), False), (Weight(**WEIGHT | {"measured_g": 21.0}), True),
        (Weight(**WEIGHT | {"measured_g": 21.01}), False), (Weight(**WEIGHT | {"measured_g": 18.9}), False),
        (Seen(name="no crack", seen=True), True), (Seen(name="no crack", seen=False), False),
    ],
)  # fmt: skip
def test_one_line_that_failed_fails_the_lot(line: Gauged | Weight | Seen, passed: bool) -> None:
    assert line.passed is passed
    assert Inspected(**OPERATOR, lines=(Length(**BLOCK), *OTHERS, line)).passed is passed


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        (Length, {"nominal_mm": 0}), (Length, {"nominal_mm": 1001}), (Length, {"under_mm": -0.1}),
        (Length, {"over_mm": 6}), (Length, {"measured_mm": -0.1}), (Length, {"measured_mm": float("nan")}),
        (Length, {"measured_mm": float("inf")}), (Length, {"name": ""}), (Length, {"unit": "mm"}),
        (Weight, {"tolerance_g": 0}), (Weight, {"measured_g": -1}), (Gauged, {"go_goes_in": None}),
    ],
)  # fmt: skip
def test_a_figure_that_cannot_be_is_refused(kind: Any, changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="1 validation error"):
        kind(**{Length: BLOCK, Weight: WEIGHT, Gauged: HOLE}[kind] | changes)


@pytest.mark.parametrize("lot", ["", "a b", "x" * 33, "-1", "ğ"])
def test_a_lot_that_cannot_be_is_refused(lot: str) -> None:
    with pytest.raises(ValidationError, match="lot"):
        Discarded(lot=lot, operator="Ela Su", reason="dropped")


def test_an_inspection_has_lines() -> None:
    with pytest.raises(ValidationError, match="at least 1 item"):
        Inspected(**OPERATOR, lines=())


# --- under what ---


def test_nothing_is_printed_before_a_release(world: World) -> None:
    world.approved()
    with pytest.raises(ApprovalError, match="expected Z019L-left/r001 to be released before it is printed"):
        tell(world, printed(world))


@pytest.mark.parametrize("changes", [{"file": "guide.3mf"}, {"file_sha256": "0" * 64}])
def test_only_a_released_file_is_printed(world: World, changes: dict[str, str]) -> None:
    world.released()
    with pytest.raises(ApprovalError, match="expected a released file, found"):
        tell(world, printed(world, **changes))


@pytest.mark.parametrize("lot", [PLAN_HASH, f"{PLAN_HASH}-01", f"{PLAN_HASH}-r002-01", f"{PLAN_HASH}-r001-09", "L1"])
def test_a_lot_that_is_on_no_label_is_refused_with_those_that_are(world: World, lot: str) -> None:
    folder = world.released()
    with pytest.raises(ApprovalError, match=f"found '{lot}'; put the next label on the print: {LOT}, {OTHER_LOT}, "):
        tell(world, printed(world, lot))
    assert world.reviews.lots_of(folder) == {}


def test_the_labels_of_two_revisions_share_no_lot(world: World) -> None:
    """Whatever is engraved: here both have one hash."""
    first, second = (labelled_lots(world.approve(world.submit(name))) for name in ("r001", "r002"))
    assert len({*first, *second}) == 2 * LABELS
    assert (first[0], second[0]) == (LOT, f"{PLAN_HASH}-r002-01")


@pytest.mark.parametrize("end", ["void", "superseded", "expired", "altered", "submitted"])
def test_nothing_more_is_made_once_the_approval_is_gone_but_the_truth_is_told(world: World, end: str) -> None:
    folder = world.released()
    print_two = printed(world, OTHER_LOT)
    tell(world, printed(world), inspected())
    if end == "void":
        world.reviews.void(folder, world.who("bora"), "wrong bone")
    elif end == "superseded":
        world.approved("r002")
    elif end == "expired":
        world.clock.forward(days=61)
    elif end == "submitted":
        world.reviews.submit(folder, world.who("ann"))
    else:
        (folder / "guide.stl").chmod(0o600)
        (folder / "guide.stl").write_bytes(b"another")
    for event in (print_two, STERILISED):
        with pytest.raises(ApprovalError, match=r"Z019L-left/r001 (is not approved|does not hold|is void)"):
            tell(world, event)
    tell(world, inspected(20.5), DISCARDED)
    assert world.reviews.lots_of(folder) == {LOT: LotState.DISCARDED}
    world.reviews.verify()


@pytest.mark.parametrize(("patient_id", "side"), [("Z020", "left"), ("Z019L", "right"), ("", "")])
def test_a_guide_is_used_on_its_own_patient_and_side(world: World, patient_id: str, side: str) -> None:
    world.released()
    tell(world, printed(world), inspected(), STERILISED)
    with pytest.raises(ApprovalError, match="the guide is not this patient's"):
        tell(world, Used(**OPERATOR, patient_id=patient_id, side=side))


@pytest.mark.parametrize(
    ("user", "event", "said"),
    [("cem", "printed", "found admin"), ("ann", "used", "expected surgeon for what is to be used")],
)
def test_each_event_has_its_roles(world: World, user: str, event: str, said: str) -> None:
    world.released()
    with pytest.raises(AccessError, match=said):
        tell(world, {"printed": printed(world), "used": USED}[event], user=user)
