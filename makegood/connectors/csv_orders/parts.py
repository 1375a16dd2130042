"""Lines, payments and parcels of an order in our own table."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from makegood.connectors.cells import is_storable, read_minor, read_text, read_time, read_units, refuse_future, text_of
from makegood.connectors.csv_orders import columns
from makegood.connectors.reasons import RowRefused, one_of
from makegood.connectors.records import LineRecord, OrderRecord, ParcelEventRecord, ParcelRecord, PaymentRecord


@dataclass(slots=True)
class Row:
    """One row: its cells as they stand and, by column name, what is not empty."""

    line: int
    cells: list[str]
    said: dict[str, str]
    currency: str
    record: LineRecord


UNREAD = LineRecord("", "", "", 0)  # stands in a row whose line was not read yet


def read_choice(said: Mapping[str, str], name: str, choices: Mapping[str, str]) -> str:
    """Translate a word of the file. Raises RowRefused ``value_not_allowed``."""
    text = said.get(name, "")
    try:
        return choices[text if text in choices else text.lower()]
    except KeyError:
        allowed = one_of([word for word in choices if word])
        raise RowRefused("value_not_allowed", field=name, value=text, expected=allowed) from None


def read_line(line: int, said: Mapping[str, str], currency: str) -> LineRecord:
    """Read what a row says of its line. ``paid`` left out is reckoned where the price is known."""
    for name in ("sku", "quantity"):
        if name not in said:
            raise RowRefused("field_missing", field=name, line=line)
    quantity = read_units(said["quantity"], "quantity", least=1)
    unit = read_minor(said["unit_price"], currency, "unit_price") if "unit_price" in said else None
    discount = read_minor(said["discount"], currency, "discount") if "discount" in said else 0
    tax = read_minor(said["tax"], currency, "tax") if "tax" in said else 0
    paid = read_minor(said["paid"], currency, "paid") if "paid" in said else None
    if unit is not None and discount > unit * quantity:
        raise RowRefused("discount_too_large", field="discount", value=said["discount"], expected=said["unit_price"])
    if paid is None and unit is not None:
        paid = unit * quantity - discount
    sku = read_text(said["sku"], "sku", most=120)
    return LineRecord(
        text_of(said, "line_number", 80) or sku[:60],
        sku,
        text_of(said, "title", 400),
        quantity,
        unit,
        discount,
        tax,
        paid,
        text_of(said, "category", 80),
        text_of(said, "product", 120),
        _read_options(said["options"]) if "options" in said else {},
        *_units_before(said, quantity),
    )


def _units_before(said: Mapping[str, str], quantity: int) -> tuple[int, int]:
    returned = read_units(said["returned_before"], "returned_before") if "returned_before" in said else 0
    cancelled = read_units(said["cancelled_before"], "cancelled_before") if "cancelled_before" in said else 0
    if returned + cancelled > quantity:
        name = "returned_before" if returned > quantity else "cancelled_before"
        raise RowRefused("quantity_too_large", field=name, value=said.get(name, ""), expected=quantity)
    return returned, cancelled


def _read_options(text: str) -> dict[str, Any]:
    if text.startswith("{"):
        try:
            options = json.loads(text)
        except (ValueError, RecursionError):
            options = None
        if isinstance(options, dict) and is_storable(options):
            return options
    else:
        pairs = [pair.replace("：", ":").partition(":") for pair in text.replace("；", ";").split(";") if pair.strip()]
        if pairs and all(colon and name.strip() for name, colon, _ in pairs):
            return {name.strip(): value.strip() for name, _, value in pairs}
    raise RowRefused("options_malformed", field="options", value=text)


def number_lines(rows: list[Row], remarks: set[str]) -> list[Row]:
    """Make line numbers unique: a given one may only repeat an equal row; equal articles become ``x``, ``x#2``."""
    kept: dict[str, Row] = {}
    for row in rows:
        number = row.record.number
        twin = kept.get(number)
        if twin and "line_number" in row.said:
            if twin.said != row.said:
                raise RowRefused("line_number_repeated", field="line_number", value=number, line=row.line)
            remarks.add("duplicate_line")
            continue
        count = 1
        while row.record.number in kept:
            count += 1
            row.record.number = f"{number}#{count}"
        kept[row.record.number] = row
    return list(kept.values())


