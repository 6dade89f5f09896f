"""The command `guidegen review`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from guidegen.review.user_commands import Database, Output

out = Console(highlight=False, soft_wrap=True)


def review(
    output: Output = Path("output"),
    cases: Annotated[
        list[Path] | None, typer.Option(help="A folder with case files, for changes and images; may be given again.")
    ] = None,
    host: Annotated[
        str, typer.Option(help="The IP address to listen on; by default nobody else reaches it.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port.", min=1, max=65535)] = 8421,
    to_others: Annotated[
        bool, typer.Option("--to-others", help="Listen where other machines reach it; asks for TLS and a name.")
    ] = False,
    name: Annotated[str | None, typer.Option(help="The host name in the address that others open.")] = None,
    tls_cert: Annotated[Path | None, typer.Option(help="The certificate, PEM.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Its private key, PEM.")] = None,
    policy: Annotated[str, typer.Option(help="The approval policy.")] = "default",
    database: Database = None,
) -> None:
    """Open the review page, for this machine's browser, until it is interrupted."""
    from guidegen.review.web.serve import Listening, serve

    listening = Listening(host, port, name, tls_cert, tls_key, to_others)
    out.print(f"The review page: {escape(listening.address)}\nEnd it with Ctrl+C.")
    serve(output, tuple(cases or ()), listening, database, policy)
