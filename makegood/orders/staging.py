"""Store records of orders in bulk: COPY into a staging table, then one statement a table.

The same way for files and for the API. Everything here works inside the caller's transaction.
"""

from __future__ import annotations

import json
import json.encoder
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from hashlib import sha256
from operator import attrgetter
from pathlib import Path
from typing import Any

from django.db import connection

from makegood.connectors.records import CatalogRecord, CustomerRecord, OrderRecord, ParcelRecord
from makegood.customers.rules import ContactMalformed, normalize_contact
from makegood.kit import db, jobs
from makegood.orders.refusals import RecordRefused
from makegood.orders.rules import Happening, fold_position
from makegood.orders.states import ParcelEventKind

_ORDER = (
    *("currency", "ordered_at", "state", "market", "platform", "channel", "fulfilled_by"),
    *("shipping_minor", "shipping_tax_minor", "discount_minor", "address"),
    *("shipped_at", "delivered_at", "promised_by", "remarks", "attributes"),
)
_LINE = (
    *("number", "sku", "title", "category", "product", "options", "quantity", "unit_minor", "discount_minor"),
    *("tax_minor", "paid_minor", "returned_before", "cancelled_before", "attributes"),
)
_PAYMENT = (
    *("reference", "method", "captured_minor", "refunded_before_minor", "captured_at"),
    *("gateway", "gateway_reference"),
)
_CATALOG = ("sku", "product", "title", "price_minor", "currency", "available", "options")
_WRITES_OF_PEOPLE = ("customers", "customer_ids", "contacts", "methods")
_WRITES = (
    *_WRITES_OF_PEOPLE,
    *("orders", "order_ids", "lines", "payments", "parcels", "parcel_lines", "parcel_events"),
)
_order_values = attrgetter(*_ORDER)
_line_values = attrgetter(*_LINE)
_payment_values = attrgetter(*_PAYMENT)
_catalog_values = attrgetter(*_CATALOG)
SENT = frozenset(
    {ParcelEventKind.PICKED_UP, ParcelEventKind.IN_TRANSIT, ParcelEventKind.OUT_FOR_DELIVERY, ParcelEventKind.DELIVERED}
)
NOBODY = "order:"  # begins the reference of a person of whom the source tells nothing but the order


@dataclass(slots=True)
class Staged:
    """An order ready to be stored: its JSON, the digest by which it is known again, and who bought it."""

    number: str
    customer: str
    doc: dict[str, Any]
    source: list[dict[str, Any]]
    digests: list[str]
    index: int = 0
    begun: bool = False
    text: str = ""  # ``doc`` as JSON while it is as it was read


@dataclass(slots=True)
class Stored:
    """What became of a batch, by order number; refusals by number as well."""

    created: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    refused: dict[str, RecordRefused] = field(default_factory=dict)


def home_market() -> str:
    """The merchant's country: where a phone number without country code belongs, if the order names no other."""
    row = db.fetch_one("select market from accounts_merchant")
    return str(row["market"]) if row else ""


def stage(record: OrderRecord, index: int = 0, *, home: str = "") -> Staged:
    """Make an order's document. Raises RecordRefused where a text cannot be stored."""
    doc = dict(zip(_ORDER, _order_values(record), strict=True))
    lines = [dict(zip(_LINE, _line_values(line), strict=True)) for line in record.lines]
    doc["lines"] = lines
    doc["payments"] = [dict(zip(_PAYMENT, _payment_values(payment), strict=True)) for payment in record.payments]
    doc["parcels"] = [_parcel(parcel) for parcel in record.parcels]
    reference, doc["customer"] = _customer(record.customer, record.number, record.market or home)
    if record.parcels and (record.shipped_at is None or record.delivered_at is None):
        doc["shipped_at"], doc["delivered_at"] = _times_of(record)
    # Where a row stands is no news: the same row further down in a longer file is the same row.
    rows = [row.get("row", row) for row in record.source]
    text = _dump(doc)
    digest = _digest("\n".join((reference, text, _dump(rows))))
    return Staged(record.number, reference, doc, record.source, [digest], index, text=text)


def stage_customer(record: CustomerRecord, region: str = "") -> tuple[str, dict[str, Any]]:
    """The document of a person who comes without an order."""
    reference, doc = _customer(record, "", region)
    _digest(reference + _dump(doc))  # refuses what cannot be stored
    return reference, doc


def store(staged: Sequence[Staged], *, source_format: str, import_id: int | None, at: datetime) -> Stored:
    """Create, update or leave each order of the batch; numbers may repeat, their lines are then merged.

    Waits for other batches of the merchant, so that two at once both end right.
    """
    db.require_transaction()
    result = Stored()
    orders = _merged(staged)
    if not orders:
        return result
    db.execute(_sql("lock"))
    earlier = {row["number"]: row for row in db.fetch(_sql("earlier"), {"numbers": list(orders)})}
    _leave_unchanged(orders, earlier, result)
    changed = {earlier[number]["id"]: number for number in orders if number in earlier}
    if changed:
        db.fetch(_sql("lock_orders"), {"orders": list(changed)})
        _refuse_what_after_sales_forbid(orders, list(changed), result)
    if not orders:
        return result
    _write(orders.values(), source_format=source_format, import_id=import_id, at=at)
    for number in orders:
        (result.updated if number in earlier else result.created).append(number)
    updated = [earlier[number]["id"] for number in result.updated]
    if updated:
        _fold_positions(updated)
    return result


