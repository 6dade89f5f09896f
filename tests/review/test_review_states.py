"""The table of states, and the states that the chain tells."""

from __future__ import annotations

from itertools import product

import pytest
from review_cases import World, WorldMaker, make_revision, plan

from guidegen.errors import AccessError, ApprovalError, ChainError
from guidegen.review.history import cases_of
from guidegen.review.persons import Role
from guidegen.review.states import MOVES, Act, State, after, replaced_by, role_for

D, S, A, J, R, P, V = State
LEGAL = {
    (D, Act.SUBMIT): S, (A, Act.SUBMIT): S, (J, Act.SUBMIT): S, (R, Act.SUBMIT): S, (P, Act.SUBMIT): S,
    (S, Act.APPROVE): A, (S, Act.REJECT): J, (A, Act.RELEASE): R, (R, Act.RELEASE): R,
    (S, Act.SUPERSEDE): P, (A, Act.SUPERSEDE): P, (R, Act.SUPERSEDE): P,
    (D, Act.VOID): V, (S, Act.VOID): V, (A, Act.VOID): V, (J, Act.VOID): V, (R, Act.VOID): V, (P, Act.VOID): V,
}  # fmt: skip
WHOSE = {
    Act.SUBMIT: {Role.ENGINEER}, Act.APPROVE: {Role.SURGEON}, Act.REJECT: {Role.SURGEON},
    Act.RELEASE: {Role.ENGINEER, Role.SURGEON}, Act.SUPERSEDE: set(), Act.VOID: set(Role),
}  # fmt: skip


@pytest.mark.parametrize(("state", "act"), list(product(State, Act)), ids=str)
def test_every_state_and_act(state: State, act: Act) -> None:
    if (state, act) in LEGAL:
        assert after(state, act) is LEGAL[state, act]
    else:
        with pytest.raises(ApprovalError, match=rf"to be {act}, found one that is {state}"):
            after(state, act)


@pytest.mark.parametrize(("act", "role"), list(product(Act, Role)), ids=str)
def test_every_act_and_role(act: Act, role: Role) -> None:
    if role in WHOSE[act]:
        assert role_for(act, [role]) is role
    else:
        with pytest.raises(AccessError, match=f"for what is to be {act}, found {role}"):
            role_for(act, [role])


def test_an_act_is_done_in_one_role_of_several() -> None:
    assert role_for(Act.APPROVE, [Role.ENGINEER, Role.SURGEON]) is Role.SURGEON
    assert role_for(Act.SUBMIT, [Role.ENGINEER, Role.SURGEON]) is Role.ENGINEER
    with pytest.raises(AccessError, match="found no role"):
        role_for(Act.SUBMIT, [])


def test_nothing_comes_after_void() -> None:
    assert all(V not in move.starts for move in MOVES.values())


def test_what_replaces_what() -> None:
    states = {"r001": A, "r002": S, "r003": R, "r004": J, "r005": D}
    assert replaced_by(Act.SUBMIT, "r006", states) == ("r002",)
    assert replaced_by(Act.SUBMIT, "r002", states) == ()
    assert replaced_by(Act.APPROVE, "r002", states) == ("r001", "r003")
    assert replaced_by(Act.RELEASE, "r001", states) == replaced_by(Act.VOID, "r001", states) == ()


def test_one_submission_waits_and_one_approval_holds(world: World) -> None:
    first, second, third = world.approved("r001"), world.submit("r002"), world.submit("r003")
    assert [world.reviews.state_of(each) for each in (first, second, third)] == [A, P, S]
    world.approve(third)
    assert [world.reviews.state_of(each) for each in (first, second, third)] == [P, P, A]
    world.release(third)
    again = world.submit("r001")
    assert world.reviews.state_of(again) is S
    world.approve(again)
    assert world.reviews.states() == {"Z019L-left/r001": A, "Z019L-left/r002": P, "Z019L-left/r003": P}
    superseded = [entry for entry in world.reviews.entries() if entry.action == "superseded"]
    assert [(entry.actor, entry.subject, entry.body["by"]) for entry in superseded] == [
        ("guidegen", "Z019L-left/r002", "Z019L-left/r003"),
        ("guidegen", "Z019L-left/r001", "Z019L-left/r003"),
        ("guidegen", "Z019L-left/r003", "Z019L-left/r001"),
    ]


def test_cases_do_not_replace_each_other(world: World) -> None:
    world.approved()
    for case in ("z019L-left", "Z019-left", "Z019L-right"):
        case_id, _, side = case.rpartition("-")
        content = plan(side=side) | {"case_id": case_id}
        folder = make_revision(world.output, "r001", content, case=case)
        world.reviews.submit(folder, world.who("ann"))
    assert set(world.reviews.states().values()) == {A, S}
    assert len(cases_of(world.reviews.entries())) == 4


def test_a_repeated_release_keeps_the_state(world: World) -> None:
    folder = world.released()
    first = world.reviews.approval_of(folder).release
    world.release(folder, user="bora")
    second = world.reviews.approval_of(folder)
    assert second.state is R
    assert second.release != first


def test_an_approval_renewed_begins_anew(world: World) -> None:
    folder = world.released()
    world.clock.forward(days=61)
    world.reviews.submit(folder, world.who("emre"))
    with pytest.raises(ApprovalError, match="is not approved: it is submitted"):
        world.reviews.approval_of(folder)
    renewed = world.approve(folder, user="dila")
    assert (renewed.state, renewed.release, renewed.submission.signer.user) == (A, None, "emre")
    world.reviews.submit(folder, world.who("ann"))
    history = world.reviews.history_of(folder)
    assert (history.approval, history.release, len(history.entries)) == (None, None, 6)


def test_what_happened_is_told(world: World) -> None:
    folder = world.released()
    history = world.reviews.history_of(folder)
    assert [entry.action for entry in history.entries] == ["submitted", "approved", "released"]
    assert (history.submission, history.approval, history.release) == history.entries


def test_an_entry_of_another_chain_has_no_record_here(make_world: WorldMaker) -> None:
    one, other = make_world("one"), make_world("other")
    one.submit()
    other.submit(user="emre")
    with pytest.raises(ChainError, match="expected an entry of the audit chain, found another one numbered 8"):
        one.reviews.record_of(other.reviews.entries()[-1])


def test_a_record_of_nothing_signed_is_refused(world: World) -> None:
    with pytest.raises(ChainError, match="is signed by 'guidegen', who had no key then"):
        world.reviews.record_of(world.reviews.entries()[0])