def add_payments(order: OrderRecord, rows: list[Row], told: Sequence[str], zone: str, at: datetime | None) -> None:
    """Make one payment for each ``payment_reference`` ("1" where there is none).

    ``told`` are the payment columns that the table has.

    Raises RowRefused ``order_field_differs`` where rows of one payment disagree, ``field_missing`` where several
    payments do not all say ``captured``.
    """
    payments: dict[str, dict[str, str]] = {}
    for row in rows:
        said = payments.setdefault(row.said.get("payment_reference", ""), {})
        for name in told:
            text = row.said.get(name)
            if text is not None and said.setdefault(name, text) != text:
                raise RowRefused("order_field_differs", field=name, value=text, line=row.line, expected=said[name])
    named = [reference for reference in payments if reference]
    if named and "" in payments:  # rows that leave the reference out say nothing of their own
        rest = payments.pop("")
        if len(named) == 1:
            payments[named[0]] = {**rest, **payments[named[0]]}
        elif rest:
            raise RowRefused("field_missing", field="payment_reference", line=rows[0].line)
    for reference, said in payments.items():
        captured = _captured(order, said, alone=len(payments) == 1)
        if captured:
            order.payments.append(_payment(order, reference or "1", said, captured, zone, at))


def _captured(order: OrderRecord, said: Mapping[str, str], *, alone: bool) -> int:
    if "captured" in said:
        return read_minor(said["captured"], order.currency, "captured")
    if not alone:
        raise RowRefused("field_missing", field="captured")
    if read_choice(said, "payment_method", columns.METHODS) == "cod" and order.delivered_at is None:
        return 0
    total = sum(line.paid_minor or 0 for line in order.lines) + order.shipping_minor
    if order.discount_minor > total:
        raise RowRefused("discount_too_large", field="order_discount", value=order.discount_minor, expected=total)
    return total - order.discount_minor


def _payment(
    order: OrderRecord, reference: str, said: Mapping[str, str], captured: int, zone: str, at: datetime | None
) -> PaymentRecord:
    refunded = read_minor(said.get("refunded_before", "0"), order.currency, "refunded_before")
    if refunded > captured:
        raise RowRefused(
            "discount_too_large", field="refunded_before", value=said["refunded_before"], expected=captured
        )
    moment = read_time(said["captured_at"], "captured_at", zone) if "captured_at" in said else None
    refuse_future(moment, at, "captured_at", said.get("captured_at", ""))
    return PaymentRecord(
        read_text(reference, "payment_reference", most=120),
        read_choice(said, "payment_method", columns.METHODS),
        captured,
        refunded,
        moment,
        read_choice(said, "gateway", columns.GATEWAYS),
        text_of(said, "gateway_reference", 200),
    )


def add_parcels(order: OrderRecord, rows: list[Row]) -> None:
    """Make one parcel for each ``tracking``; one with the order's number where only the dates tell of sending."""
    parcels: dict[str, ParcelRecord] = {}
    for row in rows:
        position = read_choice(row.said, "parcel_position", columns.POSITIONS)
        tracking = text_of(row.said, "tracking", 100)
        sent = order.shipped_at or order.delivered_at
        if position == "not_shipped" or not (tracking or position or sent):
            continue
        if not position:
            position = "with_customer" if order.delivered_at else "in_transit"
        parcel = parcels.setdefault(
            tracking,
            ParcelRecord(tracking or order.number, {}, text_of(row.said, "carrier", 80), position),
        )
        parcel.lines[row.record.number] = row.record.quantity
        if parcel.position != position:
            raise RowRefused(
                "order_field_differs",
                field="parcel_position",
                value=position,
                line=row.line,
                expected=parcel.position,
            )
    for parcel in parcels.values():
        if order.shipped_at:
            parcel.events.append(ParcelEventRecord("picked_up", order.shipped_at))
        if order.delivered_at and parcel.position == "with_customer":
            parcel.events.append(ParcelEventRecord("delivered", order.delivered_at))
    order.parcels = list(parcels.values())
