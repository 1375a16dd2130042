"""Handing messages to a mail server. Its row says so before, and what came of it after; between the two nobody knows.

SMTP has no key by which the same message counts once. A message whose fate is unknown is therefore not sent again by
itself: an agent is told that it was perhaps sent, and may send it again under the same id.
"""

from __future__ import annotations

import smtplib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime, formataddr
from typing import Any
from zoneinfo import available_timezones

import structlog
from django.conf import settings
from django.core.mail import EmailMessage, EmailMultiAlternatives, get_connection
from django.db import connection

from makegood.accounts import queries as accounts
from makegood.accounts.actors import Actor, require
from makegood.accounts.limits import Limit, TooManyTries, count_try
from makegood.accounts.rules import quiet_until
from makegood.accounts.states import May
from makegood.connectors.mail.sorting import HOPS_HEADER
from makegood.conversations import notices, papers, rules
from makegood.conversations.commands import answering, opening
from makegood.conversations.commands.mailboxes import smtp_password
from makegood.conversations.models import Conversation, Letter, Mailbox, Message
from makegood.conversations.states import SendState, Waits
from makegood.customers.models import Contact
from makegood.kit import db, errors, jobs, tenancy
from makegood.kit.failpoints import failpoint

log = structlog.get_logger()

SECONDS = 30
ATTEMPTS = 6
STALE = timedelta(minutes=10)
# However two machines disguise themselves, more than this they do not tell each other in a day.
AUTOMATIC = Limit("mail_automatic", 5, timedelta(days=1))
# Notices answer nobody's letter, so that no loop feeds on them; a case may well have six changes in a day.
NOTICES = Limit("mail_notices", 40, timedelta(days=1))


class MessageUnknown(errors.Unknown):
    code = "message_unknown"
    message = "There is no message {value} that could be sent again."


@dataclass(frozen=True, slots=True)
class Fate:
    """What a mail server made of a message; ``again``: surely not taken, and worth another try."""

    state: SendState
    why: str = ""
    again: bool = False


def send_message(*, message_id: int, at: datetime) -> None:
    """Send a queued message; doing it again sends nothing twice."""
    claimed = _claim(message_id=message_id, at=at)
    if claimed is None:
        return
    message, conversation, mailbox = claimed
    if message.automatic and not _may_be_sent(message, at=at):
        _settle(message_id=message_id, fate=Fate(SendState.HELD), at=at)
        return
    failpoint("mail.claimed")
    try:
        mail = _compose(message, conversation, mailbox)
        fate = hand_over(mailbox, mail)
    except errors.DomainError as refused:
        fate = Fate(SendState.FAILED, refused.code)
    failpoint("mail.handed_over")
    _settle(message_id=message_id, fate=fate, at=at)


@db.command
def _claim(*, message_id: int, at: datetime) -> tuple[Message, Conversation, Mailbox] | None:
    """Mark a queued message as being sent; None where there is nothing to send, or nowhere."""
    message = Message.objects.select_for_update().filter(id=message_id, direction="out").first()
    if message is None or message.state not in {SendState.QUEUED, SendState.SENDING}:
        return None
    conversation = Conversation.objects.get(id=message.conversation_id)
    if message.state == SendState.SENDING:
        if message.due_at is not None and message.due_at <= at:  # else somebody else is at it
            _write(message, Fate(SendState.UNSURE, "the connection or the process ended"), conversation, at=at)
        return None
    if _waits_for_morning(message, conversation, at):
        return None
    mailbox = Mailbox.objects.filter(active=True, address=message.sender).first()
    if mailbox is None:
        _write(message, Fate(SendState.FAILED, "mailbox_unknown"), conversation, at=at)
        return None
    if Contact.objects.filter(kind="email", value=message.recipient, undeliverable_at__isnull=False).exists():
        _write(message, Fate(SendState.FAILED, "undeliverable"), conversation, at=at)
        return None
    message.state, message.due_at, message.attempts = SendState.SENDING, at + STALE, message.attempts + 1
    message.save(update_fields=["state", "due_at", "attempts"])
    return message, conversation, mailbox


