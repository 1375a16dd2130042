"""What every order source is read into: one plain record an order, before anything is stored.

Amounts are integers of minor units of the order's currency. ``None`` means the source did not say;
nothing is invented. ``source`` keeps the original rows so that every figure can be traced.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol


@dataclass(slots=True)
class LineRecord:
    """One order line.

    Quantity is what was sold (> 0), except 0 where the source itself says 0; then the order carries a remark.
    """

    number: str  # unique within the order, stable across imports
    sku: str
    title: str
    quantity: int
    unit_minor: int | None = None  # list price of one unit
    discount_minor: int = 0  # taken off the whole line
    tax_minor: int = 0  # contained in paid_minor
    paid_minor: int | None = None  # what was paid for the whole line, discounts and tax included
    category: str = ""
    product: str = ""  # groups variants that may be exchanged for one another
    options: dict[str, Any] = field(default_factory=dict)
    returned_before: int = 0  # units that had come back before we were told of the order
    cancelled_before: int = 0  # units cancelled before we were told of the order
    attributes: dict[str, Any] = field(default_factory=dict)  # {"facts": …}: line facts of the policy vocabulary


@dataclass(slots=True)
class PaymentRecord:
    """Money taken for the order. ``method`` is ``card|wallet|cod|gift_card|points|coupon|bank|unknown``."""

    reference: str  # unique within the order
    method: str
    captured_minor: int
    refunded_before_minor: int = 0  # already given back before we were told
    captured_at: datetime | None = None
    gateway: str = "manual"  # which gateway can refund it: manual, stripe, store_credit, points
    gateway_reference: str = ""


@dataclass(slots=True)
class ParcelEventRecord:
    """A carrier's event. Kinds: see ``makegood.orders.states.ParcelEventKind``."""

    kind: str
    happened_at: datetime | None
    text: str = ""


@dataclass(slots=True)
class ParcelRecord:
    reference: str
    lines: dict[str, int]  # line number -> units
    carrier: str = ""
    position: str = "in_transit"  # not_shipped|in_transit|at_door|with_customer|returning|back|lost
    events: list[ParcelEventRecord] = field(default_factory=list)


@dataclass(slots=True)
class CustomerRecord:
    reference: str  # the source's id of the person; "" when unknown
    name: str = ""
    email: str = ""
    phone: str = ""
    address: dict[str, Any] = field(default_factory=dict)
    methods: list[dict[str, Any]] = field(
        default_factory=list
    )  # saved ways of payment: {"id", "kind", "balance_minor"?}
    source: dict[str, Any] = field(default_factory=dict)  # the original record, where the source has one for the person


@dataclass(slots=True)
class OrderRecord:
    number: str
    currency: str
    ordered_at: datetime | None
    customer: CustomerRecord
    lines: list[LineRecord]
    payments: list[PaymentRecord] = field(default_factory=list)
    parcels: list[ParcelRecord] = field(default_factory=list)
    market: str = ""  # ISO 3166 country
    platform: str = "own-store"
    channel: str = "distance"  # distance|store
    fulfilled_by: str = "seller"  # seller|platform
    state: str = "open"  # open|cancelled|returned: what the source says of the whole order
    shipping_minor: int = 0
    shipping_tax_minor: int = 0
    discount_minor: int = 0  # order level, not yet in the lines' paid_minor
    address: dict[str, Any] = field(default_factory=dict)
    shipped_at: datetime | None = None
    delivered_at: datetime | None = None
    promised_by: datetime | None = None
    # Terms of the sale: points_earned, coupon {code, minor, restorable}, terms (thresholds), facts (of the policy).
    attributes: dict[str, Any] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)  # codes of contradictions found in the source
    source: list[dict[str, Any]] = field(default_factory=list)  # the original rows: {"line", "row", "file"?}


@dataclass(slots=True)
class CatalogRecord:
    """A thing that can be sent: needed for exchanges and changed items."""

    sku: str
    product: str
    title: str
    price_minor: int
    currency: str
    available: bool
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Reject:
    """A row that could not be used: where, which field, what it said and which rule it breaks."""

    line: int
    field: str
    value: str
    code: str
    reason_en: str
    reason_zh: str
    row: Mapping[str, Any] = dataclasses.field(default_factory=dict)


Read = OrderRecord | CatalogRecord | CustomerRecord | Reject


class Parser(Protocol):
    """Read one source, streaming: memory must not grow with the file.

    Rows that belong to one order come as one record, or every one of them as a Reject; so rows read are always the
    rows in ``OrderRecord.source`` plus the rejects. Fields left empty mean that the source did not say: an empty
    name does not blank a known one.
    """

    def __call__(
        self, path: str, *, start_line: int = 0, encoding: str | None = None, at: datetime | None = None
    ) -> Iterator[tuple[int, Read]]:
        """Yield ``(position, record)``.

        A position is the line a record begins at (the ordinal of the record where the source has no lines). Stopping
        after any record and calling again with its position as ``start_line`` goes on without losing a record; only
        the refusals of the one order that was cut between them may come twice. ``encoding`` overrides the guess;
        dates more than a day after ``at`` are refused. Raises the errors of ``charsets`` and ``tables`` at the call
        or at the first record.
        """
