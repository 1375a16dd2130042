"""``makegood policy backtest | diff | export | import``: what a change would cost, and tables for other engines."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from makegood.cli import running
from makegood.kit.errors import DomainError
from makegood.policy.cli import AsJson, policy_app

__all__ = ["policy_app"]

DONE, NO, UNREADABLE = 0, 1, 2
Claims = Annotated[Path | None, typer.Option("--claims", help="Parquet file of given cases, instead of stored ones.")]
Out = Annotated[Path | None, typer.Option("--out", help="Write the table to this file: Parquet, or CSV by its name.")]
Chart = Annotated[Path | None, typer.Option("--chart", help="Write a chart of the differences (SVG).")]
Merchant = Annotated[str | None, typer.Option(help="Slug; may be left out where there is only one.")]


@policy_app.command("backtest")
def backtest(
    new: Annotated[Path, typer.Argument(help="File or folder of the changed pack.")],
    claims: Claims = None,
    out: Out = None,
    chart: Chart = None,
    merchant: Merchant = None,
    as_json: AsJson = False,
) -> None:
    """Replay stored or given cases under a changed pack: what would change, for whom, and what it would cost."""
    with _told():
        from makegood.policy.backtest import compare, read_side
        from makegood.policy.engines.claims import batches
        from makegood.policy.registry import shipped_registry

        if claims is not None:
            registry = shipped_registry()
            found = compare(batches(claims), registry, read_side(new, registry), progress=_progress())
        else:
            with running.database(), running.merchant(merchant):
                from makegood.cases.replays import stored_cases
                from makegood.policy.queries import registry_of_merchant

                registry = registry_of_merchant()
                found = compare(stored_cases(), registry, read_side(new, registry), progress=_progress())
    _show(found, out, chart, as_json=as_json)


@policy_app.command("diff")
def diff(
    old: Annotated[str, typer.Argument(help="Pack id, or file or folder of packs.")],
    new: Annotated[str, typer.Argument(help="The same for the other side.")],
    claims: Claims = None,
    out: Out = None,
    chart: Chart = None,
    as_json: AsJson = False,
) -> None:
    """Compare two versions: rules added, removed and changed, and what that does to cases.

    Without given cases those are drawn from both tables: each rule's own and its neighbours at every edge.
    """
    with _told():
        from makegood.policy import differing
        from makegood.policy.backtest import compare
        from makegood.policy.engines.claims import batches
        from makegood.policy.registry import shipped_registry

        registry = shipped_registry()
        before, after = differing.side(old, registry), differing.side(new, registry)
        changes = differing.changed_rules(before, after)
        frames = batches(claims) if claims is not None else differing.drawn_frames(before, after)
        found = compare(frames, before, after, progress=_progress())
    _show(found, out, chart, as_json=as_json, rules=changes)


@policy_app.command("export")
def export(
    pack_id: Annotated[str, typer.Argument(help="Pack id.")],
    format_: Annotated[str, typer.Option("--format", help="jdm or markdown.")],
) -> None:
    """Write a pack as a decision table of another engine (JDM) or as Markdown, on standard output."""
    with _told():
        from makegood.policy import jdm, markdown
        from makegood.policy.registry import shipped_registry

        pack = shipped_registry().versions(pack_id)[-1]
        if format_ == "jdm":
            text = json.dumps(jdm.export(pack), ensure_ascii=False, indent=1) + "\n"
        elif format_ == "markdown":
            text = markdown.export(pack, running.language())
        else:
            typer.echo(f"--format {format_}: jdm or markdown", err=True)
            raise typer.Exit(UNREADABLE)
    sys.stdout.write(text)


@policy_app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="A JDM document (GoRules).")],
    pack_id: Annotated[str, typer.Option("--id", help="Id of the draft.")] = "draft",
) -> None:
    """Read a JDM decision table into the draft of a pack, on standard output; every cite has still to be written."""
    with _told():
        from makegood.policy import jdm_draft

        text = jdm_draft.draft_of(jdm_draft.read(file), pack_id)
    sys.stdout.write(text)


@contextmanager
def _told() -> Iterator[None]:
    """One line that says what and where, no traceback."""
    try:
        yield
    except DomainError as error:
        typer.echo(f"{error.code}: {error.sentence()}", err=True)
        raise typer.Exit(UNREADABLE) from None


def _progress() -> Callable[[int], None] | None:
    if not sys.stderr.isatty():
        return None
    return lambda cases: typer.echo(f"\r{cases:,} cases", err=True, nl=False)


def _show(found: Any, out: Path | None, chart: Path | None, *, as_json: bool, rules: Any = None) -> None:
    if sys.stderr.isatty():
        typer.echo("", err=True)
    if out is not None:
        found.write(out)
    told = found.as_json()
    shown = [row for row in told["by_rules"] if row["changed"]]
    if chart is not None:
        chart.write_text(found.chart(), encoding="utf-8")
    if as_json:
        running.print_json({**told, **({"rules": rules} if rules is not None else {})})
        return
    for change in rules or []:
        typer.echo(f"{change['change']:8} {change['pack']} {change['rule']} {'; '.join(change['what'])}".rstrip())
    typer.echo(f"{told['changed']:,} of {told['cases']:,} cases change.")
    for row in shown:
        typer.echo(
            f"  {row['cases']:>9,}  {row['old_rules'] or '-'} ({row['old_verdict']})"
            f" -> {row['new_rules'] or '-'} ({row['new_verdict']})"
            f"  {row['old_total']} -> {row['new_total']} {row['currency']}"
            f"  {' '.join(row['examples'] or [])}".rstrip()
        )
    for name in ("market", "category", "promotion"):
        for row in told[f"by_{name}"]:
            if row["gain"] or row["lose"]:
                typer.echo(
                    f"  {name} {row[name] or '-'}: {row['gain']:,} gain, {row['lose']:,} lose,"
                    f" {row['difference']} {row['currency']}"
                )
