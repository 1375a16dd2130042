"""What workers do for webhooks: send what is due, forget what is old."""

from __future__ import annotations

from datetime import datetime

from makegood.accounts import queries as accounts
from makegood.kit import jobs
from makegood.webhooks import commands


def _everybody(at: datetime, limit: int) -> list[int]:
    del at, limit
    return accounts.merchant_ids()


def _forget(at: datetime) -> int:
    return commands.forget_deliveries(at=at)


jobs.sweep("webhooks.send_due", 1.0, merchants=commands.merchants_due, work=commands.send_due)
jobs.sweep("webhooks.forget_deliveries", 3600.0, merchants=_everybody, work=_forget)
