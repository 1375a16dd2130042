"""``makegood phone …``: connect the call centre whose events become calls at the desk."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Annotated

import typer

from makegood.cli import running

app = typer.Typer(help="Telephone: connect a call centre.", no_args_is_help=True)

Merchant = Annotated[str | None, typer.Option(help="Slug; may be left out where there is only one.")]


@app.callback()
def group() -> None:
    """Telephone: connect a call centre."""


@app.command("connect")
def connect(
    source: Annotated[str, typer.Argument(help="own (our signed format) or twilio.")],
    url: Annotated[str, typer.Option(help="Twilio: the address of events exactly as it was given to Twilio.")] = "",
    account: Annotated[str, typer.Option(help="Twilio: the account's SID, whose recordings are fetched.")] = "",
    merchant: Merchant = None,
) -> None:
    """Store the secret it signs with, read from standard input; several lines while one is being replaced."""
    if sys.stdin.isatty():
        secrets = [typer.prompt("secret", hide_input=True, err=True)]
    else:
        secrets = [line.strip() for line in sys.stdin if line.strip()]
    with running.database(), running.merchant(merchant):
        from makegood.accounts.actors import Actor
        from makegood.accounts.queries import slug
        from makegood.calls import commands

        commands.connect_line(
            source=source, secrets=secrets, url=url, account=account, actor=Actor.system("cli"), at=datetime.now(UTC)
        )
        running.say(f"connected {source}; its events go to /api/v1/calls/{source}/events?merchant={slug()}")
