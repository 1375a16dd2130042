"""Read the sale report of an Amazon seller in India (``Order ID, Date, Status, …, Courier Status, Qty, Amount``).

What the columns are worth: ``Category`` and blank ``Courier Status`` cells were edited by the report's publisher. So
the category is shown as part of the title and never given as a fact, and ``On the Way``, which stands where the
courier's cell was blank, moves nothing and is only remarked upon. ``Status`` decides; only where it says pending while
the courier says ``Shipped`` the parcel counts as sent, because a parcel under way cannot be cancelled like one on the
shelf.

There is no column for an article unless the file has ``SKU``; the line number is the report's own ``index``, so a row
that stands twice is one line with the remark ``duplicate_line``. ``Amount`` is the whole line. ``Date`` is a day,
month first, and becomes its beginning in India. A blank currency is the report's, INR. The report never says what
was refunded and, for cancelled and pending orders, not whether anything was paid: then there is no payment and a
remark says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from makegood.connectors.cells import read_currency, read_minor, read_quantity, refuse_future
from makegood.connectors.grouping import read_orders
from makegood.connectors.reasons import RowRefused
from makegood.connectors.records import (
    CustomerRecord,
    LineRecord,
    OrderRecord,
    ParcelEventRecord,
    ParcelRecord,
    PaymentRecord,
    Read,
)
from makegood.connectors.tables import Table, fold

ZONE = ZoneInfo("Asia/Kolkata")
CURRENCY = "INR"
NEEDED = ("Order ID", "Date", "Status", "Qty", "Amount")
COLUMNS = (
    *NEEDED,
    "index",
    "SKU",
    "Fulfilment",
    "Sales Channel",
    "Category",
    "Size",
    "Courier Status",
    "currency",
    "ship-city",
    "ship-state",
    "ship-postal-code",
    "ship-country",
)


@dataclass(frozen=True, slots=True)
class _Status:
    """What a value of ``Status`` means: the order's state, where the parcel is (None: no parcel), its last event."""

    remark_word: str
    position: str | None = None
    event: str = ""
    state: str = "open"
    paid: bool = True  # the sale counts as paid


STATUSES = {
    "Cancelled": _Status("cancelled", state="cancelled", paid=False),
    "Pending": _Status("pending", paid=False),
    "Pending - Waiting for Pick Up": _Status("pending", paid=False),
    "Shipping": _Status("pending", paid=False),
    "Shipped": _Status("shipped", "in_transit", "in_transit"),
    "Shipped - Picked Up": _Status("shipped", "in_transit", "picked_up"),
    "Shipped - Out for Delivery": _Status("shipped", "at_door", "out_for_delivery"),
    "Shipped - Delivered to Buyer": _Status("delivered", "with_customer", "delivered"),
    "Shipped - Rejected by Buyer": _Status("shipped", "returning", "refused"),
    "Shipped - Returning to Seller": _Status("shipped", "returning", "returning"),
    "Shipped - Returned to Seller": _Status("returned", "back", "returned", state="returned"),
    "Shipped - Lost in Transit": _Status("shipped", "lost", "lost"),
    "Shipped - Damaged": _Status("shipped", "in_transit", "damaged"),
}
# (what Status says, Courier Status) -> remark
CONTRADICTIONS = {
    ("cancelled", "On the Way"): "cancelled_but_on_the_way",
    ("cancelled", "Shipped"): "cancelled_but_sent",
    ("pending", "Shipped"): "pending_but_courier_shipped",
    ("pending", "Cancelled"): "pending_but_courier_cancelled",
    ("shipped", "Cancelled"): "shipped_but_courier_cancelled",
    ("shipped", "Unshipped"): "shipped_but_courier_unshipped",
    ("delivered", "On the Way"): "delivered_but_on_the_way",
    ("delivered", "Cancelled"): "shipped_but_courier_cancelled",
    ("delivered", "Unshipped"): "shipped_but_courier_unshipped",
    ("returned", "On the Way"): "returned_but_on_the_way",
    ("returned", "Cancelled"): "shipped_but_courier_cancelled",
    ("returned", "Unshipped"): "shipped_but_courier_unshipped",
}
COURIER_SHIPPED = _Status("pending", "in_transit", "in_transit", paid=False)  # pending, yet the courier has it
_DAY = re.compile(r"(\d\d)-(\d\d)-(\d{4}|\d\d)", re.ASCII)


