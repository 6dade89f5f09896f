"""The error tree: exit codes, messages and the stage that is attached once."""

from __future__ import annotations

import inspect
import pickle

import pytest

from guidegen import errors
from guidegen.errors import (
    ApprovalError,
    ChainError,
    GuidegenError,
    InputError,
    LabelError,
    NoSafeGuide,
    NoSafePlan,
    at_stage,
)

ERRORS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, GuidegenError)]


def test_input_is_refused_with_2_a_plan_that_is_not_safe_with_3_and_what_is_not_approved_with_4() -> None:
    codes = {kind: kind.exit_code for kind in ERRORS}
    assert codes.pop(GuidegenError) == 1
    assert codes.pop(NoSafePlan) == codes.pop(NoSafeGuide) == 3
    assert codes.pop(ApprovalError) == codes.pop(ChainError) == 4
    assert codes
    assert all(issubclass(kind, InputError) and code == 2 for kind, code in codes.items())


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
def test_every_error_stands_in_the_tree_with_its_own_sentence(kind: type[GuidegenError]) -> None:
    assert kind.__name__ in (errors.__doc__ or "")
    assert kind.__dict__.get("__doc__")


def test_a_plan_that_is_not_safe_carries_its_rule_and_figures() -> None:
    error = NoSafeGuide("no guide", rule="wall", figures={"wall_mm": 1.5})
    assert (str(error), error.rule, error.figures) == ("no guide", "wall", {"wall_mm": 1.5})


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
def test_an_error_travels_whole_from_one_process_to_another(kind: type[GuidegenError]) -> None:
    given = {"rule": "wall", "figures": {"wall_mm": 1.5}, "wait_s": 7, "reasons": ("one", "two"), "message": "not so"}
    error = kind(**{name: given[name] for name in inspect.signature(kind).parameters})
    error.stage = "guide"
    arrived = pickle.loads(pickle.dumps(error))
    assert (type(arrived), str(arrived), arrived.args) == (kind, str(error), error.args)
    assert vars(arrived) == vars(error)


def test_every_reason_against_an_approval_is_told() -> None:
    error = ApprovalError("not approved", ("one", "two"))
    assert (str(error), error.reasons) == ("not approved\n- one\n- two", ("one", "two"))
    assert ApprovalError("not approved").reasons == ("not approved",)


def test_the_stage_stands_before_the_message() -> None:
    with pytest.raises(LabelError, match=r"^anatomy: label 7 is empty$") as caught, at_stage("anatomy"):
        raise LabelError("label 7 is empty")
    assert (caught.value.stage, caught.value.message) == ("anatomy", "label 7 is empty")


def test_the_inner_stage_is_the_one_that_is_kept() -> None:
    with pytest.raises(LabelError, match=r"^anatomy: "), at_stage("pipeline"), at_stage("anatomy"):
        raise LabelError("label 7 is empty")


def test_without_a_stage_there_is_only_the_message() -> None:
    with pytest.raises(LabelError, match=r"^label 7 is empty$"):
        raise LabelError("label 7 is empty")


def test_an_error_of_another_kind_passes_untouched() -> None:
    bug = KeyError("bug")
    with pytest.raises(KeyError, match="bug") as caught, at_stage("anatomy"):
        raise bug
    assert caught.value is bug
