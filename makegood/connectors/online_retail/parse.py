"""Read the invoices of a British web shop, UCI Online Retail (``InvoiceNo, StockCode, …, CustomerID, Country``).

One invoice is one order in pounds; times are wall clock in London. ``UnitPrice`` times ``Quantity`` is what was paid
for a line, in one payment named after the invoice. The line number is the stock code (its repetition ``x#2``).

- Negative quantities (invoices beginning with C) are returns whose sale is not named. ``matching.py`` puts each to
  the latest earlier line of the same customer, article and price that still has its units: there it is
  ``returned_before`` and ``refunded_before``, the row stands in that order's ``source``, and the remark is
  ``return_matched``. A return that finds no line stands as an order of its own under its C number with all units
  returned, no payment, and the remark ``return_without_sale``.
- ``POST``, ``DOT`` and ``C2`` are carriage: the order's shipping. A matched credit of them refunds without returning
  goods.
- ``M``, ``D``, ``S`` and the like are no goods: lines with the remark ``not_goods``.
- Fees (``AMAZONFEE``, ``BANK CHARGES``, ``CRUK``, ``B``) and invoices without customer whose prices are all 0, which
  are stock corrections, are refused as ``not_a_sale``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from makegood.connectors.cells import read_minor, read_quantity, read_time, refuse_future
from makegood.connectors.grouping import cell_at, read_orders
from makegood.connectors.online_retail.matching import Matches, Trade
from makegood.connectors.reasons import RowRefused
from makegood.connectors.records import CustomerRecord, LineRecord, OrderRecord, PaymentRecord, Read
from makegood.connectors.tables import Table, TableRow, fold

CURRENCY = "GBP"
ZONE = "Europe/London"
COLUMNS = ("InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country")
CARRIAGE = frozenset({"POST", "DOT", "C2"})
FEES = frozenset({"AMAZONFEE", "BANK CHARGES", "CRUK", "B"})
NOT_GOODS = frozenset({"M", "D", "S", "ADJUST", "ADJUST2", "TEST001", "TEST002"})
COUNTRIES = {
    "Australia": "AU",
    "Austria": "AT",
    "Bahrain": "BH",
    "Belgium": "BE",
    "Brazil": "BR",
    "Canada": "CA",
    "Cyprus": "CY",
    "Czech Republic": "CZ",
    "Denmark": "DK",
    "EIRE": "IE",
    "Finland": "FI",
    "France": "FR",
    "Germany": "DE",
    "Greece": "GR",
    "Hong Kong": "HK",
    "Iceland": "IS",
    "Israel": "IL",
    "Italy": "IT",
    "Japan": "JP",
    "Lebanon": "LB",
    "Lithuania": "LT",
    "Malta": "MT",
    "Netherlands": "NL",
    "Norway": "NO",
    "Poland": "PL",
    "Portugal": "PT",
    "RSA": "ZA",
    "Saudi Arabia": "SA",
    "Singapore": "SG",
    "Spain": "ES",
    "Sweden": "SE",
    "Switzerland": "CH",
    "USA": "US",
    "United Arab Emirates": "AE",
    "United Kingdom": "GB",
}
_MONTH_FIRST = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4}) (\d{1,2}:\d\d)", re.ASCII)


@dataclass(slots=True)
class _Row:
    line: int
    cells: list[str]
    article: str
    units: int  # negative for a return
    unit_minor: int
    sale_line: int  # line of the sale that this return was matched to; 0 for none


def parse(
    path: str, *, start_line: int = 0, encoding: str | None = None, at: datetime | None = None
) -> Iterator[tuple[int, Read]]:
    """Yield the invoices and refusals; the file is read twice. ``at``: invoices dated later are refused."""
    table = Table(path, encoding=encoding, names={fold(name): name for name in COLUMNS}, needed=COLUMNS)
    return _read(table, at, start_line)


def _read(table: Table, at: datetime | None, start_line: int) -> Iterator[tuple[int, Read]]:
    invoices = _Invoices(table, at)
    width = len(table.titles)
    usual = cell_at(table.index["InvoiceNo"])

    def key_of(row: TableRow) -> str:
        return row[1][width] if len(row[1]) > width else usual(row)

    with closing(Matches(invoices.trades())) as matches:
        yield from read_orders(
            table,
            "InvoiceNo",
            read_row=invoices.read_row,
            build_order=invoices.build_order,
            start_line=start_line,
            rows=matches.weave(table.rows()),
            key_of=key_of,
        )


@lru_cache(maxsize=4096)
def _read_moment(text: str) -> datetime:
    found = _MONTH_FIRST.fullmatch(text.strip())
    iso = f"{found[3]}-{found[1]}-{found[2]} {found[4]}" if found else text
    return read_time(iso, "InvoiceDate", ZONE)


class _Invoices:
    """One table being read; knows at which place each column stands."""

    def __init__(self, table: Table, at: datetime | None) -> None:
        self.table = table
        self.at = at
        self.width = len(table.titles)
        self.invoice, self.stock, self.text, self.count, self.date, self.price, self.customer, self.country = (
            table.index[name] for name in COLUMNS
        )

    def trades(self) -> Iterator[Trade]:
        """Give the matching every row with a customer and a price; rows that cannot be read are left to read_row."""
        for line, cells, problem in self.table.rows():
            customer = cells[self.customer] if not problem else ""
            if not customer.strip():
                continue
            try:
                units = read_quantity(cells[self.count], "Quantity")
                unit_minor = read_minor(cells[self.price], CURRENCY, "UnitPrice")
            except RowRefused:
                continue
            if units and unit_minor:
                key = f"{customer}|{cells[self.stock]}|{unit_minor}"
                yield Trade(line, cells[self.invoice].strip(), key, units, cells if units < 0 else None)

    def read_row(self, line: int, cells: list[str]) -> _Row:
        article = cells[self.stock].strip()
        if not article:
            raise RowRefused("field_missing", field="StockCode")
        if article in FEES:
            raise RowRefused("not_a_sale", field="StockCode", value=article)
        units = read_quantity(cells[self.count], "Quantity")
        if not units:
            raise RowRefused("quantity_zero", field="Quantity", value=cells[self.count])
        unit_minor = read_minor(cells[self.price], CURRENCY, "UnitPrice")
        date = cells[self.date]
        refuse_future(_read_moment(date), self.at, "InvoiceDate", date)
        sale_line = int(cells[self.width + 1]) if len(cells) > self.width else 0
        return _Row(line, cells, article, units, unit_minor, sale_line)

    def build_order(self, number: str, rows: list[_Row]) -> OrderRecord:
        first = rows[0].cells
        own = [row for row in rows if not row.sale_line]
        remarks: set[str] = set()
        customer = first[self.customer].strip().removesuffix(".0")
        if not customer:
            if not any(row.unit_minor for row in rows):
                raise RowRefused("not_a_sale", field="UnitPrice", value=first[self.text].strip() or "0")
            remarks.add("customer_missing")
        if any(row.cells[self.date] != first[self.date] for row in own):
            remarks.add("dates_differ")
        country = first[self.country].strip()
        if country not in COUNTRIES:
            remarks.add("country_unclear")
        payment = PaymentRecord(number, "unknown", 0)
        order = OrderRecord(
            number,
            CURRENCY,
            _read_moment(first[self.date]),
            CustomerRecord(customer),
            [],
            market=COUNTRIES.get(country, ""),
            source=[self.table.source(row.line, row.cells) for row in rows],
        )
        lines = self._add_lines(order, payment, own, remarks)
        for row in rows:
            if row.sale_line:
                remarks.add("return_matched")
                payment.refunded_before_minor -= row.units * row.unit_minor
                if row.sale_line in lines:  # carriage has no line
                    lines[row.sale_line].returned_before -= row.units
        if payment.captured_minor:
            order.payments.append(payment)
        if order.lines and all(line.returned_before == line.quantity for line in order.lines):
            order.state = "returned"
        order.remarks = sorted(remarks)
        return order

    def _add_lines(
        self, order: OrderRecord, payment: PaymentRecord, rows: list[_Row], remarks: set[str]
    ) -> dict[int, LineRecord]:
        """Fill lines, shipping and what was captured; return the lines by the row they come from."""
        lines: dict[int, LineRecord] = {}
        counts: dict[str, int] = {}
        for row in rows:
            amount = abs(row.units) * row.unit_minor
            if row.units > 0:
                payment.captured_minor += amount
                if row.article in CARRIAGE:
                    order.shipping_minor += amount
                    continue
            counts[row.article] = count = counts.get(row.article, 0) + 1
            title = row.cells[self.text].strip()
            line = LineRecord(
                row.article if count == 1 else f"{row.article}#{count}",
                row.article,
                title,
                abs(row.units),
                row.unit_minor,
                paid_minor=amount,
            )
            if row.units < 0:
                line.returned_before = line.quantity
                remarks.add("return_without_sale")
            if row.article.upper() in NOT_GOODS or row.article in CARRIAGE:
                remarks.add("not_goods")
            if not row.unit_minor:
                remarks.add("amount_zero")
            lines[row.line] = line
            order.lines.append(line)
        return lines
