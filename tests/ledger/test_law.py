"""I1–I4: the ledger's law holds in the database itself, whoever writes and however many at once."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any

import psycopg
import pytest
from django.db import IntegrityError, connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import errors

from makegood.kit import db, tenancy
from makegood.ledger import queries
from makegood.ledger.commands import Move, Overdrawn, Posted, enter, post
from makegood.ledger.states import UNIT, Book, Claims, Goods, MoneyAccount
from tests import postgres_for_tests
from tests.conftest import NOON, open_merchant
from tests.ledger.walls import name_merchant

THREADS = 8


@db.command
def posted(key: str, *moves: Move, kind: str = "test") -> Posted | None:
    return post(kind=kind, request_key=key, moves=moves, at=NOON)


def sold(subject: int, quantity: int) -> Move:
    return Move(Book.GOODS, subject, Goods.SOLD, Goods.TO_SHIP, UNIT, quantity)


def shipped(subject: int, quantity: int) -> Move:
    return Move(Book.GOODS, subject, Goods.TO_SHIP, Goods.IN_TRANSIT, UNIT, quantity)


def captured(subject: int, cents: int) -> Move:
    return Move(Book.MONEY, subject, MoneyAccount.CAPTURED, MoneyAccount.AVAILABLE, "CNY", cents)


def promised(subject: int, cents: int) -> Move:
    return Move(Book.MONEY, subject, MoneyAccount.AVAILABLE, MoneyAccount.PROMISED, "CNY", cents)


def at_once(works: list[Callable[[], object]]) -> list[object]:
    """Results, or the error each raised, of works that start together in threads of their own."""
    start = threading.Barrier(len(works))
    merchant_id = tenancy.require_merchant_id()

    def run(work: Callable[[], object]) -> object:
        try:
            with tenancy.acting_for(merchant_id):
                start.wait(20)
                return work()
        except Exception as problem:  # noqa: BLE001 - the test looks at it
            return problem
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


@contextmanager
def owner() -> Iterator[psycopg.Connection[Any]]:
    """The owner of the tables, for the merchant in sight; what is not committed is taken back."""
    place = postgres_for_tests.server().dsn("owner", str(connection.settings_dict["NAME"]))
    with psycopg.connect(place) as role:
        name_merchant(role, tenancy.require_merchant_id())
        yield role
        role.rollback()


def test_the_application_may_read_the_ledger_and_write_it_through_one_function_only(merchant: int) -> None:
    posted("a", sold(1, 3))
    for table in ("ledger_head", "ledger_account", "ledger_entry", "ledger_posting"):
        with db.atomically():
            assert db.fetch(f"select count(*) as n from {table}")[0]["n"] > 0
        for statement in (
            f"insert into {table} default values",
            f"update {table} set merchant_id = merchant_id",
            f"delete from {table}",
            f"truncate {table}",
        ):
            with pytest.raises(Exception, match="permission denied"), db.atomically():
                db.execute(statement)


@pytest.mark.parametrize("amounts", [(5,), (5, -3), (5, 5), (-1,)])
def test_an_unbalanced_entry_is_refused_also_to_the_owner(amounts: tuple[int, ...], merchant: int) -> None:
    posted("a", sold(1, 3))
    with owner() as role:
        write_entry(role, seq=2)
        with pytest.raises(errors.CheckViolation, match="not balanced"):
            add_postings(role, amounts)


def test_a_balanced_entry_of_the_owner_that_goes_around_the_chain_is_refused_at_commit(merchant: int) -> None:
    posted("a", sold(1, 3))
    with owner() as role:
        write_entry(role, seq=2)
        add_postings(role, (-1, 1))  # taken: the refusals above are about the balance
        with pytest.raises(errors.CheckViolation, match="not in the chain"):
            role.commit()
    with owner() as role:
        write_entry(role, seq=2)
        role.execute("update ledger_head set seq = 2")
        with pytest.raises(errors.CheckViolation, match="no postings"):
            role.commit()
    assert queries.faults() == []


def write_entry(role: psycopg.Connection[Any], seq: int) -> None:
    role.execute(
        "insert into ledger_entry (seq, kind, request_key, cause, happened_at, recorded_at, prev_hash, hash)"
        " values (%s, 'forged', 'forged', '', now(), now(), '', '')",
        [seq],
    )


def add_postings(role: psycopg.Connection[Any], amounts: tuple[int, ...]) -> None:
    role.execute(
        "insert into ledger_posting (entry_id, account_id, amount, balance_after)"
        " select (select id from ledger_entry where request_key = 'forged'), a.id, n.amount, a.balance + n.amount"
        " from unnest(array['~sold', 'to_ship'], %s::bigint[]) as n(name, amount)"
        " join ledger_account a on a.name = n.name and n.amount is not null",
        [list(amounts)],
    )


def test_balance_is_asked_for_each_subject_and_asset_not_for_the_sum_of_all(merchant: int) -> None:
    posted("a", captured(1, 100), captured(2, 100))
    with owner() as role:
        write_entry(role, seq=2)
        with pytest.raises(errors.CheckViolation, match="not balanced"):
            role.execute(
                "insert into ledger_posting (entry_id, account_id, amount, balance_after)"
                " select (select id from ledger_entry where request_key = 'forged'), id,"
                " moved, balance + moved from (select id, balance, case subject_id when 1 then -10 else 10 end as moved"
                " from ledger_account where name = 'available') as available"
            )


def test_a_posting_that_does_not_say_the_balance_after_it_is_refused(merchant: int) -> None:
    posted("a", sold(1, 3))
    with owner() as role:
        write_entry(role, seq=2)
        with pytest.raises(errors.CheckViolation, match="does not say what the balance is after it"):
            role.execute(
                "insert into ledger_posting (entry_id, account_id, amount, balance_after)"
                " select (select id from ledger_entry where request_key = 'forged'), id, 1, balance"
                " from ledger_account where name = 'to_ship'"
            )


def test_a_transaction_that_posts_and_then_turns_to_another_merchant_commits() -> None:
    first, second = open_merchant(), open_merchant()
    with db.atomically():
        with tenancy.acting_for(first):
            post(kind="test", request_key="a", moves=[sold(1, 3)], at=NOON)
        with tenancy.acting_for(second):
            post(kind="test", request_key="a", moves=[sold(1, 4)], at=NOON)
    for merchant_id, units in ((first, 3), (second, 4)):
        with tenancy.acting_for(merchant_id):
            assert queries.balances(Book.GOODS, [1])[1]["to_ship"] == units
            assert queries.faults() == []


def test_nothing_joins_an_entry_that_is_closed(merchant: int) -> None:
    posted("a", sold(1, 3))
    with owner() as role, pytest.raises(errors.CheckViolation, match="closed"):
        role.execute(
            "insert into ledger_posting (entry_id, account_id, amount, balance_after)"
            " select e.id, a.id, 1, 0 from ledger_entry e, ledger_account a"
        )


@pytest.mark.parametrize(
    "statement",
    [
        "update ledger_entry set cause = 'another'",
        "delete from ledger_entry",
        "truncate ledger_entry cascade",
        "update ledger_posting set amount = amount + 1",
        "delete from ledger_posting",
        "truncate ledger_posting",
        "update ledger_account set balance = balance + 1",
        "update ledger_account set name = 'lost'",
        "delete from ledger_account",
        "insert into ledger_account (book, subject_id, name, asset, balance) values ('goods', 9, 'to_ship', 'UNIT', 5)",
    ],
)
def test_history_and_balances_are_not_rewritten_even_by_the_owner(statement: str, merchant: int) -> None:
    posted("a", sold(1, 3))
    with owner() as role, pytest.raises(psycopg.Error, match=r"append-only|change by postings only"):
        role.execute(statement)


def test_eight_threads_cannot_take_more_than_there_is(merchant: int) -> None:
    posted("capture", captured(1, 1000))
    wanted = [150, 250, 350, 450, 333, 199, 275, 401]

    outcomes = at_once([partial(posted, f"take {n}", promised(1, n)) for n in wanted])

    taken = [n for n, outcome in zip(wanted, outcomes, strict=True) if isinstance(outcome, Posted)]
    refused = [outcome for outcome in outcomes if not isinstance(outcome, Posted)]
    assert refused
    assert all(isinstance(outcome, Overdrawn) for outcome in refused), refused
    held = queries.balances(Book.MONEY, [1])[1]
    assert held["promised"] == sum(taken) <= 1000
    assert held["available"] == 1000 - sum(taken)
    assert min(set(wanted) - set(taken)) > held["available"]  # nobody was refused who could have had it
    assert queries.faults() == []


def test_one_request_key_posts_once_for_eight_threads(merchant: int) -> None:
    outcomes = at_once([lambda: posted("once", sold(1, 3))] * THREADS)

    assert Counter(outcome.again for outcome in outcomes if isinstance(outcome, Posted)) == {True: 7, False: 1}
    assert len({outcome.entry_id for outcome in outcomes if isinstance(outcome, Posted)}) == 1
    assert queries.balances(Book.GOODS, [1])[1] == {"~sold": -3, "to_ship": 3}


def test_threads_that_post_to_the_same_accounts_in_opposite_order_all_come_through(merchant: int) -> None:
    posted("a", captured(1, 1000), captured(2, 1000))
    forth = (promised(1, 1), promised(2, 1))

    def take_turns(n: int) -> None:
        for turn in range(5):
            posted(f"{n} {turn}", *(forth if n % 2 else forth[::-1]))

    outcomes = at_once([partial(take_turns, n) for n in range(THREADS)])

    assert [outcome for outcome in outcomes if isinstance(outcome, Exception)] == []
    assert queries.balances(Book.MONEY, [1, 2]) == {
        subject: {"~captured": -1000, "available": 960, "promised": 40} for subject in (1, 2)
    }
    assert queries.faults() == []


def test_a_refused_posting_leaves_the_caller_s_transaction_undone_as_a_whole(merchant: int) -> None:
    posted("a", sold(1, 3))

    @db.command
    def two() -> None:
        post(kind="test", request_key="b", moves=[shipped(1, 2)], at=NOON)
        post(kind="test", request_key="c", moves=[shipped(1, 2)], at=NOON)

    with pytest.raises(Overdrawn):
        two()
    assert queries.balances(Book.GOODS, [1])[1] == {"~sold": -3, "to_ship": 3}


def test_an_entry_that_nobody_waited_for_is_refused_by_what_comes_next_or_by_the_commit(merchant: int) -> None:
    posted("a", sold(1, 3))

    def take_too_much() -> None:
        enter(kind="test", request_key="b", moves=[shipped(1, 2)], at=NOON)
        enter(kind="test", request_key="c", moves=[shipped(1, 2)], at=NOON)

    def take_too_much_and_ask() -> None:
        take_too_much()
        with pytest.raises(Overdrawn):
            db.fetch("select 1 as one")
        raise ZeroDivisionError

    with pytest.raises(Overdrawn), db.atomically():
        take_too_much()
    with pytest.raises(ZeroDivisionError), db.atomically():
        take_too_much_and_ask()
    with db.atomically():
        with pytest.raises(Overdrawn), db.savepoint():
            take_too_much()
        enter(kind="test", request_key="d", moves=[shipped(1, 1)], at=NOON)
    assert queries.balances(Book.GOODS, [1])[1] == {"~sold": -3, "to_ship": 2, "in_transit": 1}
    assert queries.faults() == []


def test_moves_of_nothing_write_nothing_and_negative_ones_are_a_defect(merchant: int) -> None:
    assert posted("a", sold(1, 0)) is None
    with pytest.raises(ValueError, match="positive"):
        posted("b", sold(1, -1))
    with db.atomically():
        assert db.fetch("select count(*) as n from ledger_entry") == [{"n": 0}]


def test_an_order_of_another_merchant_is_no_subject_of_an_entry(merchant: int) -> None:
    with pytest.raises(IntegrityError, match="ledger_entry_order_id_fk"), db.atomically():
        post(kind="test", request_key="a", moves=[sold(1, 1)], at=NOON, order_id=999_999_999)


def test_a_rehearsal_posts_for_real_shows_it_and_leaves_nothing(merchant: int) -> None:
    posted("a", sold(1, 3))
    with db.rehearsal():
        posted("b", shipped(1, 2))
        assert queries.balances(Book.GOODS, [1])[1]["in_transit"] == 2
        with pytest.raises(Overdrawn):
            posted("c", shipped(1, 2))
        posted("d", shipped(1, 1))
        assert queries.balances(Book.GOODS, [1])[1]["in_transit"] == 3
    assert queries.balances(Book.GOODS, [1])[1] == {"~sold": -3, "to_ship": 3}
    assert posted("b", shipped(1, 2)) is not None
    assert queries.faults() == []


def test_a_rehearsal_finds_what_only_the_commit_would_refuse(merchant: int) -> None:
    @db.command
    def twice() -> None:
        db.execute("create temporary table slot (n int unique deferrable initially deferred) on commit drop")
        db.execute("insert into slot values (1), (1)")

    with pytest.raises(IntegrityError, match="duplicate key"), db.rehearsal():
        twice()


def test_the_statements_tell_every_posting_in_order_and_the_sums_of_a_period(merchant: int) -> None:
    posted("a", captured(1, 500), kind="captured")
    posted("b", promised(1, 200), kind="promised")

    [row] = [
        row
        for row in queries.statement_of_merchant(since=NOON, until=NOON.replace(hour=13))
        if row.account == "available"
    ]

    assert (row.moved_in, row.moved_out) == (500, 200)
    assert queries.statement_of_merchant(since=NOON.replace(hour=11), until=NOON) == []
    assert queries.statement_of_order(1) == []


moves = st.lists(
    st.tuples(
        st.sampled_from([(1, "CNY"), (2, "JPY"), (3, "KWD")]),
        st.permutations([account.value for account in MoneyAccount]).map(lambda both: both[:2]),
        st.integers(0, 10**15),
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=st.lists(moves, min_size=1, max_size=8))
def test_whatever_is_posted_every_subject_sums_to_zero_no_floor_breaks_and_the_proof_holds(
    history: list[Any], merchant: int
) -> None:
    with db.atomically():
        begun = db.fetch("select count(*) as n from ledger_entry")[0]["n"]
    before = {subject: dict(held) for subject, held in queries.balances(Book.MONEY, [1, 2, 3]).items()}
    expected: Counter[tuple[int, str]] = Counter(
        {(subject, name): n for subject, held in before.items() for name, n in held.items()}
    )
    for number, entry in enumerate(history):
        wanted = [Move(Book.MONEY, of, source, target, asset, n) for (of, asset), (source, target), n in entry]
        after = expected.copy()
        for move in wanted:
            after[move.subject_id, move.source] -= move.amount
            after[move.subject_id, move.target] += move.amount
        possible = all(n >= 0 or name.startswith("~") for (_, name), n in after.items())
        try:
            posted(f"{begun} {number} {history}"[:200], *wanted)
        except Overdrawn:
            assert not possible
        else:
            assert possible
            expected = after
    held = queries.balances(Book.MONEY, [1, 2, 3])
    assert all(sum(accounts.values()) == 0 for accounts in held.values())
    assert {(s, name): n for s, accounts in held.items() for name, n in accounts.items() if n} == {
        key: n for key, n in expected.items() if n
    }
    assert queries.faults() == []


def test_the_right_to_each_unit_is_kept_apart_from_where_it_is(merchant: int) -> None:
    posted("a", sold(1, 3), Move(Book.CLAIMS, 1, Claims.SOLD, Claims.OPEN, UNIT, 3))
    posted("b", Move(Book.CLAIMS, 1, Claims.OPEN, Claims.ASKED, UNIT, 3))
    with pytest.raises(Overdrawn):
        posted("c", Move(Book.CLAIMS, 1, Claims.OPEN, Claims.ASKED, UNIT, 1))
    assert queries.balances(Book.GOODS, [1])[1]["to_ship"] == 3
