"""What a text for the customer of a case may say: taken from its approved decision, its facts and its deadlines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils import translation

from makegood.accounts import queries as accounts
from makegood.accounts.rules import Wait
from makegood.cases.queries import CaseView, DecisionView
from makegood.cases.saying.checking import read
from makegood.cases.saying.shapes import Held, HeldRemedy
from makegood.cases.states import UNDECIDED, RemedyState, State
from makegood.cases.words import explain
from makegood.orders import queries as orders
from makegood.orders.queries import OrderView
from makegood.policy.registry import PackHashUnknown

LANGUAGES = ("zh-hans", "en")
_APPEALS = frozenset({Wait.APPEAL_WINDOW, Wait.REVIEWER_ANSWER})


def held_by_nothing(at: datetime, *, notes: Iterable[str] = ()) -> Held:
    """Before there is a case nothing is decided, and nothing can be promised."""
    return Held(at=at.astimezone(ZoneInfo(accounts.merchant().time_zone)), notes=tuple(notes))


def held_by(case: CaseView, *, at: datetime, telling: DecisionView | None = None) -> Held:
    """What may be said to the customer of this case now; ``telling`` is a decision that is told with these words."""
    zone = ZoneInfo(accounts.merchant().time_zone)
    local = at.astimezone(zone)
    order = orders.order_view(case.order_id) if case.order_id else None
    decision = telling or decision_told(case)
    texts = tuple(_approved_texts(case, decision))
    said = [read(text, local) for text in texts]
    open_waits = [(one.wait, one.due_at) for one in case.open_deadlines if one.due_at is not None]
    remedies = tuple(
        HeldRemedy(one.kind, one.currency, one.amount_minor, _day(one.due_by, zone))
        for one in (decision.remedies if decision else ())
        if one.state != RemedyState.VOID
    )
    asked = _asked_minor(case, order)
    due_by = (
        [one.due_by for one in decision.remedies if one.due_by and one.state != RemedyState.VOID] if decision else []
    )
    pay_days = {day for due in due_by for day in _due_days(due, zone)} | {
        day for wait, due in open_waits if wait == Wait.MERCHANT_PAY for day in _due_days(due, zone)
    }
    appeal_days = {day for wait, due in open_waits if wait in _APPEALS for day in _due_days(due, zone)}
    others = {
        day for wait, due in open_waits if wait not in {Wait.MERCHANT_PAY, *_APPEALS} for day in _due_days(due, zone)
    }
    wrote = [
        read(one.body, _local(one.written_at, zone))
        for one in case.texts
        if not one.internal and one.author.startswith("customer:")
    ]
    past = set(_days_of(case, order, zone)) | {
        day for text in wrote for time in text.times for day in time.days if day <= local.date()
    }
    return Held(
        at=local,
        remedies=remedies,
        is_approved=decision is not None and decision.verdict in {"grant", "partly"},
        full_refund=_is_full(asked, remedies),
        paid=frozenset(_sums_of(order))
        | {one for text in said for found in text.sums if found.sums for one in found.sums.minor_by_currency},
        asked=frozenset(
            one for text in wrote for found in text.sums if found.sums for one in found.sums.minor_by_currency
        ),
        days=frozenset(
            past | others | {day for text in said for time in text.times for day in time.days if time.kind == "day"}
        )
        - {None},
        pay_days=frozenset(pay_days),
        appeal_days=frozenset(appeal_days),
        clocks=frozenset(_local(due, zone).strftime("%H:%M") for _wait, due in open_waits),
        durations=frozenset(time.value for text in said for time in text.times if time.kind == "length")
        | frozenset(_lengths(wait for wait, _due in open_waits)),
        percents=frozenset(found.value for text in said for found in text.sums if found.kind == "percent")
        | frozenset(_shares(asked, remedies)),
        fault=_fault(decision),
        texts=texts,
        numbers=frozenset(_names(case, order)),
        notes=tuple(one.body for one in case.texts if one.internal and one.body),
        known_words=(*(one.body for one in case.texts if not one.internal), *(line.title for line in case.lines)),
    )


def decision_told(case: CaseView) -> DecisionView | None:
    """The decision that was approved and told, while it stands; a proposal is none."""
    if case.state in UNDECIDED | {State.WITHDRAWN}:
        return None
    return next((one for one in reversed(case.decisions) if one.communicated_at is not None), None)


def _approved_texts(case: CaseView, decision: DecisionView | None) -> Iterator[str]:
    """The policy's own sentences about what was decided, or about what was asked for, in both languages."""
    told = decision or (case.decision if case.decision and case.decision.verdict == "need_evidence" else None)
    if told is None:
        return
    for language in LANGUAGES:
        with translation.override(language):
            try:
                explained = explain(told)
            except PackHashUnknown:
                continue
        if decision is not None:
            yield from (one.text for one in explained.remedies if one.text)
            yield from (str(one["text"]) for one in explained.refused if one.get("text"))
        yield from (str(one["text"]) for one in explained.needed if one.get("text"))