@dataclass(slots=True)
class _Row:
    line: int
    cells: list[str]
    record: LineRecord
    status: _Status
    currency: str
    day: str
    remarks: list[str]


def parse(
    path: str, *, start_line: int = 0, encoding: str | None = None, at: datetime | None = None
) -> Iterator[tuple[int, Read]]:
    """Yield the report's orders and refusals. ``at``: orders dated more than a day later are refused."""
    table = Table(path, encoding=encoding, names={fold(name): name for name in COLUMNS}, needed=NEEDED)
    report = _Report(table, at)
    return read_orders(
        table, "Order ID", read_row=report.read_row, build_order=report.build_order, start_line=start_line
    )


@lru_cache(maxsize=4096)
def _read_day(text: str) -> datetime:
    found = _DAY.fullmatch(text)
    if found:
        year = int(found[3]) if len(found[3]) == 4 else 2000 + int(found[3])
        try:
            return datetime(year, int(found[1]), int(found[2]), tzinfo=ZONE)
        except ValueError:
            pass
    raise RowRefused("date_malformed", field="Date", value=text, expected="04-30-2022")


class _Report:
    """One table being read; knows at which place each column stands."""

    def __init__(self, table: Table, at: datetime | None) -> None:
        self.table = table
        self.at = at
        place = table.index
        # a column that the file lacks reads the empty cell that read_row appends
        self.places = {name: place.get(name, -1) for name in COLUMNS}

    def read_row(self, line: int, cells: list[str]) -> _Row:
        place = self.places
        cells = [*cells, ""]
        status = STATUSES.get(cells[place["Status"]].strip())
        if status is None:
            raise RowRefused("status_unknown", field="Status", value=cells[place["Status"]])
        units = read_quantity(cells[place["Qty"]], "Qty")
        if units < 0:
            raise RowRefused("quantity_negative", field="Qty", value=units)
        remarks = [] if units else ["quantity_zero"]
        currency = cells[place["currency"]].strip()
        if currency:
            currency = read_currency(currency, "currency")
        amount = cells[place["Amount"]].strip()
        paid = read_minor(amount, currency or CURRENCY, "Amount") if amount else None
        if not amount:
            remarks.append("amount_missing")
        elif paid == 0:
            remarks.append("amount_zero")
        remark = CONTRADICTIONS.get((status.remark_word, cells[place["Courier Status"]].strip()))
        if remark:
            remarks.append(remark)
        if remark == "pending_but_courier_shipped":
            status = COURIER_SHIPPED
        return self._row(line, cells, units, paid, status, currency, remarks)

    def _row(
        self,
        line: int,
        cells: list[str],
        units: int,
        paid: int | None,
        status: _Status,
        currency: str,
        remarks: list[str],
    ) -> _Row:
        place = self.places
        day = cells[place["Date"]].strip()
        refuse_future(_read_day(day), self.at, "Date", day)
        sku = cells[place["SKU"]].strip()
        size = cells[place["Size"]].strip()
        category = cells[place["Category"]].strip()
        record = LineRecord(
            cells[place["index"]].strip() or sku or f"{category}/{size}",
            sku,
            f"{category} {size}".strip(),
            units,
            paid_minor=paid,
            options={"size": size} if size else {},
        )
        return _Row(line, cells, record, status, currency, day, remarks)

    def build_order(self, number: str, rows: list[_Row]) -> OrderRecord:
        if not number:
            raise RowRefused("field_missing", field="Order ID")
        first = rows[0]
        cells, place = first.cells, self.places
        remarks = {remark for row in rows for remark in row.remarks}
        currency = self._currency(rows, remarks)
        kept = self._number_lines(rows, remarks)
        if any(row.day != first.day for row in rows):
            remarks.add("dates_differ")
        country = cells[place["ship-country"]].strip().upper()
        if not country:
            remarks.add("country_missing")
        elif not (len(country) == 2 and country.isascii() and country.isalpha()):
            remarks.add("country_unclear")
        channel = cells[place["Sales Channel"]].strip()
        order = OrderRecord(
            number,
            currency,
            _read_day(first.day),
            CustomerRecord(""),
            [row.record for row in kept],
            market="" if "country_unclear" in remarks else country,
            platform="amazon" if channel.lower().startswith("amazon") else channel.lower() or "amazon",
            fulfilled_by="platform" if cells[place["Fulfilment"]].strip() == "Amazon" else "seller",
            address=self._address(cells, country),
            source=[self.table.source(row.line, row.cells) for row in rows],
        )
        _tell_states(order, kept, remarks)
        order.remarks = sorted(remarks)
        return order

    def _currency(self, rows: list[_Row], remarks: set[str]) -> str:
        given = [(row.line, row.currency) for row in rows if row.currency]
        for line, currency in given:
            if currency != given[0][1]:
                raise RowRefused("currency_mixed", field="currency", value=currency, line=line, expected=given[0][1])
        if len(given) < len(rows):
            remarks.add("currency_missing")
        return given[0][1] if given else CURRENCY

    def _number_lines(self, rows: list[_Row], remarks: set[str]) -> list[_Row]:
        """Drop the repetition of a row with the same index; without an index number equal articles ``x``, ``x#2``."""
        place = self.places["index"]
        kept: dict[str, _Row] = {}
        for row in rows:
            number = row.record.number
            twin = kept.get(number)
            if twin and row.cells[place].strip():
                if twin.cells != row.cells:
                    raise RowRefused("line_number_repeated", field="index", value=number, line=row.line)
                remarks.add("duplicate_line")
                continue
            count = 1
            while row.record.number in kept:
                count += 1
                row.record.number = f"{number}#{count}"
            kept[row.record.number] = row
        return list(kept.values())

    def _address(self, cells: list[str], country: str) -> dict[str, Any]:
        parts = {
            "city": cells[self.places["ship-city"]].strip(),
            "state": cells[self.places["ship-state"]].strip(),
            "zip": cells[self.places["ship-postal-code"]].strip().removesuffix(".0"),
            "country": country,
        }
        return {name: part for name, part in parts.items() if part}


