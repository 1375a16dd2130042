"""``makegood reconcile``: the ledger against the gateways' own books, and letting held payouts go."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import typer

from makegood.settlement import releasing
from makegood.settlement.releasing import Compared


def reconcile_books(
    *,
    since: datetime | None,
    until: datetime | None,
    merchant: str,
    mend: bool,
    release: bool,
    accept: bool,
    as_json: bool,
) -> bool:
    """Compare, print, release where asked; True where the books differ.

    Raises MerchantUnknown, GatewayUnreachable, SecretsSealedElsewhere, BooksDiffer.
    """
    now = datetime.now(UTC)
    compared = releasing.reconcile_merchants(
        since=_utc(since) or now - timedelta(days=7),
        until=_utc(until) or now,
        at=now,
        merchant=merchant,
        mend=mend or release,
    )
    released = release and releasing.release_payouts(compared, accept=accept)
    _print(compared, released=released, as_json=as_json)
    return any(each.differences for _, each in compared)


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.replace(tzinfo=moment.tzinfo or UTC)


def _print(compared: Compared, *, released: bool, as_json: bool) -> None:
    if as_json:
        gateways = [{"merchant": slug, **each.as_json()} for slug, each in compared]
        typer.echo(json.dumps({"gateways": gateways, "released": released}, ensure_ascii=False, indent=2))
        return
    for slug, each in compared:
        typer.echo(f"{slug} {each.gateway}: {each.compared} refunds compared, {len(each.differences)} differences")
        for difference in each.differences:
            typer.echo(
                f"  {difference.kind:16} {difference.payout or '-':12} {difference.reference}"
                f"  here: {difference.here or '-'}  there: {difference.there or '-'}"
            )
    if released:
        typer.echo("payouts are no longer held", err=True)
