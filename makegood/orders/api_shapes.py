"""Shapes of orders and carriers' reports on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, StrictBool

from makegood.kit.wire import Moment, MoneyJson, Plain
from makegood.orders.states import ParcelEventKind

BULK_MAX = 500
Units = Annotated[int, Field(strict=True, ge=0, le=1_000_000_000)]
Text = Annotated[str, Field(max_length=400)]
Short = Annotated[str, Field(max_length=120)]


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
    excluded_from_no_reason: StrictBool | None = None
    confirmed_no_return: StrictBool | None = Field(None, description="The buyer confirmed the exclusion at purchase.")
    promotion: Short = ""


class CouponIn(Plain):
    code: Annotated[str, Field(min_length=1, max_length=40)]
    amount: MoneyJson
    restorable: StrictBool = True


class TermsIn(Plain):
    """What was agreed at the sale beside prices; a part return is reckoned on these terms, whatever holds later."""

    points_earned: Units = 0
    coupon: CouponIn | None = None
    free_shipping: StrictBool | None = None
    standard_shipping: MoneyJson | None = Field(
        None, description="Cheapest standard delivery, where another was chosen."
    )
    threshold: MoneyJson | None = Field(None, description="Goods from which the order's discount was given.")
    shipping_threshold: MoneyJson | None = Field(None, description="Goods from which shipping was free.")
    shipping_waived: MoneyJson | None = None


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
    terms: TermsIn | None = None


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
    again: StrictBool = Field(description="The report had been told before and changed nothing.")


class ParcelsMoved(Plain):
    parcels: list[ParcelMovedOut]
