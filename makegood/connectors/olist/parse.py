"""Read the Olist marketplace sample: a folder with four files (orders, order_items, order_payments, customers).

``path`` is the folder or the file of orders in it; the files may be named as published (``olist_orders_dataset.csv``)
and be packed with gzip. Items, payments and customers are put into a temporary file of SQLite and joined while the
orders are read, so memory does not grow with them. A position is the line in the file of orders; rows of the other
files whose order is not there come after the last one, counted on.

Each item row is one unit: the line number is ``order_item_id``, the article ``product_id``; freight is the order's
shipping. Amounts are reais. Times are wall clock in São Paulo; the estimated delivery is a day and means its end. A
customer is ``customer_unique_id``. Payments: ``credit_card`` and ``debit_card`` are card, ``boleto`` bank, ``voucher``
coupon. The sample names no parcels: one that was handed over bears the order's number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime, time, timedelta
from pathlib import Path

from makegood.connectors.cells import read_minor, read_time, refuse_future
from makegood.connectors.charsets import FileUnreadable
from makegood.connectors.olist.joining import Beside, Part, Parts, read_part
from makegood.connectors.reasons import RowRefused, one_of
from makegood.connectors.records import (
    CustomerRecord,
    LineRecord,
    OrderRecord,
    ParcelEventRecord,
    ParcelRecord,
    PaymentRecord,
    Read,
    Reject,
)
from makegood.connectors.tables import Table, fold

CURRENCY = "BRL"
ZONE = "America/Sao_Paulo"
METHODS = {"credit_card": "card", "debit_card": "card", "boleto": "bank", "voucher": "coupon", "not_defined": "unknown"}
STATUSES = {
    "created": "open",
    "approved": "open",
    "invoiced": "open",
    "processing": "open",
    "unavailable": "open",
    "shipped": "open",
    "delivered": "open",
    "canceled": "cancelled",
}
COLUMNS = {
    "orders": (
        "order_id",
        "customer_id",
        "order_status",
        "order_purchase_timestamp",
        "order_approved_at",
        "order_delivered_carrier_date",
        "order_delivered_customer_date",
        "order_estimated_delivery_date",
    ),
    "order_items": ("order_id", "order_item_id", "product_id", "price", "freight_value"),
    "order_payments": ("order_id", "payment_sequential", "payment_type", "payment_value"),
    "customers": (
        "customer_id",
        "customer_unique_id",
        "customer_zip_code_prefix",
        "customer_city",
        "customer_state",
    ),
}
_TIMES = COLUMNS["orders"][3:]


def parse(
    path: str, *, start_line: int = 0, encoding: str | None = None, at: datetime | None = None
) -> Iterator[tuple[int, Read]]:
    """Yield the orders and refusals. ``at``: orders, hand-overs and deliveries dated later are refused."""
    tables = {
        name: Table(str(file), encoding=encoding, names={fold(n): n for n in COLUMNS[name]}, needed=COLUMNS[name])
        for name, file in _find_files(path).items()
    }
    return _read(tables, at, start_line)


def _find_files(path: str) -> dict[str, Path]:
    folder = Path(path) if Path(path).is_dir() else Path(path).parent
    found = {}
    for name in COLUMNS:
        names = [f"olist_{name}{middle}.csv{end}" for middle in ("", "_dataset") for end in ("", ".gz")]
        file = next((folder / name for name in names if (folder / name).is_file()), None)
        if file is None:
            raise FileUnreadable(str(folder), field="file", rule=f"{names[0]} is not in the folder")
        found[name] = file
    return found


def _read(tables: dict[str, Table], at: datetime | None, start_line: int) -> Iterator[tuple[int, Read]]:
    with closing(Beside(tables)) as beside:
        position = last = start_line
        for row in tables["orders"].rows():
            last = row[0]
            parts = beside.take(read_part(tables["orders"], row), tables["orders"].index)
            if last <= start_line:
                continue
            outcome = _read_order(parts, at)
            if isinstance(outcome, OrderRecord):
                if last == tables["orders"].unterminated:
                    outcome.remarks = sorted({*outcome.remarks, "last_row_without_line_end"})
                yield last, outcome
            else:
                for refused in outcome[:-1]:
                    yield position, refused
                yield last, outcome[-1]
            position = last
        for part in beside.rest():
            last += 1
            if last > start_line:
                unknown = RowRefused(
                    "order_unknown", field="order_id", value=part.row.get("order_id") or part.row.get("customer_id", "")
                )
                yield last, part.reject(part.problem or unknown)


def _read_order(parts: Parts, at: datetime | None) -> OrderRecord | list[Reject]:
    """Make the order, or refuse all its rows."""
    every = parts.every()
    refusals = {place: part.problem for place, part in enumerate(every) if part.problem}
    if not refusals:
        try:
            return _build_order(parts, at)
        except RowRefused as refused:
            refusals[refused.line] = refused
    at_fault = every[next(iter(refusals))]
    incomplete = RowRefused("order_incomplete", field="order_id", value=f"{at_fault.file}:{at_fault.line}")
    return [part.reject(refusals.get(place, incomplete)) for place, part in enumerate(every)]


def _build_order(parts: Parts, at: datetime | None) -> OrderRecord:
    row = parts.order.row
    status = row["order_status"].strip()
    if status not in STATUSES:
        raise RowRefused("status_unknown", field="order_status", value=status)
    if not row["order_id"].strip():
        raise RowRefused("field_missing", field="order_id")
    times = {name: read_time(row[name], name, ZONE) if row[name].strip() else None for name in _TIMES}
    for name in _TIMES[:-1]:
        refuse_future(times[name], at, name, row[name])
    sent, delivered = times["order_delivered_carrier_date"], times["order_delivered_customer_date"]
    remarks: set[str] = set()
    order = OrderRecord(
        row["order_id"].strip(),
        CURRENCY,
        times["order_purchase_timestamp"],
        _customer(parts, remarks),
        [],
        market="BR",
        platform="olist",
        state=STATUSES[status],
        shipped_at=sent,
        delivered_at=delivered,
        promised_by=_end_of_day(times["order_estimated_delivery_date"]),
        source=[part.source() for part in parts.every()],
    )
    order.address = order.customer.address
    # RowRefused.line is here the place of the row among every(): the order is 0
    for place, part in enumerate(parts.items, 1):
        _placed(place, _add_line, order, part)
    for place, part in enumerate(parts.payments, 1 + len(parts.items)):
        _placed(place, _add_payment, order, part, times["order_approved_at"])
    _tell_state(order, status, remarks)
    _compare(order, sent, delivered, remarks)
    order.remarks = sorted(remarks)
    return order


def _placed(place: int, add: Callable[..., None], *arguments: object) -> None:
    try:
        add(*arguments)
    except RowRefused as refused:
        refused.line = place
        raise


def _customer(parts: Parts, remarks: set[str]) -> CustomerRecord:
    if not parts.customers:
        remarks.add("customer_missing")
        return CustomerRecord("")
    row = parts.customers[0].row
    address = {
        "zip": row["customer_zip_code_prefix"],
        "city": row["customer_city"],
        "state": row["customer_state"],
        "country": "BR",
    }
    return CustomerRecord(row["customer_unique_id"].strip(), address=address)


def _end_of_day(promised: datetime | None) -> datetime | None:
    """A promised day, written as its midnight, lasts until its end."""
    if promised and promised.time() == time():
        return promised + timedelta(days=1, seconds=-1)
    return promised


def _add_line(order: OrderRecord, part: Part) -> None:
    row = part.row
    number = row["order_item_id"].strip()
    if not number:
        raise RowRefused("field_missing", field="order_item_id")
    if any(line.number == number for line in order.lines):
        raise RowRefused("line_number_repeated", field="order_item_id", value=number)
    price = read_minor(row["price"], CURRENCY, "price")
    order.shipping_minor += read_minor(row["freight_value"], CURRENCY, "freight_value")
    order.lines.append(LineRecord(number, row["product_id"].strip(), "", 1, price, paid_minor=price))


def _add_payment(order: OrderRecord, part: Part, approved_at: datetime | None) -> None:
    row = part.row
    reference = row["payment_sequential"].strip()
    if any(payment.reference == reference for payment in order.payments):
        raise RowRefused("line_number_repeated", field="payment_sequential", value=reference)
    method = row["payment_type"].strip()
    if method not in METHODS:
        allowed = one_of(list(METHODS))
        raise RowRefused("value_not_allowed", field="payment_type", value=method, expected=allowed)
    captured = read_minor(row["payment_value"], CURRENCY, "payment_value")
    if captured:
        order.payments.append(PaymentRecord(reference, METHODS[method], captured, captured_at=approved_at))


def _tell_state(order: OrderRecord, status: str, remarks: set[str]) -> None:
    handed_over = status in {"shipped", "delivered"}
    if order.state == "cancelled":
        remarks.add("refund_unknown")
        if order.shipped_at:
            remarks.add("cancelled_but_sent")
        for line in order.lines:
            line.cancelled_before = line.quantity
    if status == "unavailable":
        remarks.add("unavailable")
    if handed_over and order.lines:
        delivered = status == "delivered"
        parcel = ParcelRecord(
            order.number,
            {line.number: line.quantity for line in order.lines},
            position="with_customer" if delivered else "in_transit",
        )
        if order.shipped_at:
            parcel.events.append(ParcelEventRecord("picked_up", order.shipped_at))
        if delivered:
            parcel.events.append(ParcelEventRecord("delivered", order.delivered_at))
        order.parcels.append(parcel)


def _compare(order: OrderRecord, sent: datetime | None, delivered: datetime | None, remarks: set[str]) -> None:
    """Remark upon what does not agree; old files cannot be mended."""
    if sent and order.ordered_at and sent < order.ordered_at:
        remarks.add("sent_before_ordered")
    if sent and delivered and delivered < sent:
        remarks.add("delivered_before_sent")
    if not order.lines:
        remarks.add("lines_missing")
    paid = sum(payment.captured_minor for payment in order.payments)
    if not order.payments:
        remarks.add("payment_missing")
    elif paid != sum(line.paid_minor or 0 for line in order.lines) + order.shipping_minor:
        remarks.add("payments_differ_from_lines")
