"""What is done to orders and parcels: recording what sources and carriers tell, and what a case changes."""

from __future__ import annotations

import itertools
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from makegood.connectors.records import OrderRecord
from makegood.kit import db, errors, jobs
from makegood.orders import queries, staging
from makegood.orders.checking import check_order
from makegood.orders.queries import OrderUnknown, OrderView
from makegood.orders.refusals import RecordRefused, Refusal
from makegood.orders.rules import Happening, fold_position
from makegood.orders.states import ParcelEventKind, Position

CLOCKS_APART = timedelta(minutes=5)  # another computer's clock may be ahead of ours by so much


class ParcelUnknown(errors.Unknown):
    code = "parcel_unknown"
    message = "There is no parcel {value}."


class LineUnknown(errors.Unknown):
    code = "line_unknown"
    message = "{field}: the order has no line {value}."


class CatalogItemUnknown(errors.Unknown):
    code = "catalog_item_unknown"
    message = "There is no item {value} that could be sent."


class ParcelEventMalformed(errors.Malformed):
    code = "parcel_event_malformed"
    message = "{field}: {value} is not acceptable ({rule})."


class ItemNotExchangeable(errors.Refused):
    code = "item_not_exchangeable"
    message = "{value} cannot take the place of this item ({rule})."


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of a bulk of orders, by number; ``refused`` tells for each refused record why."""

    created: list[str]
    updated: list[str]
    unchanged: list[str]
    refused: list[Refusal]


@db.command
def record_orders(records: Sequence[OrderRecord], *, at: datetime, source_format: str = "api") -> Recorded:
    """Create or update orders, each wholly or not at all; a refused one does not keep the others out.

    A record known by its digest is left unchanged. Orders with after-sales keep their figures (code
    ``order_in_after_sales``). ``Refusal.index`` is the place in ``records``.
    """
    refused: list[Refusal] = []
    staged = []
    home = staging.home_market()
    for index, record in enumerate(records):
        try:
            check_order(record, at=at, skew=CLOCKS_APART, strict=True, home=home)
            staged.append(staging.stage(record, index, home=home))
        except RecordRefused as why:
            refused.append(why.refusal(index, record.number[:80]))
    stored = staging.store(staged, source_format=source_format, import_id=None, at=at)
    places = {order.number: order.index for order in staged}
    refused += [why.refusal(places[number], number) for number, why in stored.refused.items()]
    return Recorded(stored.created, stored.updated, stored.unchanged, sorted(refused, key=lambda r: r.index))


def lock_order(order_id: int) -> None:
    """Wait for and hold the mutex of everything after-sales of this order. Raises OrderUnknown.

    The first lock of every command that touches an order: order → ledger accounts → case.
    """
    db.require_transaction()
    if db.fetch_one("select id from orders_order where id = %s for update", [order_id]) is None:
        raise OrderUnknown(order_id, field="order")


def lock_order_by_number(number: str) -> OrderView:
    """Lock an order known by its number; the order as it stands under the lock. Raises OrderUnknown."""
    db.require_transaction()
    db.send("select 1 from orders_order where number = %s for update", [number])
    return queries.order_by_number(number)


@dataclass(frozen=True, slots=True)
class ParcelMoved:
    """Where a report left a parcel; ``again``: it had been told before and changed nothing."""

    parcel_id: int
    order_id: int
    position: str
    again: bool


@db.command
def record_parcel_event(
    *, parcel_reference: str, kind: str, happened_at: datetime, source_key: str, at: datetime, text: str = ""
) -> list[ParcelMoved]:
    """Append a carrier's report and fold the position of the parcel from all of its reports.

    Reports may come late, twice (same ``source_key``) and in any order. Leaves ``cases.follow_parcel``. Gives one
    entry for each order the parcel holds goods of.
    Raises ParcelUnknown, ParcelEventMalformed.
    """
    _check_event(kind=kind, happened_at=happened_at, source_key=source_key, at=at)
    # One parcel may hold two orders of the same person; a carrier gives an old number to another one later.
    parcels = db.fetch(
        """
        select p.id, p.order_id from orders_parcel p join orders_order o on o.id = p.order_id
         where p.reference = %s
           and o.customer_id = (select o2.customer_id from orders_parcel p2 join orders_order o2 on o2.id = p2.order_id
                                 where p2.reference = %s order by p2.id desc limit 1)
         order by p.order_id, p.id
        """,
        [parcel_reference, parcel_reference],
    )
    if not parcels:
        raise ParcelUnknown(parcel_reference, field="parcel")
    for parcel in parcels:
        lock_order(parcel["order_id"])
    report = (kind, happened_at, at, text[:400], source_key)
    return [_report(parcel["id"], parcel["order_id"], report) for parcel in parcels]


def _report(parcel_id: int, order_id: int, report: tuple[str, datetime, datetime, str, str]) -> ParcelMoved:
    new = db.fetch(
        "insert into orders_parcelevent (parcel_id, kind, happened_at, received_at, text, source_key)"
        " values (%s, %s, %s, %s, %s, %s) on conflict (merchant_id, parcel_id, source_key) do nothing returning id",
        [parcel_id, *report],
    )
    if not new:
        row = db.fetch_one("select position from orders_parcel where id = %s", [parcel_id])
        return ParcelMoved(parcel_id, order_id, row["position"] if row else "", again=True)
    position = _fold_parcel(parcel_id)
    jobs.leave("cases.follow_parcel", parcel_id=parcel_id)
    return ParcelMoved(parcel_id, order_id, position, again=False)


def _check_event(*, kind: str, happened_at: datetime, source_key: str, at: datetime) -> None:
    if kind not in set(ParcelEventKind):
        raise ParcelEventMalformed(kind, field="kind", rule="|".join(ParcelEventKind))
    if happened_at.tzinfo is None:
        raise ParcelEventMalformed(happened_at, field="happened_at", rule="a time with its offset")
    if happened_at > at + CLOCKS_APART:
        raise ParcelEventMalformed(happened_at.isoformat(), field="happened_at", rule="not in the future")
    if not 0 < len(source_key) <= 120:
        raise ParcelEventMalformed(source_key, field="source_key", rule="1 to 120 characters")


def _fold_parcel(parcel_id: int) -> str:
    """Set the parcel's position from all its events, and the order's dates where they were not known."""
    parcel = db.fetch_one("select * from orders_parcel where id = %s", [parcel_id])
    if parcel is None:
        raise ParcelUnknown(parcel_id, field="parcel")
    rows = db.fetch("select kind, happened_at from orders_parcelevent where parcel_id = %s", [parcel_id])
    events = [Happening(row["kind"], row["happened_at"]) for row in rows]
    position = fold_position(events, told=parcel["told_position"], direction=parcel["direction"])
    db.execute("update orders_parcel set position = %s where id = %s", [position, parcel_id])
    if parcel["direction"] == "out":
        sent = [event.happened_at for event in events if event.kind in staging.SENT]
        arrived = [event.happened_at for event in events if event.kind == ParcelEventKind.DELIVERED]
        db.execute(
            "update orders_order set shipped_at = coalesce(shipped_at, %s), delivered_at = coalesce(delivered_at, %s)"
            " where id = %s",
            [min(sent, default=None), min(arrived, default=None), parcel["order_id"]],
        )
    return position


def change_address(order_id: int, address: Mapping[str, Any]) -> None:
    """Send the order elsewhere; a later import does not take this back. The caller has locked the order."""
    db.require_transaction()
    touched = db.execute(
        "update orders_order set address = %s::jsonb, remarks = case when 'address_changed' = any (remarks)"
        " then remarks else array_append(remarks, 'address_changed') end where id = %s",
        [json.dumps(dict(address)), order_id],
    )
    if not touched:
        raise OrderUnknown(order_id, field="order")


@dataclass(frozen=True, slots=True)
class Replacement:
    """``quantity`` units of a line to be replaced by the catalogue item ``sku``."""

    line_id: int
    quantity: int
    sku: str


@dataclass(frozen=True, slots=True)
class NewLine:
    """A line that replaces units of another; ``paid_minor`` is its price, to be paid or already paid."""

    id: int
    number: str
    replaces_line_id: int
    quantity: int
    unit_minor: int
    paid_minor: int


def change_items(order_id: int, replacements: Sequence[Replacement]) -> list[NewLine]:
    """Add a line for each replacement. The caller has locked the order, and moves units and money in the ledger.

    The line that is replaced stays as sold: its units are ``exchanged`` in the ledger. An item must be available,
    of the same product and currency, and another than the one it replaces. Raises LineUnknown,
    CatalogItemUnknown, ItemNotExchangeable.
    """
    db.require_transaction()
    currency = (db.fetch_one("select currency from orders_order where id = %s", [order_id]) or {}).get("currency")
    if currency is None:
        raise OrderUnknown(order_id, field="order")
    rows = db.fetch("select * from orders_line where order_id = %s order by id", [order_id])
    lines = {row["id"]: row for row in rows}
    skus = [replacement.sku for replacement in replacements]
    found = db.fetch("select * from orders_catalogitem where sku = any(%s)", [skus])
    items = {item["sku"]: item for item in found}
    taken = {row["number"] for row in rows}
    new = []
    for replacement in replacements:
        line = lines.get(replacement.line_id)
        if line is None:
            raise LineUnknown(replacement.line_id, field="line")
        item = items.get(replacement.sku)
        if item is None:
            raise CatalogItemUnknown(replacement.sku, field="sku")
        _check_exchange(line, item, currency, replacement.quantity)
        number = _next_number(line["number"], taken)
        taken.add(number)
        new.append((replacement, line, item, number))
    ids = db.insert("orders_line", [_line_of(order_id, *one) for one in new])
    return [
        NewLine(
            line_id,
            number,
            line["id"],
            replacement.quantity,
            item["price_minor"],
            item["price_minor"] * replacement.quantity,
        )
        for line_id, (replacement, line, item, number) in zip(ids, new, strict=True)
    ]


def send_again(order_id: int, line_id: int, *, quantity: int, paid_minor: int) -> NewLine:
    """Add a line for units of the same item sent in place of others; ``paid_minor`` of the payment stands for it.

    The caller has locked the order, and moves units and value in the ledger. Raises LineUnknown.
    """
    db.require_transaction()
    lines = {
        row["id"]: row for row in db.fetch("select * from orders_line where order_id = %s order by id", [order_id])
    }
    line = lines.get(line_id)
    if line is None:
        raise LineUnknown(line_id, field="line")
    number = _next_number(line["number"], {row["number"] for row in lines.values()})
    facts = {name: value for name, value in db.read_json(line["attributes"]).items() if name == "facts"}
    kept = ("order_id", "sku", "title", "category", "product", "options", "unit_minor")
    row = {name: line[name] for name in kept} | {
        "number": number,
        "quantity": quantity,
        "discount_minor": 0,
        "tax_minor": 0,
        "paid_minor": paid_minor,
        "returned_before": 0,
        "cancelled_before": 0,
        "attributes": json.dumps({**facts, "replaces": line["number"]}),
    }
    [new_id] = db.insert("orders_line", [row])
    return NewLine(new_id, number, line_id, quantity, line["unit_minor"] or 0, paid_minor)


def _next_number(number: str, taken: Collection[str]) -> str:
    """The number of a line that replaces units of another."""
    return next(name for n in itertools.count(1) if (name := f"{number[:70]}+{n}") not in taken)


def _check_exchange(line: Mapping[str, Any], item: Mapping[str, Any], currency: str, quantity: int) -> None:
    if item["product"] != (line["product"] or line["sku"]):
        raise ItemNotExchangeable(item["sku"], field="sku", rule="same product")
    if item["sku"] == line["sku"]:
        raise ItemNotExchangeable(item["sku"], field="sku", rule="another item")
    if not item["available"]:
        raise ItemNotExchangeable(item["sku"], field="sku", rule="available")
    if item["currency"] != currency:
        raise ItemNotExchangeable(item["sku"], field="currency", rule=f"sold in {currency}")
    if not 0 < quantity <= line["quantity"]:
        raise ItemNotExchangeable(quantity, field="quantity", rule=f"1 to {line['quantity']}")


def _line_of(
    order_id: int, replacement: Replacement, line: Mapping[str, Any], item: Mapping[str, Any], number: str
) -> dict[str, Any]:
    return {
        "order_id": order_id,
        "number": number,
        "sku": item["sku"],
        "title": item["title"],
        "category": line["category"],
        "product": item["product"],
        "options": item["options"],
        "quantity": replacement.quantity,
        "unit_minor": item["price_minor"],
        "discount_minor": 0,
        "tax_minor": 0,
        "paid_minor": item["price_minor"] * replacement.quantity,
        "returned_before": 0,
        "cancelled_before": 0,
        "attributes": json.dumps({"replaces": line["number"]}),
    }


def add_parcel(
    order_id: int,
    *,
    reference: str,
    contents: Mapping[int, int],
    direction: str = "out",
    carrier: str = "",
    position: str = Position.NOT_SHIPPED,
) -> int:
    """Record a parcel of after-sales (``direction`` ``back``: from the customer, ``out``: a replacement); its id.

    ``contents`` maps line ids to units. The same reference again gives the same parcel. The caller has locked
    the order.
    """
    db.require_transaction()
    [parcel_id] = (
        row["id"]
        for row in db.fetch(
            "insert into orders_parcel (order_id, reference, carrier, direction, position, told_position)"
            " values (%s, %s, %s, %s, %s, %s) on conflict (merchant_id, order_id, reference)"
            " do update set carrier = excluded.carrier returning id",
            [order_id, reference, carrier, direction, position, position],
        )
    )
    for line_id, units in sorted(contents.items()):
        db.execute(
            "insert into orders_parcelline (parcel_id, line_id, quantity) values (%s, %s, %s)"
            " on conflict (merchant_id, parcel_id, line_id) do update set quantity = excluded.quantity",
            [parcel_id, line_id, units],
        )
    return int(parcel_id)


def add_payment(
    order_id: int, *, reference: str, method: str, method_reference: str, captured_minor: int, captured_at: datetime
) -> int:
    """Record a further payment of an order, taken after the sale; its id. The caller has locked the order."""
    db.require_transaction()
    internal = method in {"gift_card", "store_credit"}
    [payment_id] = db.insert(
        "orders_payment",
        [
            {
                "order_id": order_id,
                "reference": reference,
                "method": method,
                "method_reference": method_reference,
                "captured_minor": captured_minor,
                "refunded_before_minor": 0,
                "captured_at": captured_at,
                "gateway": "store_credit" if internal else "manual",
                "gateway_reference": "",
            }
        ],
    )
    return int(payment_id)