def _tell_states(order: OrderRecord, rows: list[_Row], remarks: set[str]) -> None:
    """Fill state, parcels and payment from the statuses of the lines."""
    by_status: dict[_Status, list[LineRecord]] = {}
    for row in rows:
        by_status.setdefault(row.status, []).append(row.record)
    if len(by_status) > 1:
        remarks.add("lines_differ_in_status")
    paid = 0
    states = set()
    for status, lines in by_status.items():
        states.add(status.state)
        _add_parcel(order, status, lines)
        if status.state == "cancelled":
            for line in lines:
                line.cancelled_before = line.quantity
        if status.state == "returned":
            for line in lines:
                line.returned_before = line.quantity
        if status.state != "open":
            remarks.add("refund_unknown")
        if status.paid:
            paid += sum(line.paid_minor or 0 for line in lines)
        else:
            remarks.add("payment_unknown")
    order.state = states.pop() if len(states) == 1 else "open"
    if paid:
        order.payments.append(PaymentRecord("report", "unknown", paid))


def _add_parcel(order: OrderRecord, status: _Status, lines: list[LineRecord]) -> None:
    """One parcel for the lines of one status; the report knows no tracking number, so it bears the order's number."""
    units = {line.number: line.quantity for line in lines if line.quantity}
    if status.position is None or not units:
        return
    count = len(order.parcels) + 1
    order.parcels.append(
        ParcelRecord(
            order.number if count == 1 else f"{order.number}/{count}",
            units,
            position=status.position,
            events=[ParcelEventRecord(status.event, None)],
        )
    )
