"""Tools that do a whole request at once: ask, let the policy decide, and approve where it grants and the caller may.

What the policy denies is told as a denial that can be appealed; what is above the caller's limit waits for a person.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field

from makegood.accounts.states import May
from makegood.cases import commands
from makegood.cases.commands.asking import Asked
from makegood.cases.states import UNDECIDED
from makegood.customers import commands as customer_commands
from makegood.kit import db, errors
from makegood.kit.wire import Plain
from makegood.mcp import documents
from makegood.mcp.asking import RequestKey
from makegood.mcp.deciding import decided
from makegood.mcp.documents import Document
from makegood.mcp.reading import AskedLine, Code, OrderNumber, now
from makegood.mcp.session import Session
from makegood.mcp.toolbox import tool
from makegood.orders.queries import OrderView

Way = Annotated[str, Field(min_length=1, max_length=120, description="A way to pay, as show_customer names it.")]
Swaps = Annotated[list[AskedLine], Field(min_length=1, max_length=1000, description="Lines, each with its wanted_sku.")]
SomeLines = Annotated[list[AskedLine], Field(min_length=1, max_length=1000)]
SETTLED = {"approved": "granted", "denied": "denied", "verifying": "evidence_needed"}


class Address(Plain):
    """Where goods go; leave out what the country does not use."""

    address1: Annotated[str, Field(min_length=1, max_length=200)]
    address2: Annotated[str, Field(max_length=200)] = ""
    city: Annotated[str, Field(max_length=120)] = ""
    state: Annotated[str, Field(max_length=120)] = ""
    country: Annotated[str, Field(max_length=120)] = ""
    zip: Annotated[str, Field(max_length=20)] = ""


@tool(May.FILE, again=True, gives=True)
def cancel_order(
    session: Session,
    order: OrderNumber,
    reason: Code,
    request_key: RequestKey,
    lines: list[AskedLine] = [],  # noqa: B006 - never changed
) -> Document:
    """Cancel an order or, with lines, a part of it; what was paid is given back where the policy grants it."""
    found = session.order(order)
    asked = [one.asked() for one in lines] or [Asked(one["line"], one["left"]) for one in _left(found)]
    return _settle(session, found, "cancellation", reason, request_key, asked=asked)


@tool(May.FILE, again=True, gives=True)
def change_order_address(session: Session, order: OrderNumber, address: Address, request_key: RequestKey) -> Document:
    """Send an order that has not left yet to another address."""
    details = {"address": address.model_dump()}
    return _settle(session, session.order(order), "change", "address", request_key, details=details)


@tool(May.FILE, again=True, gives=True)
def change_order_payment(session: Session, order: OrderNumber, pay_with: Way, request_key: RequestKey) -> Document:
    """Pay an order that has not left yet another way; the old payment is given back."""
    return _settle(session, session.order(order), "change", "payment", request_key, details={"method": pay_with})


@tool(May.FILE, again=True, gives=True)
def change_order_items(
    session: Session, order: OrderNumber, lines: Swaps, pay_with: Way, request_key: RequestKey
) -> Document:
    """Replace items of an order that has not left yet; pay_with settles the difference in price."""
    asked = [one.asked() for one in lines]
    details = {"method": pay_with}
    return _settle(session, session.order(order), "change", "items", request_key, asked=asked, details=details)


@tool(May.FILE, again=True, gives=True)
def exchange_items(
    session: Session,
    order: OrderNumber,
    lines: Swaps,
    pay_with: Way,
    request_key: RequestKey,
    reason: Code = "changed_mind",
) -> Document:
    """Exchange delivered items for others of the same product; pay_with settles the difference."""
    asked = [one.asked() for one in lines]
    details = {"method": pay_with}
    return _settle(session, session.order(order), "exchange", reason, request_key, asked=asked, details=details)


@tool(May.FILE, again=True, gives=True)
def return_items(
    session: Session,
    order: OrderNumber,
    lines: SomeLines,
    request_key: RequestKey,
    reason: Code = "changed_mind",
    refund_to: Annotated[str, Field(max_length=120, description="A way to pay; left out: as it was paid.")] = "",
) -> Document:
    """Send delivered items back; what is owed is paid when the policy says so."""
    details = {"method": refund_to, "refund_to_method": True} if refund_to else {}
    asked = [one.asked() for one in lines]
    return _settle(session, session.order(order), "return", reason, request_key, asked=asked, details=details)


@tool(May.FILE, again=True)
def change_customer_address(
    session: Session,
    address: Address,
    customer: Annotated[str, Field(max_length=120, description="Reference; left out: of this session.")] = "",
) -> Document:
    """Set where the customer lives; orders keep their own address."""
    found = session.customer(customer)
    with db.atomically():
        customer_commands.change_address(found.id, address.model_dump())
    return documents.customer(session.customer(customer))


def _left(found: OrderView) -> list[Document]:
    return [one for one in documents.askable(found) if one["left"]]


def _settle(
    session: Session,
    order: OrderView,
    kind: Literal["cancellation", "change", "exchange", "return"],
    reason: str,
    request_key: str,
    *,
    asked: Sequence[Asked] = (),
    details: Mapping[str, Any] | None = None,
) -> Document:
    """File, decide, approve or deny: each its own transaction, so that a retry goes on where the first try ended.

    Raises what filing raises. ``outcome`` tells how far it came: granted, denied, evidence_needed or waits_for_person.
    """
    case = commands.file_case(
        kind=kind,
        reason=reason,
        order_number=order.number,
        asked=asked,
        channel="api",
        language=session.language,
        details=dict(details or {}),
        request_key=session.key(request_key),
        actor=session.actor,
        at=now(),
    )
    why = None
    try:
        if case.state in UNDECIDED:
            case = commands.decide_case(ref=case.ref, actor=session.actor, at=now())
            verdict = _verdict(session, case.ref)
            if verdict in {"grant", "partly"}:
                case = commands.approve_case(ref=case.ref, actor=session.actor, at=now())
            elif verdict == "deny":
                case = commands.deny_case(ref=case.ref, actor=session.actor, at=now())
    except (errors.Forbidden, errors.Refused) as refusal:
        why = refusal.code
    told = decided(session, case.ref)
    return {**told, "outcome": SETTLED.get(told["state"], "waits_for_person"), "waits_because": why}


def _verdict(session: Session, ref: str) -> str:
    found = session.case(ref)
    return found.decision.verdict if found.decision and found.state == "planned" else ""
