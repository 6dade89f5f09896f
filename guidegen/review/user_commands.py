"""The commands `guidegen user …`: accounts, passwords and keys.

Whoever may run them may make accounts; the chain says who it was.
"""

from __future__ import annotations

import getpass
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from guidegen.review.persons import Person

out = Console(highlight=False, soft_wrap=True)
users = typer.Typer(help="Accounts of those who submit, review and sign.", no_args_is_help=True)


class RoleName(StrEnum):
    """The roles, without the libraries that the review itself needs."""

    ENGINEER = "engineer"
    SURGEON = "surgeon"
    ADMIN = "admin"


User = Annotated[str, typer.Argument(help="The user id: small letters, digits, . _ -.", metavar="USER")]
Output = Annotated[Path, typer.Option(help="Where results are; the accounts are kept beside them.")]
Database = Annotated[str | None, typer.Option(help="A database's URL, instead of GUIDEGEN_DATABASE or the results'.")]
Stdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read passwords from standard input, one a line, in the order asked.")
]


@users.command()
def add(
    user: User,
    name: Annotated[str, typer.Option(help="The name as it is printed beside a signature.")],
    role: Annotated[list[RoleName], typer.Option(help="May be given several times.")],
    output: Output = Path("output"),
    database: Database = None,
    password_stdin: Stdin = False,
) -> None:
    """Make an account, with a signing key of its own."""
    from guidegen.review.persons import Role
    from guidegen.review.reviews import Reviews

    with Reviews.open(output, database) as reviews:
        roles = [Role(each.value) for each in role]
        person = reviews.people.add(user, name, roles, _new_password(password_stdin), operator())
    _show_key(person)


@users.command("list")
def list_users(output: Output = Path("output"), database: Database = None) -> None:
    """Show every account."""
    from guidegen.review.reviews import Reviews

    with Reviews.open(output, database, create=False) as reviews:
        table = Table("user", "name", "roles", "key", "", box=None)
        for person in reviews.people.all():
            row = (person.user, person.printed_name, ", ".join(person.roles), person.key.fingerprint[:16])
            table.add_row(*map(escape, row), "" if person.enabled else "disabled")
    out.print(table)


@users.command()
def disable(user: User, output: Output = Path("output"), database: Database = None) -> None:
    """Close an account for good; what was signed with it stays valid."""
    from guidegen.review.reviews import Reviews

    with Reviews.open(output, database, create=False) as reviews:
        reviews.people.disable(user, operator())
    out.print(f"{escape(user)} is disabled")


@users.command()
def password(
    user: User,
    lost: Annotated[bool, typer.Option("--lost", help="The old one is not known: a new key is made as well.")] = False,
    output: Output = Path("output"),
    database: Database = None,
    password_stdin: Stdin = False,
) -> None:
    """Change a password; every session of the account ends."""
    from guidegen.review.people import Credentials
    from guidegen.review.reviews import Reviews

    with Reviews.open(output, database, create=False) as reviews:
        if lost:
            reviews.people.find(user)
            _show_key(reviews.people.replace_password(user, _new_password(password_stdin), operator()))
        else:
            old = Credentials(user, ask("Old password", password_stdin))
            reviews.people.change_password(old, _new_password(password_stdin))
            out.print(f"the password of {escape(user)} is changed")


@users.command()
def key(
    user: User,
    new: Annotated[bool, typer.Option("--new", help="Make a new one; the old one stays for what it signed.")] = False,
    output: Output = Path("output"),
    database: Database = None,
    password_stdin: Stdin = False,
) -> None:
    """Print the public key of an account (PEM), with its fingerprint, for whoever verifies a release."""
    from guidegen.review.people import Credentials
    from guidegen.review.reviews import Reviews

    with Reviews.open(output, database, create=False) as reviews:
        if new:
            reviews.people.new_key(Credentials(user, ask("Password", password_stdin)))
        _show_key(reviews.people.find(user))


def operator() -> str:
    """Who sits at the command line, as the chain names them."""
    return f"command line: {getpass.getuser()}"


def _show_key(person: Person) -> None:
    out.print(f"{escape(person.user)}, {escape(person.printed_name)}: {', '.join(person.roles)}")
    out.print(f"key {person.key.fingerprint}\n{person.key.public_pem}", end="")


def _new_password(from_stdin: bool) -> str:
    if from_stdin:
        return ask("New password", from_stdin)
    return str(typer.prompt("New password", hide_input=True, confirmation_prompt=True))


def ask(what: str, from_stdin: bool) -> str:
    """A password, read without showing it; never from the command line, which others see."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\n")
    return str(typer.prompt(what, hide_input=True))
