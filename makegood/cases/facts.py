"""Stating the facts of a case for the policy: from the order, the ledger, the case and what was verified.

What is not known is left out: unknown is not false.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from makegood.cases import reallocating
from makegood.cases.models import Case
from makegood.cases.parts import PARTS
from makegood.customers import queries as customers
from makegood.kit import db
from makegood.kit.money import Money
from makegood.ledger import queries as balances
from makegood.ledger.states import Book, Claims, Credit, Goods, MoneyAccount, Value
from makegood.orders.catalog import catalog_items
from makegood.orders.queries import LineView, OrderView

# Where a unit is, in the words of the policy; the later in this list, the further along.
POSITIONS: dict[str, str] = {
    Goods.TO_SHIP: "not_shipped",
    Goods.IN_TRANSIT: "in_transit",
    Goods.RECALLING: "in_transit",
    Goods.SENDING_BACK: "with_customer",
    Goods.DELIVERED: "with_customer",
    Goods.REFUSED: "returning",
    Goods.RETURNING: "returning",
    Goods.LOST: "lost",
    Goods.RECEIVED: "back",
    Goods.RESTOCKED: "back",
    Goods.WRITTEN_OFF: "back",
}
ALONG = ("not_shipped", "in_transit", "at_door", "with_customer", "returning", "lost", "back")


# Balances by book, subject and account.
_Held = Mapping[str, Mapping[int, Mapping[str, int]]]


def state_facts(case: Case, order: OrderView | None, *, currency: str) -> dict[str, Any]:
    """The facts document of the contract, for this case as it stands now."""
    asked, earlier, evidence, findings = _rows_of(case)
    held = _held(order) if order else {}
    return _with_findings(_stated(case, order, asked, earlier, evidence, held, currency=currency), findings)


@dataclass(frozen=True, slots=True)
class Ground:
    """What an order stands on: its balances and its other approved cases, read once for many imagined cases."""

    held: _Held
    earlier: Sequence[Mapping[str, Any]]


def ground_of(order: OrderView) -> Ground:
    """Inside a transaction in which the order's books are open."""
    earlier = db.fetch("select kind, reason from cases_case where order_id = %s and state = 'approved'", [order.id])
    return Ground(_held(order), earlier)


def imagine_facts(
    case: Case, order: OrderView, ground: Ground, *, units: Sequence[tuple[LineView, int]], evidence: Sequence[str]
) -> dict[str, Any]:
    """The facts as they would be of a case that nobody filed: units of lines, and kinds of evidence to be brought.

    Filing takes its units from those still open; here they stay there, so that none of its own are subtracted again.
    """
    asked = [
        {"line_id": line.id, "quantity": count, "made_good": count, "wanted_sku": "", "number": line.number,
         "product": line.product, "sku": line.sku}
        for line, count in units
    ]  # fmt: skip
    brought = [{"kind": kind, "of_line": ""} for kind in evidence]
    return _stated(case, order, asked, ground.earlier, brought, ground.held, currency=order.currency)


def _stated(
    case: Case,
    order: OrderView | None,
    asked: Sequence[Mapping[str, Any]],
    earlier: Sequence[Mapping[str, Any]],
    evidence: Sequence[Mapping[str, Any]],
    held: _Held,
    *,
    currency: str,
) -> dict[str, Any]:
    document: dict[str, Any] = {
        "currency": order.currency if order else currency,
        "asked_at": case.opened_at.isoformat(),
        "case": _case_facts(case, order, asked),
    }
    if order:
        document |= {"platform": order.platform or "own-store"}
        document |= {"market": order.market} if order.market else {}
        document["order"] = _order_facts(case, order, asked, held, earlier)
        parcel = _parcel_facts(order, asked, held)
        document |= {"parcel": parcel} if parcel else {}
        document |= _change_facts(case, order, asked)
    if evidence:
        brought = [{"kind": row["kind"]} | ({"of": row["of_line"]} if row["of_line"] else {}) for row in evidence]
        document["evidence"] = brought
    return document


def _held(order: OrderView) -> _Held:
    ids = [line.id for line in order.lines]
    payments = [payment.id for payment in order.payments]
    return balances.balances_of(
        {Book.CLAIMS: ids, Book.VALUE: ids, Book.GOODS: ids, Book.SHIPPING: [order.id], Book.MONEY: payments}
    )


