"""The page under requests that nobody would think of, made from its own description: never an error of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from page_cases import ORIGIN, Pages, waiting_pages
from sqlalchemy import delete

from guidegen.review.tables import GUESSES
from guidegen.review.web.app import make_app
from guidegen.review.web.site import Site

OURS = {"origin": ORIGIN, "sec-fetch-site": "same-origin"}


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory, populated: Path) -> Iterator[Pages]:
    """A site with a revision that waits for review."""
    with waiting_pages(tmp_path_factory.mktemp("described") / "output", populated) as waiting:
        yield waiting


NOWHERE: Any = None  # what the description of the routes does not need
DESCRIBED = make_app(Site(NOWHERE, NOWHERE, NOWHERE, NOWHERE), frozenset()).app
SCHEMA = schemathesis.openapi.from_dict(DESCRIBED.openapi())  # type: ignore[attr-defined]
OPERATIONS = [each.ok() for each in SCHEMA.get_all_operations()]


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_no_request_is_an_error_of_our_own(operation: Any, pages: Pages) -> None:
    @given(case=operation.as_strategy(), is_there=st.booleans())
    @settings(max_examples=10, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    def ask(case: schemathesis.Case, is_there: bool) -> None:
        with pages.world.reviews._desk.database.writing() as connection:
            connection.execute(delete(GUESSES))  # else everybody has to wait after a few logins
        visit = pages.signed_in("gul")
        if is_there and case.path_parameters and "revision" in case.path_parameters:
            case.path_parameters.update(case="Z019L-left", revision="r001")
        if isinstance(case.body, dict):
            case.body["token"] = visit.token
        asked = case.as_transport_kwargs(base_url=ORIGIN)
        asked.pop("cookies", None)  # those of the visit stay
        asked["headers"] = {**asked.get("headers", {}), **OURS}
        answers.append(visit.client.request(**asked).status_code)

    answers: list[int] = []
    ask()
    assert answers
    assert max(answers) < 500
