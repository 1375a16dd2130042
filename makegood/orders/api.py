"""Orders and carriers' reports over HTTP."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest
from django.utils.translation import get_language
from ninja import Router

from makegood.accounts.api import bearer, once
from makegood.accounts.states import May
from makegood.connectors.records import (
    CustomerRecord,
    LineRecord,
    OrderRecord,
    ParcelRecord,
    PaymentRecord,
)
from makegood.kit import errors
from makegood.kit.money import CurrencyMismatch, Money
from makegood.kit.wire import MoneyJson
from makegood.orders import commands, queries
from makegood.orders.api_shapes import (
    CustomerOut,
    LineIn,
    LineOut,
    OrderIn,
    OrderOut,
    OrdersIn,
    OrdersStored,
    ParcelEventIn,
    ParcelEventOut,
    ParcelMovedOut,
    ParcelOut,
    ParcelsMoved,
    PaymentOut,
    RefusedOut,
)
from makegood.orders.refusals import Refusal

router = Router(tags=["orders"])


class OrdersRefused(errors.Malformed):
    """No order of the request could be stored; ``parts`` name each one's field."""

    code = "orders_refused"
    message = "None of the orders could be stored."

    def __init__(self, parts: list[dict[str, Any]]) -> None:
        super().__init__(rule="every_order_refused")
        self.parts = parts


@router.post("/orders", auth=bearer(May.WRITE_ORDERS), response={200: OrdersStored})
@once
def record_orders(request: HttpRequest, body: OrdersIn) -> OrdersStored:
    """Create or update orders in bulk, each wholly or not at all."""
    done = commands.record_orders([_record(order, i) for i, order in enumerate(body.orders)], at=datetime.now(UTC))
    refused = [_refused(one) for one in done.refused]
    if refused and not (done.created or done.updated or done.unchanged):
        raise OrdersRefused([{"in": "body", **one.model_dump(include=_PARTS)} for one in refused])
    return OrdersStored(created=done.created, updated=done.updated, unchanged=done.unchanged, refused=refused)


@router.get("/orders/{ref}", auth=bearer(May.READ), response={200: OrderOut})
def show_order(request: HttpRequest, ref: str) -> OrderOut:
    """One order by its number."""
    return order_out(queries.order_by_number(ref))


@router.post("/parcels/{ref}/events", auth=bearer(May.WRITE_ORDERS), response={200: ParcelsMoved})
@once
def record_parcel_event(request: HttpRequest, ref: str, body: ParcelEventIn) -> ParcelsMoved:
    """Take a carrier's report; late, doubled and disordered ones are harmless."""
    told = f"{body.kind} {body.happened_at.astimezone(UTC).isoformat()} {body.text}"
    moved = commands.record_parcel_event(
        parcel_reference=ref,
        kind=body.kind,
        happened_at=body.happened_at,
        text=body.text,
        source_key=body.id or hashlib.sha256(told.encode()).hexdigest(),
        at=datetime.now(UTC),
    )
    return ParcelsMoved(
        parcels=[
            ParcelMovedOut(order=queries.order_view(one.order_id).number, position=one.position, again=one.again)
            for one in moved
        ]
    )


_PARTS = {"pointer", "value", "rule", "code", "detail"}


def _refused(one: Refusal) -> RefusedOut:
    english, chinese = one.words()
    place = one.field.replace("[", ".").replace("]", "").replace(".", "/")
    return RefusedOut(
        index=one.index,
        number=one.number,
        pointer=f"/orders/{one.index}/{place}",
        value=one.value,
        rule=one.rule,
        code=one.code,
        detail=chinese if (get_language() or "").startswith("zh") else english,
    )


def _line_attributes(line: LineIn) -> dict[str, Any]:
    facts = {"excluded_from_no_reason": line.excluded_from_no_reason, "confirmed_no_return": line.confirmed_no_return}
    told = {name: value for name, value in {**facts, "promotion": line.promotion or None}.items() if value is not None}
    return {"facts": told} if told else {}