def store_people(people: Mapping[str, dict[str, Any]], *, at: datetime) -> None:
    """Record people who come without an order; ``people`` maps references to their documents."""
    db.require_transaction()
    if people:
        db.execute(_sql("lock"))
        _copy([Staged("", reference, {"customer": doc}, [], []) for reference, doc in people.items()])
        for name in _WRITES_OF_PEOPLE:
            db.execute(_sql(name), {"at": at})
        db.execute("delete from orders_staging")


def store_catalogue(records: Iterable[CatalogRecord]) -> tuple[int, int]:
    """Record what can be sent in exchange; how many items were new and how many changed."""
    db.require_transaction()
    docs = {record.sku: dict(zip(_CATALOG, _catalog_values(record), strict=True)) for record in records}
    if not docs:
        return 0, 0
    for doc in docs.values():
        doc["product"] = doc["product"] or doc["sku"]
    db.execute(_sql("lock"))
    rows = db.fetch(_sql("catalogue"), {"docs": _dump(list(docs.values()))})
    created = sum(row["created"] for row in rows)
    return created, len(rows) - created


def _merged(staged: Sequence[Staged]) -> dict[str, Staged]:
    """One entry an order number; of two records the later's words win and lines of both stay."""
    orders: dict[str, Staged] = {}
    for one in sorted(staged, key=lambda order: order.number):  # stable: equal numbers keep their order
        if (first := orders.get(one.number)) is not None:
            for name, key in (("lines", "number"), ("payments", "reference"), ("parcels", "reference")):
                parts = {part[key]: part for part in first.doc[name]} | {part[key]: part for part in one.doc[name]}
                one.doc[name] = list(parts.values())
            one.doc["remarks"] = sorted({*first.doc["remarks"], *one.doc["remarks"]})
            one.source = [*first.source, *one.source]
            one.digests = [*first.digests, *one.digests]
            one.text = ""
        orders[one.number] = one
    return orders


def _leave_unchanged(orders: dict[str, Staged], earlier: Mapping[str, dict[str, Any]], result: Stored) -> None:
    for number, before in earlier.items():
        order = orders[number]
        if set(order.digests) <= set(before["part_digests"]):
            result.unchanged.append(number)
            del orders[number]
        elif order.doc["currency"] != before["currency"]:
            result.refused[number] = RecordRefused(
                "order_currency_changed", order.doc["currency"], field="currency", rule=before["currency"]
            )
            del orders[number]
        elif before["erased_at"] is not None:
            # The person asked to be forgotten: an old export must not bring them back.
            order.customer = before["customer"]
            order.doc["customer"] = {"name": "", "address": {}, "contacts": [], "methods": []}
            order.doc["address"], order.source, order.text = {}, [], ""
        elif order.customer.startswith(NOBODY):
            order.customer = before["customer"]


def _refuse_what_after_sales_forbid(orders: dict[str, Staged], changed: list[int], result: Stored) -> None:
    """Once the ledger holds an order, its figures stand: what came back is counted from them."""
    for row in db.fetch(_sql("figures_of_begun"), {"orders": changed}):
        order = orders[row["number"]]
        order.begun = True
        before = {name: row[name] for name in ("shipping_minor", "discount_minor")}
        after: dict[str, Any] = {name: order.doc[name] for name in before}
        for number, figures in json.loads(row["lines"] or "{}").items():
            before[f"lines.{number}.quantity"], before[f"lines.{number}.paid_minor"] = figures
        for line in order.doc["lines"]:
            after[f"lines.{line['number']}.quantity"] = line["quantity"]
            after[f"lines.{line['number']}.paid_minor"] = line["paid_minor"]
        for reference, captured in json.loads(row["payments"] or "{}").items():
            before[f"payments.{reference}.captured_minor"] = captured
        for payment in order.doc["payments"]:
            after[f"payments.{payment['reference']}.captured_minor"] = payment["captured_minor"]
        for name, value in after.items():
            if name not in before or before[name] != value:
                result.refused[row["number"]] = RecordRefused(
                    "order_in_after_sales", value, field=name, rule=before.get(name, "nothing")
                )
                del orders[row["number"]]
                break


def _write(orders: Iterable[Staged], *, source_format: str, import_id: int | None, at: datetime) -> None:
    _copy(orders)
    params = {"format": source_format, "import_id": import_id, "at": at}
    [before] = db.fetch("select current_setting('jit') as jit, current_setting('enable_seqscan') as enable_seqscan")
    db.execute(_sql("plan"))
    for name in _WRITES:
        db.execute(_sql(name), params)
    db.execute(_sql("plan_as_before"), before)
    db.execute("delete from orders_staging")


