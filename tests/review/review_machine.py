"""Anything that people may do to the revisions of a case, in any order, against a model of what may come of it.

The model knows nothing of chains and signatures: who may do what, which files are as they were, and what day it is.
After every step it says of each revision whether it may be released, and the review has to say the same.
"""

from __future__ import annotations

import atexit
import hashlib
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from review_cases import CASE, PEOPLE, PLAN_HASH, START, World, copy_database, make_revision, open_world, populate

from guidegen.errors import AccessError, ApprovalError, ResultError, ReviewError
from guidegen.review.events import Discarded, Inspected, Length, Printed, Sterilised, Used
from guidegen.review.lots import LABELS
from guidegen.review.persons import Role
from guidegen.review.states import State

REVISIONS = ("r001", "r002", "r003")
FILES = ("guide.stl", "plan.json", "run.json", "preview/guide.png")
APPROVAL = timedelta(days=60)
IMAGES_END = datetime(2026, 2, 19, tzinfo=UTC)  # they are of 20 November

# What is done, as often as it stands here. One rule draws from it: with a rule for each, sequences would lack some.
DONE = (
    *("advance",) * 30,
    *("submit",) * 6, *("approve",) * 6, *("reject",) * 2, "void", *("release",) * 4,
    *(f"approve {slip}" for slip in ("side", "patient", "shown", "stale", "password")), "release other",
    *("lot printed",) * 3, *("lot inspected",) * 3, "lot failed", *("lot sterilised",) * 2, *("lot used",) * 2,
    "lot discarded", "disable", *("new_key",) * 2, "begin_again", "wait 1", "wait 25", *("put_right",) * 3,
    *(f"alter {file}" for file in FILES),
)  # fmt: skip

# Mostly the revision and the person that an act is about, so that sequences get far; else any.
NAMES, USERS = ("fit",) * 9 + REVISIONS, ("fit",) * 12 + tuple(sorted(PEOPLE))


@dataclass
class Modelled:
    """What the model knows of a revision."""

    state: State = State.DRAFT
    author: str = ""
    ends: datetime = START
    altered: bool = False  # a file is not as the run left it
    lots: dict[str, str] = field(default_factory=dict)

    def holds(self, now: datetime) -> bool:
        """Whether it may be made at this moment."""
        return self.state in (State.APPROVED, State.RELEASED) and not self.altered and now < self.ends


