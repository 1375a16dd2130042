"""What agents are shown: orders, cases and decisions as plain documents, less what a session may not see."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from makegood.accounts.states import May
from makegood.cases.api_shapes import CaseOut, case_out, event_out, posting_out, row_out
from makegood.cases.askable import AskableLine, askable_lines
from makegood.cases.queries import CaseRow, CaseView, DecisionView
from makegood.cases.tracking import PUBLIC_EVENTS
from makegood.cases.words import outcome_said
from makegood.customers import queries as customers
from makegood.kit.money import Money
from makegood.ledger import queries as ledger
from makegood.mcp.session import Session
from makegood.orders.queries import OrderRow, OrderView

Document = dict[str, Any]

# Where goods are -> the kinds of request that are about goods there.
KINDS_AT: Mapping[str, tuple[str, ...]] = {
    "not_shipped": ("cancellation", "change"),
    "in_transit": ("cancellation", "refusal", "claim"),
    "at_door": ("refusal", "claim"),
    "returning": ("refusal",),
    "with_customer": ("return", "exchange", "claim"),
    "lost": ("claim",),
}


def money(minor: int, currency: str) -> Document:
    return {"currency": currency, "amount": Money(minor, currency).amount()}


def order_row(row: OrderRow) -> Document:
    return {
        "order": row.number,
        "customer_name": row.customer_name,
        "ordered_at": _iso(row.ordered_at),
        "state": row.state,
        "paid": money(row.captured_minor, row.currency),
        "units": row.units,
    }


def order(found: OrderView) -> Document:
    """An order with what may still be asked of each line."""
    return {
        "order": found.number,
        "state": found.state,
        "market": found.market,
        "platform": found.platform,
        "ordered_at": _iso(found.ordered_at),
        "shipped_at": _iso(found.shipped_at),
        "delivered_at": _iso(found.delivered_at),
        "customer": {"reference": found.customer.reference, "name": found.customer.name},
        "address": dict(found.address),
        "paid": money(found.captured_minor, found.currency),
        "lines": [line(found, one) for one in askable_lines(found)],
        "payments": [
            {
                "reference": payment.reference,
                "method": payment.method,
                "way": payment.method_reference,
                "captured": money(payment.captured_minor, found.currency),
            }
            for payment in found.payments
        ],
        "parcels": [
            {
                "reference": parcel.reference,
                "carrier": parcel.carrier,
                "direction": parcel.direction,
                "position": parcel.position,
                "events": [{"kind": event.kind, "at": _iso(event.happened_at)} for event in parcel.events],
            }
            for parcel in found.parcels
        ],
    }


def line(found: OrderView, one: AskableLine) -> Document:
    told: Document = {
        "line": one.line.number,
        "sku": one.line.sku,
        "title": one.line.title,
        "options": dict(one.line.options),
        "quantity": one.line.quantity,
        "paid": None if one.line.paid_minor is None else money(one.line.paid_minor, found.currency),
        "left": one.left,
        "asked": one.asked,
        "made_good": one.made_good,
        "where": dict(one.places),
    }
    if "replaces" in one.line.attributes:
        told["replaces_line"] = one.line.attributes["replaces"]
    return told


def askable(found: OrderView) -> list[Document]:
    """Per line the kinds of request that fit where its goods are, or why there is none."""
    told = []
    for one in askable_lines(found):
        kinds = sorted({kind for place in one.places for kind in KINDS_AT.get(place, ())}) if one.left else []
        why = "" if kinds else ("already_asked_or_settled" if not one.left else "goods_elsewhere")
        told.append({**line(found, one), "may_ask": kinds, "why_not": why})
    return told


def customer(found: customers.CustomerRow) -> Document:
    """The person, with the saved ways to pay by the names that other tools take."""
    ways = [{"way": one.reference, "kind": one.kind, "label": one.label} for one in customers.methods_of(found.id)]
    return {
        "reference": found.reference,
        "name": found.name,
        "language": found.language,
        "address": dict(found.address),
        "contacts": [{"kind": kind, "value": value} for kind, value in found.contacts],
        "ways_to_pay": ways,
    }


def case_row(row: CaseRow) -> Document:
    return row_out(row).model_dump(mode="json")


def case(session: Session, view: CaseView) -> Document:
    """A case. A session for a customer never holds internal notes, nor proposals unless it decides itself."""
    shown: CaseOut = case_out(view)
    if session.customer_id is not None:
        decides = session.actor.may(May.HANDLE)
        shown.messages = [one for one in shown.messages if not one.internal]
        shown.decisions = [one for one in shown.decisions if decides or one.communicated_at is not None]
        own = [one for one, kept in zip(shown.evidence, view.evidence, strict=True) if kept.party == "customer"]
        shown.evidence = own
        shown.findings = []
        for part in shown.parts:
            part.merged_by = ""  # which of the staff it was is theirs to know
    return shown.model_dump(mode="json", exclude={"decisions": {"__all__": {"document"}}})


def timeline(session: Session, view: CaseView) -> list[Document]:
    held = session.customer_id is not None
    events = [event for event in view.events if not held or event.kind in PUBLIC_EVENTS]
    if held:
        return [{"seq": one.seq, "kind": one.kind, "at": _iso(one.happened_at)} for one in events]
    return [event_out(event).model_dump(mode="json") for event in events]


def statement(order_id: int) -> list[Document]:
    """Every movement of units and money of the order, oldest first."""
    return postings(ledger.statement_of_order(order_id))


def postings(rows: Iterable[ledger.StatementRow]) -> list[Document]:
    return [posting_out(row).model_dump(mode="json") for row in rows]


def decision(one: DecisionView) -> Document:
    """The decision with its rules, in the language in use where the policy of the time is still known."""
    told: Document = {
        "decision": one.id,
        "verdict": one.verdict,
        "total": money(one.total_minor, one.currency),
        "by_hand": one.by_hand,
        "approved": bool(one.approved_by),
    }
    if one.by_hand:
        remedies = [
            {"kind": part.kind, "line": part.line, "amount": money(part.amount_minor, part.currency)}
            for part in one.remedies
        ]
        return {**told, "remedies": remedies}
    outcome = outcome_said(one)
    return {**told, **{name: outcome[name] for name in ("remedies", "refused", "evidence_needed", "appeal")}}


def _iso(moment: Any) -> str | None:
    return None if moment is None else moment.isoformat()
