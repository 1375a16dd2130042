"""``makegood orders …``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from makegood.cli import running

if TYPE_CHECKING:
    from makegood.orders.importing import ImportResult

app = typer.Typer(help="Orders: bring them in from files.", no_args_is_help=True)


@app.callback()
def orders() -> None:
    """Orders: bring them in from files."""


@app.command("import")
def import_file(
    file: Path,
    form: Annotated[str, typer.Option("--format", help="Such as csv, tau-retail, amazon-sale-report, olist.")],
    merchant: Annotated[str | None, typer.Option(help="Slug; may be left out where there is only one.")] = None,
    encoding: Annotated[str | None, typer.Option(help="Encoding of the file; else it is guessed and told.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")] = False,
) -> None:
    """Read a file of orders; reading it again changes nothing, and what was cut off goes on."""
    with running.database(migrated=True), running.merchant(merchant, may_open=True):
        from makegood.orders.importing import import_orders

        with _bar(file) as show:
            result = import_orders(
                path=str(file), format=form, at=datetime.now(UTC), declared_encoding=encoding, progress=show
            )
    if as_json:
        running.print_json(result.as_json())
        return
    for name, value in result.as_json().items():
        typer.echo(f"{name}: {value}")


@contextmanager
def _bar(file: Path) -> Iterator[Callable[[ImportResult], None] | None]:
    """Progress on a terminal, silence elsewhere; the whole is not known before it is read."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(file.name)

        def show(result: ImportResult) -> None:
            counts = result.counts
            progress.update(
                task,
                description=f"{file.name}: {counts.read} read, {counts.created} created, {counts.rejected} rejected",
            )

        yield show
