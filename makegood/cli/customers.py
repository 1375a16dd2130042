"""``makegood customers …``: give a person what is known of them, and forget them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from makegood.cli import running

app = typer.Typer(help="Customers: export or erase what is known of one.", no_args_is_help=True)

Merchant = Annotated[str | None, typer.Option(help="Slug; may be left out where there is only one.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]
Person = Annotated[str, typer.Argument(help="Reference of the customer, e-mail address or phone number.")]


@app.command("export")
def export(
    person: Person,
    file: Annotated[Path, typer.Argument(help="A zip archive to write.")],
    merchant: Merchant = None,
    as_json: AsJson = False,
) -> None:
    """Everything known of one customer, as JSON with the files they brought, in one archive."""
    with running.database(), running.merchant(merchant):
        from makegood.cli import personal_data

        customer = personal_data.find(person)
        written = personal_data.export(customer, file, at=datetime.now(UTC))
    if as_json:
        running.print_json(written)
    else:
        counts = ", ".join(f"{count} {name}" for name, count in written.items())
        running.say(f"{file}: {counts}")


@app.command("erase")
def erase(
    person: Person,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; it cannot be taken back.")] = False,
    merchant: Merchant = None,
    as_json: AsJson = False,
) -> None:
    """Erase what identifies one customer: records, orders, words, files, mails. Figures and decisions stay."""
    with running.database(), running.merchant(merchant):
        from makegood.cli import personal_data

        customer = personal_data.find(person)
        if not yes:
            running.say(f"This erases {customer.reference} ({customer.name}) for good. Say --yes to do it.")
            raise typer.Exit(1)
        erased = personal_data.erase(customer, at=datetime.now(UTC))
    if as_json:
        running.print_json(erased)
    else:
        running.say(", ".join(f"{count} {name}" for name, count in erased.items()))
