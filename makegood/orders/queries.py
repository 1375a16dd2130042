"""Reading orders: one order with everything about it in one query, and pages of many."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from makegood.customers.rules import ContactMalformed, guess_kind, normalize_contact
from makegood.kit import db, errors
from makegood.kit.asking import Question
from makegood.kit.wire import CursorMalformed
from makegood.orders import rules


class OrderUnknown(errors.Unknown):
    code = "order_unknown"
    message = "There is no order {value}."


@dataclass(frozen=True, slots=True)
class CustomerView:
    """Who bought; ``contacts`` as (kind, value)."""

    id: int
    reference: str
    name: str
    language: str
    address: Mapping[str, Any]
    contacts: tuple[tuple[str, str], ...]
    erased: bool


@dataclass(frozen=True, slots=True)
class LineView:
    """An order line; amounts in minor units, ``paid_minor`` None where the source told the order's total only."""

    id: int
    number: str
    sku: str
    title: str
    category: str
    product: str
    options: Mapping[str, Any]
    quantity: int
    unit_minor: int | None
    discount_minor: int
    tax_minor: int
    paid_minor: int | None
    returned_before: int
    cancelled_before: int
    attributes: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PaymentView:
    id: int
    reference: str
    method: str
    method_reference: str
    captured_minor: int
    refunded_before_minor: int
    captured_at: datetime | None
    gateway: str
    gateway_reference: str


@dataclass(frozen=True, slots=True)
class EventView:
    kind: str
    happened_at: datetime
    received_at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class ParcelView:
    """A parcel with its events, oldest first; ``contents`` maps line ids to units."""

    id: int
    reference: str
    carrier: str
    direction: str
    position: str
    contents: Mapping[int, int]
    events: tuple[EventView, ...]


@dataclass(frozen=True, slots=True)
class OrderView:
    """An order with all that hangs on it."""

    id: int
    number: str
    shop_slug: str
    currency: str
    ordered_at: datetime | None
    state: str
    market: str
    platform: str
    channel: str
    fulfilled_by: str
    shipping_minor: int
    shipping_tax_minor: int
    discount_minor: int
    address: Mapping[str, Any]
    shipped_at: datetime | None
    delivered_at: datetime | None
    promised_by: datetime | None
    attributes: Mapping[str, Any]
    remarks: tuple[str, ...]
    source_format: str
    customer: CustomerView
    lines: tuple[LineView, ...]
    payments: tuple[PaymentView, ...]
    parcels: tuple[ParcelView, ...]

    @property
    def captured_minor(self) -> int:
        return sum(payment.captured_minor for payment in self.payments)

    def line(self, number: str) -> LineView | None:
        return next((line for line in self.lines if line.number == number), None)


_ONE = """
select o.id, o.number, o.shop_slug, o.currency, o.ordered_at, o.state, o.market, o.platform, o.channel,
       o.fulfilled_by, o.shipping_minor, o.shipping_tax_minor, o.discount_minor, o.address, o.shipped_at,
       o.delivered_at, o.promised_by, o.attributes, o.remarks, o.source_format,
       (select jsonb_build_object('id', c.id, 'reference', c.reference, 'name', c.name, 'language', c.language,
               'address', c.address, 'erased', c.erased_at is not null, 'contacts',
               (select coalesce(jsonb_agg(jsonb_build_array(k.kind, k.value) order by k.id), '[]')
                  from customers_contact k where k.customer_id = c.id))
          from customers_customer c where c.id = o.customer_id) as customer,
       (select coalesce(jsonb_agg(to_jsonb(l) - array['merchant_id', 'order_id'] order by l.id), '[]')
          from orders_line l where l.order_id = o.id) as lines,
       (select coalesce(jsonb_agg(to_jsonb(p) - array['merchant_id', 'order_id'] order by p.id), '[]')
          from orders_payment p where p.order_id = o.id) as payments,
       (select coalesce(jsonb_agg(jsonb_build_object('id', b.id, 'reference', b.reference, 'carrier', b.carrier,
               'direction', b.direction, 'position', b.position,
               'contents', (select coalesce(jsonb_agg(jsonb_build_array(i.line_id, i.quantity)), '[]')
                              from orders_parcelline i where i.parcel_id = b.id),
               'events', (select coalesce(jsonb_agg(jsonb_build_object('kind', e.kind, 'happened_at', e.happened_at,
                                 'received_at', e.received_at, 'text', e.text) order by e.happened_at, e.id), '[]')
                            from orders_parcelevent e where e.parcel_id = b.id)) order by b.id), '[]')
          from orders_parcel b where b.order_id = o.id) as parcels
  from orders_order o
"""


@db.query
def order_by_number(number: str) -> OrderView:
    """The order of that number, in one query. Raises OrderUnknown, for another merchant's too."""
    return _one("o.number = %s", number)


@db.query
def order_view(order_id: int) -> OrderView:
    """The order, in one query. Raises OrderUnknown, for another merchant's too."""
    return _one("o.id = %s", order_id)


def _one(condition: str, value: object) -> OrderView:
    if isinstance(value, str) and "\0" in value:
        raise OrderUnknown(value.replace("\0", ""), field="order")
    row = db.fetch_one(*view_statement(condition, value))
    if row is None:
        raise OrderUnknown(value, field="order")
    return view_from(row)


def asking_order(order_id: int) -> Question[OrderView]:
    """As ``order_view``."""

    def read(rows: list[dict[str, Any]]) -> OrderView:
        if not rows:
            raise OrderUnknown(order_id, field="order")
        return view_from(rows[0])

    return Question(view_statement("o.id = %s", order_id), read=read)


def view_statement(condition: str, value: object) -> tuple[str, db.Params]:
    """What asks for an order (aliased ``o``), to be sent along with other statements; see ``view_from``."""
    return f"{_ONE} where {condition}", [value]


