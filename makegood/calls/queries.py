"""Reading calls: the list, and one card. What is held of a customer is on it once the caller is verified."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from makegood.calls.models import Call, CallCheck, CallOpening, PhoneLine
from makegood.calls.states import CallState
from makegood.customers import queries as customers
from makegood.customers.queries import CustomerRow
from makegood.kit import db, errors
from makegood.kit.asking import Question, instance


class CallUnknown(errors.Unknown):
    code = "call_unknown"
    message = "There is no call {value}."


@dataclass(frozen=True, slots=True)
class CallRow:
    """A call in the list; ``name`` only where the caller was verified."""

    ref: str
    direction: str
    number: str
    state: str
    at: datetime
    agent: str
    name: str
    verified: bool
    known: bool
    case_ref: str
    seconds: int | None


@dataclass(frozen=True, slots=True)
class Card:
    call: Call
    row: CallRow
    customer: CustomerRow | None
    checks: tuple[CallCheck, ...]
    openings: tuple[CallOpening, ...]
    call_back_due: datetime | None


@db.query
def calls(*, limit: int = 60) -> list[CallRow]:
    """The newest calls, those that ring or are on the line first."""
    found = list(Call.objects.select_related("case", "customer").order_by("-seen_at", "-id")[:limit])
    known = _known({one.number for one in found})
    rows = [_row(one, known) for one in found]
    return sorted(rows, key=lambda row: row.state not in {CallState.RINGING, CallState.ANSWERED})


@db.query
def card(ref: str) -> Card:
    """Raises CallUnknown, for another merchant's too."""
    call = Call.objects.select_related("case", "customer").filter(ref=ref.replace("\0", "")[:20]).first()
    if call is None:
        raise CallUnknown(ref, field="call")
    due: str | None = None
    if call.case is not None:
        marks: Mapping[str, Any] = call.case.marks
        if marks.get("call_back_promised", "") > marks.get("call_back_made", ""):
            due = marks.get("call_back_due")
    return Card(
        call=call,
        row=_row(call, _known({call.number})),
        customer=customers.customer_by_id(call.customer_id) if call.customer_id else None,
        checks=tuple(CallCheck.objects.filter(call_id=call.id).order_by("id")),
        openings=tuple(CallOpening.objects.filter(call_id=call.id).order_by("id")),
        call_back_due=datetime.fromisoformat(due) if due else None,
    )


def asking_calls(case_id: int) -> Question[list[CallRow]]:
    """The calls about a case, in their order."""
    sql = (
        "select k.*, c.ref as case_ref, coalesce(cu.name, '') as name from calls_call k"
        " join cases_case c on c.id = k.case_id left join customers_customer cu on cu.id = k.customer_id"
        " where k.case_id = %s order by k.id"
    )
    return Question((sql, [case_id]), read=lambda rows: [_beside_case(row) for row in rows])


def _beside_case(row: dict[str, Any]) -> CallRow:
    return _call_row(instance(Call, row), {}, name=row["name"], case_ref=row["case_ref"])


@db.query
def lines() -> list[PhoneLine]:
    """The call centres that are connected."""
    return list(PhoneLine.objects.order_by("source"))


def _known(numbers: set[str]) -> dict[str, bool]:
    rows = db.fetch(
        "select distinct value from customers_contact where kind = 'phone' and value = any(%s)", [list(numbers)]
    )
    return {row["value"]: True for row in rows}


def _row(one: Call, known: Mapping[str, bool]) -> CallRow:
    name, case_ref = one.customer.name if one.customer else "", one.case.ref if one.case else ""
    return _call_row(one, known, name=name, case_ref=case_ref)


def _call_row(one: Call, known: Mapping[str, bool], *, name: str, case_ref: str) -> CallRow:
    return CallRow(
        ref=one.ref,
        direction=one.direction,
        number=one.number,
        state=one.state,
        at=one.rang_at or one.answered_at or one.ended_at or one.seen_at,
        agent=one.agent,
        name=name,
        verified=one.verified_at is not None,
        known=known.get(one.number, False),
        case_ref=case_ref,
        seconds=one.seconds,
    )