def _rows_of(case: Case) -> list[list[dict[str, Any]]]:
    """What was asked, the order's other approved cases, evidence, findings: read together."""
    return db.fetch_each(
        (
            "select cl.line_id, cl.quantity, cl.made_good, cl.wanted_sku, l.number, l.product, l.sku"
            " from cases_caseline cl join orders_line l on l.id = cl.line_id where cl.case_id = %s order by cl.id",
            [case.id],
        ),
        (
            "select kind, reason from cases_case where order_id = %s and id <> %s and state = 'approved'",
            [case.order_id, case.id],
        ),
        (
            f"{PARTS} select kind, of_line from cases_evidence where case_id in (select id from parts) order by id",
            [case.id],
        ),
        (
            f"{PARTS} select fact, value from cases_finding where case_id in (select id from parts) order by id",
            [case.id],
        ),
    )


def _case_facts(case: Case, order: OrderView | None, asked: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    facts: dict[str, Any] = {"kind": case.kind, "reason": case.reason, "claimant": case.claimant}
    facts |= case.details.get("facts", {})
    if "promise_missed" in case.marks:
        facts["promise_missed"] = True
    if order and asked:
        units: dict[str, int] = {}
        for row in asked:
            units[row["number"]] = units.get(row["number"], 0) + row["quantity"]
        facts["lines"] = [{"id": number, "quantity": quantity} for number, quantity in units.items()]
    return facts


def _order_facts(
    case: Case,
    order: OrderView,
    asked: Sequence[Mapping[str, Any]],
    held: _Held,
    approved: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "shipping_paid": Money(order.shipping_minor, order.currency).amount(),
        "fulfilled_by": order.fulfilled_by,
        "channel": order.channel,
        "lines": _line_facts(case, order, asked, held),
        "payment_records": len(order.payments) + sum(1 for p in order.payments if p.refunded_before_minor),
    }
    for name in ("ordered_at", "shipped_at", "delivered_at", "promised_by"):
        if moment := getattr(order, name):
            facts[name] = moment.isoformat()
    if order.payments:
        facts["payment"] = order.payments[0].method
    shipping = held[Book.SHIPPING][order.id]
    given = _given(shipping)
    facts["shipping_refunded_before"] = Money(given, order.currency).amount()
    if charged_back := _charged_back(held[Book.MONEY].values()):
        facts["charged_back"] = Money(charged_back, order.currency).amount()
        refunded = given + sum(_given(held[Book.VALUE][line.id]) for line in order.lines)
        facts["refunded_before"] = Money(refunded, order.currency).amount()
    if order.state == "cancelled":
        facts["state"] = "cancelled"
    for earlier in approved:
        if earlier["kind"] in {"return", "exchange"}:
            facts["return_asked"] = True
        if (earlier["kind"], earlier["reason"]) == ("change", "items"):
            facts["items_changed"] = True
        if earlier["kind"] == "cancellation" and _all_cancelled(order, held[Book.GOODS]):
            facts["state"] = "cancelled"
    return {**facts, **order.attributes.get("facts", {})}


def _given(value: Mapping[str, int]) -> int:
    """Minor units of a line or of the shipping that were promised or given back."""
    return value.get(Value.PROMISED, 0) + value.get(Value.GIVEN, 0)


def _charged_back(payments: Iterable[Mapping[str, int]]) -> int:
    """Minor units that card issuers or wallets took back, also where it was more than was left of a payment."""
    return sum(held.get(MoneyAccount.CHARGED_BACK, 0) + held.get(MoneyAccount.BEYOND, 0) for held in payments)


def _all_cancelled(order: OrderView, goods: Mapping[int, Mapping[str, int]]) -> bool:
    return all(goods[line.id].get(Goods.CANCELLED, 0) == line.quantity for line in order.lines)


def _line_facts(case: Case, order: OrderView, asked: Sequence[Mapping[str, Any]], held: _Held) -> list[dict[str, Any]]:
    claims, value = held[Book.CLAIMS], held[Book.VALUE]
    mine: dict[int, int] = {}
    for row in asked:
        mine[row["line_id"]] = mine.get(row["line_id"], 0) + row["quantity"] - row["made_good"]
    lines = [_line(line, order, claims[line.id], value[line.id], mine.get(line.id, 0)) for line in order.lines]
    if "terms" in order.attributes:
        reallocating.state_prices(case, order, lines)
    return lines


def _line(
    line: LineView, order: OrderView, claims: Mapping[str, int], value: Mapping[str, int], mine: int
) -> dict[str, Any]:
    gone = line.quantity - claims.get(Claims.OPEN, 0) - min(mine, claims.get(Claims.ASKED, 0))
    facts: dict[str, Any] = {
        "id": line.number,
        "quantity": line.quantity,
        "units_given_back": max(0, min(gone, line.quantity)),
    }
    if line.category:
        facts["category"] = line.category
    if Value.PAID in value or line.paid_minor is not None:
        facts["paid"] = Money(-value.get(Value.PAID, 0), order.currency).amount()
        facts["refunded_before"] = Money(_given(value), order.currency).amount()
    return {**facts, **line.attributes.get("facts", {})}


def _parcel_facts(order: OrderView, asked: Sequence[Mapping[str, Any]], held: _Held) -> dict[str, Any]:
    """Where the asked units are; the furthest along counts where they are in several places."""
    ids = {row["line_id"] for row in asked} or {line.id for line in order.lines}
    places = {
        POSITIONS[name]
        for line_id in ids
        for name, units in held[Book.GOODS][line_id].items()
        if units > 0 and name in POSITIONS
    }
    if "in_transit" in places and any(parcel.position == "at_door" for parcel in order.parcels):
        places.add("at_door")
    return {"position": max(places, key=ALONG.index)} if places else {}


def _change_facts(case: Case, order: OrderView, asked: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What a change or exchange would cost and whether the chosen way of payment can bear it."""
    facts: dict[str, Any] = {}
    difference = 0
    wanted = [row for row in asked if row["wanted_sku"]]
    if wanted:
        items = catalog_items([row["wanted_sku"] for row in wanted])
        difference = price_difference(order, wanted, items)
        facts["change"] = {
            "new_items_available": all(
                row["wanted_sku"] in items and items[row["wanted_sku"]].available for row in wanted
            ),
            "same_product": all(
                row["wanted_sku"] in items and items[row["wanted_sku"]].product == row["product"] for row in wanted
            ),
            "differs": all(row["wanted_sku"] != row["sku"] for row in wanted),
            "to_pay": Money(max(difference, 0), order.currency).amount(),
            "to_refund": Money(max(-difference, 0), order.currency).amount(),
        }
    elif case.kind == "change" and case.reason == "payment":
        difference = sum(payment.captured_minor - payment.refunded_before_minor for payment in order.payments)
    if method := method_facts(case, order, to_pay=max(difference, 0)):
        facts["method"] = method
    return facts


def price_difference(order: OrderView, wanted: Sequence[Mapping[str, Any]], items: Mapping[str, Any]) -> int:
    """Price of the new items less what was paid for the old ones, in minor units; positive: to be paid."""
    total = 0
    by_id = {line.id: line for line in order.lines}
    for row in wanted:
        if row["wanted_sku"] in items:
            paid = paid_for(by_id[row["line_id"]], row["quantity"])
            total += items[row["wanted_sku"]].price_minor * row["quantity"] - paid
    return total


def paid_for(line: LineView, units: int) -> int:
    """What was paid for some units of a line, in minor units, rounded down."""
    return (line.paid_minor or 0) * units // max(line.quantity, 1)


def method_facts(case: Case, order: OrderView, *, to_pay: int) -> dict[str, Any]:
    """The way of payment named in the request, else the original one."""
    reference = case.details.get("method") or (order.payments[0].method_reference if order.payments else "")
    if not reference:
        return {}
    saved = {method.reference: method for method in customers.methods_of(order.customer.id)}
    original = bool(order.payments) and reference == order.payments[0].method_reference
    facts: dict[str, Any] = {"belongs_to_customer": reference in saved, "is_original": original}
    if reference not in saved:
        return facts
    method = saved[reference]
    facts["kind"] = _policy_kind(method.kind)
    if method.kind in {"gift_card", "store_credit"}:
        held = balances.balances(Book.CREDIT, [method.id])[method.id]
        facts["balance_covers"] = held.get(Credit.BALANCE, 0) >= to_pay
    else:
        facts["balance_covers"] = True
    return facts


def _policy_kind(kind: str) -> str:
    known = {"card", "wallet", "cod", "gift_card", "bank", "points", "coupon"}
    return {"store_credit": "gift_card"}.get(kind, kind if kind in known else "unknown")


def _with_findings(document: dict[str, Any], rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Put what verification established over what was merely said; the latest finding of a fact counts."""
    for row in rows:
        section, _, name = row["fact"].partition(".")
        value = db.read_json(row["value"])
        if section == "line":
            line, _, name = name.rpartition(".")
            for entry in document.get("order", {}).get("lines", []):
                if entry["id"] == line:
                    entry[name] = value
        else:
            document.setdefault(section, {})[name] = value
    return document
