"""I4: whoever changes one value of the history behind the database's back is found out."""

from __future__ import annotations

from typing import Any

import pytest
from psycopg import errors

from makegood.kit import tenancy
from makegood.ledger import queries
from makegood.ledger.commands import Move
from makegood.ledger.states import UNIT, Book, Goods
from tests.ledger.test_law import captured, posted, promised, shipped, sold
from tests.ledger.walls import admin, catalog

# Values that say nothing: numbers by which rows find each other, checked where they are used.
_SAYS_NOTHING = {("ledger_posting", "id")}


@pytest.fixture
def history(merchant: int) -> int:
    posted("a", sold(1, 3), captured(1, 500))
    posted("b", shipped(1, 2))
    posted("c", promised(1, 120), Move(Book.GOODS, 1, Goods.IN_TRANSIT, Goods.DELIVERED, UNIT, 1))
    posted("d", promised(1, 80))
    assert queries.faults() == []
    return merchant


def columns() -> list[tuple[str, str, str]]:
    return [
        (table, column, kind)
        for table, column, kind in catalog(
            "select table_name::text, column_name::text, data_type::text from information_schema.columns"
            " where table_name in ('ledger_entry', 'ledger_posting', 'ledger_account', 'ledger_head') order by 1, 2"
        )
        if (table, column) not in _SAYS_NOTHING
    ]


def changed(column: str, kind: str) -> str:
    """SQL for the column's value with the least thing changed."""
    if kind == "character varying":
        return f"overlay({column} placing (case left({column}, 1) when 'z' then 'y' else 'z' end) from 1 for 1)"
    if kind.startswith("timestamp"):
        return f"{column} + interval '1 microsecond'"
    return f"coalesce({column}, 0) + 1"


def tamper(statement: str, params: list[Any]) -> int:
    """As a superuser, with triggers and keys asleep; how many rows it changed."""
    with admin() as superuser:
        superuser.execute("set local session_replication_role = replica")
        return superuser.execute(statement, params).rowcount


def test_one_changed_value_in_any_row_and_column_is_found(history: int) -> None:
    tried = 0
    for table, column, kind in columns():
        for row in catalog(f"select ctid::text from {table} where merchant_id = %s order by 1", [history]):
            _change_one_and_look(table, column, kind, row[0])
            tried += 1
    assert tried > 150
    assert queries.faults() == []


def _change_one_and_look(table: str, column: str, kind: str, ctid: str) -> None:
    with admin() as superuser:
        superuser.execute("set local session_replication_role = replica")
        superuser.execute("set constraints all deferred")
        try:
            with superuser.transaction():
                moved = superuser.execute(
                    f"update {table} set {column} = {changed(column, kind)} where ctid = %s::tid returning ctid", [ctid]
                ).rowcount
        except (errors.UniqueViolation, errors.CheckViolation):
            superuser.rollback()
            return  # refused even here
        assert moved == 1
        faults = _faults_seen_by(superuser)
        superuser.rollback()
    assert faults, f"{table}.{column} was changed and nobody noticed"


def _faults_seen_by(superuser: Any) -> list[queries.Fault]:
    """``queries.faults`` inside the tamperer's own transaction, in the application's role."""
    merchant_id = tenancy.require_merchant_id()
    superuser.execute("set local role makegood_app")
    superuser.execute("select set_config('makegood.merchant', %s, true)", [str(merchant_id)])

    def fetch(sql: str, params: Any = ()) -> list[dict[str, Any]]:
        cursor = superuser.execute(sql, params or ())
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def fetch_one(sql: str, params: Any = ()) -> dict[str, Any] | None:
        rows = fetch(sql, params)
        return rows[0] if rows else None

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("makegood.ledger.queries.db.fetch", fetch)
        patch.setattr("makegood.ledger.queries.db.fetch_one", fetch_one)
        return queries.faults()


@pytest.mark.parametrize(
    "statement",
    [
        "delete from ledger_entry where merchant_id = %s and request_key = 'b'",
        "delete from ledger_entry where merchant_id = %s and request_key = 'd'",
        "delete from ledger_posting where merchant_id = %s and amount = 120",
        "delete from ledger_head where merchant_id = %s",
        "update ledger_posting set amount = amount * 2, balance_after = balance_after * 2 where merchant_id = %s",
        "update ledger_account set balance = balance + 1 where merchant_id = %s and name = 'available'",
    ],
)
def test_rows_taken_out_and_sums_made_up_are_found(statement: str, history: int) -> None:
    assert tamper(statement, [history]) > 0
    assert queries.faults()


def test_a_balance_costs_the_same_after_ten_and_after_ten_thousand_postings(merchant: int) -> None:
    posted("first", captured(1, 10**9))
    plans = []
    for n in (10, 10_000):
        tamper(
            "insert into ledger_posting (merchant_id, entry_id, account_id, amount, balance_after)"
            " select merchant_id, entry_id, account_id, amount, 0 from ledger_posting, generate_series(1, %s)"
            " where merchant_id = %s and amount > 0 and balance_after > 0",
            [n, merchant],
        )
        with admin() as superuser:
            superuser.execute("set local role makegood_app")
            superuser.execute("select set_config('makegood.merchant', %s, true)", [str(merchant)])
            superuser.execute("set local enable_seqscan = off")  # a table of a few rows is read whole, at any index
            [plan] = superuser.execute(
                "explain (analyze, buffers, format json)"
                " select subject_id, name, balance from ledger_account where book = 'money' and subject_id = any('{1}')"
            ).fetchone() or [None]
            plans.append(plan[0]["Plan"])
    assert all("Index" in plan["Node Type"] or "Bitmap" in plan["Node Type"] for plan in plans)
    assert plans[1]["Shared Hit Blocks"] + plans[1]["Shared Read Blocks"] <= 10
    assert plans[1]["Actual Rows"] == plans[0]["Actual Rows"] == 2
