"""Promises looked at, and customers told of parcels that are late."""

from __future__ import annotations

from datetime import datetime

from makegood.accounts import queries as accounts
from makegood.kit import jobs
from makegood.timeliness import commands, queries


def look(at: datetime) -> int:
    """Bring promises up to date."""
    return commands.look_at_cases(at=at)


def everybody(_at: datetime, _limit: int) -> list[int]:
    """Every merchant."""
    return accounts.merchant_ids()


def tell_late(at: datetime) -> int:
    """Tell of late parcels."""
    return commands.tell_of_late_parcels(at=at)


@jobs.task("timeliness.forget_notes", queue="notify")
def forget_notes(*, customer_id: int) -> None:
    """Left where a person is forgotten."""
    commands.forget_notes(customer_id=customer_id)


jobs.sweep("timeliness.look_at_cases", 15.0, merchants=queries.merchants_promising, work=look)
jobs.sweep("timeliness.tell_late", 300.0, merchants=everybody, work=tell_late)