def _fault(decision: DecisionView | None) -> str:
    findings = (decision.facts.get("findings") or {}) if decision else {}
    return str(findings.get("fault") or "")


def _asked_minor(case: CaseView, order: OrderView | None) -> int:
    """What was paid for what was asked; all that was paid where a line says nothing of it."""
    if order is None:
        return 0
    asked = 0
    for one in case.lines:
        line = order.line(one.line)
        if line is None or line.paid_minor is None:
            return order.captured_minor
        asked += line.paid_minor * one.quantity // line.quantity
    return asked or order.captured_minor


def _is_full(asked: int, remedies: Iterable[HeldRemedy]) -> bool:
    """Whether all that was paid for what was asked comes back."""
    refunded = sum(one.minor for one in remedies if one.kind == "refund")
    return bool(asked) and refunded >= asked


def _shares(asked: int, remedies: Iterable[HeldRemedy]) -> Iterator[str]:
    """The refund as a share of what was paid, where it is a share that people name ("half of it")."""
    refunded = sum(one.minor for one in remedies if one.kind == "refund")
    if asked and refunded and refunded * 100 % asked == 0:
        yield f"{refunded * 100 // asked}%"


def _sums_of(order: OrderView | None) -> Iterator[tuple[str, int]]:
    if order is None:
        return
    figures = [order.captured_minor, order.shipping_minor, order.discount_minor]
    figures += [payment.captured_minor for payment in order.payments]
    for line in order.lines:
        figures += [figure for figure in (line.paid_minor, line.unit_minor, line.discount_minor) if figure]
        if line.paid_minor and line.quantity > 1 and line.paid_minor % line.quantity == 0:
            figures.append(line.paid_minor // line.quantity)
    yield from ((order.currency, figure) for figure in figures if figure)


def _days_of(case: CaseView, order: OrderView | None, zone: ZoneInfo) -> Iterator[date]:
    moments = [case.opened_at, case.closed_at, *(one.happened_at for one in case.events)]
    if order is not None:
        moments += [order.ordered_at, order.shipped_at, order.delivered_at, order.promised_by]
        moments += [payment.captured_at for payment in order.payments]
        moments += [event.happened_at for parcel in order.parcels for event in parcel.events]
    yield from (_local(one, zone).date() for one in moments if one is not None)


def _lengths(waits: Iterable[str]) -> Iterator[str]:
    """How long the waits that are open last, as a length in a text is read."""
    known = accounts.settings_of_merchant().waits
    for wait in waits:
        length = known.get(Wait(wait)) if wait in set(Wait) else None
        if length is not None:
            yield f"{length.days} {'working' if length.unit == 'working' else 'day'}"


def _names(case: CaseView, order: OrderView | None) -> Iterator[str]:
    yield case.ref
    if order is not None:
        yield order.number
        yield from (line.title for line in order.lines if line.title)
        yield from (parcel.reference for parcel in order.parcels if parcel.reference)


def _local(at: datetime, zone: ZoneInfo) -> datetime:
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(zone)


def _day(at: datetime | None, zone: ZoneInfo) -> date | None:
    return _local(at, zone).date() if at is not None else None


def _due_days(due: datetime, zone: ZoneInfo) -> Iterator[date]:
    """The day of a due time; at midnight also the day that ends with it, as people say it."""
    local = _local(due, zone)
    yield local.date()
    if (local.hour, local.minute) == (0, 0):
        yield local.date() - timedelta(days=1)


def with_notes(held: Held, notes: Iterable[str]) -> Held:
    """The same, with more words that must not leave."""
    return replace(held, notes=(*held.notes, *notes))
