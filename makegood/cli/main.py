"""The command ``makegood``. Heavy modules are imported by the command that needs them, so that help is instant."""

from __future__ import annotations

import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from makegood.cli import cases, customers, keys, mail, merchants, orders, phone, running, webhooks
from makegood.cli.conformance import app as conformance
from makegood.kit import errors

app = typer.Typer(
    name="makegood",
    help="After-sales for commerce. Exit codes: 0 done, 1 the answer is no, 2 wrong usage or unreadable input.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

app.add_typer(orders.app, name="orders")
app.add_typer(cases.app, name="cases")
app.add_typer(customers.app, name="customers")
app.add_typer(conformance.app, name="conformance")
app.add_typer(mail.app, name="mail")
app.add_typer(phone.app, name="phone")
app.add_typer(keys.app, name="receipt-keys")
app.add_typer(merchants.merchants, name="merchants")
app.add_typer(merchants.staff, name="staff")
app.add_typer(merchants.tokens, name="tokens")
app.add_typer(webhooks.app, name="webhooks")

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]


@app.command()
def serve(
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Port; else PORT, else 8000.")] = None,
    demo: Annotated[bool, typer.Option("--demo", help="Load the demo shop once.")] = False,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Web processes.")] = 1,
) -> None:
    """Run everything on this machine: database, web server and worker. Ctrl-C stops all of it."""
    from makegood.cli import serving

    raise typer.Exit(serving.serve(port=port or int(os.environ.get("PORT") or 8000), demo=demo, workers=workers))


@app.command(hidden=True)
def web(port: int, workers: int = 1) -> None:
    """The web server alone; ``serve`` starts it."""
    from makegood.cli import serving

    serving.run_web(port=port, workers=workers)


@app.command()
def worker(
    queue: Annotated[list[str] | None, typer.Option("--queue", help="Only this queue; may be repeated.")] = None,
) -> None:
    """Carry out jobs and deadlines until stopped; ``serve`` runs one of these by itself."""
    with running.database(log_level="INFO"):
        from makegood.cli import serving

        serving.run_worker(queue or None)


@app.command()
def migrate() -> None:
    """Bring the database to this version: creates roles and tables where they are missing."""
    with running.database():
        from makegood.cli import operating

        done = operating.migrate()
    running.say(f"{done} migrations applied" if done else "nothing to migrate")


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Look at everything that must be right; exit code 1 where something is not."""
    with running.database():
        from makegood.cli import operating

        checks = operating.examine()
    if as_json:
        running.print_json({"ok": all(check.ok for check in checks), "checks": [check.as_json() for check in checks]})
    else:
        for check in checks:
            typer.echo(f"{'ok  ' if check.ok else 'FAIL'}  {check.name}: {check.told}")
    raise typer.Exit(0 if all(check.ok for check in checks) else 1)


@app.command()
def adopt() -> None:
    """Make this database this deployment's own, so that payouts may leave; say so only where no other one pays."""
    with running.database():
        from makegood.cli import operating

        operating.adopt()
    running.say("the database belongs to this deployment now")


@app.command()
def reconcile(
    since: Annotated[datetime | None, typer.Option(help="From (UTC); a week ago where left out.")] = None,
    until: Annotated[datetime | None, typer.Option(help="Until (UTC), not included; now where left out.")] = None,
    merchant: Annotated[str, typer.Option(help="Only this merchant (slug); all where left out.")] = "",
    mend: Annotated[bool, typer.Option("--mend", help="Look up payouts whose state differs.")] = False,
    release: Annotated[bool, typer.Option("--release", help="Mend, then let held payouts go.")] = False,
    accept: Annotated[bool, typer.Option("--accept", help="Release in spite of differences.")] = False,
    as_json: AsJson = False,
) -> None:
    """Compare our payouts with the gateways' own books; exit code 1 where they differ."""
    with running.database():
        from makegood.settlement.cli import reconcile_books

        differ = reconcile_books(
            since=since, until=until, merchant=merchant, mend=mend, release=release, accept=accept, as_json=as_json
        )
    raise typer.Exit(1 if differ else 0)


@app.command()
def mcp(
    http: Annotated[bool, typer.Option("--http", help="Serve HTTP instead of standard input and output.")] = False,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of HTTP.")] = 8010,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes of HTTP.")] = 1,
    customer: Annotated[str, typer.Option(help="Hold the session to this customer (reference).")] = "",
) -> None:
    """Serve the tools for AI agents; the access token is read from MAKEGOOD_TOKEN, over HTTP from each request."""
    from makegood.cli import agents

    if http:
        agents.serve_http(port=port, workers=workers)
    else:
        agents.serve_standard_streams(customer=customer)


@app.command()
def backup(file: Path) -> None:
    """Write database and uploads into one file."""
    with running.database():
        from makegood.cli import operating

        running.say(operating.back_up(file))


@app.command()
def restore(
    file: Path,
    replace: Annotated[bool, typer.Option("--replace", help="Also over a database that holds data.")] = False,
) -> None:
    """Put database and uploads back as a backup has them, proven before use. Payouts are held afterwards."""
    with running.database():
        from makegood.cli import operating

        running.say(operating.put_back(file, replace=replace))


def _mount_policy() -> None:
    from makegood.cli import policies
    from makegood.policy.cli import quote_command

    app.add_typer(policies.policy_app, name="policy")
    app.command("quote")(quote_command)


def main(arguments: list[str] | None = None) -> int:
    """Run one command; its exit code. No failure that the user can mend shows a traceback."""
    _mount_policy()
    try:
        app(args=arguments, prog_name="makegood")
    except SystemExit as ended:
        # Typer has told wrong usage itself, with code 2.
        return ended.code if isinstance(ended.code, int) else 0
    except errors.DomainError as error:
        running.say(f"{error.code}: {running.in_words(error)}")
        return 1 if isinstance(error, errors.Refused | errors.Forbidden) else 2
    except running.database_errors() as error:
        running.say(running.told_of_database(error))
        return 2
    except OSError as error:
        # A file that is not there, a full disk, a closed pipe: the system's own words say what and where.
        running.say(f"{error.filename or 'system'}: {error.strerror or error}")
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


def run() -> None:
    """The entry point of the installed program."""
    sys.exit(main())
