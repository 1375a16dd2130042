"""Orders and carriers' reports over HTTP."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from django.utils.translation import get_language
from ninja import Router
from pydantic import Field

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
from makegood.kit.wire import Moment, MoneyJson, Plain
from makegood.orders import commands, queries
from makegood.orders.refusals import Refusal
from makegood.orders.states import ParcelEventKind

router = Router(tags=["orders"])

BULK_MAX = 500
Units = Annotated[int, Field(strict=True, ge=0, le=1_000_000_000)]
Text = Annotated[str, Field(max_length=400)]
Short = Annotated[str, Field(max_length=120)]


class OrdersRefused(errors.Malformed):
    """No order of the request could be stored; ``parts`` name each one's field."""

    code = "orders_refused"
    message = "None of the orders could be stored."

    def __init__(self, parts: list[dict[str, Any]]) -> None:
        super().__init__(rule="every_order_refused")
        self.parts = parts


class LineIn(Plain):
    number: Short = Field(min_length=1, examples=["1"])
    sku: Short
    title: Text
    quantity: Units
    unit_price: MoneyJson | None = None
    discount: MoneyJson | None = None
    tax: MoneyJson | None = Field(None, description="Contained in `paid`.")
    paid: MoneyJson | None = Field(None, description="For the whole line, discounts and tax included.")
    category: Short = ""
    product: Short = Field("", description="Lines of one product may be exchanged for one another.")
    options: dict[str, Any] = Field(default_factory=dict)


class PaymentIn(Plain):
    reference: Short = Field(min_length=1)
    method: Literal["card", "wallet", "cod", "gift_card", "points", "coupon", "bank", "unknown"]
    captured: MoneyJson
    refunded_before: MoneyJson | None = None
    captured_at: Moment | None = None
    gateway: Short = "manual"
    gateway_reference: Short = ""


class ParcelIn(Plain):
    reference: Short = Field(min_length=1)
    carrier: Annotated[str, Field(max_length=80)] = ""
    lines: dict[str, Units] = Field(description="Units by line number.")
    position: Literal["not_shipped", "in_transit", "at_door", "with_customer", "returning", "back", "lost"] = (
        "in_transit"
    )


class CustomerIn(Plain):
    reference: Short = ""
    name: Short = ""
    email: Annotated[str, Field(max_length=254)] = ""
    phone: Annotated[str, Field(max_length=40)] = ""
    address: dict[str, Any] = Field(default_factory=dict)


class OrderIn(Plain):
    number: Short = Field(min_length=1, examples=["2026-10023"])
    currency: str = Field(pattern="^[A-Z]{3}$", examples=["CNY"])
    ordered_at: Moment | None = None
    customer: CustomerIn
    lines: list[LineIn] = Field(min_length=1, max_length=1000)
    payments: list[PaymentIn] = Field([], max_length=100)
    parcels: list[ParcelIn] = Field([], max_length=100)
    market: str = Field("", pattern="^([A-Z]{2})?$")
    platform: Annotated[str, Field(max_length=40)] = "own-store"
    channel: Literal["distance", "store"] = "distance"
    fulfilled_by: Literal["seller", "platform"] = "seller"
    shipping: MoneyJson | None = None
    discount: MoneyJson | None = Field(None, description="Off the whole order, not yet in the lines' `paid`.")
    address: dict[str, Any] = Field(default_factory=dict)
    shipped_at: Moment | None = None
    delivered_at: Moment | None = None
    promised_by: Moment | None = None


class OrdersIn(Plain):
    orders: list[OrderIn] = Field(min_length=1, max_length=BULK_MAX)


class RefusedOut(Plain):
    index: int
    number: str
    pointer: str
    value: str
    rule: str
    code: str
    detail: str


class OrdersStored(Plain):
    """What became of each order, by number."""

    created: list[str]
    updated: list[str]
    unchanged: list[str]
    refused: list[RefusedOut]


class LineOut(Plain):
    number: str
    sku: str
    title: str
    category: str
    quantity: int
    paid: MoneyJson | None


class PaymentOut(Plain):
    reference: str
    method: str
    captured: MoneyJson
    gateway: str


class ParcelEventOut(Plain):
    kind: str
    happened_at: datetime
    text: str


class ParcelOut(Plain):
    reference: str
    carrier: str
    direction: str
    position: str
    lines: dict[str, int]
    events: list[ParcelEventOut]


class CustomerOut(Plain):
    reference: str
    name: str


class OrderOut(Plain):
    number: str
    currency: str
    state: str
    market: str
    platform: str
    ordered_at: datetime | None
    shipped_at: datetime | None
    delivered_at: datetime | None
    customer: CustomerOut
    paid: MoneyJson
    lines: list[LineOut]
    payments: list[PaymentOut]
    parcels: list[ParcelOut]
    remarks: list[str]


class ParcelEventIn(Plain):
    kind: Literal[tuple(ParcelEventKind.values)]  # type: ignore[valid-type]
    happened_at: Moment
    text: Text = ""
    id: Annotated[str, Field(max_length=120)] = Field("", description="The carrier's own number of the report.")


class ParcelMovedOut(Plain):
    order: str
    position: str
    again: bool = Field(description="The report had been told before and changed nothing.")


class ParcelsMoved(Plain):
    parcels: list[ParcelMovedOut]


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