def view_from(row: dict[str, Any]) -> OrderView:
    """The order of which ``view_statement`` gave the row."""
    customer = json.loads(row.pop("customer"))
    customer["contacts"] = tuple((kind, text) for kind, text in customer["contacts"])
    lines = json.loads(row.pop("lines"))
    payments = json.loads(row.pop("payments"))
    parcels = json.loads(row.pop("parcels"))
    for name in ("address", "attributes"):
        row[name] = json.loads(row[name])
    row["remarks"] = tuple(row["remarks"])
    return OrderView(
        **row,
        customer=CustomerView(**customer),
        lines=tuple(LineView(**line) for line in lines),
        payments=tuple(
            PaymentView(**{**payment, "captured_at": _time(payment["captured_at"])}) for payment in payments
        ),
        parcels=tuple(_parcel(parcel) for parcel in parcels),
    )


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _parcel(parcel: dict[str, Any]) -> ParcelView:
    events = tuple(
        EventView(
            event["kind"],
            datetime.fromisoformat(event["happened_at"]),
            datetime.fromisoformat(event["received_at"]),
            event["text"],
        )
        for event in parcel["events"]
    )
    return ParcelView(**{**parcel, "contents": dict(parcel["contents"]), "events": events})


def paid_shares(order: OrderView) -> dict[int, int]:
    """What was paid for each line in minor units, by line id: see ``rules.paid_shares``.

    Lines that replaced others after the sale are no part of what the order's payments bought.
    """
    sold = [line for line in order.lines if "replaces" not in line.attributes]
    shares = rules.paid_shares(
        [rules.LineFigures(line.quantity, line.paid_minor, line.unit_minor, line.discount_minor) for line in sold],
        shipping=order.shipping_minor,
        discount=order.discount_minor,
        captured=order.captured_minor if order.payments else None,
    )
    found = {line.id: share for line, share in zip(sold, shares, strict=True)}
    return {line.id: found.get(line.id, line.paid_minor or 0) for line in order.lines}


def goods_position(order: OrderView) -> dict[int, rules.UnitPositions]:
    """Where each unit of each line is before any after-sales, by line id: see ``rules.unit_positions``."""
    outgoing = [parcel for parcel in order.parcels if parcel.direction == "out"]
    if order.channel == "store" or (not outgoing and order.delivered_at):
        elsewhere = "delivered"
    elif not outgoing and order.shipped_at:
        elsewhere = "in_transit"
    else:
        elsewhere = "to_ship"
    found = {}
    for line in order.lines:
        units: dict[str, int] = {}
        for parcel in outgoing:
            units[parcel.position] = units.get(parcel.position, 0) + parcel.contents.get(line.id, 0)
        so_far = rules.LineSoFar(line.quantity, line.returned_before, line.cancelled_before, units)
        found[line.id] = rules.unit_positions(so_far, state=order.state, elsewhere=elsewhere)
    return found


@dataclass(frozen=True, slots=True)
class OrderRow:
    """One row of a list of orders."""

    id: int
    number: str
    customer_name: str
    currency: str
    ordered_at: datetime | None
    state: str
    platform: str
    captured_minor: int
    units: int
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OrdersPage:
    """``next`` is the cursor of the following page, None on the last."""

    rows: tuple[OrderRow, ...]
    next: str | None


@db.query
def orders_page(
    *, after: str | None = None, limit: int = 50, query: str = "", customer_id: int | None = None
) -> OrdersPage:
    """Orders, newest recorded first; ``after`` is the previous page's ``next``. Cost does not grow with the page.

    ``query`` finds the beginning of an order number, a parcel's number, or a contact exactly; ``customer_id``
    leaves out everybody else's. Raises CursorMalformed.
    """
    conditions, params = ["true"], []  # type: tuple[list[str], list[Any]]
    if customer_id is not None:
        conditions.append("o.customer_id = %s")
        params.append(customer_id)
    if after is not None:
        if not after.isascii() or not after.isdecimal() or len(after) > 18:
            raise CursorMalformed(after, field="after", rule="a cursor")
        conditions.append("o.id < %s")
        params.append(int(after))
    if query := query.replace("\0", "").strip():
        condition, found = _search(query)
        conditions.append(condition)
        params += found
    limit = max(1, min(limit, 200))
    rows = db.fetch(
        f"""
        select o.id, o.number, c.name as customer_name, o.currency, o.ordered_at, o.state, o.platform, o.remarks,
               (select coalesce(sum(p.captured_minor), 0)::bigint from orders_payment p where p.order_id = o.id)
                 as captured_minor,
               (select coalesce(sum(l.quantity), 0)::bigint from orders_line l where l.order_id = o.id) as units
          from orders_order o join customers_customer c on c.id = o.customer_id
         where {" and ".join(conditions)}
         order by o.id desc limit {limit + 1}
        """,
        params,
    )
    shown = tuple(OrderRow(**{**row, "remarks": tuple(row["remarks"])}) for row in rows[:limit])
    return OrdersPage(shown, str(shown[-1].id) if len(rows) > limit else None)


def _search(query: str) -> tuple[str, list[Any]]:
    escaped = query.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    condition = (
        "(o.number like %s or exists (select 1 from orders_parcel b where b.order_id = o.id and b.reference = %s)"
    )
    params: list[Any] = [escaped + "%", query]
    try:
        kind = guess_kind(query)
        home = db.fetch_one("select market from accounts_merchant") or {"market": ""}
        value = normalize_contact(kind, query, region=home["market"])
    except ContactMalformed:
        return condition + ")", params
    condition += " or o.customer_id in (select customer_id from customers_contact where kind = %s and value = %s))"
    return condition, [*params, kind, value]
