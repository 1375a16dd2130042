"""Stripe's JSON read into the words of the port; pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from makegood.connectors.gateways import (
    Accepted,
    Confirmed,
    Declined,
    GatewayAnswer,
    GatewayEvent,
    GatewayEventKind,
    RefundSeen,
    RefundStatus,
    Unanswered,
)
from makegood.connectors.stripe.amounts import from_stripe

PAYOUT_KEY = "makegood_payout_key"
PAYOUT_REF = "makegood_payout"

STATUSES = {
    "succeeded": RefundStatus.SUCCEEDED,
    "pending": RefundStatus.PENDING,
    "requires_action": RefundStatus.PENDING,
    "failed": RefundStatus.FAILED,
    "canceled": RefundStatus.FAILED,
}
REFUND_EVENTS = frozenset({"refund.created", "refund.updated", "refund.failed", "charge.refund.updated"})
REFUND_KINDS = {
    RefundStatus.SUCCEEDED: GatewayEventKind.REFUND_SUCCEEDED,
    RefundStatus.PENDING: GatewayEventKind.REFUND_UPDATED,
    RefundStatus.FAILED: GatewayEventKind.REFUND_FAILED,
    RefundStatus.UNCLEAR: GatewayEventKind.UNCLEAR,
}


class Unreadable(ValueError):
    """Stripe sent something that is not what was asked for."""


def refund_seen(data: object) -> RefundSeen:
    """A Stripe refund object. Raises Unreadable."""
    if not isinstance(data, Mapping) or data.get("object") != "refund":
        raise Unreadable("not a refund object")
    reference, units, currency = data.get("id"), data.get("amount"), data.get("currency")
    if not (isinstance(reference, str) and type(units) is int and isinstance(currency, str)):
        raise Unreadable("a refund without id, amount or currency")
    metadata = data.get("metadata")
    key = metadata.get(PAYOUT_KEY) if isinstance(metadata, Mapping) else None
    return RefundSeen(
        reference=reference,
        payment_names=_names(data),
        payout_key=key if isinstance(key, str) else None,
        amount=from_stripe(units, currency),
        said=f"{units} {currency}",
        status=STATUSES.get(str(data.get("status")), RefundStatus.UNCLEAR),
        created_at=_moment(data.get("created")),
    )


def answer(data: object) -> GatewayAnswer:
    """A Stripe refund object as an answer; what cannot be told for sure is Unanswered."""
    try:
        seen = refund_seen(data)
    except Unreadable as problem:
        return Unanswered(f"unreadable: {problem}")
    assert isinstance(data, Mapping)  # noqa: S101 - refund_seen has just checked it; for the type checker
    if seen.status is RefundStatus.FAILED:
        reason = data.get("failure_reason") or data.get("status")
        return Declined(f"refund_{reason}", f"Stripe says the refund is {data.get('status')}.", seen.reference)
    if seen.amount is None:
        return Unanswered(f"refund {seen.reference}: {seen.said} is no amount of money here")
    if seen.status is RefundStatus.SUCCEEDED:
        return Confirmed(seen.reference, seen.amount)
    if seen.status is RefundStatus.PENDING:
        return Accepted(seen.reference, seen.amount)
    return Unanswered(f"refund {seen.reference}: unknown status {data.get('status')}")


def event(data: object) -> GatewayEvent:
    """A Stripe event object. Raises Unreadable."""
    if not isinstance(data, Mapping) or data.get("object") != "event":
        raise Unreadable("not an event object")
    event_id, kind, inner = data.get("id"), data.get("type"), data.get("data")
    if not (isinstance(event_id, str) and isinstance(kind, str) and isinstance(inner, Mapping)):
        raise Unreadable("an event without id, type or data")
    happened_at = _moment(data.get("created"))
    thing = inner.get("object")
    if kind in REFUND_EVENTS:
        return _refund_event(event_id, kind, thing, happened_at)
    if kind.startswith("charge.dispute."):
        before = inner.get("previous_attributes")
        return _dispute_event(event_id, kind, thing, before if isinstance(before, Mapping) else {}, happened_at)
    return GatewayEvent(event_id, GatewayEventKind.IGNORED, None, None, None, None, happened_at, detail=kind)


def _refund_event(event_id: str, kind: str, thing: object, happened_at: datetime) -> GatewayEvent:
    seen = refund_seen(thing)
    return GatewayEvent(
        event_id=event_id,
        kind=GatewayEventKind.UNCLEAR if seen.amount is None else REFUND_KINDS[seen.status],
        reference=seen.reference,
        payment_reference=seen.payment_names[0] if seen.payment_names else None,
        payout_key=seen.payout_key,
        amount=seen.amount,
        happened_at=happened_at,
        detail=f"{kind}: {seen.status}, {seen.said}",
        payment_names=seen.payment_names,
    )


def _dispute_event(
    event_id: str, kind: str, thing: object, before: Mapping[str, Any], happened_at: datetime
) -> GatewayEvent:
    if not isinstance(thing, Mapping) or thing.get("object") != "dispute":
        raise Unreadable("a dispute event without a dispute")
    reference, units, currency = thing.get("id"), thing.get("amount"), thing.get("currency")
    if not (isinstance(reference, str) and type(units) is int and isinstance(currency, str)):
        raise Unreadable("a dispute without id, amount or currency")
    status = str(thing.get("status"))
    amount = from_stripe(units, currency)
    meaning = _dispute_kind(kind, status, before)
    if amount is None and meaning is not GatewayEventKind.IGNORED:
        meaning = GatewayEventKind.UNCLEAR
    names = _names(thing)
    return GatewayEvent(
        event_id=event_id,
        kind=meaning,
        reference=reference,
        payment_reference=names[0] if names else None,
        payout_key=None,
        amount=amount,
        happened_at=happened_at,
        detail=f"{kind}: {status}, {units} {currency}, {thing.get('reason')}",
        payment_names=names,
    )


def _dispute_kind(kind: str, status: str, before: Mapping[str, Any]) -> GatewayEventKind:
    # An inquiry (status "warning_…") takes no money; it counts from the moment it becomes a dispute.
    inquiry = status.startswith("warning_")
    if kind == "charge.dispute.created":
        return GatewayEventKind.IGNORED if inquiry else GatewayEventKind.DISPUTE_OPENED
    if kind == "charge.dispute.updated":
        was_inquiry = str(before.get("status", "")).startswith("warning_")
        return GatewayEventKind.DISPUTE_OPENED if was_inquiry and not inquiry else GatewayEventKind.IGNORED
    if kind == "charge.dispute.closed":
        closed = {
            "won": GatewayEventKind.DISPUTE_WON,
            "lost": GatewayEventKind.DISPUTE_LOST,
            "warning_closed": GatewayEventKind.IGNORED,
        }
        return closed.get(status, GatewayEventKind.UNCLEAR)
    return GatewayEventKind.IGNORED


def _names(data: Mapping[str, Any]) -> tuple[str, ...]:
    # Either may be expanded into an object by the account's settings.
    found = []
    for field in ("payment_intent", "charge"):
        value = data.get(field)
        name = value.get("id") if isinstance(value, Mapping) else value
        if isinstance(name, str) and name:
            found.append(name)
    return tuple(found)


def _moment(seconds: object) -> datetime:
    if type(seconds) is not int:
        raise Unreadable("a time that is not in seconds")
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError, ValueError) as problem:
        raise Unreadable("a time outside the calendar") from problem
