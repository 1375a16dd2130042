"""Join the rows of the four files by order, in a temporary file instead of memory."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

from makegood.connectors.reasons import RowRefused
from makegood.connectors.records import Reject
from makegood.connectors.tables import Table, TableRow


@dataclass(slots=True)
class Part:
    """A row of a file beside the orders, or of the orders: its cells by column, and why it cannot be used."""

    file: str
    line: int
    row: dict[str, Any]
    problem: RowRefused | None = None

    def source(self) -> dict[str, Any]:
        return {"file": self.file, "line": self.line, "row": self.row}

    def reject(self, refused: RowRefused) -> Reject:
        return refused.reject(self.line, {"file": self.file, **self.row})


@dataclass(slots=True)
class Parts:
    """All rows of one order."""

    order: Part
    items: list[Part] = field(default_factory=list)
    payments: list[Part] = field(default_factory=list)
    customers: list[Part] = field(default_factory=list)

    def every(self) -> list[Part]:
        return [self.order, *self.items, *self.payments, *self.customers]


def read_part(table: Table, row: TableRow) -> Part:
    """Name the cells of a row by their titles."""
    line, cells, problem = row
    if problem:
        return Part(table.path.rpartition("/")[2], line, dict(table.reject(line, cells, problem).row), problem)
    return Part(table.path.rpartition("/")[2], line, dict(zip(table.titles, cells, strict=False)))


class Beside:
    """The rows of the files beside the orders, in a temporary file of SQLite, by the id that joins them."""

    KEYS: ClassVar = {"order_items": "order_id", "order_payments": "order_id", "customers": "customer_id"}

    def __init__(self, tables: dict[str, Table]) -> None:
        self._tables = tables
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.executescript(
            "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;"
            "CREATE TABLE seen (id TEXT PRIMARY KEY) WITHOUT ROWID;"
            "CREATE TABLE part (kind TEXT, id TEXT, line INTEGER, cells TEXT, problem TEXT, taken INTEGER)"
        )
        self._db.execute("BEGIN")
        for kind in self.KEYS:
            self._db.executemany("INSERT INTO part VALUES (?, ?, ?, ?, ?, 0)", self._rows(kind))
        self._db.execute("CREATE INDEX part_id ON part (kind, id)")

    def _rows(self, kind: str) -> Iterator[tuple[object, ...]]:
        table = self._tables[kind]
        place = table.index[self.KEYS[kind]]
        for line, cells, problem in table.rows():
            key = cells[place].strip() if place < len(cells) - (1 if problem else 0) else ""
            told = json.dumps([problem.code, problem.value, problem.details]) if problem else None
            yield kind, key, line, json.dumps(cells), told

    def take(self, order: Part, index: dict[str, int]) -> Parts:
        """Collect what belongs to an order; an order met before takes nothing."""
        parts = Parts(order)
        if order.problem:
            return parts
        cells = list(order.row.values())
        number = cells[index["order_id"]].strip()
        if self._db.execute("INSERT OR IGNORE INTO seen VALUES (?)", [number]).rowcount == 0:
            order.problem = RowRefused("order_repeated", field="order_id", value=number)
            return parts
        parts.items = self._find("order_items", number)
        parts.payments = self._find("order_payments", number)
        parts.customers = self._find("customers", cells[index["customer_id"]].strip())
        return parts

    def _find(self, kind: str, key: str) -> list[Part]:
        if not key:
            return []
        rows = self._db.execute(
            "UPDATE part SET taken = 1 WHERE kind = ? AND id = ? AND taken = 0 RETURNING line, cells, problem",
            [kind, key],
        ).fetchall()
        return [self._part(kind, *row) for row in sorted(rows)]

    def _part(self, kind: str, line: int, cells: str, told: str | None) -> Part:
        problem = None
        if told:
            code, value, details = json.loads(told)
            problem = RowRefused(code, value=value, **details)
        return read_part(self._tables[kind], (line, json.loads(cells), problem))

    def rest(self) -> Iterator[Part]:
        """Yield what no order took."""
        rows = self._db.execute("SELECT kind, line, cells, problem FROM part WHERE NOT taken ORDER BY kind, line")
        for kind, line, cells, told in rows:
            yield self._part(kind, line, cells, told)

    def close(self) -> None:
        self._db.close()