def _waits_for_morning(message: Message, conversation: Conversation, at: datetime) -> bool:
    """A notice during quiet hours is left to the sweep, which takes it up when they are over."""
    until = _quiet_until(conversation, at) if message.kind == "notice" else None
    if until is not None:
        message.due_at = until
        message.save(update_fields=["due_at"])
    return until is not None


def _quiet_until(conversation: Conversation, at: datetime) -> datetime | None:
    """When the quiet hours are over, in the customer's zone where it is known, else in the merchant's."""
    zone = accounts.merchant().time_zone
    own = conversation.customer.address.get("time_zone") if conversation.customer else None
    return quiet_until(accounts.settings_of_merchant().quiet_hours, at, own if own in available_timezones() else zone)


def _may_be_sent(message: Message, *, at: datetime) -> bool:
    try:
        limit = NOTICES if message.kind == "notice" else AUTOMATIC
        count_try(limit, str(tenancy.require_merchant_id()), message.recipient, at=at)
    except TooManyTries:
        return False
    return True


@db.command
def _settle(*, message_id: int, fate: Fate, at: datetime) -> None:
    message = Message.objects.select_for_update().get(id=message_id)
    if message.state != SendState.SENDING:
        return
    if fate.again and message.attempts < ATTEMPTS:
        wait = timedelta(seconds=jobs.wait_before(message.attempts, base_s=30.0, longest_s=3600.0))
        message.state, message.due_at, message.failed_because = SendState.QUEUED, at + wait, fate.why[:300]
        message.save(update_fields=["state", "due_at", "failed_because"])
        return
    _write(message, fate, Conversation.objects.get(id=message.conversation_id), at=at)


def _write(message: Message, fate: Fate, conversation: Conversation, *, at: datetime) -> None:
    message.state, message.failed_because, message.due_at = fate.state, fate.why[:300], None
    if fate.state == SendState.SENT:
        message.sent_at = at
    message.save(update_fields=["state", "failed_because", "due_at", "sent_at"])
    if fate.state in {SendState.FAILED, SendState.UNSURE} and not message.automatic:
        opening.wake(conversation, Waits.NOT_SENT, at=at)


@db.command
def send_again(*, message_id: int, actor: Actor, at: datetime) -> None:
    """An agent lets a message go out again that was refused or perhaps sent; its id stays the same.

    Raises NotAllowed, MessageUnknown.
    """
    require(actor, May.HANDLE)
    message = Message.objects.select_for_update().filter(id=message_id, direction="out").first()
    if message is None or message.state not in {SendState.FAILED, SendState.UNSURE, SendState.HELD, SendState.BOUNCED}:
        raise MessageUnknown(message_id, field="message")
    message.state, message.due_at, message.attempts = SendState.QUEUED, at + timedelta(minutes=1), 0
    message.save(update_fields=["state", "due_at", "attempts"])
    jobs.leave("conversations.send_message", queue="notify", message_id=message.id)


def send_letter(*, letter_id: int, at: datetime) -> None:
    """Send a letter once; what becomes of it is not looked at, since a code can be asked for again."""
    claimed = _claim_letter(letter_id=letter_id, at=at)
    if claimed is None:
        return
    letter, mailbox = claimed
    mail = EmailMessage(
        letter.subject,
        letter.body,
        formataddr((mailbox.name, mailbox.address)),
        [letter.to_value],
        headers={"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All", HOPS_HEADER: "1"},
    )
    fate = hand_over(mailbox, mail)
    if fate.state == SendState.SENT:
        _letter_sent(letter_id=letter_id, at=at)
    else:
        log.warning("letter_not_sent", letter=letter_id, why=fate.why)


@db.command
def _claim_letter(*, letter_id: int, at: datetime) -> tuple[Letter, Mailbox] | None:
    letter = Letter.objects.select_for_update().filter(id=letter_id, tried_at__isnull=True, expires_at__gt=at).first()
    mailbox = answering.first_mailbox()
    if letter is None or letter.to_kind != "email" or not letter.to_value or mailbox is None:
        return None
    letter.tried_at = at
    letter.save(update_fields=["tried_at"])
    return letter, mailbox


