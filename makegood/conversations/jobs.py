"""Work left for later: reading mails that were stored, sending messages that were written."""

from __future__ import annotations

from datetime import datetime, timedelta

from makegood.conversations import commands, erasure, watching  # noqa: F401 - it registers what keeps mailboxes watched
from makegood.conversations.models import Message, RawMail
from makegood.kit import db, jobs

# So long a job has before the sweep does what it was to do.
PATIENCE = timedelta(minutes=1)


@jobs.task("conversations.read_mail", queue="import")
def read_mail(*, mail_id: int) -> None:
    """Left with each mail that is stored."""
    commands.read_mail(mail_id=mail_id, at=db.now())


@jobs.task("conversations.send_message", queue="notify")
def send_message(*, message_id: int) -> None:
    """Left with each message that is written to go out."""
    commands.send_message(message_id=message_id, at=db.now())


@jobs.task("conversations.send_letter", queue="notify")
def send_letter(*, letter_id: int) -> None:
    """Left with each letter."""
    commands.send_letter(letter_id=letter_id, at=db.now())


@jobs.task("conversations.send_reply", queue="notify")
def send_reply(*, text_id: int) -> None:
    """Left by cases with what staff write to a customer."""
    commands.send_reply(text_id=text_id, at=db.now())


@jobs.task("conversations.tell_customer", queue="notify")
def tell_customer(*, case_id: int, seq: int) -> None:
    """Left by cases with what its customer is told of."""
    commands.tell_customer(case_id=case_id, seq=seq, at=db.now())


@jobs.task("conversations.erase_customer", queue="notify")
def erase_customer(*, customer_id: int, sealed: str = "") -> None:
    """Left where a person is forgotten; ``sealed`` says by which contacts the person was known."""
    erasure.erase_customer(customer_id, sealed=sealed)


@db.query
def merchants_due(at: datetime, limit: int) -> list[int]:
    """Merchants with mail that was stored a while ago and not read, or written and not sent."""
    return [row["id"] for row in db.fetch("select conversations_merchants_due(%s, %s) as id", [at - PATIENCE, limit])]


@db.query
def _unread(at: datetime) -> list[int]:
    found = RawMail.objects.filter(state="stored", came_at__lte=at - PATIENCE).order_by("came_at")
    return list(found.values_list("id", flat=True)[:50])


@db.query
def _unsent(at: datetime) -> list[int]:
    found = Message.objects.filter(state__in=["queued", "sending"], due_at__lte=at - PATIENCE).order_by("due_at")
    return list(found.values_list("id", flat=True)[:50])


def catch_up(at: datetime) -> int:
    """Do what a lost job was to do; how much there was."""
    unread, unsent = _unread(at), _unsent(at)
    for mail_id in unread:
        commands.read_mail(mail_id=mail_id, at=at)
    for message_id in unsent:
        commands.send_message(message_id=message_id, at=at)
    return len(unread) + len(unsent)


jobs.sweep("conversations.catch_up", 20.0, merchants=merchants_due, work=catch_up)


@db.query
def merchants_near(at: datetime, limit: int) -> list[int]:
    """Merchants with a deadline that passes within two days."""
    return [row["id"] for row in db.fetch("select cases_merchants_due(%s, %s) as id", [at + commands.NEAR, limit])]


def remind(at: datetime) -> int:
    """Tell customers whose turn it is that the time runs out."""
    return commands.remind_customers(at=at)


jobs.sweep("conversations.remind", 300.0, merchants=merchants_near, work=remind)


@db.query
def _graced(at: datetime) -> list[int]:
    found = Message.objects.filter(state="queued", kind="reply", text_id=None, attempts=0, due_at__lte=at)
    return list(found.order_by("due_at").values_list("id", flat=True)[:50])


def merchants_graced(at: datetime, limit: int) -> list[int]:
    return merchants_due(at + PATIENCE, limit)


def send_graced(at: datetime) -> int:
    """Send replies without a case whose seconds of grace are over; how many."""
    due = _graced(at)
    for message_id in due:
        commands.send_message(message_id=message_id, at=at)
    return len(due)


jobs.sweep("conversations.send_graced", 2.0, merchants=merchants_graced, work=send_graced)
