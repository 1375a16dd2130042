"""Transactions that lose to another are begun anew; a lost connection is told, never guessed about."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from django.db import DatabaseError, connection

from makegood.kit import db
from makegood.ledger.commands import Move, post
from makegood.ledger.states import Book, Goods
from tests import postgres_for_tests
from tests.conftest import NOON


@pytest.fixture
def pair() -> Iterator[None]:
    with psycopg.connect(postgres_for_tests.server().dsn("owner", str(connection.settings_dict["NAME"]))) as owner:
        owner.execute("create table pair (id int primary key, n int not null)")
        owner.execute("insert into pair values (1, 0), (2, 0)")
    yield
    with psycopg.connect(postgres_for_tests.server().dsn("owner", str(connection.settings_dict["NAME"]))) as owner:
        owner.execute("drop table pair")


def test_two_transactions_in_opposite_order_both_come_through(pair: None) -> None:
    both_hold_one = threading.Barrier(2)
    tries: list[int] = []

    def add_to(first: int, second: int) -> None:
        def work() -> None:
            again = first in tries
            tries.append(first)
            with db.atomically():
                db.execute("update pair set n = n + 1 where id = %s", [first])
                if not again:
                    both_hold_one.wait(10)
                db.execute("update pair set n = n + 1 where id = %s", [second])

        try:
            db.with_retries(work)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(add_to, 1, 2), pool.submit(add_to, 2, 1)]:
            done.result()

    assert [row["n"] for row in db.fetch("select n from pair order by id")] == [2, 2]
    assert len(tries) == 3  # one of the two was told to begin anew


@pytest.mark.parametrize("sqlstate", ["40001", "40P01"])
def test_who_loses_every_time_is_told_that_the_database_is_busy(sqlstate: str) -> None:
    tries = []

    def lose() -> None:
        tries.append(1)
        with db.atomically():
            db.execute(f"do $$ begin raise exception 'lost' using errcode = '{sqlstate}'; end $$")

    with pytest.raises(db.DatabaseBusy) as told:
        db.with_retries(lose, 3)
    assert len(tries) == 3
    assert told.value.code == "database_busy"
    assert told.value.rule == "lost_to_other_transactions"


def test_other_errors_are_not_tried_again() -> None:
    tries = []

    def divide() -> None:
        tries.append(1)
        db.fetch("select 1 / 0")

    with pytest.raises(DatabaseError, match="division by zero"):
        db.with_retries(divide)
    assert len(tries) == 1


def test_a_connection_cut_in_mid_transaction_leaves_nothing_is_told_and_the_next_call_works(merchant: int) -> None:
    tries = []

    def post_and_be_cut() -> None:
        tries.append(1)
        with db.atomically():
            post(
                kind="test",
                request_key="cut",
                moves=[Move(Book.GOODS, 1, Goods.SOLD, Goods.TO_SHIP, "UNIT", 1)],
                at=NOON,
            )
            pid = db.fetch("select pg_backend_pid() as pid")[0]["pid"]
            with psycopg.connect(postgres_for_tests.admin_dsn(), autocommit=True) as admin:
                admin.execute("select pg_terminate_backend(%s)", [pid])
            db.fetch("select 1")

    with pytest.raises(db.DatabaseBusy) as told:
        db.with_retries(post_and_be_cut)
    assert told.value.rule == "connection_lost"
    assert len(tries) == 1
    with db.atomically():
        assert db.fetch("select count(*) as n from ledger_entry") == [{"n": 0}]


def test_inside_a_transaction_there_is_nothing_to_begin_anew(merchant: int) -> None:
    with db.atomically(), pytest.raises(RuntimeError, match="begin outside"):
        db.with_retries(lambda: None)
