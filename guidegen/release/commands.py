"""The commands `guidegen release` and `guidegen verify`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from guidegen.review.act_commands import Result, User, credentials, open_reviews
from guidegen.review.user_commands import Database, Stdin

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)
BUSY = "making the papers and slicing the guide, which may take some minutes"


def release(
    result: Result,
    to: Annotated[Path, typer.Option("--to", help="A folder that is not there yet.", metavar="FOLDER")],
    user: User,
    database: Database = None,
    password_stdin: Stdin = False,
) -> None:
    """Write an approved result, and all that is made of it, into a folder; signed, and entered in the chain."""
    from guidegen.release.release import release_to

    with open_reviews(result, database) as reviews:
        who = credentials(user, password_stdin)
        with _busy():
            released = release_to(reviews, result, who, to)
    out.print(f"[green]released[/] {len(released.files)} files to {escape(str(released.folder))}")
    out.print(escape(f"{released.print_job}\nentry {released.entry.seq} of the chain, {released.entry.hash}"))


def verify(
    folder: Annotated[Path, typer.Argument(help="The folder of a release.")],
    key: Annotated[
        list[Path],
        typer.Option(
            "--key", help="A public key (PEM) that is trusted; may be given several times.", envvar="GUIDEGEN_KEY"
        ),
    ],
) -> None:
    """Verify a release offline, with nothing but public keys: every byte, the signature, and the approval in it."""
    from guidegen.release.verify import read_key, verify_folder

    found = verify_folder(folder, [read_key(path) for path in key])
    out.print(f"[green]{found.files} files, all as they were released[/]")
    out.print(f"{escape(found.case_id)}, {found.side.upper()} hip, {found.revision}")
    known = "a key given here" if found.approver_is_known else "a key not given here: compare it"
    out.print(f"approved by {escape(found.approver)}, {known}\n  {found.approver_fingerprint}")
    out.print(f"released with the key\n  {found.fingerprint}")
    out.print(f"nothing may be made of it after {found.expires_utc}; whether it was voided since, the chain alone says")


@contextmanager
def _busy() -> Iterator[None]:
    """Say that it takes a while: a spinner on a terminal, a plain line elsewhere."""
    if err.is_terminal:
        with err.status(f"{BUSY} …"):
            yield
    else:
        err.print(BUSY)
        yield
