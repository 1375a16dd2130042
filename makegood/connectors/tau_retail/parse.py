"""Read the ``db.json`` of the tau retail benchmark: products, users and orders in one JSON document.

Products become catalogue records, one a variant; users become customers with their saved ways of payment; orders
become orders of the platform ``tau-retail``. Items have no quantity and the same item may stand in an order twice:
lines are numbered from 1 in the order of items, one unit each. Amounts are binary floats in dollars and are rounded to
cents.

A fulfilment is a parcel with its tracking number: under way while the order is ``processed``, with the customer once
``delivered``. A cancelled order may have one too; its units are cancelled, so it gets no parcel but the remark
``cancelled_but_sent``. Refunds of the payment history are taken off the payments made the same way. Whatever the
records hold beside that is in ``source``, unchanged. There are no times in this source.

A position is the ordinal of a record in the document, because its lines mean nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from makegood.connectors.cells import is_storable
from makegood.connectors.json_records import CutOff, read_sections
from makegood.connectors.reasons import RowRefused
from makegood.connectors.records import (
    CatalogRecord,
    CustomerRecord,
    LineRecord,
    OrderRecord,
    ParcelRecord,
    PaymentRecord,
    Read,
)
from makegood.kit.money import MINOR_MAX

CURRENCY = "USD"
PLATFORM = "tau-retail"
COUNTRIES = {"USA": "US"}
KINDS = {"credit_card": "card", "paypal": "wallet", "gift_card": "gift_card"}
GATEWAYS = {"gift_card": "store_credit"}
# status before any bracket -> (state, where a fulfilment's parcel is; None: no parcel)
STATUSES: dict[str, tuple[str, str | None]] = {
    "pending": ("open", "not_shipped"),
    "processed": ("open", "in_transit"),
    "delivered": ("open", "with_customer"),
    "return requested": ("open", "with_customer"),
    "exchange requested": ("open", "with_customer"),
    "cancelled": ("cancelled", None),
}


def parse(
    path: str,
    *,
    start_line: int = 0,
    encoding: str | None = None,  # noqa: ARG001 - JSON is UTF-8
    at: datetime | None = None,  # noqa: ARG001 - the source has no times
) -> Iterator[tuple[int, Read]]:
    """Yield catalogue items, customers, orders and refusals with the ordinal of their record."""
    position = 0
    try:
        for section, key, record in read_sections(path):
            position += 1
            if position > start_line:
                yield from _read(position, section, key, record)
    except CutOff:
        yield position + 1, RowRefused("file_cut").reject(position + 1, {})


def _read(position: int, section: str, key: str, record: Any) -> Iterator[tuple[int, Read]]:
    read = _READERS.get(section)
    if read is None:
        return  # a section of another edition of the benchmark: nothing that could be imported
    try:
        if not isinstance(record, dict):
            raise RowRefused("record_malformed", field=section, value=key)
        if not is_storable(record):
            raise RowRefused("nul_byte")
        found = read(position, record)
    except RowRefused as refused:
        row = record if isinstance(record, dict) else {key: record}
        yield position, refused.reject(position, row)
        return
    except (KeyError, TypeError, AttributeError) as error:
        malformed = RowRefused("record_malformed", field=f"{section}.{key}", value=error)
        yield position, malformed.reject(position, record)
        return
    for part in found[:-1]:
        yield position - 1, part  # parts of one record: a resume between them gives all of them again
    if found:
        yield position, found[-1]


def read_cents(value: Any, field: str) -> int:
    """Round a float in dollars to cents, half up. Raises RowRefused for anything that is no such amount."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise RowRefused("amount_not_a_number", field=field, value=value)
    if value < 0:
        raise RowRefused("amount_negative", field=field, value=value)
    if value > MINOR_MAX / 100:
        raise RowRefused("amount_too_large", field=field, value=value, currency=CURRENCY)
    return int(Decimal(str(value)).scaleb(2).to_integral_value(ROUND_HALF_UP))


def read_product(_position: int, product: dict[str, Any]) -> list[Read]:
    """Make one catalogue record of each variant."""
    return [
        CatalogRecord(
            str(variant["item_id"]),
            str(product["product_id"]),
            str(product["name"]),
            read_cents(variant["price"], "price"),
            CURRENCY,
            available=bool(variant["available"]),
            options=dict(variant["options"]),
        )
        for variant in product["variants"].values()
    ]


