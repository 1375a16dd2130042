"""What the order gave beside the goods: points earned go back with refunds, a coupon spent comes back with a full one.

The order says so in its ``attributes``: ``points_earned`` (whole points) and ``coupon`` (``{"code", "minor",
"restorable"}``, ``minor`` in minor units of the order's currency).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeGuard

from makegood.cases.models import Case
from makegood.kit import db
from makegood.ledger import commands as ledger
from makegood.ledger import queries as balances
from makegood.ledger.states import Book, Credit, Value
from makegood.orders import queries as orders
from makegood.orders.queries import OrderView
from makegood.settlement import postings
from makegood.settlement.commands import inside
from makegood.settlement.models import Coupon
from makegood.settlement.rules import share_of_points

CLAWED, RETURNED = "points_clawed_back", "points_returned"


def follow_refunds(case: Case, *, at: datetime) -> None:
    """Bring points and coupon of the case's order to where its released refunds put them. The order is locked."""
    if case.order_id is None or not _has_terms(case.order_id):
        return
    order = orders.order_view(case.order_id)
    earned, coupon = order.attributes.get("points_earned", 0), order.attributes.get("coupon")
    if not _whole(earned) and not coupon:
        return
    paid = -sum(held.get(Value.PAID, 0) for held in _value(order).values())
    refunded = _refunded(order)
    if _whole(earned):
        _points(order, earned=earned, refunded=refunded, paid=paid, at=at)
    if isinstance(coupon, Mapping) and paid and refunded >= paid:
        _restore(order, coupon, at=at)


def _has_terms(order_id: int) -> bool:
    return bool(
        db.fetch(
            "select 1 as yes from orders_order where id = %s and attributes ?| array['points_earned', 'coupon']",
            [order_id],
        )
    )


def _value(order: OrderView) -> Mapping[int, Mapping[str, int]]:
    return balances.balances(Book.VALUE, [line.id for line in order.lines])


def _refunded(order: OrderView) -> int:
    """What is being or was refunded of the order's goods: released and paid remedies, and refunds before our time."""
    found = db.fetch_one(
        "select coalesce(sum(r.amount_minor), 0)::bigint as minor from cases_remedy r"
        " join cases_case c on c.id = r.case_id"
        " where c.order_id = %s and r.kind in ('refund', 'store_credit') and r.state in ('released', 'paid')",
        [order.id],
    )
    assert found is not None  # noqa: S101 - an aggregate always gives a row
    before = db.fetch_one(
        "select coalesce(sum(refunded_before_minor), 0)::bigint as minor from orders_payment where order_id = %s",
        [order.id],
    )
    assert before is not None  # noqa: S101 - same
    return int(found["minor"]) + int(before["minor"])


def _points(order: OrderView, *, earned: int, refunded: int, paid: int, at: datetime) -> None:
    moved = [
        row
        for row in balances.statement_of_order(order.id)
        if row.kind in {CLAWED, RETURNED} and row.account == Credit.ISSUED
    ]
    due = share_of_points(earned, refunded, paid) - sum(row.amount for row in moved)
    if due == 0:
        return
    customer_id = order.customer.id
    ledger.enter(
        kind=CLAWED if due > 0 else RETURNED,
        request_key=f"points:{order.id}:{len(moved)}",
        moves=inside.claw_points(customer_id, due) if due > 0 else inside.give_points(customer_id, -due),
        at=at,
        order_id=order.id,
        cause=f"order:{order.number}",
    )


def _restore(order: OrderView, spent: Mapping[str, Any], *, at: datetime) -> None:
    """Give the coupon back, once, under a code of its own: the code spent may be everybody's."""
    minor, code = spent.get("minor"), str(spent.get("code", ""))
    if not _whole(minor) or not code or not spent.get("restorable"):
        return
    coupon, made = Coupon.objects.get_or_create(
        code=f"{code[:20]}-{order.id}",
        defaults={
            "customer_id": order.customer.id,
            "amount_minor": minor,
            "currency": order.currency,
            "issued_at": at,
        },
    )
    if made:
        ledger.enter(
            kind="coupon_restored",
            request_key=f"coupon:{order.id}:restored",
            moves=postings.coupon_moves(coupon.id, order.currency, minor),
            at=at,
            order_id=order.id,
            cause=f"order:{order.number}",
        )


def _whole(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0
