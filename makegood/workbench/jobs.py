"""Sending replies whose seconds of grace are over, and dropping those to a person who is forgotten."""

from __future__ import annotations

from datetime import datetime

from makegood.kit import db, jobs
from makegood.workbench import commands
from makegood.workbench.models import Outgoing
from makegood.workbench.states import OutgoingState


@db.query
def merchants_due(at: datetime, limit: int) -> list[int]:
    """Merchants with a reply that is to go out."""
    return [row["id"] for row in db.fetch("select workbench_merchants_due(%s, %s) as id", [at, limit])]


@db.query
def _due(at: datetime) -> list[int]:
    found = Outgoing.objects.filter(state=OutgoingState.WAITING, due_at__lte=at).order_by("due_at", "id")
    return list(found.values_list("id", flat=True)[:50])


def send_due(at: datetime) -> int:
    """Send a batch; how much there was."""
    due = _due(at)
    for outgoing_id in due:
        commands.send_reply(outgoing_id=outgoing_id, at=at)
    return len(due)


@jobs.task("workbench.forget_replies", queue="notify")
def forget_replies(*, customer_id: int) -> None:
    """Left where a person is forgotten."""
    commands.forget_replies(customer_id=customer_id)


jobs.sweep("workbench.send_due", 1.0, merchants=merchants_due, work=send_due)