@db.command
def _letter_sent(*, letter_id: int, at: datetime) -> None:
    Letter.objects.filter(id=letter_id).update(sent_at=at)


def _compose(message: Message, conversation: Conversation, mailbox: Mailbox) -> EmailMessage:
    """The mail as it goes out: our id, what it answers, an address that brings replies back here."""
    merchant_id, key = tenancy.require_merchant_id(), str(settings.SECRET_KEY)
    back = mailbox.address
    if mailbox.plus_addresses:
        back = rules.reply_address(mailbox.address, conversation.ref, merchant_id=merchant_id, key=key)
    headers = {
        "Message-ID": f"<{message.message_id}>",
        "Date": format_datetime(message.written_at),
        HOPS_HEADER: str(message.hops),
    }
    if message.refers_to:
        headers["In-Reply-To"] = f"<{message.refers_to[-1]}>"
        headers["References"] = " ".join(f"<{one}>" for one in message.refers_to)
    if message.automatic:
        headers["Auto-Submitted"] = "auto-replied" if message.kind == "acknowledgement" else "auto-generated"
        headers["X-Auto-Response-Suppress"] = "All"
    if declined := notices.decline_link_in(message.body):
        headers["List-Unsubscribe"] = f"<{declined}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail = EmailMultiAlternatives(
        message.subject,
        message.body,
        formataddr((mailbox.name, mailbox.address)),
        [message.recipient],
        reply_to=[back],
        headers=headers,
    )
    mail.attach_alternative(papers.as_html(message.body, language=conversation.language), "text/html")
    return mail


def hand_over(mailbox: Mailbox, mail: EmailMessage) -> Fate:
    """Give a mail to the mailbox's server, or to the provider of the installation. Never inside a transaction.

    Raises SecretsSealedElsewhere.
    """
    if connection.in_atomic_block:
        raise RuntimeError("no network inside a transaction")
    server: Any = server_of(mailbox)
    try:
        server.open()
    except (smtplib.SMTPException, OSError) as refused:
        definite = isinstance(refused, smtplib.SMTPAuthenticationError)
        return Fate(SendState.FAILED, _told(refused), again=not definite)
    try:
        mail.connection = server
        mail.send()
    except smtplib.SMTPRecipientsRefused as refused:
        codes = [code for code, _text in refused.recipients.values()]
        return Fate(SendState.FAILED, _told(refused), again=all(400 <= code < 500 for code in codes))
    except smtplib.SMTPResponseException as refused:
        # An answer with a code is an answer: it was not taken.
        return Fate(SendState.FAILED, _told(refused), again=400 <= refused.smtp_code < 500)
    except ValueError as refused:
        return Fate(SendState.FAILED, _told(refused))  # a header that cannot be written; nothing was sent
    except Exception as lost:  # noqa: BLE001 - a provider raises what it likes
        # Cut off, timed out, or a provider's own error: it may have been taken.
        log.warning("mail_fate_unknown", why=_told(lost))
        return Fate(SendState.UNSURE, _told(lost))
    finally:
        _quietly(server.close)
    return Fate(SendState.SENT)


def server_of(mailbox: Mailbox, *, seconds: int = SECONDS) -> object:
    """The connection by which a mailbox sends, not open yet. Raises SecretsSealedElsewhere."""
    if settings.MAIL_BACKEND:
        return get_connection(settings.MAIL_BACKEND)
    return get_connection(
        "django.core.mail.backends.smtp.EmailBackend",
        host=mailbox.smtp_host,
        port=mailbox.smtp_port,
        username=mailbox.smtp_user or None,
        password=smtp_password(mailbox) if mailbox.smtp_user else None,
        use_tls=mailbox.smtp_security == "starttls",
        use_ssl=mailbox.smtp_security == "tls",
        timeout=seconds,
    )


def _quietly(close: Callable[[], None]) -> None:
    """The message was taken or refused already: how the connection ends says nothing about it."""
    try:
        close()
    except (smtplib.SMTPException, OSError) as failure:
        log.info("mail_connection_ended", why=_told(failure))


def _told(failure: BaseException) -> str:
    return f"{type(failure).__name__}: {failure}"[:300]
