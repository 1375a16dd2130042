"""Who calls is not who the number belongs to: facts are told once the caller has proved to be the customer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from django.utils import translation
from django.utils.translation import gettext as _

from makegood.accounts import queries as accounts
from makegood.accounts.actors import Actor, require
from makegood.accounts.limits import Limit, TooManyTries, count_try
from makegood.accounts.states import May
from makegood.calls import rules
from makegood.calls.models import Call, CallCheck
from makegood.calls.queries import CallUnknown
from makegood.conversations.commands import write_letter
from makegood.customers import codes
from makegood.customers import queries as customers
from makegood.customers.queries import CustomerRow
from makegood.kit import db, errors, tenancy
from makegood.orders import queries as orders

CODE_PURPOSE = "call"
TRIES = Limit("call_verification", rules.TRIES, timedelta(hours=12))
CODES = Limit("call_code", 3, timedelta(hours=12))


class CallerNotProved(errors.Forbidden):
    code = "caller_not_proved"
    message = "That does not prove who is calling. Nothing may be told; {left} tries are left."


class CallerVerified(errors.Refused):
    code = "caller_verified"
    message = "This caller was verified already."


def check_call_facts(*, ref: str, answers: Mapping[str, str], actor: Actor, at: datetime) -> Call:
    """Compare what the caller answered with what is held; nothing held is shown whatever comes of it.

    At least two right answers and none wrong prove one person. Every try is recorded; three a call.
    Raises NotAllowed, CallUnknown, CallerVerified, CallerNotProved, TooManyTries.
    """
    require(actor, May.HANDLE)
    call = _unverified(ref)
    left = _count(call, actor, how="facts", asked=_asked(answers), at=at)
    found = _who_answers(call, answers)
    if len(found) != 1:
        _record(ref=ref, how="facts", asked=_asked(answers), passed=False, actor=actor, at=at)
        raise CallerNotProved(field="answers", rule="two_right_none_wrong", left=left)
    return _pass(ref=ref, how="facts", customer_id=found[0], asked=_asked(answers), actor=actor, at=at)


def send_call_code(*, ref: str, order_number: str, actor: Actor, at: datetime) -> None:
    """Send a code to the address that is known of the customer; where nobody is known, nobody learns that.

    The customer is whom the number belongs to, or whose order the caller names. Raises NotAllowed, CallUnknown,
    CallerVerified, TooManyTries.
    """
    require(actor, May.HANDLE)
    call = _unverified(ref)
    count_try(CODES, *_place(call), at=at)
    with db.together():
        one = _one(call, order_number)
        contact = next((value for kind, value in one.contacts if kind == "email"), "") if one else ""
        language = one.language if one and one.language else "zh-hans"
        try:
            code = codes.send_code(subject=_subject(call, contact), purpose=CODE_PURPOSE, at=at)
        except codes.CodeTooOften as often:
            raise TooManyTries(field="code", rule=often.rule, wait_seconds=600) from often
        with translation.override(language):
            write_letter(
                to_kind="email",
                to_value=contact,
                language=language,
                subject=_("Your code for the call with %(name)s") % {"name": accounts.merchant().name(language)},
                body=_(
                    "Your code is %(code)s. Tell it to the person you are talking to; it holds for 10 minutes."
                    " If you are not on the telephone with us, tell it to nobody."
                )
                % {"code": code},
                at=at,
                expires_at=at + codes.LIFETIME,
            )


def check_call_code(*, ref: str, order_number: str, code: str, actor: Actor, at: datetime) -> Call:
    """The caller read out the code. Raises NotAllowed, CallUnknown, CallerVerified, CallerNotProved, TooManyTries."""
    require(actor, May.HANDLE)
    call = _unverified(ref)
    left = _count(call, actor, how="code", asked=["code"], at=at)
    one = _found(call, order_number)
    contact = next((value for kind, value in one.contacts if kind == "email"), "") if one else ""
    try:
        codes.check_code(subject=_subject(call, contact), purpose=CODE_PURPOSE, code=code[:40], at=at)
        proved = one if contact else None  # a code that was written to nobody was guessed: it proves nothing
    except codes.CodeWrong:
        proved = None
    if proved is None:
        _record(ref=ref, how="code", asked=["code"], passed=False, actor=actor, at=at)
        raise CallerNotProved(field="code", rule="code_that_was_sent", left=left)
    return _pass(ref=ref, how="code", customer_id=proved.id, asked=["code"], actor=actor, at=at)


def _asked(answers: Mapping[str, str]) -> list[str]:
    return [fact for fact in rules.FACTS if answers.get(fact, "").strip()]


def _count(call: Call, actor: Actor, *, how: str, asked: list[str], at: datetime) -> int:
    try:
        count_try(TRIES, *_place(call), at=at)
    except TooManyTries:
        _record(ref=call.ref, how=how, asked=asked, passed=False, actor=actor, at=at)
        raise
    return max(0, rules.TRIES - _tries(call) - 1)


def _place(call: Call) -> tuple[str, str]:
    return str(tenancy.require_merchant_id()), call.ref


def _subject(call: Call, contact: str) -> str:
    return f"{call.ref}/{contact}"[:120]


@db.query
def _tries(call: Call) -> int:
    return CallCheck.objects.filter(call_id=call.id).count()


@db.query
def _unverified(ref: str) -> Call:
    call = Call.objects.filter(ref=ref[:20]).first()
    if call is None:
        raise CallUnknown(ref, field="call")
    if call.verified_at is not None:
        raise CallerVerified(field="call", rule="once")
    return call


@db.query
def _found(call: Call, order_number: str) -> CustomerRow | None:
    return _one(call, order_number)


def _one(call: Call, order_number: str) -> CustomerRow | None:
    """The one person in question: of the order named, else of the number, where that is one alone."""
    if order_number.strip():
        try:
            owner = orders.order_by_number(order_number.replace("\0", "").strip()[:80]).customer.id
        except orders.OrderUnknown:
            return None
        found = customers.customer_by_id(owner)
        return None if found.erased else found
    known = [one for one in candidates(call) if not one.erased]
    return known[0] if len(known) == 1 else None


def candidates(call: Call) -> tuple[CustomerRow, ...]:
    """Everybody known by the number of the other side."""
    return customers.customers_by_contact("phone", call.number) if call.number.startswith("+") else ()


@db.query
def _who_answers(call: Call, answers: Mapping[str, str]) -> list[int]:
    """Whom these answers prove: of those the number belongs to, and of the order named."""
    people = {one.id: one for one in candidates(call)}
    if answers.get("order_number", "").strip():
        named = _one(call, answers["order_number"])
        people = people | {named.id: named} if named else people
    return [one.id for one in people.values() if not one.erased and rules.proves(answers, _held(one))]


def _held(person: CustomerRow) -> dict[str, tuple[str, ...]]:
    numbers = db.fetch("select number, address from orders_order where customer_id = %s", [person.id])
    addresses: Iterable[Mapping[str, object]] = [person.address, *(db.read_json(row["address"]) for row in numbers)]
    postcodes = (str(one.get(name, "")) for one in addresses for name in ("zip", "postcode", "postal_code"))
    return {
        "order_number": tuple(row["number"] for row in numbers),
        "email": tuple(value for kind, value in person.contacts if kind == "email"),
        "postcode": tuple({one for one in postcodes if one}),
        "name": (person.name,),
    }


@db.command
def _record(*, ref: str, how: str, asked: list[str], passed: bool, actor: Actor, at: datetime) -> None:
    call = Call.objects.select_for_update().get(ref=ref)
    CallCheck.objects.create(call=call, how=how, asked=asked, passed=passed, by=actor.key, at=at)


@db.command
def _pass(*, ref: str, how: str, customer_id: int, asked: list[str], actor: Actor, at: datetime) -> Call:
    call = Call.objects.select_for_update().get(ref=ref)
    if call.verified_at is not None:
        raise CallerVerified(field="call", rule="once")
    CallCheck.objects.create(call=call, how=how, asked=asked, passed=True, by=actor.key, at=at)
    call.customer_id, call.verified_how, call.verified_by, call.verified_at = customer_id, how, actor.key, at
    call.save(update_fields=["customer_id", "verified_how", "verified_by", "verified_at"])
    return call