def read_user(_position: int, user: dict[str, Any]) -> list[Read]:
    """Make a customer; gift cards have a balance."""
    name = user["name"]
    methods = []
    for method in user["payment_methods"].values():
        kind = KINDS.get(method["source"], "unknown")
        saved = {"id": str(method["id"]), "kind": kind, "source": method["source"]}
        if "balance" in method:
            saved["balance_minor"] = read_cents(method["balance"], "balance")
        methods.append(saved)
    return [
        CustomerRecord(
            str(user["user_id"]),
            f"{name['first_name']} {name['last_name']}".strip(),
            str(user.get("email", "")),
            address=dict(user["address"]),
            methods=methods,
            source=user,
        )
    ]


def read_order(position: int, record: dict[str, Any]) -> list[Read]:
    """Make an order with its lines, parcels and payments."""
    status = str(record["status"])
    state, parcel_position = STATUSES.get(status.partition(" (")[0], ("", None))
    if not state:
        raise RowRefused("status_unknown", field="status", value=status)
    remarks: set[str] = set()
    address = dict(record["address"])
    order = OrderRecord(
        str(record["order_id"]),
        CURRENCY,
        None,
        CustomerRecord(str(record["user_id"])),
        [_line(number, item) for number, item in enumerate(record["items"], 1)],
        market=COUNTRIES.get(address.get("country", ""), ""),
        platform=PLATFORM,
        state=state,
        address=address,
        source=[{"line": position, "row": record}],
    )
    if state == "cancelled":
        for line in order.lines:
            line.cancelled_before = line.quantity
        if record["fulfillments"]:
            remarks.add("cancelled_but_sent")
    if parcel_position:
        order.parcels = _parcels(order.lines, record["fulfillments"], parcel_position)
    order.payments = _payments(record["payment_history"], remarks)
    order.remarks = sorted(remarks)
    return [order]


def _line(number: int, item: dict[str, Any]) -> LineRecord:
    cents = read_cents(item["price"], "price")
    return LineRecord(
        str(number),
        str(item["item_id"]),
        str(item["name"]),
        1,
        cents,
        paid_minor=cents,
        product=str(item["product_id"]),
        options=dict(item["options"]),
    )


def _parcels(lines: list[LineRecord], fulfilments: list[dict[str, Any]], position: str) -> list[ParcelRecord]:
    """Give each fulfilment the next lines of its items; what is not fulfilled is in no parcel."""
    free: dict[str, list[str]] = {}
    for line in lines:
        free.setdefault(line.sku, []).append(line.number)
    parcels = []
    for fulfilment in fulfilments:
        units = {}
        for item in fulfilment["item_ids"]:
            if not free.get(item):
                raise RowRefused("record_malformed", field="fulfillments", value=item)
            units[free[item].pop(0)] = 1
        # several tracking numbers of one fulfilment do not say which holds what: they stay together
        parcels.append(ParcelRecord(" ".join(map(str, fulfilment["tracking_id"])), units, position=position))
    return parcels


def _payments(history: list[dict[str, Any]], remarks: set[str]) -> list[PaymentRecord]:
    payments: list[PaymentRecord] = []
    for entry in history:
        if entry["transaction_type"] == "payment":
            payments.append(_payment(entry, payments))
        elif entry["transaction_type"] != "refund":
            raise RowRefused("record_malformed", field="transaction_type", value=entry["transaction_type"])
    for entry in history:
        if entry["transaction_type"] == "refund":
            _take_refund(entry, payments, remarks)
    return payments


def _payment(entry: dict[str, Any], before: list[PaymentRecord]) -> PaymentRecord:
    method = str(entry["payment_method_id"])
    kind = next((kind for prefix, kind in KINDS.items() if method.startswith(f"{prefix}_")), "unknown")
    count = 1 + sum(payment.gateway_reference == method for payment in before)
    return PaymentRecord(
        method if count == 1 else f"{method}#{count}",
        kind,
        read_cents(entry["amount"], "amount"),
        gateway=GATEWAYS.get(kind, "manual"),
        gateway_reference=method,
    )


def _take_refund(entry: dict[str, Any], payments: list[PaymentRecord], remarks: set[str]) -> None:
    cents = read_cents(entry["amount"], "amount")
    same = [payment for payment in payments if payment.gateway_reference == entry["payment_method_id"]]
    if sum(payment.captured_minor - payment.refunded_before_minor for payment in same) < cents:
        remarks.add("refund_by_other_way")
    for payment in [*same, *payments]:
        part = min(cents, payment.captured_minor - payment.refunded_before_minor)
        payment.refunded_before_minor += part
        cents -= part
    if cents:
        raise RowRefused("amount_too_large", field="amount", value=entry["amount"], currency=CURRENCY)


_READERS: dict[str, Callable[[int, dict[str, Any]], list[Read]]] = {
    "products": read_product,
    "users": read_user,
    "orders": read_order,
}
