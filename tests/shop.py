"""A small shop to test with: people, orders and verbs, all through the commands that production uses."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from makegood.accounts.actors import Actor
from makegood.cases import commands as cases
from makegood.cases.commands.asking import Asked
from makegood.cases.models import Case
from makegood.connectors.records import CustomerRecord, LineRecord, OrderRecord, ParcelRecord, PaymentRecord
from makegood.kit import db
from makegood.kit.files import Stored
from makegood.orders import commands as orders
from makegood.orders.queries import OrderView, order_by_number

NOON = datetime(2026, 11, 16, 4, 0, tzinfo=UTC)  # Monday noon in Shanghai
AGENT = Actor.staff(1, "An", "agent")
REVIEWER = Actor.staff(2, "Rui", "reviewer")
MANAGER = Actor.staff(3, "Mei", "manager")
OWNER = Actor.staff(4, "Ou", "owner")
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Bought:
    """What the customer paid for one line, in minor units."""

    quantity: int = 1
    paid: int = 10_000
    sku: str = "LAMP-1"
    product: str = "LAMP"
    category: str = ""


def sell(
    *bought: Bought,
    currency: str = "CNY",
    shipping: int = 0,
    payments: Mapping[str, int] | None = None,
    position: str = "with_customer",
    at: datetime = NOON,
    gateway: str = "manual",
    customer: str = "",
    **extra: Any,
) -> OrderView:
    """Bring an order in; by default it was delivered yesterday. ``payments`` maps a reference to minor units."""
    lines = bought or (Bought(),)
    number = f"T{next(_numbers):06d}"
    total = sum(line.paid for line in lines) + shipping
    records = [
        LineRecord(str(i), line.sku, f"Lamp {line.sku}", line.quantity, paid_minor=line.paid, product=line.product,
                   category=line.category)
        for i, line in enumerate(lines, start=1)
    ]  # fmt: skip
    shipped = position != "not_shipped"
    parcel = ParcelRecord(f"P-{number}", {line.number: line.quantity for line in records}, "SF", position)
    result = orders.record_orders(
        [
            OrderRecord(
                number=number,
                currency=currency,
                ordered_at=at - timedelta(days=4),
                customer=CustomerRecord(customer or f"c-{number}", "王芳", f"c{number}@example.com"),
                lines=records,
                payments=[
                    PaymentRecord(reference, "card", minor, captured_at=at - timedelta(days=4), gateway=gateway,
                                  gateway_reference=f"pi_{number}_{reference}")
                    for reference, minor in (payments or {"p1": total}).items()
                ],
                parcels=[parcel] if shipped else [],
                market="CN",
                shipping_minor=shipping,
                shipped_at=at - timedelta(days=3) if shipped else None,
                delivered_at=at - timedelta(days=1) if position == "with_customer" else None,
                **extra,
            )
        ],
        at=at,
    )  # fmt: skip
    assert not result.refused, result.refused
    return order_by_number(number)


def ask(
    order: OrderView,
    kind: str,
    reason: str,
    *lines: tuple[str, int] | tuple[str, int, str],
    at: datetime = NOON,
    key: str = "",
    actor: Actor | None = None,
    **extra: Any,
) -> Case:
    """The customer files a case; by default about one unit of the first line."""
    return cases.file_case(
        kind=kind,
        reason=reason,
        request_key=key or f"k{next(_numbers)}",
        actor=actor or Actor.customer(order.customer.id),
        at=at,
        order_number=order.number,
        asked=[Asked(*line) for line in lines or (("1", 1),)],
        **extra,
    )


def settle(case: Case, *, at: datetime = NOON, by: Actor = AGENT) -> Case:
    """Decide by policy and approve."""
    cases.decide_case(ref=case.ref, actor=by, at=at)
    return cases.approve_case(ref=case.ref, actor=by, at=at)


def bring_photo(case: Case, *, at: datetime = NOON, by: Actor | None = None, kind: str = "photo") -> None:
    """The customer adds a picture."""
    name = f"{next(_numbers):064x}"
    cases.add_evidence(
        ref=case.ref,
        kind=kind,
        file=Stored(sha256=name, media_type="image/jpeg", size=1000, name="photo.jpg"),
        actor=by or Actor.customer(case.customer_id),
        at=at,
    )


def carrier_says(order: OrderView, kind: str, *, at: datetime = NOON, follow: bool = True) -> None:
    """A report of the carrier about the order's parcel, carried into its cases as the job would."""
    for moved in orders.record_parcel_event(
        parcel_reference=f"P-{order.number}", kind=kind, happened_at=at, source_key=f"e{next(_numbers)}", at=at
    ):
        if follow:
            cases.follow_parcel(parcel_id=moved.parcel_id, at=at)


@db.query
def again(case: Case) -> Case:
    """The case as the database has it now."""
    return Case.objects.get(id=case.id)
