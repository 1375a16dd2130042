"""Proving that one holds a contact of an order, or an address alone, by a one-time code.

Unknown orders are answered like known ones.
"""

from __future__ import annotations

import unicodedata
import uuid
from datetime import datetime, timedelta

from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from makegood.accounts import queries as accounts
from makegood.accounts.limits import Limit, TooManyTries, count_try
from makegood.conversations.commands import write_letter
from makegood.conversations.models import Letter
from makegood.conversations.queries import newest_letter_to
from makegood.customers import codes
from makegood.customers.commands import record_customer
from makegood.customers.queries import customers_by_contact
from makegood.customers.rules import ContactMalformed, guess_kind, normalize_contact
from makegood.kit import db, tenancy
from makegood.orders import queries as orders

PURPOSE = "portal"
ADDRESS_ALONE = "portal_address"
BY_ADDRESS = Limit("portal_find_by_address", 30, timedelta(hours=1))
BY_ORDER = Limit("portal_find_by_order", 6, timedelta(minutes=30))
CODES_BY_ADDRESS = Limit("portal_code_by_address", 60, timedelta(hours=1))


def ask_for_code(*, order_number: str, contact: str, language: str, address: str, at: datetime) -> None:
    """Write a code to the contact where it belongs to the order; whether it does is not told.

    ``address`` is where the request comes from, for counting. Raises TooManyTries.
    """
    number, kind, value = _normal(order_number, contact)
    count_try(BY_ADDRESS, _here(), address, at=at)
    count_try(BY_ORDER, _here(), number, at=at)
    try:
        with db.together():
            _write_code(number, kind, value, language=language, at=at)
    except codes.CodeTooOften as refusal:
        raise _too_often(refusal, at) from refusal


def _write_code(number: str, kind: str, value: str, *, language: str, at: datetime) -> None:
    holder = _holder(number, kind, value)
    code = codes.send_code(subject=_subject(number, value), purpose=PURPOSE, at=at)
    write_letter(
        to_kind=kind,
        to_value=value if holder is not None else "",
        language=language,
        subject=_("Your code for order %(number)s") % {"number": number},
        body=_("Your code is %(code)s. It holds for 10 minutes. If you did not ask for it, ignore this letter.")
        % {"code": code},
        at=at,
        expires_at=at + codes.LIFETIME,
    )


def prove(*, order_number: str, contact: str, code: str, address: str, at: datetime) -> int:
    """The id of the customer whose contact was proved. Raises CodeWrong, TooManyTries."""
    number, kind, value = _normal(order_number, contact)
    count_try(CODES_BY_ADDRESS, _here(), address, at=at)
    codes.check_code(subject=_subject(number, value), purpose=PURPOSE, code=code[:40], at=at)
    customer_id = _holder(number, kind, value)
    if customer_id is None:
        # A code that was written to nobody was guessed: it opens nothing.
        raise codes.CodeWrong(field="code", rule="code_of_an_order")
    return customer_id


def ask_for_code_alone(*, contact: str, language: str, address: str, at: datetime) -> None:
    """Write a code to an e-mail address, of whomever it is. Raises ContactMalformed, TooManyTries."""
    value = normalize_contact("email", contact.replace("\0", "")[:200])
    count_try(BY_ADDRESS, _here(), address, at=at)
    try:
        with db.together():
            code = codes.send_code(subject=_subject("", value), purpose=ADDRESS_ALONE, at=at)
            write_letter(
                to_kind="email",
                to_value=value,
                language=language,
                subject=_("Your code"),
                body=_("Your code is %(code)s. It holds for 10 minutes. If you did not ask for it, ignore this letter.")
                % {"code": code},
                at=at,
                expires_at=at + codes.LIFETIME,
            )
    except codes.CodeTooOften as refusal:
        raise _too_often(refusal, at) from refusal


def prove_alone(*, contact: str, code: str, address: str, language: str, at: datetime) -> int:
    """The id of the customer with this address, new where nobody or more than one has it. Raises as ``prove``.

    Of two people with one address neither is opened to the other: whoever has no order number starts afresh.
    """
    value = normalize_contact("email", contact.replace("\0", "")[:200])
    count_try(CODES_BY_ADDRESS, _here(), address, at=at)
    codes.check_code(subject=_subject("", value), purpose=ADDRESS_ALONE, code=code[:40], at=at)
    known = customers_by_contact("email", value)
    if len(known) == 1:
        return known[0].id
    return record_customer(reference=f"address:{uuid.uuid4().hex}", name=value, email=value, language=language, at=at)


def _too_often(refusal: codes.CodeTooOften, at: datetime) -> TooManyTries:
    wait = datetime.fromisoformat(refusal.details["retry_at"]) - at
    return TooManyTries(field="contact", rule=refusal.rule, wait_seconds=int(wait.total_seconds()) + 1)


def letter_to(contact: str, *, at: datetime) -> Letter | None:
    """The newest letter to this contact, however it was typed; for demonstrations only."""
    _number, _kind, value = _normal("", contact)
    return newest_letter_to(value, at=at)


@db.query
def _holder(number: str, kind: str, value: str) -> int | None:
    """The customer of the order, where the contact is one of theirs."""
    try:
        customer = orders.order_by_number(number).customer
    except orders.OrderUnknown:
        return None
    return customer.id if (kind, value) in set(customer.contacts) and not customer.erased else None


def _normal(order_number: str, contact: str) -> tuple[str, str, str]:
    number = unicodedata.normalize("NFKC", order_number).replace("\0", "").strip()[:80]
    text = contact.replace("\0", "")[:200]
    kind = guess_kind(text)
    try:
        return number, kind, normalize_contact(kind, text, region=_region())
    except ContactMalformed:
        # A contact nobody can have is nobody's: answered as every other that does not fit.
        return number, kind, text.strip() or "-"


def _region() -> str:
    """The country in which phone numbers without country code are read: the merchant's market."""
    return accounts.merchant().market


def _here() -> str:
    """Tries are counted for each merchant by itself."""
    return str(tenancy.require_merchant_id())


def _subject(number: str, value: str) -> str:
    return salted_hmac("makegood.portal.subject", f"{number}\0{value}", algorithm="sha256").hexdigest()
