"""Only the ledger touches its tables; who joins them for a proof or in bulk is named here, with the reason."""

from __future__ import annotations

import re

import pytest

from tests.house.tree import ROOT, name_of, tracked

TABLES = re.compile(r"\bledger_(?:account|entry|posting|head|breaks)\b(?!_)")
WRITES = re.compile(r"(?:insert\s+into|update|delete\s+from|truncate)\s+\"?ledger_", re.IGNORECASE)

MAY_READ = {
    "makegood/cases/proof.py": "proves the books against cases and orders: must see the rows, not what we say of them",
    "makegood/settlement/queries.py": "the same proof for payouts",
    "makegood/settlement/reconciling.py": "compares a window of payments with the books of a gateway, row by row",
    "makegood/orders/staging.sql": "one statement for thousands of orders; the ledger stands beside, not below",
}


def outside() -> list[tuple[str, str]]:
    found = []
    for path in tracked():
        name = name_of(path)
        if path.suffix in {".py", ".sql"} and name.startswith("makegood/") and not name.startswith("makegood/ledger/"):
            found.append((name, path.read_text()))
    return found


def test_nobody_else_reads_the_tables_of_the_ledger() -> None:
    assert {name for name, text in outside() if TABLES.search(text)} - set(MAY_READ) == set()


def test_nobody_at_all_writes_them_but_the_ledger() -> None:
    assert [name for name, text in outside() if WRITES.search(text)] == []


@pytest.mark.parametrize("name", MAY_READ)
def test_an_exception_is_still_needed(name: str) -> None:
    assert TABLES.search((ROOT / name).read_text())
