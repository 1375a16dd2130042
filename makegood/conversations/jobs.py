"""Work left for later: reading mails that were stored, sending messages that were written."""

from __future__ import annotations

from datetime import datetime, timedelta

from makegood.conversations import commands
from makegood.conversations.models import RawMail
from makegood.kit import db, jobs

# So long a job has before the sweep does what it was to do.
PATIENCE = timedelta(minutes=1)


@jobs.task("conversations.read_mail", queue="import")
def read_mail(*, mail_id: int) -> None:
    """Left with each mail that is stored."""
    commands.read_mail(mail_id=mail_id, at=db.now())


@db.query
def merchants_due(at: datetime, limit: int) -> list[int]:
    """Merchants with mail that was stored a while ago and not read, or written and not sent."""
    return [row["id"] for row in db.fetch("select conversations_merchants_due(%s, %s) as id", [at - PATIENCE, limit])]


@db.query
def _unread(at: datetime) -> list[int]:
    return list(
        RawMail.objects.filter(state="stored", came_at__lte=at - PATIENCE)
        .order_by("came_at")
        .values_list("id", flat=True)[:50]
    )


def catch_up(at: datetime) -> int:
    """Do what a lost job was to do; how much there was."""
    waiting = _unread(at)
    for mail_id in waiting:
        commands.read_mail(mail_id=mail_id, at=at)
    return len(waiting)


jobs.sweep("conversations.catch_up", 20.0, merchants=merchants_due, work=catch_up)