class ReviewMachine(RuleBasedStateMachine):
    """The rules."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp(prefix="guidegen-review-"))
        copy_database(populated(), self.root)
        self.world: World = open_world(self.root)
        self.model = {name: Modelled() for name in REVISIONS}
        self.disabled: set[str] = set()
        self.content: dict[tuple[str, str], bytes] = {}  # of the files as the run left them

    def teardown(self) -> None:
        self.world.reviews.verify()
        self.world.reviews.close()
        shutil.rmtree(self.root)

    @initialize()
    def revisions_are_there(self) -> None:
        for name in REVISIONS:
            self.world.made[name] = folder = make_revision(self.root, name)
            self.content |= {(name, file): (folder / file).read_bytes() for file in FILES}

    @rule(what=st.sampled_from(DONE), name=st.sampled_from(NAMES), user=st.sampled_from(USERS))
    def somebody_does(self, what: str, name: str, user: str) -> None:
        act, _, detail = what.partition(" ")
        getattr(self, act)(name, user, detail)

    # --- people ---

    def advance(self, name: str, user: str, _: str) -> None:
        """Whatever comes next on the way to a guide that is used."""
        states = {model.state: model for model in self.model.values()}
        if State.SUBMITTED in states:
            self.approve(name, user, "")
        elif State.APPROVED in states:
            self.release(name, user, "")
        elif State.RELEASED in states:
            lots = states[State.RELEASED].lots.values()
            follows = {"printed": "inspected", "inspected": "sterilised", "failed": "inspected", "sterilised": "used"}
            self.lot(name, user, next((follows[each] for each in lots if each in follows), "printed"))
        else:
            self.submit(name, user, "")

    def submit(self, name: str, user: str, _: str) -> None:
        name, user = self.fit(name, State.DRAFT, State.REJECTED), self.able(user, Role.ENGINEER)
        model = self.model[name]
        may = self.can(user, Role.ENGINEER) and not model.altered
        may = may and model.state not in (State.SUBMITTED, State.VOID)
        if self.done(may, lambda: self.world.reviews.submit(self.folder(name), self.world.who(user))):
            for other in self.model.values():
                if other.state is State.SUBMITTED:
                    other.state = State.SUPERSEDED
            model.state, model.author = State.SUBMITTED, user

    def approve(self, name: str, user: str, slip: str) -> None:
        name = self.fit(name, State.SUBMITTED)
        model, folder = self.model[name], self.folder(name)
        user = self.able(user, Role.SURGEON, model.author)
        may = self.can(user, Role.SURGEON) and model.state is State.SUBMITTED and not model.altered and not slip
        may = may and model.author != user and self.world.clock.now < IMAGES_END

        def act() -> None:
            changes: dict[str, Any] = {"side": {"side": "right"}, "patient": {"patient_id": "Z019R"}}.get(slip, {})
            if slip == "stale":
                changes = {"submission": "0" * 64}
            confirmation = self.world.confirmation(folder, **changes)
            if slip == "shown":
                confirmation.shown.strings["side"] = "right"
            credentials = self.world.who(user, **({"password": "a wrong password"} if slip == "password" else {}))
            self.world.reviews.approve(folder, credentials, confirmation)

        if self.done(may, act):
            for other in self.model.values():
                if other.state in (State.APPROVED, State.RELEASED):
                    other.state = State.SUPERSEDED
            model.state, model.ends = State.APPROVED, min(self.world.clock.now + APPROVAL, IMAGES_END)

    def reject(self, name: str, user: str, _: str) -> None:
        name, user = self.fit(name, State.SUBMITTED), self.able(user, Role.SURGEON)
        model, folder = self.model[name], self.folder(name)
        submission = self.world.reviews.history_of(folder).submission
        named = "0" * 64 if submission is None else submission.hash
        may = self.can(user, Role.SURGEON) and model.state is State.SUBMITTED
        if self.done(may, lambda: self.world.reviews.reject(folder, self.world.who(user), named, "another entry")):
            model.state = State.REJECTED

    def void(self, name: str, user: str, _: str) -> None:
        name, user = self.fit(name, State.SUPERSEDED), self.able(user, Role.ADMIN)
        may = user not in self.disabled and self.model[name].state is not State.VOID
        if self.done(may, lambda: self.world.reviews.void(self.folder(name), self.world.who(user), "a fault")):
            self.model[name].state = State.VOID

    def release(self, name: str, user: str, other: str) -> None:
        name, user = self.fit(name, State.APPROVED), self.able(user, Role.ENGINEER)
        model, folder = self.model[name], self.folder(name)
        guide = b"another" if other else self.content[name, "guide.stl"]
        files = {"guide.stl": hashlib.sha256(guide).hexdigest(), "manifest.json": "ab" * 32}
        may = (self.can(user, Role.ENGINEER) or self.can(user, Role.SURGEON)) and self.holds(model) and not other
        if self.done(
            may, lambda: self.world.reviews.release(folder, self.world.who(user), files, "ab" * 32, "a memory stick")
        ):
            model.state = State.RELEASED

    def lot(self, name: str, user: str, kind: str) -> None:
        name, user = self.fit(name, State.RELEASED), self.able(user, Role.SURGEON)
        model, folder = self.model[name], self.folder(name)
        on_the_way = [each for each, state in model.lots.items() if state not in ("used", "discarded")]
        label = len(model.lots) + (kind == "printed")
        lot = on_the_way[0] if on_the_way and kind != "printed" else f"{PLAN_HASH}-{name}-{label:02d}"
        before = model.lots.get(lot)
        starts = {
            "printed": (None,), "inspected": ("printed", "inspected", "failed"), "sterilised": ("inspected",),
            "used": ("sterilised",), "discarded": ("printed", "inspected", "failed", "sterilised"),
        }  # fmt: skip
        starts["failed"] = starts["inspected"]
        may = user not in self.disabled and before in starts[kind]
        if kind == "used":
            may = may and Role.SURGEON in PEOPLE[user][1]
        elif kind != "discarded":
            may = may and set(PEOPLE[user][1]) != {Role.ADMIN}
        if kind in ("printed", "sterilised", "used"):
            may = may and model.state is State.RELEASED and self.holds(model)
        if kind == "printed":
            may = may and label <= LABELS
        if self.done(
            may, lambda: self.world.reviews.record_event(folder, self.world.who(user), self.event(kind, lot, folder))
        ):
            model.lots[lot] = kind

    def disable(self, _name: str, user: str, _: str) -> None:
        if user != "fit" and user not in self.disabled and len(self.disabled) < 2:
            self.world.reviews.people.disable(user, "test")
            self.disabled.add(user)

    def new_key(self, _name: str, user: str, _: str) -> None:
        user = self.able(user, Role.SURGEON)
        self.done(user not in self.disabled, lambda: self.world.reviews.people.new_key(self.world.who(user)))

    # --- the world ---

    def alter(self, name: str, _user: str, file: str) -> None:
        name = self.fit(name, State.APPROVED)
        path = self.folder(name) / file
        content = path.read_bytes()
        path.parent.chmod(0o700)
        path.chmod(0o600)
        path.write_bytes(bytes([content[0] ^ 1]) + content[1:])
        now = {file: (self.folder(name) / file).read_bytes() for file in FILES}
        self.model[name].altered = any(now[file] != self.content[name, file] for file in FILES)

    def put_right(self, name: str, _user: str, _: str) -> None:
        name = next((each for each, model in self.model.items() if model.altered), self.fit(name))
        for path in (self.folder(name), self.folder(name) / "preview", *self.folder(name).rglob("*")):
            path.chmod(0o700)
        make_revision(self.root, name)
        self.model[name].altered = False

    def wait(self, _name: str, _user: str, days: str) -> None:
        self.world.clock.forward(days=float(days))

    def begin_again(self, _name: str, _user: str, _: str) -> None:
        now = self.world.clock.now
        self.world.reviews.close()
        made = self.world.made
        self.world = open_world(self.root)
        self.world.clock.now, self.world.made = now, made

    # --- what must always be so ---

    @invariant()
    def what_may_be_made_is_what_was_approved(self) -> None:
        found = self.world.reviews.states()  # all at once: each look at the chain verifies the whole of it
        for name, model in self.model.items():
            assert found.get(f"{CASE}/{name}", State.DRAFT) is model.state, name
            try:
                self.world.reviews.approval_of(self.folder(name))
                held = True
            except ApprovalError:
                held = False
            assert held == self.holds(model), (name, model)
        in_order = list(found.values())
        assert in_order.count(State.SUBMITTED) <= 1
        assert sum(state in (State.APPROVED, State.RELEASED) for state in in_order) <= 1

    # --- inside ---

    def fit(self, name: str, *states: State) -> str:
        """A revision in one of the states, where "fit" was drawn and there is one."""
        found = next((each for each, model in self.model.items() if model.state in states), REVISIONS[0])
        return found if name == "fit" else name

    def able(self, user: str, role: Role, other_than: str = "") -> str:
        """Somebody who may, where "fit" was drawn."""
        found = (each for each in PEOPLE if self.can(each, role) and each != other_than)
        return next(found, "ann") if user == "fit" else user

    def folder(self, name: str) -> Path:
        return self.root / CASE / name

    def holds(self, model: Modelled) -> bool:
        return model.holds(self.world.clock.now + timedelta(microseconds=1))

    def can(self, user: str, role: Role) -> bool:
        return user not in self.disabled and role in PEOPLE[user][1]

    def event(self, kind: str, lot: str, folder: Path) -> Any:
        common: dict[str, Any] = {"lot": lot, "operator": "Ela Su"}
        if kind == "printed":
            release = self.world.reviews.history_of(folder).release
            files = {} if release is None else self.world.reviews.record_of(release).files  # type: ignore[union-attr]
            return Printed(
                **common, file="guide.stl", file_sha256=files.get("guide.stl", "0" * 64), printer="P1",
                material="resin", material_lot="M7",
            )  # fmt: skip
        if kind in ("inspected", "failed"):
            off_mm = 0.1 if kind == "inspected" else 0.4
            block = Length(name="block", nominal_mm=20.0, under_mm=0.2, over_mm=0.2, measured_mm=20.0 + off_mm)
            return Inspected(**common, lines=(block,))
        if kind == "sterilised":
            return Sterilised(**common, cycle="134 °C, 18 min", load="77")
        if kind == "used":
            return Used(**common, patient_id="Z019L", side="left")
        return Discarded(**common, reason="broken")

    def done(self, may: bool, act: Callable[[], object]) -> bool:
        """Try something: it is done if, and only if, the model says that it may be."""
        before = len(self.world.reviews.entries())
        refusal = None
        try:
            act()
        except (ApprovalError, AccessError, ResultError, ReviewError) as error:
            refusal = error
        assert (refusal is None) == may, refusal or "done, and should have been refused"
        if refusal is not None:
            left = self.world.reviews.entries()[before:]
            assert all(entry.action == "guessing" for entry in left), "a refusal that left something"
            self.world.clock.forward(hours=25)  # nobody waits for wrong passwords here
        return may


@cache
def populated() -> Path:
    """The database that each run of the machine begins with."""
    folder = Path(tempfile.mkdtemp(prefix="guidegen-people-"))
    atexit.register(shutil.rmtree, folder)
    populate(folder)
    return folder
