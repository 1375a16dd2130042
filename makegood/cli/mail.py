"""``makegood mail …``: connect mailboxes, fetch from them once, or watch them."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Annotated

import typer

from makegood.cli import running

app = typer.Typer(help="Mailboxes: connect, list, fetch, watch.", no_args_is_help=True)

Merchant = Annotated[str | None, typer.Option(help="Slug; may be left out where there is only one.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]
Security = Annotated[str, typer.Option(help="tls, starttls or, on this machine only, none.")]


@app.command("connect")
def connect(  # noqa: PLR0913, PLR0917 - one parameter an option of the command
    address: Annotated[str, typer.Argument(help="The mail address, such as support@shop.example.")],
    imap_host: Annotated[str, typer.Option(help="Where mail is fetched; not fetched where left out.")] = "",
    imap_port: Annotated[int, typer.Option(min=1, max=65535)] = 993,
    imap_security: Security = "tls",
    imap_user: Annotated[str, typer.Option(help="The address where left out.")] = "",
    folder: Annotated[str, typer.Option()] = "INBOX",
    smtp_host: Annotated[str, typer.Option(help="Where mail is sent; not sent where left out.")] = "",
    smtp_port: Annotated[int, typer.Option(min=1, max=65535)] = 465,
    smtp_security: Security = "tls",
    smtp_user: Annotated[str, typer.Option(help="The address where left out and a password is given.")] = "",
    name: Annotated[str, typer.Option(help="The name people see.")] = "",
    alias: Annotated[list[str] | None, typer.Option(help="Another address that ends here; may be repeated.")] = None,
    plus: Annotated[bool, typer.Option("--plus/--no-plus", help="Whether local+tag@… arrives here too.")] = True,
    results_from: Annotated[
        str,
        typer.Option(
            help="The name in the Authentication-Results of the mailbox's own server; senders are then proved."
        ),
    ] = "",
    merchant: Merchant = None,
) -> None:
    """Store how a mailbox is reached. The password is read from standard input; a second line is that of SMTP."""
    if sys.stdin.isatty():
        imap_password = typer.prompt("password (IMAP)", hide_input=True, err=True, default="", show_default=False)
        smtp_password = typer.prompt("password (SMTP)", hide_input=True, err=True, default="", show_default=False)
    else:
        imap_password, smtp_password = (sys.stdin.readline().rstrip("\n") for _ in range(2))
    smtp_password = smtp_password or imap_password
    with running.database(), running.merchant(merchant):
        from makegood.accounts.actors import Actor
        from makegood.conversations import commands
        from makegood.conversations.commands.mailboxes import Server

        commands.connect_mailbox(
            address=address,
            imap=Server(imap_host, imap_port, imap_security, imap_user, imap_password),
            smtp=Server(
                smtp_host, smtp_port, smtp_security, smtp_user or (address if smtp_password else ""), smtp_password
            ),
            name=name,
            folder=folder,
            aliases=alias or [],
            plus_addresses=plus,
            results_from=results_from,
            actor=Actor.system("cli"),
            at=datetime.now(UTC),
        )
    running.say(f"connected {address}; try it with: makegood mail try {address}")


@app.command("list")
def list_mailboxes(merchant: Merchant = None, as_json: AsJson = False) -> None:
    """The merchant's mailboxes, and how each is doing."""
    with running.database(), running.merchant(merchant):
        from makegood.conversations import queries

        found = [
            {
                "address": one.address,
                "active": one.active,
                "fetches": bool(one.imap_host),
                "proves_senders": bool(one.results_from),
                "sends": bool(one.smtp_host),
                "looked_at": one.looked_at,
                "failing_since": one.failing_since,
                "failed_because": one.failed_because,
            }
            for one in queries.mailboxes()
        ]
    if as_json:
        running.print_json({"mailboxes": found})
        return
    for row in found:
        state = "disconnected" if not row["active"] else row["failed_because"] or f"read at {row['looked_at']}"
        typer.echo(f"{row['address']:40} {state}")


@app.command("try")
def try_mailbox(address: str, merchant: Merchant = None, as_json: AsJson = False) -> None:
    """Sign in to a mailbox's servers and leave again; exit code 1 where one does not let us in."""
    with running.database(), running.merchant(merchant):
        from makegood.conversations import commands, queries

        tried = commands.try_mailbox(queries.mailbox(address))
    if as_json:
        running.print_json({"mailbox": address, "ok": tried.works, "imap": tried.fetching, "smtp": tried.sending})
    else:
        for name, told in (("imap", tried.fetching), ("smtp", tried.sending)):
            typer.echo(f"{name}: {'not connected' if told is None else told or 'ok'}")
    raise typer.Exit(0 if tried.works else 1)


@app.command("disconnect")
def disconnect(address: str, merchant: Merchant = None) -> None:
    """No longer fetch from or send through a mailbox, and forget its passwords; what came stays."""
    with running.database(), running.merchant(merchant):
        from makegood.accounts.actors import Actor
        from makegood.conversations import commands

        commands.disconnect_mailbox(address=address, actor=Actor.system("cli"))
    running.say(f"disconnected {address}")


@app.command("fetch")
def fetch(merchant: Merchant = None, as_json: AsJson = False) -> None:
    """Fetch what is new from every mailbox of the merchant, once; exit code 1 where one cannot be read."""
    with running.database(), running.merchant(merchant):
        from makegood.conversations import commands
        from makegood.conversations.commands.fetching import MailboxUnreachable, mailboxes_to_fetch
        from makegood.kit.vault import SecretsSealedElsewhere

        told: list[dict[str, str | int]] = []
        failed = False
        for mailbox in mailboxes_to_fetch():
            try:
                fetched = commands.fetch_mailbox(mailbox)
            except (MailboxUnreachable, SecretsSealedElsewhere) as refused:
                failed = True
                running.say(running.in_words(refused))
                told.append({"address": mailbox.address, "failed": refused.code})
            else:
                told.append({"address": mailbox.address, "seen": fetched.seen, "stored": fetched.stored})
    if as_json:
        running.print_json({"mailboxes": told})
    else:
        for row in told:
            typer.echo(f"{row['address']}: {row.get('stored', row.get('failed'))}")
    raise typer.Exit(1 if failed else 0)


@app.command("idle")
def idle() -> None:
    """Watch every mailbox of every merchant until stopped; ``worker`` and ``serve`` do this by themselves."""
    with running.database(log_level="INFO"):
        import signal
        import threading

        from makegood.conversations.watching import watch_mailboxes

        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda _number, _frame: stop.set())
        watch_mailboxes(stop)
