"""``makegood conformance …``: benchmarks of others, on a database of their own that is thrown away afterwards."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from makegood.cli import running

app = typer.Typer(help="Replay benchmarks through our own commands.", no_args_is_help=True)


@app.command("tau-retail")
def tau_retail(
    db: Annotated[Path, typer.Option("--db", help="The benchmark's orders, users and products (db.json).")],
    tasks: Annotated[Path, typer.Option("--tasks", help="The tasks or probes, gzipped or not.")],
    through: Annotated[str, typer.Option(help="commands, or mcp: the tools for AI agents.")] = "commands",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")] = False,
) -> None:
    """Replay each task on fresh orders; exit code 1 where outcome or end state differs."""
    with throw_away_database():
        from datetime import UTC, datetime

        from makegood.cli.conformance.tau_retail import replay

        with _progress("tau-retail") as show:
            report = replay(db_path=db, tasks_path=tasks, at=datetime.now(UTC), progress=show, through=through)
    if as_json:
        running.print_json(report.as_json())
    else:
        for failure in report.failed:
            typer.echo(f"{failure['id']}: {failure['why']}")
        for corrected in report.corrected:
            typer.echo(f"{corrected['id']}: the expectation was corrected: {corrected['why']}")
        typer.echo(f"{report.passed} of {report.tasks} tasks passed")
    raise typer.Exit(1 if report.failed else 0)


@app.command("mail")
def mail(
    folder: Annotated[Path, typer.Option("--folder", help="Raw mails (RFC 822), one a file.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")] = False,
) -> None:
    """Feed raw mails through intake; exit code 1 where one of them crashed it."""
    with throw_away_database():
        from datetime import UTC, datetime

        from makegood.cli.conformance.mail import feed

        with _progress("mail") as show:
            report = feed(folder, at=datetime.now(UTC), progress=show)
    told = report.as_json()
    if as_json:
        running.print_json(told)
    else:
        for name in ("mails", "crashed", "cases_opened", "threaded"):
            typer.echo(f"{name.replace('_', ' ')}: {told[name]}")
        typer.echo("ignored: " + ", ".join(f"{kind} {number}" for kind, number in told["ignored"].items() if number))
        for crash in report.crashed:
            typer.echo(f"{crash['mail']}: {crash['why']}")
    raise typer.Exit(1 if report.crashed else 0)


@contextmanager
def throw_away_database() -> Iterator[None]:
    """An embedded server in a temporary folder: the benchmark's shop never meets a real one's rows."""
    from makegood.kit.postgres import embedded

    with tempfile.TemporaryDirectory(prefix="makegood-conformance-") as folder:
        os.environ.pop("MAKEGOOD_DATABASE_URL", None)
        os.environ["MAKEGOOD_DATA_DIR"] = folder
        try:
            with running.database(migrated=True):
                yield
        finally:
            embedded.stop_unused(Path(folder).resolve(), remove=True)


@contextmanager
def _progress(name: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal, on stderr; nothing where nobody watches."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task(name)
        yield lambda done, total: bar.update(task, completed=done, total=total)
