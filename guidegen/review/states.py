"""The states of a revision, and who may bring it from which to which: a table and pure functions.

    draft ─submit→ submitted ─approve→ approved ─release→ released
                       └─reject→ rejected
    any of them ─void→ void, for good; a revision that another of its case replaces is superseded

Submitting begins the review anew: nothing that was signed on the revision before counts after it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from guidegen.errors import AccessError, ApprovalError
from guidegen.review.persons import Role


class State(StrEnum):
    """Where a revision stands."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    REJECTED = "rejected"
    RELEASED = "released"
    SUPERSEDED = "superseded"
    VOID = "void"


class Act(StrEnum):
    """What is done to a revision; each is the action of an entry in the chain."""

    SUBMIT = "submitted"
    APPROVE = "approved"
    REJECT = "rejected"
    RELEASE = "released"
    SUPERSEDE = "superseded"
    VOID = "voided"


@dataclass(frozen=True)
class Move:
    """From which states an act leads where, and whose it is; nobody's is the program's."""

    starts: frozenset[State]
    end: State
    roles: frozenset[Role]


D, S, A, J, R, P = (
    State.DRAFT, State.SUBMITTED, State.APPROVED, State.REJECTED, State.RELEASED, State.SUPERSEDED
)  # fmt: skip

MOVES: Mapping[Act, Move] = {
    Act.SUBMIT: Move(frozenset({D, A, J, R, P}), State.SUBMITTED, frozenset({Role.ENGINEER})),
    Act.APPROVE: Move(frozenset({S}), State.APPROVED, frozenset({Role.SURGEON})),
    Act.REJECT: Move(frozenset({S}), State.REJECTED, frozenset({Role.SURGEON})),
    Act.RELEASE: Move(frozenset({A, R}), State.RELEASED, frozenset({Role.ENGINEER, Role.SURGEON})),
    Act.SUPERSEDE: Move(frozenset({S, A, R}), State.SUPERSEDED, frozenset()),
    Act.VOID: Move(frozenset({D, S, A, J, R, P}), State.VOID, frozenset(Role)),
}

# Which revisions of the same case an act replaces: only one at a time waits, and only one at a time is approved.
REPLACES: Mapping[Act, frozenset[State]] = {
    Act.SUBMIT: frozenset({S}),
    Act.APPROVE: frozenset({A, R}),
}


def after(state: State, act: Act) -> State:
    """The state that an act leads to; ApprovalError where it cannot be done from here."""
    move = MOVES[act]
    if state not in move.starts:
        allowed = ", ".join(sorted(move.starts))
        raise ApprovalError(f"expected a revision that is {allowed} to be {act}, found one that is {state}")
    return move.end


def role_for(act: Act, roles: Iterable[Role]) -> Role:
    """The role in which a person with these roles does an act; AccessError where there is none."""
    return role_among(MOVES[act].roles, roles, act)


def role_among(allowed: Iterable[Role], roles: Iterable[Role], what: str) -> Role:
    """The first of the allowed roles that a person has; AccessError where there is none."""
    able, had = sorted(allowed), sorted(roles)
    found = next((role for role in able if role in had), None)
    if found is None:
        raise AccessError(
            f"expected {' or '.join(able) or 'nobody'} for what is to be {what}, found {', '.join(had) or 'no role'}"
        )
    return found


def replaced_by(act: Act, name: str, states: Mapping[str, State]) -> tuple[str, ...]:
    """The revisions of the case that an act on one of them, `name`, replaces; `states` are theirs, by name."""
    others = REPLACES.get(act, frozenset())
    return tuple(sorted(other for other, state in states.items() if other != name and state in others))
