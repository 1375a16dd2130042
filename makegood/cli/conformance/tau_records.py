"""What our tables say of an order and a customer, in the words of the tau retail benchmark's records."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from makegood.customers import queries as customers
from makegood.kit import db
from makegood.ledger import queries as ledger
from makegood.ledger.states import Book, Credit
from makegood.orders.queries import OrderView, order_by_number

OPTIONAL = (
    "cancel_reason",
    "exchange_items",
    "exchange_new_items",
    "exchange_payment_method_id",
    "exchange_price_difference",
    "return_items",
    "return_payment_method_id",
)
REASONS = {"no longer needed": "changed_mind", "ordered by mistake": "ordered_by_mistake"}
_REASON_BACK = {ours: theirs for theirs, ours in REASONS.items()}


def order_record(number: str, base: Mapping[str, Any]) -> dict[str, Any]:
    """The order as it is now. ``base`` is the record it was imported from: what after-sales cannot touch is its."""
    order = order_by_number(number)
    record = {**dict.fromkeys(OPTIONAL), **copy.deepcopy(dict(base))}
    record["address"] = dict(order.address)
    record["items"] = _items(order, record["items"])
    record["payment_history"] = record["payment_history"] + _money_since(order)
    for case in db.fetch(
        "select c.id, c.kind, c.reason, c.details, d.facts from cases_case c join cases_decision d"
        " on d.case_id = c.id and not d.superseded where c.order_id = %s and c.state = 'approved' order by c.id",
        [order.id],
    ):
        record |= _told_by(case)
    return record


def current_lines(order: OrderView) -> list[Any]:
    """The lines that are still on the order, in the order of the items: replaced ones are represented by the new."""
    replaced = {line.attributes["replaces"]: line for line in order.lines if "replaces" in line.attributes}
    originals = [line for line in order.lines if "replaces" not in line.attributes]
    return [replaced.get(line.number, line) for line in originals]


def _items(order: OrderView, base: list[dict[str, Any]]) -> list[dict[str, Any]]:
    items = []
    for line, was in zip(current_lines(order), base, strict=True):
        if line.sku == was["item_id"] and "replaces" not in line.attributes:
            items.append(was)
            continue
        items.append(
            {
                "name": line.title,
                "product_id": line.product,
                "item_id": line.sku,
                "price": dollars(line.unit_minor or 0),
                "options": dict(line.options),
            }
        )
    return items


def _money_since(order: OrderView) -> list[dict[str, Any]]:
    """Payments taken and refunds granted since the import, in the order in which they came about."""
    methods = {payment.id: payment.method_reference for payment in order.payments}
    taken = [
        (*_case_of(payment.reference), 0, payment.id, "payment", payment.captured_minor, payment.method_reference)
        for payment in order.payments
        if payment.reference.startswith("C-")
    ]
    given = [
        (row["case_id"], 1, row["id"], "refund", row["amount_minor"], row["to_method"] or methods[row["payment_id"]])
        for row in db.fetch(
            "select r.case_id, s.id, s.amount_minor, s.to_method, s.payment_id from cases_remedyshare s"
            " join cases_remedy r on r.id = s.remedy_id join cases_case c on c.id = r.case_id"
            " where c.order_id = %s and r.state in ('released', 'paid')",
            [order.id],
        )
    ]
    totals: dict[tuple[int, int, str, str], int] = {}
    for case_id, rank, _, kind, minor, method in sorted([*taken, *given]):
        key = (case_id, rank, kind, method)
        totals[key] = totals.get(key, 0) + minor
    return [
        {"transaction_type": kind, "amount": dollars(minor), "payment_method_id": method}
        for (_, _, kind, method), minor in totals.items()
    ]


def _case_of(reference: str) -> tuple[int]:
    """A payment taken by a case is named after it: ``C-XXXXXXXX-method``."""
    ref = "-".join(reference.split("-", 2)[:2])
    row = db.fetch_one("select id from cases_case where ref = %s", [ref])
    return (row["id"] if row else 0,)


def _told_by(case: Mapping[str, Any]) -> dict[str, Any]:
    """What an approved case changes in the benchmark's record."""
    details, facts = db.read_json(case["details"]), db.read_json(case["facts"])
    if case["kind"] == "cancellation":
        return {"status": "cancelled", "cancel_reason": _REASON_BACK[case["reason"]]}
    if (case["kind"], case["reason"]) == ("change", "items"):
        return {"status": "pending (item modified)"}
    lines = db.fetch(
        "select l.sku, cl.wanted_sku from cases_caseline cl join orders_line l on l.id = cl.line_id"
        " where cl.case_id = %s order by cl.id",
        [case["id"]],
    )
    if case["kind"] == "return":
        return {
            "status": "return requested",
            "return_items": sorted(line["sku"] for line in lines),
            "return_payment_method_id": details["method"],
        }
    if case["kind"] == "exchange":
        change = facts["change"]
        return {
            "status": "exchange requested",
            "exchange_items": sorted(line["sku"] for line in lines),
            "exchange_new_items": sorted(line["wanted_sku"] for line in lines),
            "exchange_payment_method_id": details["method"],
            "exchange_price_difference": float(Decimal(change["to_pay"]) - Decimal(change["to_refund"])),
        }
    return {}


