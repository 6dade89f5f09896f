"""Pages made of templates; what comes from files or forms is text in them, never markup."""

from __future__ import annotations

from functools import cache
from typing import Any

from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

import guidegen
from guidegen.check.finding import line
from guidegen.review.canonical import digest
from guidegen.review.records import MEANINGS
from guidegen.review.states import Act
from guidegen.review.web.access import Visitor
from guidegen.rounded import shown


@cache
def environment() -> Environment:
    """The templates, with every name that is not given an error."""
    made = Environment(
        loader=PackageLoader("guidegen.review.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["version"] = guidegen.__version__
    made.globals["meaning"] = MEANINGS[Act.APPROVE]
    made.filters["digest"] = digest
    made.filters["line"] = line
    made.filters["shown"] = shown
    return made


def page(template: str, visitor: Visitor | None, status: int = 200, **content: Any) -> HTMLResponse:
    """A page as its visitor sees it; None: nobody is signed in."""
    text = environment().get_template(template).render(visitor=visitor, **content)
    return HTMLResponse(text, status_code=status)
