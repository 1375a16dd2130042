"""Read our own order table: one row an order line, headings in English or Chinese, columns in any order.

The columns are listed in ``columns.py`` and in ``docs/reference/import-formats.md``. What is of the order may stand in
each of its rows or in one; two different values refuse the order. Unknown columns are kept in ``source`` and do
nothing. A row whose line number and contents both stand there already is counted once (``duplicate_line``).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from makegood.connectors.cells import read_currency, read_minor, read_text, read_time, refuse_future, text_of
from makegood.connectors.csv_orders import columns
from makegood.connectors.csv_orders.parts import (
    UNREAD,
    Row,
    add_parcels,
    add_payments,
    number_lines,
    read_choice,
    read_line,
)
from makegood.connectors.grouping import read_orders
from makegood.connectors.reasons import RowRefused
from makegood.connectors.records import CustomerRecord, OrderRecord, Read
from makegood.connectors.tables import Table

_ORDER_TIMES = ("ordered_at", "shipped_at", "delivered_at", "promised_by")


def parse(
    path: str, *, start_line: int = 0, encoding: str | None = None, at: datetime | None = None
) -> Iterator[tuple[int, Read]]:
    """Yield the table's orders and refusals. ``at``: times more than a day later are refused, but for promises."""
    table = Table(path, encoding=encoding, names=columns.NAMES, needed=columns.NEEDED)
    orders = _OrderTable(table, at)
    return read_orders(
        table, "order_number", read_row=orders.read_row, build_order=orders.build_order, start_line=start_line
    )


@cache
def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise RowRefused("value_not_allowed", field="time_zone", value=name, expected="IANA zones") from None
    return name


class _OrderTable:
    """One table being read; knows which columns it has and where."""

    def __init__(self, table: Table, at: datetime | None) -> None:
        self.table = table
        self.at = at
        self.of_order = [name for name in columns.ORDER_COLUMNS if name in table.index]
        self.of_payment = [name for name in columns.PAYMENT_COLUMNS if name in table.index]
        self.places = [(name, place) for name, place in table.index.items() if name in set(columns.NAMES.values())]

    def read_row(self, line: int, cells: list[str]) -> Row:
        said = {name: text for name, place in self.places if (text := cells[place].strip())}
        currency = said.get("currency", "")
        if currency:
            currency = read_currency(currency, "currency")
        # a row that leaves the currency to another row of its order is read when the order is complete
        return Row(line, cells, said, currency, read_line(line, said, currency) if currency else UNREAD)

    def build_order(self, number: str, rows: list[Row]) -> OrderRecord:
        number = read_text(number, "order_number", needed=True, most=80)
        said = self._agree(rows)
        currency = said["currency"]
        remarks: set[str] = set()
        for row in rows:
            if row.record is UNREAD:
                row.record = read_line(row.line, row.said, currency)
        kept = number_lines(rows, remarks)
        if any(row.record.paid_minor is None for row in kept):
            remarks.add("amount_missing")
        market = _market(said)
        china = market == "CN" or said.get("platform", "").lower() in columns.CHINESE_PLATFORMS
        zone = _known_zone(said["time_zone"]) if "time_zone" in said else "Asia/Shanghai" if china else "UTC"
        times = {name: read_time(said[name], name, zone) if name in said else None for name in _ORDER_TIMES}
        self._check_times(times, said)
        guessed = zone == "UTC" and "time_zone" not in said
        if guessed and any(moment and has_no_offset(said[name]) for name, moment in times.items()):
            remarks.add("time_zone_missing")
        order = OrderRecord(
            number,
            currency,
            times["ordered_at"],
            self._customer(said),
            [row.record for row in kept],
            market=market,
            platform=read_text(said.get("platform", "own-store"), "platform", most=40).lower(),
            channel=read_choice(said, "channel", columns.CHANNELS),
            fulfilled_by=read_choice(said, "fulfilled_by", columns.FULFILLERS),
            state=read_choice(said, "status", columns.STATES),
            shipping_minor=_minor(said, "shipping", currency),
            shipping_tax_minor=_minor(said, "shipping_tax", currency),
            discount_minor=_minor(said, "order_discount", currency),
            address={"text": read_text(said["address"], "address")} if "address" in said else {},
            shipped_at=times["shipped_at"],
            delivered_at=times["delivered_at"],
            promised_by=times["promised_by"],
            source=[self.table.source(row.line, row.cells) for row in rows],
        )
        add_payments(order, kept, self.of_payment, zone, self.at)
        add_parcels(order, kept)
        order.remarks = sorted(remarks)
        return order

    def _agree(self, rows: list[Row]) -> dict[str, str]:
        """Gather what the rows say of the order; two different values refuse it."""
        if len(rows) == 1:
            said = rows[0].said
        else:
            said = {}
            for row in rows:
                for name in self.of_order:
                    text = row.said.get(name)
                    if text is not None and said.setdefault(name, text) != text:
                        code = "currency_mixed" if name == "currency" else "order_field_differs"
                        raise RowRefused(code, field=name, value=text, line=row.line, expected=said[name])
        if "currency" not in said:
            raise RowRefused("field_missing", field="currency", line=rows[0].line)
        return {**said, "currency": next(row.currency for row in rows if row.currency)}

    def _check_times(self, times: dict[str, datetime | None], said: dict[str, str]) -> None:
        ordered = times["ordered_at"]
        for name, moment in times.items():
            if name != "promised_by" and moment:
                refuse_future(moment, self.at, name, said[name])
            if moment and ordered and moment < ordered and not is_day(said[name]):
                raise RowRefused("date_before_order", field=name, value=said[name], expected=said["ordered_at"])

    def _customer(self, said: dict[str, str]) -> CustomerRecord:
        return CustomerRecord(
            text_of(said, "customer_ref", 120),
            text_of(said, "customer_name", 200),
            text_of(said, "customer_email", 320),
            text_of(said, "customer_phone", 40),
        )


def _market(said: dict[str, str]) -> str:
    text = columns.MARKETS.get(said.get("market", ""), said.get("market", "")).upper()
    if text and not (len(text) == 2 and text.isascii() and text.isalpha()):
        raise RowRefused("value_not_allowed", field="market", value=text, expected="ISO 3166: CN, DE, …")
    return text


def has_no_offset(text: str) -> bool:
    return not (text.endswith("Z") or "+" in text[10:] or "-" in text[11:])


def is_day(text: str) -> bool:
    """Tell whether the text is a day without a time: such a day is not before a time within it."""
    return ":" not in text and "时" not in text and "点" not in text


def _minor(said: dict[str, str], name: str, currency: str) -> int:
    return read_minor(said[name], currency, name) if name in said else 0
