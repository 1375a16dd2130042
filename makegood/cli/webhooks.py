"""``makegood webhooks …``."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from makegood.cli import running

app = typer.Typer(help="Webhooks out: endpoints and deliveries.", no_args_is_help=True)

Merchant = Annotated[str | None, typer.Option(help="Slug; may be left out where there is only one.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]


@app.command("list")
def list_endpoints(merchant: Merchant = None, as_json: AsJson = False) -> None:
    """Every endpoint, with what waits and what was given up."""
    with running.database(), running.merchant(merchant):
        from makegood.webhooks import cli

        rows = cli.rows()
    if as_json:
        running.print_json({"data": rows})
        return
    for row in rows:
        typer.echo(
            f"{row['ref']:12} {row['state']:9} waiting {row['waiting']:<5} failed {row['failed']:<5} {row['url']}"
        )


@app.command("add")
def add(
    url: str,
    event: Annotated[list[str] | None, typer.Option(help="Only this event; may be repeated.")] = None,
    label: Annotated[str, typer.Option(help="What it is for.")] = "",
    merchant: Merchant = None,
) -> None:
    """Name an address for events; its reference and its signing secret are printed on stdout."""
    with running.database(), running.merchant(merchant):
        from makegood.webhooks import cli

        ref, secret = cli.add(url, event or [], label)
    typer.echo(f"{ref} {secret}")


@app.command("deliveries")
def deliveries(
    ref: str,
    state: Annotated[str, typer.Option(help="due, delivered, failed or held.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=200)] = 50,
    merchant: Merchant = None,
    as_json: AsJson = False,
) -> None:
    """What an endpoint was and is owed, newest first."""
    with running.database(), running.merchant(merchant):
        from makegood.webhooks import cli

        rows = cli.deliveries(ref, state=state, limit=limit)
    if as_json:
        running.print_json({"data": rows})
        return
    for row in rows:
        last = row["status"] or row["failure"] or "-"
        typer.echo(f"{row['id']:8} {row['state']:10} {row['attempts']:3} {last:12} {row['case']:12} {row['kind']}")


@app.command("test")
def send_test(ref: str, merchant: Merchant = None) -> None:
    """Send a test event."""
    with running.database(), running.merchant(merchant):
        from makegood.webhooks import cli, commands

        webhook_id = commands.send_test(ref=ref, actor=cli.TERMINAL, at=cli.now())
    typer.echo(webhook_id)


@app.command("replay")
def replay(
    ref: str,
    delivery: Annotated[int | None, typer.Option(min=1, help="Only this delivery.")] = None,
    since: Annotated[datetime | None, typer.Option(help="From (UTC).")] = None,
    until: Annotated[datetime | None, typer.Option(help="Until (UTC), not included; now where left out.")] = None,
    again: Annotated[bool, typer.Option("--again", help="Also what was delivered.")] = False,
    merchant: Merchant = None,
) -> None:
    """Send one delivery again, or every chosen event of a span of time."""
    with running.database(), running.merchant(merchant):
        from makegood.webhooks import cli

        count = cli.replay(ref, delivery=delivery, since=since, until=until, again=again)
    running.say(f"{count} to be sent")


@app.command("rotate")
def rotate(ref: str, merchant: Merchant = None) -> None:
    """Make a new signing secret and print it; for a day both sign."""
    with running.database(), running.merchant(merchant):
        from makegood.webhooks import cli, commands, queries

        commands.rotate_secret(ref=ref, actor=cli.TERMINAL, at=cli.now())
        secret = queries.secret_of(ref, actor=cli.TERMINAL)
    typer.echo(secret)


@app.command("resume")
def resume(ref: str, merchant: Merchant = None) -> None:
    """Send again, also after failures switched the endpoint off."""
    with running.database(), running.merchant(merchant):
        from makegood.webhooks import cli, commands

        commands.resume_endpoint(ref=ref, actor=cli.TERMINAL, at=cli.now())
    running.say("done")


@app.command("remove")
def remove(ref: str, merchant: Merchant = None) -> None:
    """Forget an endpoint with its log."""
    with running.database(), running.merchant(merchant):
        from makegood.webhooks import cli, commands

        commands.remove_endpoint(ref=ref, actor=cli.TERMINAL, at=cli.now())
    running.say("done")