def _copy(orders: Iterable[Staged]) -> None:
    db.execute(_sql("create"))
    with connection.cursor() as cursor, cursor.copy(_sql("copy")) as copy:
        for n, order in enumerate(orders):
            digests = "{" + ",".join(order.digests) + "}"
            copy.write_row(
                (
                    n,
                    order.number,
                    order.customer,
                    order.begun,
                    digests,
                    order.text or _dump(order.doc),
                    _dump(order.source),
                )
            )


def _fold_positions(orders: list[int]) -> None:
    """Bring the parcels of updated orders to where all their events put them, and wake the cases they concern."""
    for row in db.fetch(_sql("events_of_updated"), {"orders": orders}):
        events = [Happening(kind, datetime.fromisoformat(moment)) for kind, moment in json.loads(row["events"])]
        position = fold_position(events, told=row["told_position"], direction=row["direction"])
        if position != row["position"]:
            db.execute("update orders_parcel set position = %s where id = %s", [position, row["id"]])
            jobs.leave("cases.follow_parcel", parcel_id=row["id"])


def _parcel(parcel: ParcelRecord) -> dict[str, Any]:
    # An event without a time cannot be ordered among others: the told position stands for it.
    events = [event for event in parcel.events if event.happened_at is not None]
    happenings = [Happening(event.kind, event.happened_at) for event in events if event.happened_at is not None]
    return {
        "reference": parcel.reference,
        "carrier": parcel.carrier,
        "told_position": parcel.position,
        "position": fold_position(happenings, told=parcel.position),
        "lines": parcel.lines,
        "events": [
            {
                "kind": event.kind,
                "happened_at": event.happened_at,
                "text": event.text,
                "source_key": f"{event.kind}@{event.happened_at.isoformat()}" if event.happened_at else "",
            }
            for event in events
        ],
    }


def _times_of(record: OrderRecord) -> tuple[datetime | None, datetime | None]:
    """When the order was handed over and delivered, where only the events of its parcels tell."""
    events = [e for parcel in record.parcels for e in parcel.events if e.happened_at is not None]
    sent = [e.happened_at for e in events if e.happened_at and e.kind in SENT]
    arrived = [e.happened_at for e in events if e.happened_at and e.kind == ParcelEventKind.DELIVERED]
    return (
        record.shipped_at or min(sent, default=None),
        record.delivered_at or max(arrived, default=None),
    )


def _customer(record: CustomerRecord, number: str, region: str) -> tuple[str, dict[str, Any]]:
    """The person's document, and the reference by which the merchant's other orders know the same person.

    Without a reference an e-mail address or a phone number is one; a sale that names nobody has a person of
    its own.
    """
    contacts = []
    for kind, text in (("email", record.email), ("phone", record.phone)):
        if text:
            try:
                contacts.append({"kind": kind, "value": normalize_contact(kind, text, region=region)})
            except ContactMalformed:
                continue  # masked or damaged: the source row keeps it
    reference = record.reference or (
        f"{contacts[0]['kind']}:{contacts[0]['value']}"[:120] if contacts else f"{NOBODY}{number}"
    )
    methods = [
        {
            "reference": str(method["id"]),
            "kind": method["kind"],
            "label": " ".join(str(method[part]) for part in ("brand", "last_four") if method.get(part))[:120],
            "source": method,
            "opening_minor": method.get("balance_minor") or 0,
            "currency": method.get("currency") or "",
        }
        for method in record.methods
    ]
    return reference, {"name": record.name, "address": record.address, "contacts": contacts, "methods": methods}


def _digest(text: str) -> str:
    """Raise RecordRefused for what PostgreSQL cannot hold: NUL, and halves of surrogate pairs."""
    try:
        octets = text.encode()
    except UnicodeEncodeError:
        raise RecordRefused("text_not_storable", field="record", rule="UTF-8") from None
    if "\0" in text or ("\\u0000" in text and _ESCAPED_NUL.search(text)):
        raise RecordRefused("text_not_storable", field="record", rule="no NUL")
    return sha256(octets).hexdigest()


def _dump(value: Any) -> str:
    return "".join(_encode(value, 0))


def _moment(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is no part of a record")


_ESCAPED_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
# Made once: json.dumps would build its encoder anew for every order.
_encode = json.encoder.c_make_encoder(  # type: ignore[attr-defined]
    {}, _moment, json.encoder.encode_basestring, None, ":", ",", True, False, True
)


@cache
def _statements() -> dict[str, str]:
    text = (Path(__file__).parent / "staging.sql").read_text()
    parts = text.split("\n-- name: ")[1:]
    return {name.strip(): body.strip() for name, _, body in (part.partition("\n") for part in parts)}


def _sql(name: str) -> str:
    return _statements()[name]
