"""Bring the rows of one order together while reading, in bounded memory, and refuse an order whole or not at all."""

from __future__ import annotations

import json
import sqlite3
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import TypeVar

from makegood.connectors.reasons import RowRefused
from makegood.connectors.records import OrderRecord, Read, Reject
from makegood.connectors.tables import Table, TableRow

WINDOW = 4096  # rows kept open, at least; rows of one order may stand this far apart
ORDER_ROWS_MAX = WINDOW  # so rows that stand together are never parted by the window

Parsed = TypeVar("Parsed")


@dataclass(slots=True)
class Group:
    """The rows of one order, in file order. ``key`` is the order number, "" where the row has none."""

    key: str
    line: int  # where its first row begins; grows from group to group
    rows: list[TableRow]
    refused: str = ""  # code that refuses all rows: order_rows_apart, order_too_long


class _Seen:
    """Order numbers already given out, as 64-bit hashes in a temporary file of SQLite."""

    def __init__(self) -> None:
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.execute("PRAGMA journal_mode=OFF")
        self._db.execute("PRAGMA synchronous=OFF")
        self._db.execute("CREATE TABLE seen (digest INTEGER PRIMARY KEY)")

    def add(self, keys: list[str]) -> set[str]:
        """Remember the keys and return those that were there before."""
        digests = {hash(key): key for key in keys}
        found = self._db.execute(
            "SELECT digest FROM seen WHERE digest IN (SELECT value FROM json_each(?))", [json.dumps(list(digests))]
        ).fetchall()
        self._db.execute("BEGIN")
        self._db.executemany("INSERT OR IGNORE INTO seen VALUES (?)", sorted((digest,) for digest in digests))
        self._db.execute("COMMIT")
        return {digests[digest] for (digest,) in found}

    def close(self) -> None:
        self._db.close()


def cell_at(place: int) -> Callable[[TableRow], str]:
    """Make the usual key: the cell at a place, "" where the row lacks it."""

    def key_of(row: TableRow) -> str:
        _, cells, problem = row
        # the last cell of a row that was cut may be half an order number, which is another order's
        whole = place < len(cells) - (1 if problem else 0)
        return cells[place].strip() if whole else ""

    return key_of


def group_rows(rows: Iterable[TableRow], key_of: Callable[[TableRow], str], *, window: int = WINDOW) -> Iterator[Group]:
    """Group rows by key, in order of each group's first row."""
    waiting: OrderedDict[str | int, Group] = OrderedDict()
    open_rows = 0
    with closing(_Seen()) as seen:
        for row in rows:
            if open_rows >= 2 * window:
                groups = _take_oldest(waiting, open_rows - window)
                open_rows -= sum(len(group.rows) for group in groups)
                yield from _mark_seen(groups, seen)
                del groups  # given out: not to be held while the window fills again
            open_rows += 1
            key = key_of(row)
            group = waiting.get(key) if key else None
            if group is None:
                waiting[key or row[0]] = Group(key, row[0], [row])
            elif len(group.rows) < ORDER_ROWS_MAX:
                group.rows.append(row)
            else:
                group.refused = "order_too_long"
                waiting[row[0]] = Group(key, row[0], [row], "order_too_long")
        yield from _mark_seen(list(waiting.values()), seen)


def _take_oldest(waiting: OrderedDict[str | int, Group], rows: int) -> list[Group]:
    groups = []
    while rows > 0:
        group = waiting.popitem(last=False)[1]
        rows -= len(group.rows)
        groups.append(group)
    return groups


def _mark_seen(groups: list[Group], seen: _Seen) -> list[Group]:
    again = seen.add([group.key for group in groups if group.key])
    for group in groups:
        if group.key in again:
            group.refused = group.refused or "order_rows_apart"
    return groups


def read_orders(
    table: Table,
    key: str,
    *,
    read_row: Callable[[int, list[str]], Parsed],
    build_order: Callable[[str, list[Parsed]], OrderRecord],
    start_line: int = 0,
    rows: Iterable[TableRow] | None = None,
    key_of: Callable[[TableRow], str] | None = None,
) -> Iterator[tuple[int, Read]]:
    """Yield ``(position, order or reject)``; see ``records.Parser`` for what a position promises.

    ``read_row`` checks one row, ``build_order`` the rows of an order together; both raise RowRefused. One refused row
    refuses its order: the other rows come as ``order_incomplete``.
    """
    position = start_line
    for group in group_rows(table.rows() if rows is None else rows, key_of or cell_at(table.index[key])):
        if group.line <= start_line:
            continue
        outcome = _read_group(group, table, key, read_row, build_order)
        if isinstance(outcome, OrderRecord):
            yield group.line, outcome
        else:
            for refused in outcome[:-1]:
                yield position, refused  # a resume from here gives the group's refusals again, none is lost
            yield group.line, outcome[-1]
        position = group.line


def _read_group(
    group: Group,
    table: Table,
    key: str,
    read_row: Callable[[int, list[str]], Parsed],
    build_order: Callable[[str, list[Parsed]], OrderRecord],
) -> OrderRecord | list[Reject]:
    whole = RowRefused(group.refused, field=key, value=group.key, expected=ORDER_ROWS_MAX) if group.refused else None
    refusals: dict[int, RowRefused] = {}
    parsed: list[Parsed] = []
    for line, cells, problem in group.rows:
        if problem or whole:
            refusals[line] = problem or whole or RowRefused("record_malformed")
            continue
        try:
            parsed.append(read_row(line, cells))
        except RowRefused as refused:
            refusals[line] = refused
    if not refusals:
        try:
            order = build_order(group.key, parsed)
        except RowRefused as refused:
            refusals[refused.line or group.line] = refused
        else:
            if group.rows[-1][0] == table.unterminated:
                order.remarks = sorted({*order.remarks, "last_row_without_line_end"})
            return order
    first = next(iter(refusals))
    incomplete = RowRefused("order_incomplete", field=key, value=first)
    return [table.reject(line, cells, refusals.get(line, incomplete)) for line, cells, _ in group.rows]