def _attributes(order: OrderIn, minor: Callable[[MoneyJson | None, str], int | None]) -> dict[str, Any]:
    """The terms of the sale in the words of ``OrderRecord.attributes``."""
    terms = order.terms
    if terms is None:
        return {}
    found: dict[str, Any] = {"points_earned": terms.points_earned} if terms.points_earned else {}
    if terms.coupon:
        amount = minor(terms.coupon.amount, "terms.coupon.amount")
        found["coupon"] = {"code": terms.coupon.code, "minor": amount, "restorable": terms.coupon.restorable}
    thresholds = {
        "discount_minor": minor(order.discount, "discount"),
        "threshold_minor": minor(terms.threshold, "terms.threshold"),
        "shipping_threshold_minor": minor(terms.shipping_threshold, "terms.shipping_threshold"),
        "shipping_waived_minor": minor(terms.shipping_waived, "terms.shipping_waived"),
    }
    if terms.threshold or terms.shipping_threshold:
        found["terms"] = {name: value for name, value in thresholds.items() if value}
    facts: dict[str, Any] = {} if terms.free_shipping is None else {"free_shipping": terms.free_shipping}
    if terms.standard_shipping:
        minor(terms.standard_shipping, "terms.standard_shipping")
        facts["standard_shipping"] = terms.standard_shipping.amount
    return {**found, "facts": facts} if facts else found


def _record(order: OrderIn, index: int) -> OrderRecord:
    def minor(money: MoneyJson | None, field: str) -> int | None:
        if money is None:
            return None
        where = f"orders[{index}].{field}"
        if money.currency != order.currency:
            raise CurrencyMismatch(money.currency, field=where, rule="currency_of_the_order", expected=order.currency)
        return money.money(where).minor

    return OrderRecord(
        number=order.number,
        currency=order.currency,
        ordered_at=order.ordered_at,
        customer=CustomerRecord(**order.customer.model_dump()),
        lines=[
            LineRecord(
                number=line.number,
                sku=line.sku,
                title=line.title,
                quantity=line.quantity,
                unit_minor=minor(line.unit_price, f"lines[{i}].unit_price"),
                discount_minor=minor(line.discount, f"lines[{i}].discount") or 0,
                tax_minor=minor(line.tax, f"lines[{i}].tax") or 0,
                paid_minor=minor(line.paid, f"lines[{i}].paid"),
                category=line.category,
                product=line.product,
                options=line.options,
                attributes=_line_attributes(line),
            )
            for i, line in enumerate(order.lines)
        ],
        payments=[
            PaymentRecord(
                reference=payment.reference,
                method=payment.method,
                captured_minor=minor(payment.captured, f"payments[{i}].captured") or 0,
                refunded_before_minor=minor(payment.refunded_before, f"payments[{i}].refunded_before") or 0,
                captured_at=payment.captured_at,
                gateway=payment.gateway,
                gateway_reference=payment.gateway_reference,
            )
            for i, payment in enumerate(order.payments)
        ],
        parcels=[
            ParcelRecord(parcel.reference, parcel.lines, carrier=parcel.carrier, position=parcel.position)
            for parcel in order.parcels
        ],
        market=order.market,
        platform=order.platform,
        channel=order.channel,
        fulfilled_by=order.fulfilled_by,
        shipping_minor=minor(order.shipping, "shipping") or 0,
        discount_minor=minor(order.discount, "discount") or 0,
        address=order.address,
        shipped_at=order.shipped_at,
        delivered_at=order.delivered_at,
        promised_by=order.promised_by,
        attributes=_attributes(order, minor),
    )


def order_out(order: queries.OrderView) -> OrderOut:
    """The order as the API shows it: contacts and addresses of the person are left out."""

    def money(minor: int) -> MoneyJson:
        return MoneyJson.of(Money(minor, order.currency))

    numbers: Mapping[int, str] = {line.id: line.number for line in order.lines}
    return OrderOut(
        number=order.number,
        currency=order.currency,
        state=order.state,
        market=order.market,
        platform=order.platform,
        ordered_at=order.ordered_at,
        shipped_at=order.shipped_at,
        delivered_at=order.delivered_at,
        customer=CustomerOut(reference=order.customer.reference, name=order.customer.name),
        paid=money(order.captured_minor),
        lines=[
            LineOut(
                number=line.number,
                sku=line.sku,
                title=line.title,
                category=line.category,
                quantity=line.quantity,
                paid=None if line.paid_minor is None else money(line.paid_minor),
            )
            for line in order.lines
        ],
        payments=[
            PaymentOut(
                reference=payment.reference,
                method=payment.method,
                captured=money(payment.captured_minor),
                gateway=payment.gateway,
            )
            for payment in order.payments
        ],
        parcels=[
            ParcelOut(
                reference=parcel.reference,
                carrier=parcel.carrier,
                direction=parcel.direction,
                position=parcel.position,
                lines={numbers[line_id]: units for line_id, units in parcel.contents.items()},
                events=[
                    ParcelEventOut(kind=event.kind, happened_at=event.happened_at, text=event.text)
                    for event in parcel.events
                ],
            )
            for parcel in order.parcels
        ],
        remarks=list(order.remarks),
    )
