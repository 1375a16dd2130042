"""What happens to a case, told to its customer by mail: once for each change, and once before a deadline of theirs."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from django.utils import timezone, translation

from makegood.accounts import queries as accounts
from makegood.cases.history import TOLD_BY_MAIL
from makegood.cases.models import Case
from makegood.cases.queries import case_view
from makegood.conversations import notices
from makegood.conversations.commands import answering
from makegood.conversations.commands.replying import conversation_with, subject_of
from makegood.conversations.models import Conversation
from makegood.customers.models import Contact
from makegood.kit import db

NEAR = timedelta(days=2)
# A wait that has only just begun was told of when it began.
OLD_ENOUGH = timedelta(days=1)


@db.command
def tell_customer(*, case_id: int, seq: int, at: datetime) -> None:
    """Queue a notice of what happened to a case. What one command did at once is told in one mail, by its last event.

    Nothing is queued where the customer has no address that takes mail, and never the same twice.
    """
    case = Case.objects.get(id=case_id)
    view = case_view(case.ref)
    event = next((one for one in view.events if one.seq == seq), None)
    if event is None:
        return
    moment = [one for one in view.events if one.happened_at == event.happened_at and one.kind in TOLD_BY_MAIL]
    if moment[-1].seq != seq:
        return
    optional = all(one.kind in notices.OPTIONAL for one in moment)
    _queue(case, f"event:{case.id}:{seq}", partial(notices.of_events, view, moment), optional=optional, at=at)


@db.command
def remind_customers(*, at: datetime) -> int:
    """Queue a reminder for each deadline of a customer that is near; how many."""
    rows = db.fetch(
        "select d.id, d.wait, d.case_id from cases_deadline d join cases_case c on c.id = d.case_id"
        " where d.state = 'open' and d.party = 'customer' and d.due_at > %s and d.due_at <= %s and d.starts_at <= %s"
        " and c.closed_at is null and c.channel = any(%s) and not exists"
        " (select 1 from conversations_message m where m.request_key = 'near:' || d.id) order by d.due_at limit 50",
        [at, at + NEAR, at - OLD_ENOUGH, sorted(notices.CHANNELS)],
    )
    told = 0
    for row in rows:
        case = Case.objects.get(id=row["case_id"])
        view = case_view(case.ref)
        deadline = next(one for one in view.open_deadlines if one.wait == row["wait"])
        key = f"near:{row['id']}"
        told += _queue(case, key, partial(notices.of_deadline, view, deadline), optional=True, at=at)
    return told


def _queue(case: Case, request_key: str, compose: notices.Composing, *, optional: bool, at: datetime) -> bool:
    """Write the mail in the language of the case; False where it cannot or need not be sent."""
    conversation = conversation_with(case, at=at)
    if conversation is None or (optional and _wants_less(conversation, case)):
        return False
    merchant = accounts.merchant()
    with translation.override(case.language or "en"), timezone.override(ZoneInfo(merchant.time_zone)):
        context = notices.Context(
            merchant_id=merchant.id,
            merchant_slug=merchant.slug,
            merchant_name=merchant.name(case.language),
            contact_id=_contact(conversation, case).id if optional else None,
        )
        mail = compose(context)
    queued = answering.queue_message(
        conversation,
        to=conversation.address,
        kind="notice",
        author="system:mail",
        subject=subject_of(conversation, case) if conversation.subject else mail.subject,
        body=mail.body,
        request_key=request_key,
        at=at,
        automatic=True,
        hops=1,
    )
    return queued is not None


def _contact(conversation: Conversation, case: Case) -> Contact:
    found: Contact = Contact.objects.get(customer_id=case.customer_id, kind="email", value=conversation.address)
    return found


def _wants_less(conversation: Conversation, case: Case) -> bool:
    return _contact(conversation, case).less_mail_at is not None


@db.command
def choose_mails(*, contact_id: int, less: bool, at: datetime) -> None:
    """Whoever holds the link of a mail wants no more reminders, or wants them again; an unknown id changes nothing."""
    Contact.objects.filter(id=contact_id).update(less_mail_at=at if less else None)
