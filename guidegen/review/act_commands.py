"""The commands `guidegen submit`, `approve`, `reject` and `void`: a review without the page."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape

from guidegen.review.user_commands import Database, Stdin, ask

if TYPE_CHECKING:
    from guidegen.review.answers import Answers, Told, WaiverAnswer
    from guidegen.review.people import Credentials
    from guidegen.review.reviews import Reviews
    from guidegen.review.revision import Revision

out = Console(highlight=False, soft_wrap=True)

Result = Annotated[Path, typer.Argument(help="A result folder (…/ID-SIDE/r001).", metavar="RESULT")]
User = Annotated[str, typer.Option("--user", prompt="User", help="Who does it: the id of an account.")]
Why = Annotated[str, typer.Option("--reason", help="Why, as it is signed.")]


def submit(result: Result, user: User, database: Database = None, password_stdin: Stdin = False) -> None:
    """Submit a result for review, signing authorship; its files are measured anew before."""
    with open_reviews(result, database) as reviews:
        entry = reviews.submit(result, credentials(user, password_stdin))
    out.print(f"[green]submitted[/] {escape(entry.subject)}\nsubmission {entry.hash}")


def approve(
    result: Result,
    user: User,
    answers: Annotated[Path | None, typer.Option(help="The answers in a file (TOML), instead of being asked.")] = None,
    database: Database = None,
    password_stdin: Stdin = False,
) -> None:
    """Show a submitted result, ask all that an approval confirms, and sign it."""
    from guidegen.review.answers import confirmation_of, read_answers, told_of

    with open_reviews(result, database) as reviews:
        revision, today = reviews.read(result), datetime.now(UTC).date()
        submission = waiting(reviews, result)
        _show(revision, told_of(revision, today))
        given = _asked(revision, submission, today) if answers is None else read_answers(answers)
        confirmation = confirmation_of(given, revision, today)
        approval = reviews.approve(result, credentials(user, password_stdin), confirmation)
    out.print(f"[green]approved[/] {escape(approval.place.subject)} until {approval.expires:%Y-%m-%d %H:%M} UTC")
    out.print(f"entry {approval.entry.seq} of the chain, {approval.entry.hash}")


def reject(result: Result, user: User, reason: Why, database: Database = None, password_stdin: Stdin = False) -> None:
    """Reject the submission that waits; the reason may ask for a change."""
    with open_reviews(result, database) as reviews:
        entry = reviews.reject(result, credentials(user, password_stdin), waiting(reviews, result), reason)
    out.print(f"rejected {escape(entry.subject)}")


def void(result: Result, user: User, reason: Why, database: Database = None, password_stdin: Stdin = False) -> None:
    """Declare a result void, for good."""
    with open_reviews(result, database) as reviews:
        entry = reviews.void(result, credentials(user, password_stdin), reason)
    out.print(f"void {escape(entry.subject)}")


def open_reviews(result: Path, database: str | None) -> Reviews:
    """The review of the folder that a result lies in."""
    from guidegen.review.reviews import Reviews

    return Reviews.open(result.resolve().parent.parent, database, create=False)


def credentials(user: str, from_stdin: bool) -> Credentials:
    """The user with the password that is asked for."""
    from guidegen.review.people import Credentials

    return Credentials(user, ask("Password", from_stdin))


def waiting(reviews: Reviews, result: Path) -> str:
    """The hash of the submission that waits; ApprovalError where none does."""
    from guidegen.errors import ApprovalError

    history = reviews.history_of(result)
    if history.submission is None:
        raise ApprovalError(f"expected a submitted result, found {result}, which is {history.state}; submit it")
    return history.submission.hash


def _show(revision: Revision, told: Told) -> None:
    """All that is signed as shown."""
    from guidegen.review.answers import looked_at
    from guidegen.show.terminal import figure_table, finding_table

    place = revision.place
    out.print(f"[bold]{escape(place.case_id)}, {place.side.upper()} hip, {escape(place.name)}[/]")
    for table in told.tables:
        out.print("", figure_table(table), sep="\n")
    if told.findings:
        out.print("", "Failed, or passed by less than a twentieth of the limit:", sep="\n")
        out.print(finding_table(told.findings))
    out.print(f"{told.others} other checks passed; guidegen check {escape(str(place.folder))} lists all")
    for text in told.warnings:
        out.print(f"[bold red]WARNING:[/] {escape(text)}")
    out.print("To be looked at:")
    for name in looked_at(revision):
        out.print(f"  {escape(str(revision.place.folder / name))}")


def _asked(revision: Revision, submission: str, today: date) -> Answers:
    """The answers, asked one after the other."""
    from guidegen.review.answers import Answers

    warnings = [text for text in revision.warnings(today) if _yes(f"Warning: {text}\nAcknowledged?")]
    return Answers(
        submission=submission,
        warnings=tuple(warnings),
        waivers=_waivers(revision),
        looked_at=_yes("Have you looked at the dossier and every picture?"),
        prescription=_yes("Do you prescribe entry, target, kit and size as shown?"),
        imaged=None if revision.imaged else _day(),
        patient_id=str(typer.prompt("Type the patient's id")),
        side=str(typer.prompt("Type the side")),
    )


def _waivers(revision: Revision) -> tuple[WaiverAnswer, ...]:
    from guidegen.review.answers import WaiverAnswer

    return tuple(
        WaiverAnswer(
            rule=waiver.rule,
            accepted=_yes(f"{waiver.author} proposes to waive {waiver.rule}: {waiver.reason}\nAccepted?"),
            reason=str(typer.prompt("Your own reason")),
        )
        for waiver in revision.waivers
    )


def _day() -> date:
    return date.fromisoformat(str(typer.prompt("No file has a date. The day of the oldest image (2025-11-20)")))


def _yes(question: str) -> bool:
    return typer.confirm(question)
