"""The commands `guidegen audit …`: the chain verified, and exported for others to verify."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from guidegen.review.user_commands import Database, Output

out = Console(highlight=False, soft_wrap=True)
audit = typer.Typer(help="The chain of all that was signed and done.", no_args_is_help=True)


@audit.command()
def verify(
    head: Annotated[str | None, typer.Option(help="A hash noted outside, as on a signed dossier.")] = None,
    output: Output = Path("output"),
    database: Database = None,
) -> None:
    """Verify every entry, signature, role, sequence and key; with a noted hash, also that nothing was cut off."""
    from guidegen.review.reviews import Reviews

    with Reviews.open(output, database, create=False) as reviews:
        found = reviews.verify(head)
    out.print(f"{found.entries} entries and {found.signatures} signatures, all as they were written\nhead {found.head}")


@audit.command()
def export(
    folder: Annotated[Path, typer.Argument(help="A folder that is not there yet.")],
    output: Output = Path("output"),
    database: Database = None,
) -> None:
    """Write the chain, the public keys and a program that checks them without guidegen."""
    from guidegen.review.export import write_export
    from guidegen.review.reviews import Reviews

    with Reviews.open(output, database, create=False) as reviews:
        write_export(folder, reviews.export_chain())
    out.print(f"[green]wrote[/] {escape(str(folder))}; check it with: python3 {escape(str(folder))}/check_chain.py")
