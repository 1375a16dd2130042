"""What the walls between merchants are checked against: every table, view, key and function there is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import psycopg
from django.db import connection

from tests import postgres_for_tests

# Tables that hold no merchant's rows, and why.
SHARED = {
    "accounts_merchant": "the tenant itself: its own policy; not forced, the directory functions run as its owner",
    "accounts_tries": "counts of tries under hashed buckets, also of people who are nobody yet",
    "accounts_installation": "which installation this database belongs to",
    "auth_group": "Django's, unused",
    "auth_group_permissions": "Django's, unused",
    "auth_permission": "Django's, unused",
    "django_content_type": "names of tables",
    "django_migrations": "names of migrations",
    "django_session": "signed in or not, found by an unguessable key alone",
    "procrastinate_events": "times of jobs",
    "procrastinate_jobs": "names of tasks and ids; the task names the merchant before it reads a row",
    "procrastinate_periodic_defers": "unused",
    "procrastinate_workers": "heartbeats",
}

# Functions that run with the owner's rights, and what they give away.
DEFINER = {
    "cases_merchants_due": "ids of merchants",
    "conversations_merchants_due": "ids of merchants",
    "conversations_merchants_with_mailbox": "ids of merchants",
    "ledger_post": "writes for the merchant named in the transaction only",
    "makegood_forget_live": "how many live events beyond an age are gone",
    "timeliness_merchants": "ids of merchants",
    "workbench_merchants_due": "ids of merchants",
    "makegood_analyze_jobs": "whether statistics were renewed",
    "makegood_merchant_ids": "ids of merchants",
    "makegood_merchant_of": "the id of the merchant of a slug",
    "makegood_open_merchant": "the id of a new merchant",
    "settlement_merchants_to_try": "ids of merchants",
    "settlement_merchants_with_notices": "ids of merchants",
    "webhooks_merchants_due": "ids of merchants",
}

A, B = 900_000_001, 900_000_002  # two merchants, and the id of the one row of each in every table

_VALUES = {
    "bigint": 1,
    "integer": 1,
    "smallint": 1,
    "boolean": False,
    "date": "2026-01-01",
    "timestamp with time zone": "2026-01-01T00:00Z",
    "time without time zone": "12:00",
    "jsonb": "{}",
    "numeric": 1,
    "double precision": 1,
    "bytea": b"x",
    "ARRAY": "{}",
}


def admin() -> psycopg.Connection[Any]:
    """The superuser, in this test's database."""
    return psycopg.connect(postgres_for_tests.admin_dsn(str(connection.settings_dict["NAME"])))


def catalog(sql: str, params: Sequence[Any] = ()) -> list[Any]:
    with admin() as superuser:
        return superuser.execute(sql, params).fetchall()


def tenant_tables() -> list[str]:
    return [
        row[0]
        for row in catalog(
            "select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'merchant_id'"
            " where c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace order by 1"
        )
    ]


def tenant_keys() -> list[tuple[str, str, str]]:
    """(table, column, table it points at) of every composite key between tenant tables."""
    return [
        (row[0], row[1], row[2])
        for row in catalog(
            """
            select con.conrelid::regclass::text, a.attname::text, con.confrelid::regclass::text
              from pg_constraint con join pg_attribute a on a.attrelid = con.conrelid and a.attnum = con.conkey[2]
             where con.contype = 'f' and array_length(con.conkey, 1) = 2
               and con.confrelid <> 'accounts_merchant'::regclass
             order by 1, 2
            """
        )
    ]


@contextmanager
def two_merchants() -> Iterator[psycopg.Connection[Any]]:
    """A transaction, taken back at the end, in which every tenant table holds one row of A and one of B.

    The role is the application's, no merchant is named.
    """
    with admin() as superuser:
        superuser.execute("set local session_replication_role = replica")  # rows without their parents
        keys = {(table, column) for table, column, _ in tenant_keys()}
        _drop_checks(superuser)
        superuser.execute(
            "insert into accounts_merchant"
            " (id, slug, name_zh, name_en, market, currency, time_zone, settings, created_at)"
            " select id, 'm' || id, '店', 'Shop', 'CN', 'CNY', 'UTC', '{}', now() from unnest(%s::bigint[]) id",
            [[A, B]],
        )
        for table in tenant_tables():
            for merchant in (A, B):
                _insert(superuser, table, merchant, keys)
        superuser.execute("set local session_replication_role = origin")
        superuser.execute("set local role makegood_app")
        yield superuser
        superuser.rollback()


def _drop_checks(superuser: psycopg.Connection[Any]) -> None:
    # Rows made up from the types of their columns need not make sense, only to be there.
    for table, name in superuser.execute(
        "select conrelid::regclass::text, conname::text from pg_constraint where contype = 'c'"
        " and connamespace = 'public'::regnamespace and conrelid <> 0"
    ).fetchall():
        superuser.execute(f'alter table {table} drop constraint "{name}"')


def _insert(superuser: psycopg.Connection[Any], table: str, merchant: int, keys: set[tuple[str, str]]) -> None:
    columns = superuser.execute(
        "select column_name, data_type, character_maximum_length from information_schema.columns"
        " where table_name = %s and table_schema = 'public' and (is_nullable = 'NO' or (table_name, column_name) in"
        " (select * from unnest(%s::text[], %s::text[])))",
        [table, [key[0] for key in keys], [key[1] for key in keys]],
    ).fetchall()
    row: dict[str, Any] = {}
    for name, kind, length in columns:
        if name in {"id", "merchant_id"} or (table, name) in keys:
            row[name] = merchant
        elif kind == "character varying":
            row[name] = str(merchant)[-min(length or 9, 9) :]
        elif kind == "uuid":
            row[name] = str(UUID(int=merchant))
        else:
            row[name] = _VALUES.get(kind, "x")
    names = ", ".join(f'"{name}"' for name in row)
    marks = ", ".join(["%s"] * len(row))
    superuser.execute(f'insert into "{table}" ({names}) overriding system value values ({marks})', list(row.values()))


def name_merchant(role: psycopg.Connection[Any], merchant: int | None) -> None:
    role.execute("select set_config('makegood.merchant', %s, true)", ["" if merchant is None else str(merchant)])
