"""Where a mail belongs: by what only its receiver can know first, by who wrote and about which order last.

A mail joins a conversation only where its sender has rights over it. Who merely quotes a number gets a new one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from makegood.connectors.mail.shapes import ParsedMail
from makegood.conversations import rules
from makegood.conversations.models import Conversation, Message
from makegood.customers.queries import CustomerRow, customers_by_contact
from makegood.customers.rules import ContactMalformed
from makegood.kit import db, tenancy

SAME_SUBJECT_WITHIN = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a mail goes. Without ``conversation`` it begins one, on ``case_id`` where that is known.

    ``stranger``: it goes where it was sent to, but who sent it has no known right to be there; agents alone see it.
    """

    why: str
    conversation: Conversation | None = None
    case_id: int | None = None
    customer_id: int | None = None
    order_id: int | None = None
    order_number: str = ""
    stranger: bool = False


def find_sender(address: str) -> tuple[CustomerRow, ...]:
    """Every customer known by this address; a family may share one."""
    try:
        return customers_by_contact("email", address) if address else ()
    except ContactMalformed:
        return ()


def place(mail: ParsedMail, senders: Sequence[CustomerRow], *, ours: Collection[str], at: datetime) -> Place:
    """Find where a letter belongs, inside the caller's transaction."""
    db.require_transaction()
    known = {one.id for one in senders}
    signed = _by_signed_address(mail, ours) or _by_own_message_id(mail)
    if signed is not None:
        return _with_rights(signed, mail, known) or _by_sender(mail, known, at=at)
    referred = _by_references(mail)
    if referred is not None and _is_theirs(referred, mail, known):
        return Place("references", referred, referred.case_id, referred.customer_id)
    return _by_sender(mail, known, at=at)


def conversation_of_sent(message_ids: Iterable[str]) -> Conversation | None:
    """The conversation in which a message of ours with one of these ids was sent."""
    found = Message.objects.filter(direction="out", message_id__in=list(message_ids)[:100]).order_by("-id").first()
    return None if found is None else Conversation.objects.get(id=found.conversation_id)


def _by_signed_address(mail: ParsedMail, ours: Collection[str]) -> Conversation | None:
    told = [one.value for one in (*mail.to, *mail.cc)]
    for name in ("delivered-to", "x-original-to", "envelope-to"):
        told += [value.strip("<> ").lower() for value in mail.every(name)]
    ref = rules.ref_in_addresses(
        told, ours=ours, merchant_id=tenancy.require_merchant_id(), key=str(settings.SECRET_KEY)
    )
    return Conversation.objects.filter(ref=ref).first() if ref else None


def _by_own_message_id(mail: ParsedMail) -> Conversation | None:
    """Our ids are random: only who was sent one can refer to it."""
    return conversation_of_sent([*mail.in_reply_to, *reversed(mail.references)])


def _with_rights(found: Conversation, mail: ParsedMail, known: Collection[int]) -> Place | None:
    if _is_theirs(found, mail, known):
        return Place("signed", found, found.case_id, found.customer_id)
    if known:
        # Another customer of ours holds this address or id: what they write is their own matter.
        return None
    return Place("signed", found, found.case_id, found.customer_id, stranger=True)


def _is_theirs(found: Conversation, mail: ParsedMail, known: Collection[int]) -> bool:
    if found.customer_id is not None:
        return found.customer_id in known
    return bool(mail.sender.value) and found.address == mail.sender.value


def _by_references(mail: ParsedMail) -> Conversation | None:
    named = [*mail.in_reply_to, *reversed(mail.references)][:100]
    found = Message.objects.filter(message_id__in=named, internal=False).order_by("-id").first() if named else None
    return None if found is None else Conversation.objects.get(id=found.conversation_id)


def _by_sender(mail: ParsedMail, known: Collection[int], *, at: datetime) -> Place:
    text = f"{mail.subject}\n{mail.fresh}"
    if known:
        if case := _case_quoted(text, known):
            return _on_case("case quoted", case)
        if order := _order_named(text, known):
            if case := _open_case_of(order):
                return _on_case("sender and order", case)
            return Place(
                "sender and order",
                _same_subject(mail, at=at),
                customer_id=order["customer_id"],
                order_id=order["id"],
                order_number=order["number"],
            )
    found = _same_subject(mail, at=at)
    if found is not None and _is_theirs(found, mail, known):
        return Place("sender and subject", found, found.case_id, found.customer_id)
    return Place("new", customer_id=next(iter(sorted(known, reverse=True)), None))


def _on_case(why: str, case: dict[str, Any]) -> Place:
    found = Conversation.objects.filter(case_id=case["id"], customer_id=case["customer_id"]).order_by("-id").first()
    return Place(why, found, case["id"], case["customer_id"])


def _case_quoted(text: str, known: Collection[int]) -> dict[str, Any] | None:
    """The case whose reference stands in the text, where the sender is its customer."""
    if not (quoted := rules.case_refs(text)):
        return None
    found = db.fetch(
        "select id, customer_id from cases_case where ref = any(%s) and customer_id = any(%s) order by id desc limit 1",
        [list(quoted), list(known)],
    )
    return found[0] if found else None


def _order_named(text: str, known: Collection[int]) -> dict[str, Any] | None:
    """The one order of the sender that the text names; None where it names several."""
    if not (numbers := rules.order_numbers(text)):
        return None
    found = db.fetch(
        "select id, number, customer_id from orders_order where number = any(%s) and customer_id = any(%s) limit 2",
        [list(numbers), list(known)],
    )
    return found[0] if len(found) == 1 else None


def _open_case_of(order: dict[str, Any]) -> dict[str, Any] | None:
    """The open case about the order, where there is exactly one."""
    found = db.fetch(
        "select id, customer_id from cases_case where order_id = %s and customer_id = %s and closed_at is null"
        " order by id desc limit 2",
        [order["id"], order["customer_id"]],
    )
    return found[0] if len(found) == 1 else None


def _same_subject(mail: ParsedMail, *, at: datetime) -> Conversation | None:
    """The sender's last conversation of this subject: many programs answer without naming what they answer."""
    key = rules.subject_key(mail.subject)
    if not key or not mail.sender.value:
        return None
    return (
        Conversation.objects.filter(address=mail.sender.value, subject_key=key, last_at__gte=at - SAME_SUBJECT_WITHIN)
        .order_by("-id")
        .first()
    )
