"""I10 below the application: every table, view, key and function of the database keeps two merchants apart."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from django.db import connection, transaction
from psycopg import errors

from makegood.kit import db, tenancy
from tests import postgres_for_tests
from tests.conftest import open_merchant
from tests.ledger.walls import (
    DEFINER,
    SHARED,
    A,
    B,
    catalog,
    name_merchant,
    tenant_keys,
    tenant_tables,
    two_merchants,
)


def test_every_table_belongs_to_a_merchant_or_stands_on_the_list_with_a_reason() -> None:
    tables = {row[0] for row in catalog("select tablename::text from pg_tables where schemaname = 'public'")}
    assert tables - set(tenant_tables()) <= set(SHARED)
    assert not set(SHARED) & set(tenant_tables())


def test_every_table_of_a_merchant_has_row_security_forced_with_a_policy() -> None:
    rows = catalog(
        "select relname::text, relrowsecurity, relforcerowsecurity,"
        " (select count(*) from pg_policy p where p.polrelid = c.oid and p.polname = 'tenant'"
        "    and pg_get_expr(p.polqual, p.polrelid) = pg_get_expr(p.polwithcheck, p.polrelid))"
        " from pg_class c where relname = any(%s) and relnamespace = 'public'::regnamespace",
        [tenant_tables()],
    )
    assert len(rows) > 25
    assert [row for row in rows if row[1:] != (True, True, 1)] == []


def test_no_other_policy_lets_anybody_but_the_owner_look_further() -> None:
    rows = catalog(
        "select polrelid::regclass::text, polname::text, polcmd::text, polroles::regrole[]::text[] from pg_policy"
        " where polname <> 'tenant'"
    )
    assert rows
    assert {(row[1], row[2], tuple(row[3])) for row in rows} == {
        ("sweep", "r", ("makegood_owner",)),
        ("forget", "r", ("makegood_owner",)),  # rows of live events, by their age alone
        ("forget_rows", "d", ("makegood_owner",)),
    }


def test_every_key_between_tables_of_merchants_is_the_pair_with_the_merchant() -> None:
    rows = catalog(
        """
        select con.conrelid::regclass::text, con.conname::text, array_agg(a.attname::text order by k.at),
               array_agg(b.attname::text order by k.at)
          from pg_constraint con
          cross join lateral unnest(con.conkey, con.confkey) with ordinality as k(here, there, at)
          join pg_attribute a on a.attrelid = con.conrelid and a.attnum = k.here
          join pg_attribute b on b.attrelid = con.confrelid and b.attnum = k.there
         where con.contype = 'f' and con.conrelid::regclass::text = any(%s)
           and con.confrelid::regclass::text = any(%s)
         group by con.oid, con.conrelid, con.conname
        """,
        [tenant_tables()] * 2,
    )
    assert len(rows) > 20
    # A key may hold more than the pair: that both rows have the same customer, say, each in its column of that name.
    crooked = [
        row
        for row in rows
        if row[2][0] != "merchant_id" or row[3][:2] != ["merchant_id", "id"] or row[2][2:] != row[3][2:]
    ]
    assert crooked == []


def test_every_view_looks_with_the_eyes_of_its_reader() -> None:
    rows = catalog(
        "select relname::text, coalesce(reloptions::text, '') from pg_class"
        " where relkind in ('v', 'm') and relnamespace = 'public'::regnamespace"
    )
    assert rows
    assert [row for row in rows if "security_invoker=true" not in row[1]] == []


def test_without_a_merchant_named_nothing_is_visible_and_with_one_only_its_rows() -> None:
    with two_merchants() as app:
        for table in tenant_tables():
            seen = {}
            for merchant in (None, A, B):
                name_merchant(app, merchant)
                seen[merchant] = app.execute(f"select merchant_id from {table}").fetchall()
            assert seen == {None: [], A: [(A,)], B: [(B,)]}, table


def test_nobody_writes_changes_or_deletes_for_another_merchant() -> None:
    with two_merchants() as app:
        name_merchant(app, A)
        for table in tenant_tables():
            with pytest.raises(psycopg.Error) as refused, app.transaction():
                app.execute(f"insert into {table} (merchant_id) values (%s)", [B])
            assert refused.value.sqlstate in {"42501", "23502"}, table
            for statement in (
                "update {} set merchant_id = merchant_id where merchant_id = %s",
                "delete from {} where merchant_id = %s",
            ):
                try:
                    with app.transaction():
                        assert app.execute(statement.format(table), [B]).rowcount == 0, table
                except errors.InsufficientPrivilege:
                    pass  # the ledger's tables are not written at all
            with pytest.raises(psycopg.Error) as given_away, app.transaction():
                app.execute(f"update {table} set merchant_id = %s", [B])
            assert given_away.value.sqlstate in {"42501", "23001", "23503"}, table


def test_no_key_can_point_at_another_merchant_s_row() -> None:
    tried = 0
    with two_merchants() as app:
        app.execute("reset role")
        app.execute("set local role makegood_owner")  # whom neither rights nor append-only rules should save
        name_merchant(app, A)
        for table, column, _parent in tenant_keys():
            app.execute(f"alter table {table} disable trigger user")
            with app.transaction():  # the control: its own merchant's row is taken
                assert app.execute(f"update {table} set {column} = %s + 0", [A]).rowcount == 1, (table, column)
            with pytest.raises(errors.ForeignKeyViolation), app.transaction():
                app.execute(f"update {table} set {column} = %s", [B])
            tried += 1
    assert tried > 20


def test_every_function_with_its_owner_s_rights_is_listed_pins_its_search_path_and_gives_ids_only() -> None:
    rows = catalog(
        "select proname::text, coalesce(proconfig::text, ''), prorettype::regtype::text, proowner::regrole::text"
        " from pg_proc where prosecdef and pronamespace = 'public'::regnamespace"
    )
    assert {row[0] for row in rows} == set(DEFINER)
    assert [row for row in rows if "search_path=public, pg_temp" not in row[1]] == []
    assert {row[2] for row in rows} <= {"bigint", "boolean"}
    assert {row[3] for row in rows} == {"makegood_owner"}


def test_functions_that_look_across_merchants_give_ids_and_change_nothing_of_another() -> None:
    with two_merchants() as app:
        name_merchant(app, None)
        for call in (
            "cases_merchants_due(now(), 10)",
            "conversations_merchants_due(now(), 10)",
            "conversations_merchants_with_mailbox()",
            "settlement_merchants_to_try(now(), 10)",
            "makegood_merchant_ids()",
        ):
            assert all(isinstance(row[0], int) and len(row) == 1 for row in app.execute(f"select {call}").fetchall())
        with pytest.raises(errors.InsufficientPrivilege), app.transaction():
            app.execute("select ledger_post('x', 'k', null, '', now(), '[]')")


@pytest.mark.parametrize(
    "call",
    [
        "ledger_post('x', 'k', null, '', now(), '[]')",
        "makegood_open_merchant('x', 'x', 'x', 'CN', 'CNY', 'UTC', '{}', now())",
        "cases_merchants_due(now(), 10)",
        "makegood_merchant_of('x')",
    ],
)
def test_who_may_only_read_cannot_borrow_the_owner_s_rights(call: str) -> None:
    with two_merchants() as app:
        app.execute("reset role")
        app.execute("set local role makegood_readonly")
        name_merchant(app, A)
        with pytest.raises(errors.InsufficientPrivilege, match="permission denied for function"), app.transaction():
            app.execute(f"select {call}")


@pytest.mark.parametrize("role", ["makegood_app", "makegood_owner", "makegood_readonly"])
def test_no_role_of_ours_may_bypass_row_security(role: str) -> None:
    assert catalog("select rolsuper, rolbypassrls from pg_roles where rolname = %s", [role]) == [(False, False)]


def test_the_merchant_named_in_one_transaction_is_forgotten_in_the_next_on_the_same_connection() -> None:
    first, second = open_merchant(), open_merchant()

    def named() -> Any:
        return db.fetch("select current_setting('makegood.merchant', true) as m, pg_backend_pid() as pid")[0]

    with tenancy.acting_for(first), db.atomically():
        inside = named()
    after = named()
    with db.atomically():
        nobody = named()
    with tenancy.acting_for(second), transaction.atomic():
        other = named()
        with tenancy.acting_for(first):
            assert named()["m"] == str(first)
        assert named()["m"] == str(second)

    assert len({row["pid"] for row in (inside, after, nobody, other)}) == 1
    assert [row["m"] for row in (inside, after, nobody, other)] == [str(first), "", "", str(second)]


def test_on_a_connection_shared_through_a_pool_one_client_s_merchant_is_not_the_next_one_s() -> None:
    first = open_merchant()
    place = postgres_for_tests.server().dsn("app", str(connection.settings_dict["NAME"]))
    with psycopg.connect(place, autocommit=True) as pooled:
        with pooled.transaction():
            pooled.execute(tenancy.NAME_MERCHANT, [str(first)])
            assert pooled.execute("select count(*) from accounts_merchant").fetchone() == (1,)
        # The next client of the pool forgets to name anybody.
        with pooled.transaction():
            assert pooled.execute("select count(*) from accounts_merchant").fetchone() == (0,)
