"""Filling tables by the million: rows as commands would leave them, made by one statement a table.

Foreign keys and triggers are not fired while loading (the rows hold by construction); everything that reads
afterwards meets the same constraints, indexes and row-level security as in production.
"""

from __future__ import annotations

from collections.abc import Mapping

import psycopg

# What a column holds that nobody named: the database has no defaults of its own for most of them.
_EMPTY = {
    "character varying": "''",
    "text": "''",
    "jsonb": "'{}'",
    "boolean": "false",
    "character varying[]": "'{}'",
    "timestamp with time zone": "timestamptz '2026-11-16 04:00:00+00'",
}
_EPOCH = "timestamptz '2026-11-16 04:00:00+00'"


def fill(admin: psycopg.Connection, table: str, count: int, given: Mapping[str, str]) -> None:
    """``count`` rows; ``given`` holds an SQL expression of ``n`` (1 to count) for each column that matters."""
    columns = admin.execute(
        "select attname, format_type(atttypid, null) from pg_attribute where attrelid = %s::regclass and attnum > 0"
        " and not attisdropped and attnotnull and attidentity = '' and not atthasdef",
        [table],
    ).fetchall()
    expressions = {name: _EMPTY.get(kind, "0") for name, kind in columns} | dict(given)
    names = ", ".join(f'"{name}"' for name in expressions)
    admin.execute(
        f"insert into {table} ({names}) select {', '.join(expressions.values())} from generate_series(1, {count}) as n"
    )


def fill_cases(admin_dsn: str, merchant_id: int, count: int, *, open_share: int = 5) -> None:
    """Orders with a line, customers with ten orders each, a case an order; one in ``open_share`` still open."""
    first = merchant_id * 10**8
    is_open = f"n % {open_share} = 0"
    mine = {"merchant_id": str(merchant_id)}
    with psycopg.connect(admin_dsn) as admin:
        admin.execute("set session_replication_role = replica")
        fill(
            admin,
            "customers_customer",
            count // 10 + 1,
            mine | {"id": f"{first} + n", "reference": "'b' || n", "name": "'顾客 ' || n"},
        )
        fill(
            admin,
            "orders_order",
            count,
            mine
            | {
                "id": f"{first} + n",
                "number": "'B' || n",
                "customer_id": f"{first} + 1 + n / 10",
                "currency": "'CNY'",
                "state": "'open'",
                "platform": "'own-store'",
                "ordered_at": f"{_EPOCH} - interval '9 days'",
            },
        )
        fill(
            admin,
            "orders_line",
            count,
            mine
            | {
                "id": f"{first} + n",
                "order_id": f"{first} + n",
                "number": "'1'",
                "sku": "'LAMP-' || n % 500",
                "title": "'Lamp'",
                "quantity": "1",
                "paid_minor": "10000",
            },
        )
        fill(
            admin,
            "cases_case",
            count,
            mine
            | {
                "id": f"{first} + n",
                "ref": "'C-B' || n",
                "order_id": f"{first} + n",
                "customer_id": f"{first} + 1 + n / 10",
                "kind": "(array['return', 'cancellation', 'claim', 'refusal'])[1 + n % 4]",
                "reason": "'changed_mind'",
                "claimant": "'customer'",
                "channel": "'api'",
                "language": "'en'",
                "request_key": "'b' || n",
                "state": f"case when {is_open} then 'received' else 'approved' end",
                "goods_state": "'none'",
                "money_state": f"case when {is_open} then 'none' else 'paid' end",
                "waiting_on": f"case when {is_open} then 'merchant' else 'nobody' end",
                "due_at": f"case when {is_open} then {_EPOCH} + n * interval '1 second' end",
                "opened_by": "'customer'",
                "opened_at": f"{_EPOCH} - interval '1 day'",
                "closed_at": f"case when {is_open} then null else {_EPOCH} end",
            },
        )
        _fill_about_cases(admin, mine, first, count, is_open)
        admin.commit()
        admin.autocommit = True
        admin.execute("vacuum analyze")


def _fill_about_cases(admin: psycopg.Connection, mine: Mapping[str, str], first: int, count: int, is_open: str) -> None:
    of_case = {**mine, "case_id": f"{first} + n"}
    fill(admin, "cases_caseline", count, of_case | {"line_id": f"{first} + n", "quantity": "1"})
    event = of_case | {"kind": "'case_filed'", "actor": "'customer'", "hash": "md5(n::text)"}
    fill(admin, "cases_caseevent", count, event | {"seq": "1"})
    fill(admin, "cases_caseevent", count, event | {"seq": "2"})
    fill(
        admin,
        "cases_decision",
        count,
        of_case
        | {
            "round": "1",
            "facts": "'{}'",
            "outcome": "'{}'",
            "verdict": "'grant'",
            "currency": "'CNY'",
            "total_minor": "10000",
        },
    )
    fill(
        admin,
        "cases_deadline",
        count,
        of_case
        | {
            "wait": "'merchant_answer'",
            "party": "'merchant'",
            "silence": "'escalate'",
            "starts_at": f"{_EPOCH} - interval '1 day'",
            "due_at": f"{_EPOCH} + interval '1 day' + n * interval '1 second'",
            "state": f"case when {is_open} then 'open' else 'met' end",
        },
    )


def fill_deadlines(admin_dsn: str, merchant_id: int, count: int) -> None:
    """``count`` cases, each with one open deadline that is not due yet."""
    fill_cases(admin_dsn, merchant_id, count, open_share=1)
