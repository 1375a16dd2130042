"""Find the sale that an earlier return belongs to, where the file itself names only customer, article and price.

A return goes to the latest earlier line of the same customer, article and unit price that still has all of its units;
it is never spread over several lines. Sales and returns wait in a temporary file of SQLite, not in memory.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass

from makegood.connectors.tables import TableRow


@dataclass(slots=True)
class Trade:
    """One row as the matching sees it; units are negative for a return, which brings its cells along."""

    line: int
    invoice: str
    key: str  # customer, article and unit price
    units: int
    cells: list[str] | None = None


class Matches:
    """The matched returns of one file, ready to be woven into a second reading of it."""

    def __init__(self, trades: Iterable[Trade]) -> None:
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.executescript(
            "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;"
            "CREATE TABLE trade (line INTEGER PRIMARY KEY, key TEXT, units INTEGER, invoice TEXT, cells TEXT);"
            "CREATE TABLE matched (back INTEGER PRIMARY KEY, sale INTEGER);"
        )
        self._db.execute("BEGIN")
        self._db.executemany(
            "INSERT INTO trade VALUES (?, ?, ?, ?, ?)",
            ((t.line, t.key, t.units, t.invoice, json.dumps(t.cells) if t.cells else None) for t in trades),
        )
        self._db.execute("CREATE INDEX trade_key ON trade (key, line)")
        self._match()
        self._db.execute("COMMIT")

    def _match(self) -> None:
        returns = self._db.execute("SELECT line, key, -units FROM trade WHERE cells IS NOT NULL ORDER BY line")
        for back, key, units in returns:
            sale = self._db.execute(
                "SELECT line FROM trade WHERE key = ? AND line < ? AND units >= ? ORDER BY line DESC LIMIT 1",
                [key, back, units],
            ).fetchone()
            if sale:
                self._db.execute("UPDATE trade SET units = units - ? WHERE line = ?", [units, sale[0]])
                self._db.execute("INSERT INTO matched VALUES (?, ?)", [back, sale[0]])

    def close(self) -> None:
        self._db.close()

    def weave(self, rows: Iterable[TableRow]) -> Iterator[TableRow]:
        """Yield the rows, each matched return right after its sale instead of at its own place.

        A moved row bears two more cells: the invoice and the line of its sale.
        """
        with closing(self._db.cursor()) as backs, closing(self._db.cursor()) as sales:
            gone = backs.execute("SELECT back FROM matched ORDER BY back")
            comes = sales.execute(
                "SELECT m.sale, m.back, b.cells, s.invoice FROM matched m"
                " JOIN trade b ON b.line = m.back JOIN trade s ON s.line = m.sale ORDER BY m.sale, m.back"
            )
            next_gone, next_comes = gone.fetchone(), comes.fetchone()
            for row in rows:
                if next_gone and row[0] == next_gone[0]:
                    next_gone = gone.fetchone()
                    continue
                yield row
                while next_comes and next_comes[0] == row[0]:
                    sale, back, cells, invoice = next_comes
                    yield back, [*json.loads(cells), invoice, str(sale)], None
                    next_comes = comes.fetchone()
