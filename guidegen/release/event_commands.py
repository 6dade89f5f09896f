"""The commands `guidegen event RESULT …`: what becomes of each printed lot, recorded on the chain."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape

from guidegen.review.act_commands import Result, User, credentials, open_reviews
from guidegen.review.user_commands import Database, Stdin

if TYPE_CHECKING:
    from collections.abc import Callable

    from guidegen.review.events import AnyEvent
    from guidegen.review.reviews import Reviews

out = Console(highlight=False, soft_wrap=True)
events = typer.Typer(
    help="Record what became of a printed lot: printed, inspected, sterilised, used or discarded.", no_args_is_help=True
)

Lot = Annotated[str, typer.Option("--lot", help="The lot, as on the label: one for each print.")]
Operator = Annotated[str | None, typer.Option("--operator", help="Who did it, where that is not the user.")]


@events.callback()
def of_result(context: typer.Context, result: Result) -> None:
    """Record what became of a printed lot of a released result."""
    context.obj = result


@events.command()
def printed(
    context: typer.Context,
    lot: Lot,
    user: User,
    file: Annotated[
        Path, typer.Option("--file", help="The released file that was printed, where it was printed from.")
    ],
    printer: Annotated[str, typer.Option(help="The machine.")],
    material: Annotated[str, typer.Option(help="What it was printed in.")],
    material_lot: Annotated[str, typer.Option(help="The lot of the material.")],
    operator: Operator = None,
    database: Database = None,
    password_stdin: Stdin = False,
) -> None:
    """A lot was printed from a released file."""
    from guidegen.release.lot_records import printed_file
    from guidegen.review.events import Printed

    def event(reviews: Reviews, who: str) -> AnyEvent:
        name, digest = printed_file(reviews, context.obj, file)
        return Printed(
            lot=lot, operator=who, file=name, file_sha256=digest, printer=printer, material=material,
            material_lot=material_lot,
        )  # fmt: skip

    _record(context.obj, user, operator, database, password_stdin, event)


@events.command()
def inspected(
    context: typer.Context,
    lot: Lot,
    user: User,
    measures: Annotated[Path, typer.Option("--measures", help="A copy of the release's inspection.json, filled in.")],
    operator: Operator = None,
    database: Database = None,
    password_stdin: Stdin = False,
) -> None:
    """A lot was inspected: every line of its sheet."""
    from guidegen.release.lot_records import read_inspection
    from guidegen.review.events import Inspected

    def event(reviews: Reviews, who: str) -> AnyEvent:
        return Inspected(lot=lot, operator=who, lines=read_inspection(reviews, context.obj, lot, measures))

    _record(context.obj, user, operator, database, password_stdin, event)


@events.command()
def sterilised(
    context: typer.Context,
    lot: Lot,
    user: User,
    cycle: Annotated[str, typer.Option(help="The cycle that was run.")],
    load: Annotated[str, typer.Option(help="The steriliser's own number of the load.")],
    operator: Operator = None,
    database: Database = None,
    password_stdin: Stdin = False,
) -> None:
    """A lot went through a sterilisation cycle."""
    from guidegen.review.events import Sterilised

    def event(_reviews: Reviews, who: str) -> AnyEvent:
        return Sterilised(lot=lot, operator=who, cycle=cycle, load=load)

    _record(context.obj, user, operator, database, password_stdin, event)


@events.command()
def used(
    context: typer.Context,
    lot: Lot,
    user: User,
    patient_id: Annotated[str, typer.Option(help="The patient on the table, typed once more.")],
    side: Annotated[str, typer.Option(help="The side, typed once more.")],
    operator: Operator = None,
    database: Database = None,
    password_stdin: Stdin = False,
) -> None:
    """A lot was used."""
    from guidegen.review.events import Used

    def event(_reviews: Reviews, who: str) -> AnyEvent:
        return Used(lot=lot, operator=who, patient_id=patient_id, side=side)

    _record(context.obj, user, operator, database, password_stdin, event)


@events.command()
def discarded(
    context: typer.Context,
    lot: Lot,
    user: User,
    reason: Annotated[str, typer.Option(help="Why.")],
    operator: Operator = None,
    database: Database = None,
    password_stdin: Stdin = False,
) -> None:
    """A lot was thrown away."""
    from guidegen.review.events import Discarded

    def event(_reviews: Reviews, who: str) -> AnyEvent:
        return Discarded(lot=lot, operator=who, reason=reason)

    _record(context.obj, user, operator, database, password_stdin, event)


def _record(
    result: Path,
    user: str,
    operator: str | None,
    database: str | None,
    from_stdin: bool,
    event: Callable[[Reviews, str], AnyEvent],
) -> None:
    """Record the event that is built once it is known who did it."""
    from pydantic import ValidationError

    from guidegen.errors import ReviewError

    with open_reviews(result, database) as reviews:
        try:
            happened = event(reviews, operator or reviews.people.find(user).printed_name)
        except ValidationError as error:
            raise ReviewError(f"expected an event that can be recorded, found: {error}; mend it") from error
        entry = reviews.record_event(result, credentials(user, from_stdin), happened)
        state = reviews.lots_of(result)[happened.lot]
    out.print(f"lot {escape(happened.lot)} of {escape(entry.subject)} is {state}")
