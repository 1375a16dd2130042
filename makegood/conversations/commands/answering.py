"""What goes out by mail: written and queued here, sent by a job. And what came back."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from makegood.accounts import queries as accounts
from makegood.cases import history
from makegood.cases.models import Case
from makegood.cases.parts import whole_id, with_parts
from makegood.connectors.mail.bounces import Bounce
from makegood.connectors.mail.shapes import ParsedMail
from makegood.connectors.mail.sorting import Sorted
from makegood.conversations.commands import opening
from makegood.conversations.models import Conversation, Mailbox, Message, RawMail
from makegood.conversations.states import Outcome, SendState, Waits
from makegood.customers import commands as customers
from makegood.kit import jobs
from makegood.kit.pages.templatetags.pages import due_words

BOUNCES_WITHIN = timedelta(days=14)
SENT = (SendState.SENT, SendState.UNSURE, SendState.SENDING)


def mailbox_of(conversation: Conversation) -> Mailbox | None:
    """The mailbox that sends for a conversation: the one it came in by, else the merchant's first that can send."""
    own = able_to_send().filter(id=conversation.mailbox_id).first() if conversation.mailbox_id else None
    return own or first_mailbox()


def first_mailbox() -> Mailbox | None:
    """The merchant's first mailbox that can send."""
    return able_to_send().order_by("id").first()


def able_to_send() -> QuerySet[Mailbox]:
    """Through a provider of the installation every mailbox can, else those that name a server."""
    active = Mailbox.objects.filter(active=True)
    return active if settings.MAIL_BACKEND else active.exclude(smtp_host="")


def queue_message(
    conversation: Conversation,
    *,
    to: str,
    kind: str,
    author: str,
    subject: str,
    body: str,
    request_key: str,
    at: datetime,
    automatic: bool,
    hops: int = 0,
    text_id: int | None = None,
    grace: timedelta | None = None,
) -> Message | None:
    """Write a message that a job sends; None where no mailbox can send, or the same was queued before.

    With ``grace`` it is left to the sweep, which takes it up when that has passed.
    """
    mailbox = mailbox_of(conversation)
    if mailbox is None or not to or Message.objects.filter(request_key=request_key).exists():
        return None
    if conversation.mailbox_id is None:
        conversation.mailbox_id = mailbox.id
    earlier = Message.objects.filter(conversation=conversation, internal=False).exclude(message_id="").order_by("id")
    message = Message.objects.create(
        conversation=conversation,
        text_id=text_id,
        direction="out",
        kind=kind,
        author=author,
        automatic=automatic,
        message_id=f"{secrets.token_hex(16)}@{mailbox.address.partition('@')[2]}",
        refers_to=[one.message_id for one in earlier][-20:],
        sender=mailbox.address,
        sender_name=mailbox.name,
        recipient=to,
        subject=subject[:300],
        body=body,
        hops=hops,
        written_at=at,
        state=SendState.QUEUED,
        due_at=at + (grace or timedelta(minutes=1)),
        request_key=request_key,
    )
    conversation.last_at = at
    conversation.save(update_fields=["last_at", "mailbox_id"])
    if grace is None:
        jobs.leave("conversations.send_message", queue="notify", message_id=message.id)
    return message


def acknowledge(conversation: Conversation, letter: Message, *, at: datetime) -> None:
    """Tell a known customer that the letter came, what it became, and until when somebody answers."""
    merchant = accounts.merchant()
    case = Case.objects.get(id=whole_id(conversation.case_id)) if conversation.case_id else None
    with translation.override(conversation.language), timezone.override(ZoneInfo(merchant.time_zone)):
        name = merchant.name(conversation.language)
        if case is not None and case.due_at is not None and case.waiting_on == "merchant":
            told = _("We have opened the case %(ref)s for it and answer by %(due)s.") % {
                "ref": case.ref,
                "due": due_words(case.due_at),
            }
        elif case is not None:
            told = _("It is kept with your case %(ref)s.") % {"ref": case.ref}
        else:
            told = _("One of us reads it next; the reference is %(ref)s.") % {"ref": conversation.ref}
        body = "\n\n".join([
            _("Your letter has arrived."),
            told,
            _("To add something, reply to this mail. It was written automatically."),
            name,
        ])  # fmt: skip
        subject = _("Re: %(subject)s") % {"subject": conversation.subject or name}
    queue_message(
        conversation,
        to=letter.sender,
        kind="acknowledgement",
        author="system:mail",
        subject=subject,
        body=body,
        request_key=f"ack:{letter.id}",
        at=at,
        automatic=True,
        hops=letter.hops + 1,
    )


def take_bounce(raw: RawMail, mail: ParsedMail, sorted_mail: Sorted, *, at: datetime) -> str:
    """Write down that a message of ours came back, mark the address where that will last, and wake an agent."""
    bounce = sorted_mail.bounce
    if bounce is None:
        raise AssertionError("a bounce says what it is")
    returned = _returned(bounce, at=at)
    if returned is None:
        return Outcome.KEPT  # nothing of ours, or forged: an address is not marked on a stranger's word
    conversation = Conversation.objects.get(id=returned.conversation_id)
    opening.write_message(conversation, raw, mail, kind="bounce", author="mail:machine", internal=True, at=at)
    if bounce.action in {"delivered", "relayed", "expanded"}:
        return Outcome.KEPT
    if bounce.action != "delayed":
        returned.state = SendState.BOUNCED
        returned.failed_because = f"{bounce.status} {bounce.diagnostic}".strip()[:300]
        returned.save(update_fields=["state", "failed_because"])
    if bounce.lasting:
        customers.mark_undeliverable(kind="email", value=returned.recipient, why=returned.failed_because[:200], at=at)
    if bounce.action != "delayed":
        opening.wake(conversation, Waits.BOUNCE, at=at)
        if conversation.case_id is not None:
            case = history.lock_case_by_id(whole_id(conversation.case_id))
            history.record(
                case, "mail_bounced", actor="system:mail", at=at, status=bounce.status, lasting=bounce.lasting
            )
            history.save(case)
    return Outcome.KEPT


def _returned(bounce: Bounce, *, at: datetime) -> Message | None:
    """The message that came back: by its id, which only its receivers know; else by a late one to the address."""
    ours = Message.objects.filter(direction="out").order_by("-id")
    found = ours.filter(message_id__in=list(bounce.message_ids)).first()
    if found is not None:
        return found
    return ours.filter(
        recipient__in=list(bounce.recipients), state__in=SENT, written_at__gte=at - BOUNCES_WITHIN
    ).first()


def place_of_reply(case: Case) -> Conversation | None:
    """The conversation by mail with the customer of a case: the last one; with parts, where something came last."""
    every = with_parts(case.id)
    found = Conversation.objects.filter(case_id__in=every, customer_id=case.customer_id).exclude(
        address__startswith="chat:"
    )
    return found.order_by(*(["-last_at"] if len(every) > 1 else []), "-id").first()
