"""Carrying out an approved change of an order not yet sent: address, items, or way of payment."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from makegood.accounts.actors import Actor
from makegood.cases import facts, history
from makegood.cases.models import Case
from makegood.customers import queries as customers
from makegood.kit import db, errors
from makegood.kit.money import allocate
from makegood.ledger import commands as ledger
from makegood.ledger import queries as balances
from makegood.ledger.commands import Move
from makegood.ledger.states import UNIT, Book, Claims, Credit, Goods, MoneyAccount, Value
from makegood.orders import commands as order_commands
from makegood.orders.catalog import catalog_items
from makegood.orders.queries import OrderView


class MethodUnknown(errors.Unknown):
    code = "method_unknown"
    message = "{field}: this customer has no way of payment {value}."


def change_order(case: Case, order: OrderView, *, actor: Actor, at: datetime) -> None:
    """Do what was asked: ``details`` holds the new address or the way of payment, the lines hold the new items."""
    if case.reason == "address":
        order_commands.change_address(order.id, case.details.get("address", {}))
        history.record(case, "address_changed", actor=actor.key, at=at)
    elif case.reason == "items":
        _change_items(case, order, actor=actor, at=at)
    elif case.reason == "payment":
        _change_payment(case, order, actor=actor, at=at)


def _change_payment(case: Case, order: OrderView, *, actor: Actor, at: datetime) -> None:
    """Take the whole amount anew by the chosen method and give the old payment back."""
    method = chosen_method(case, order)
    [old] = order.payments
    amount = old.captured_minor - old.refunded_before_minor
    take_payment(case, order, method, amount, at=at)
    _give_back(case, order, {old.id: amount}, at=at)
    history.record(case, "payment_changed", actor=actor.key, at=at, method=method.reference)


def _change_items(case: Case, order: OrderView, *, actor: Actor, at: datetime) -> None:
    """Replace lines by other items; the difference is paid or given back by the chosen method."""
    rows = db.fetch(
        "select cl.line_id, cl.quantity, cl.wanted_sku, l.number from cases_caseline cl"
        " join orders_line l on l.id = cl.line_id where cl.case_id = %s order by cl.id",
        [case.id],
    )
    items = catalog_items([row["wanted_sku"] for row in rows])
    difference = facts.price_difference(order, rows, items)
    method = chosen_method(case, order)
    new_lines = order_commands.change_items(
        order.id,
        [order_commands.Replacement(row["line_id"], row["quantity"], row["wanted_sku"]) for row in rows],
    )
    moves: list[Move] = []
    for row, new in zip(rows, new_lines, strict=True):
        moves += swap(row, new, order)
    ledger.enter(
        kind="items_changed",
        request_key=f"case:{case.id}:items",
        moves=moves,
        at=at,
        order_id=order.id,
        cause=case.ref,
    )
    if difference > 0:
        take_payment(case, order, method, difference, at=at)
    elif difference < 0:
        held = balances.balances(Book.MONEY, [payment.id for payment in order.payments])
        left = [held[payment.id].get(MoneyAccount.AVAILABLE, 0) for payment in order.payments]
        parts = allocate(-difference, left)
        shares = {payment.id: part for payment, part in zip(order.payments, parts, strict=True) if part}
        _give_back(case, order, shares, at=at, to_method=method.reference)
    history.record(case, "items_changed", actor=actor.key, at=at, difference=difference, method=method.reference)


def swap(row: Mapping[str, Any], new: order_commands.NewLine, order: OrderView) -> list[Move]:
    """Units and value of the old line leave, those of the new line come."""
    line = next(line for line in order.lines if line.id == row["line_id"])
    old_paid = facts.paid_for(line, row["quantity"])
    return [
        Move(Book.GOODS, row["line_id"], Goods.TO_SHIP, Goods.EXCHANGED, UNIT, row["quantity"]),
        Move(Book.CLAIMS, row["line_id"], Claims.OPEN, Claims.MADE_GOOD, UNIT, row["quantity"]),
        Move(Book.VALUE, row["line_id"], Value.LEFT, Value.GIVEN, order.currency, old_paid),
        Move(Book.GOODS, new.id, Goods.SOLD, Goods.TO_SHIP, UNIT, row["quantity"]),
        Move(Book.CLAIMS, new.id, Claims.SOLD, Claims.OPEN, UNIT, row["quantity"]),
        Move(Book.VALUE, new.id, Value.PAID, Value.LEFT, order.currency, new.paid_minor),
    ]


def chosen_method(case: Case, order: OrderView) -> customers.MethodRow:
    wanted = case.details.get("method", "")
    for method in customers.methods_of(order.customer.id):
        if method.reference == wanted:
            return method
    raise MethodUnknown(wanted, field="method", rule="saved_method_of_the_customer")


def take_payment(case: Case, order: OrderView, method: customers.MethodRow, amount: int, *, at: datetime) -> None:
    """Book a further payment of the order; a gift card pays it from its balance."""
    payment_id = order_commands.add_payment(
        order.id,
        reference=f"{case.ref}-{method.reference}",
        method=method.kind,
        method_reference=method.reference,
        captured_minor=amount,
        captured_at=at,
    )
    moves = [Move(Book.MONEY, payment_id, MoneyAccount.CAPTURED, MoneyAccount.AVAILABLE, order.currency, amount)]
    if method.kind in {"gift_card", "store_credit"}:
        moves.append(Move(Book.CREDIT, method.id, Credit.BALANCE, Credit.ISSUED, order.currency, amount))
    ledger.enter(
        kind="payment_taken",
        request_key=f"case:{case.id}:taken",
        moves=moves,
        at=at,
        order_id=order.id,
        cause=case.ref,
    )


def _give_back(case: Case, order: OrderView, shares: Mapping[int, int], *, at: datetime, to_method: str = "") -> None:
    """Promise parts of payments back, as a remedy like any other, so that settlement pays it once."""
    decision = db.fetch_one("select id from cases_decision where case_id = %s and not superseded", [case.id])
    assert decision is not None  # noqa: S101 - only approved decisions are carried out
    [remedy_id] = db.insert(
        "cases_remedy",
        [
            {
                "decision_id": decision["id"],
                "case_id": case.id,
                "seq": 100,
                "kind": "refund",
                "line_id": None,
                "quantity": None,
                "amount_minor": sum(shares.values()),
                "currency": order.currency,
                "borne_by": "seller",
                "due_by": None,
                "after": "",
                "rule": "change-of-order",
                "state": "released",
                "released_at": at,
            }
        ],
    )
    db.send_rows(
        "cases_remedyshare",
        [
            {"remedy_id": remedy_id, "payment_id": payment_id, "amount_minor": part, "to_method": to_method}
            for payment_id, part in shares.items()
        ],
    )
    ledger.enter(
        kind="refund_promised",
        request_key=f"remedy:{remedy_id}:promised",
        moves=[
            Move(Book.MONEY, payment_id, MoneyAccount.AVAILABLE, MoneyAccount.PROMISED, order.currency, part)
            for payment_id, part in shares.items()
        ],
        at=at,
        order_id=order.id,
        cause=case.ref,
    )
