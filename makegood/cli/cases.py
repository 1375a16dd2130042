"""``makegood cases …``."""

from __future__ import annotations

from typing import Annotated

import typer

from makegood.cli import running

app = typer.Typer(help="Cases: list and show.", no_args_is_help=True)

Merchant = Annotated[str | None, typer.Option(help="Slug; may be left out where there is only one.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]


@app.command("list")
def list_cases(
    merchant: Merchant = None,
    state: Annotated[str, typer.Option(help="Only this state of the decision.")] = "",
    kind: Annotated[str, typer.Option(help="Only this kind.")] = "",
    every: Annotated[bool, typer.Option("--all", help="Closed ones too, newest first.")] = False,
    after: Annotated[str, typer.Option(help="Go on after this cursor.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=200)] = 50,
    as_json: AsJson = False,
) -> None:
    """The queue: open cases, the next due first."""
    with running.database(), running.merchant(merchant):
        from makegood.cases import queries
        from makegood.cases.api_shapes import row_out

        read = queries.cases_page if every else queries.queue_page
        page = read(queries.Filters(state=state, kind=kind), after=after, limit=limit)
        rows = [row_out(row).model_dump(mode="json") for row in page.rows]
    if as_json:
        running.print_json({"data": rows, "next_cursor": page.next or None})
        return
    for row in rows:
        typer.echo(
            f"{row['ref']:12} {row['kind']:13} {row['state']:10} {row['status']:18}"
            f" {row['waiting_on']:10} {row['due_at'] or '':27} {row['order']}"
        )


@app.command("show")
def show_case(ref: str, merchant: Merchant = None, as_json: AsJson = False) -> None:
    """One case with everything on it."""
    with running.database(), running.merchant(merchant):
        from makegood.cases import queries
        from makegood.cases.api_shapes import case_out
        from makegood.kit.refs import normalize_ref

        view = queries.case_view(normalize_ref(ref))
        document = case_out(view).model_dump(mode="json")
    if as_json:
        running.print_json(document)
        return
    for name in ("ref", "kind", "reason", "order", "state", "goods_state", "money_state", "waiting_on", "due_at"):
        typer.echo(f"{name}: {document[name]}")
    for decision in document["decisions"]:
        total = decision["total"]
        typer.echo(f"decision {decision['round']}: {decision['verdict']} {total['amount']} {total['currency']}")
    for event in view.events:
        typer.echo(f"{event.happened_at:%Y-%m-%d %H:%M} {event.kind} ({event.actor})")