def user_record(customer_id: int, base: Mapping[str, Any]) -> dict[str, Any]:
    """The customer as it is now: address, and the balances of gift cards from the ledger."""
    record = copy.deepcopy(dict(base))
    record["address"] = dict(customers.customer_by_id(customer_id).address)
    methods = {method.reference: method for method in customers.methods_of(customer_id)}
    held = ledger.balances(Book.CREDIT, [method.id for method in methods.values()])
    for reference, method in record["payment_methods"].items():
        if "balance" in method:
            saved = methods[reference]
            minor = held[saved.id].get(Credit.BALANCE, 0) if saved.id in held else saved.opening_minor
            method["balance"] = dollars(minor)
    return record


def dollars(minor: int) -> float:
    return float(Decimal(minor).scaleb(-2))


def rounded(value: Any) -> Any:
    """Floats to cents everywhere, so that 1.10 and 1.1000000001 are the same amount."""
    if isinstance(value, float):
        return float(Decimal(str(value)).quantize(Decimal("0.01"), ROUND_HALF_UP))
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [rounded(item) for item in value]
    return value


def possible_order(
    record: Mapping[str, Any], products: Mapping[str, Any]
) -> tuple[dict[str, Any], list[str], dict[str, float]]:
    """An expected order record made possible: the record, what was wrong with it, and excess refunds by method.

    Two things in the benchmark's own end states cannot be so, and are corrected before comparing:

    * Cancelling books a refund for every line of the payment history, refunds included, so after a change of
      payment the same money comes back several times. Nobody is owed that; our ledger refuses it.
    * Changing several items at once writes price and options of the last new item onto all of them, so an
      order holds a camera with the options of a T-shirt. The item's number and the sum paid are right.
    """
    history, excess = _paid_back_once(record.get("payment_history", []))
    wrong = [f"refunds more than was paid by {method}" for method in excess]
    items = []
    for item in record.get("items", []):
        variant = products.get(item["product_id"], {}).get("variants", {}).get(item["item_id"])
        told = (rounded(item["price"]), item["options"])
        # Orders keep the price of their day; options belong to the item for ever. Where they are another item's,
        # the price is another item's too.
        if variant and item["options"] != variant["options"] and told == _like(item, record["items"]):
            wrong.append(f"item {item['item_id']} has price and options of another item")
            item = {**item, "price": variant["price"], "options": variant["options"]}  # noqa: PLW2901
        items.append(item)
    return {**record, "payment_history": history, "items": items}, wrong, excess


def _like(item: Mapping[str, Any], items: list[dict[str, Any]]) -> tuple[Any, Any]:
    """Price and options of the other item that says the same; of the item itself where none does."""
    for other in items:
        if other is not item and other["item_id"] != item["item_id"] and other["options"] == item["options"]:
            return rounded(other["price"]), other["options"]
    return None, None


def _paid_back_once(history: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], dict[str, float]]:
    """The history without refunds told twice or beyond what the order had paid; the excess by method."""
    left: dict[str, Decimal] = {}
    excess: dict[str, float] = {}
    kept: list[dict[str, Any]] = []
    for entry in history:
        amount, method = Decimal(str(entry["amount"])), entry["payment_method_id"]
        if entry["transaction_type"] == "payment":
            left[method] = left.get(method, Decimal(0)) + amount
        elif (entry in kept and amount > left.get(method, Decimal(0))) or amount > sum(left.values()):
            excess[method] = excess.get(method, 0.0) + float(amount)
            continue
        else:
            # What is refunded another way than it was paid still comes out of what the order had paid.
            source = method if left.get(method, Decimal(0)) >= amount else max(left, key=lambda name: left[name])
            left[source] -= amount
        kept.append(entry)
    return kept, excess
