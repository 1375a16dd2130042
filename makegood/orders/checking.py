"""Refuse a record before it touches the database: every figure, date and name in it. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from makegood.connectors.records import (
    CatalogRecord,
    CustomerRecord,
    LineRecord,
    OrderRecord,
    ParcelRecord,
    PaymentRecord,
)
from makegood.customers.rules import ContactMalformed, normalize_contact
from makegood.kit import money
from makegood.orders.refusals import RecordRefused
from makegood.orders.states import ParcelEventKind, Position

QUANTITY_MAX = 1_000_000  # units of one line; above this it is a typing mistake
_POSITIONS = frozenset(position.value for position in Position)
_EVENT_KINDS = frozenset(kind.value for kind in ParcelEventKind)
_CHOICES = {
    "state": frozenset({"open", "cancelled", "returned"}),
    "channel": frozenset({"distance", "store"}),
    "fulfilled_by": frozenset({"seller", "platform"}),
}


def check_order(record: OrderRecord, *, at: datetime, skew: timedelta, strict: bool, home: str = "") -> None:
    """Raise RecordRefused for the first thing wrong with an order.

    Dates more than ``skew`` after ``at`` are in the future. ``strict`` also refuses hand-over or delivery before
    the order and unreadable contacts: whoever sends to the API can mend them. A file of the past cannot be
    mended: its parser remarks upon such dates, and an unreadable contact stays in the source row alone. ``home``
    is the merchant's country.
    """
    _text(record.number, "number", 80, needed=True)
    _currency(record.currency, "currency")
    _text(record.market, "market", 2)
    _text(record.platform, "platform", 40, needed=True)
    for name, choices in _CHOICES.items():
        if getattr(record, name) not in choices:
            raise RecordRefused("value_unknown", getattr(record, name), field=name, rule="|".join(sorted(choices)))
    for name in ("shipping_minor", "shipping_tax_minor", "discount_minor"):
        _amount(getattr(record, name), name)
    latest = at + skew
    for name in ("ordered_at", "shipped_at", "delivered_at"):
        _moment(getattr(record, name), name, latest, record.ordered_at if strict else None)
    _moment(record.promised_by, "promised_by", None, record.ordered_at if strict else None)
    check_customer(record.customer, "customer.")
    if strict:
        _contacts(record.customer, record.market or home)
    for i, remark in enumerate(record.remarks):
        _text(remark, f"remarks[{i}]", 60)
    units: dict[str, int] = {}
    for i, line in enumerate(record.lines):
        _line(line, f"lines[{i}].")
        if line.number in units:
            raise RecordRefused("line_repeated", line.number, field=f"lines[{i}].number")
        units[line.number] = line.quantity
    _payments(record.payments, latest)
    _parcels(record, units, latest, strict=strict)


def check_customer(record: CustomerRecord, path: str = "") -> None:
    """Raise RecordRefused for the first thing wrong with a person."""
    _text(record.reference, f"{path}reference", 120)
    _text(record.name, f"{path}name", 200)
    seen = set()
    for i, method in enumerate(record.methods):
        reference = str(method.get("id") or "")
        _text(reference, f"{path}methods[{i}].id", 120, needed=True)
        _text(str(method.get("kind") or ""), f"{path}methods[{i}].kind", 20, needed=True)
        _amount(method.get("balance_minor") or 0, f"{path}methods[{i}].balance_minor")
        if reference in seen:
            raise RecordRefused("reference_repeated", reference, field=f"{path}methods[{i}].id")
        seen.add(reference)


def check_catalog(record: CatalogRecord) -> None:
    """Raise RecordRefused for the first thing wrong with a catalogue item."""
    _text(record.sku, "sku", 120, needed=True)
    _text(record.product, "product", 120)
    _text(record.title, "title", 400)
    _amount(record.price_minor, "price_minor")
    _currency(record.currency, "currency")


def _contacts(record: CustomerRecord, region: str) -> None:
    for kind, text in (("email", record.email), ("phone", record.phone)):
        if text:
            try:
                normalize_contact(kind, text, region=region)
            except ContactMalformed as refused:
                raise RecordRefused("contact_malformed", text, field=f"customer.{kind}", rule=refused.rule) from None


def _line(line: LineRecord, path: str) -> None:
    if not 0 < len(line.number) <= 80:
        _text(line.number, f"{path}number", 80, needed=True)
    _text(line.sku, f"{path}sku", 120)
    _text(line.title, f"{path}title", 400)
    _text(line.category, f"{path}category", 80)
    _text(line.product, f"{path}product", 120)
    for name in ("quantity", "returned_before", "cancelled_before"):
        _units(getattr(line, name), path + name)
    for name in ("discount_minor", "tax_minor"):
        _amount(getattr(line, name), path + name)
    for name in ("unit_minor", "paid_minor"):
        value = getattr(line, name)
        if value is not None:
            _amount(value, path + name)
    gone = line.returned_before + line.cancelled_before
    if gone > line.quantity:
        raise RecordRefused("line_given_back_twice", gone, field=f"{path}quantity", rule=line.quantity)


def _payments(payments: list[PaymentRecord], latest: datetime) -> None:
    seen = set()
    for i, payment in enumerate(payments):
        path = f"payments[{i}]."
        _text(payment.reference, f"{path}reference", 120, needed=True)
        _text(payment.method, f"{path}method", 20, needed=True)
        _text(payment.gateway, f"{path}gateway", 20, needed=True)
        _text(payment.gateway_reference, f"{path}gateway_reference", 200)
        _amount(payment.captured_minor, f"{path}captured_minor")
        _amount(payment.refunded_before_minor, f"{path}refunded_before_minor")
        _moment(payment.captured_at, f"{path}captured_at", latest, None)  # a deposit may come before the order
        if payment.refunded_before_minor > payment.captured_minor:
            raise RecordRefused(
                "payment_refunded_beyond",
                payment.refunded_before_minor,
                field=f"{path}refunded_before_minor",
                rule=payment.captured_minor,
            )
        if payment.reference in seen:
            raise RecordRefused("reference_repeated", payment.reference, field=f"{path}reference")
        seen.add(payment.reference)


def _parcels(record: OrderRecord, units: dict[str, int], latest: datetime, *, strict: bool) -> None:
    seen = set()
    for i, parcel in enumerate(record.parcels):
        path = f"parcels[{i}]."
        _parcel(parcel, path)
        if parcel.reference in seen:
            raise RecordRefused("reference_repeated", parcel.reference, field=f"{path}reference")
        seen.add(parcel.reference)
        for number, count in parcel.lines.items():
            if number not in units:
                raise RecordRefused("line_unknown", number, field=f"{path}lines")
            if not 0 <= count <= units[number]:
                raise RecordRefused("quantity_out_of_range", count, field=f"{path}lines.{number}", rule=units[number])
        for j, event in enumerate(parcel.events):
            if event.kind not in _EVENT_KINDS:
                raise RecordRefused(
                    "value_unknown", event.kind, field=f"{path}events[{j}].kind", rule="|".join(sorted(_EVENT_KINDS))
                )
            earliest = record.ordered_at if strict else None
            _moment(event.happened_at, f"{path}events[{j}].happened_at", latest, earliest)


def _parcel(parcel: ParcelRecord, path: str) -> None:
    _text(parcel.reference, f"{path}reference", 120, needed=True)
    _text(parcel.carrier, f"{path}carrier", 80)
    if parcel.position not in _POSITIONS:
        raise RecordRefused(
            "value_unknown", parcel.position, field=f"{path}position", rule="|".join(sorted(_POSITIONS))
        )


def _text(value: str, field: str, most: int, *, needed: bool = False) -> None:
    if len(value) > most:
        raise RecordRefused("field_too_long", value, field=field, rule=most)
    if needed and not value.strip():
        raise RecordRefused("field_missing", field=field)


def _amount(value: int, field: str) -> None:
    if value.__class__ is not int or not 0 <= value <= money.MINOR_MAX:
        raise RecordRefused("amount_out_of_range", value, field=field, rule="0 to 10^15 minor units")


def _units(value: int, field: str) -> None:
    if value.__class__ is not int or not 0 <= value <= QUANTITY_MAX:
        raise RecordRefused("quantity_out_of_range", value, field=field, rule="0 to 1,000,000 units")


def _currency(value: str, field: str) -> None:
    try:
        money.exponent(value)
    except money.CurrencyUnknown:
        raise RecordRefused("currency_unknown", value, field=field, rule="ISO 4217") from None


def _moment(value: datetime | None, field: str, latest: datetime | None, earliest: datetime | None) -> None:
    if value is None:
        return
    if value.tzinfo is None:
        raise RecordRefused("date_without_offset", value, field=field, rule="a time with its offset")
    if latest is not None and value > latest:
        raise RecordRefused("date_in_future", value.isoformat(), field=field, rule="not after now")
    if earliest is not None and value < earliest:
        raise RecordRefused("date_before_order", value.isoformat(), field=field, rule="not before the order")
