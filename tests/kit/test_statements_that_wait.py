"""Statements nobody waits for go out with the next one or with the commit, in their order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, connection

from makegood.accounts.models import Shop
from makegood.kit import db, errors

pytestmark = pytest.mark.usefixtures("merchant")


def shop(slug: str) -> dict[str, Any]:
    return {"slug": slug, "name_zh": "店", "name_en": "shop", "kind": "online", "platform": "own-store"}


def slugs() -> list[str]:
    with db.atomically():
        return [row["slug"] for row in db.fetch("select slug from accounts_shop order by slug")]


def refused_shop(slug: str) -> None:
    names = shop(slug)
    db.send(
        f"insert into accounts_shop ({', '.join(names)}) values ({', '.join(['%s'] * len(names))})",
        list(names.values()),
        refusals={"shop_once": errors.Refused(slug)},
    )


def test_the_next_question_sees_what_waited_before_it() -> None:
    with db.atomically():
        before = len(db.fetch("select slug from accounts_shop"))
        db.send_rows("accounts_shop", [shop("one"), shop("two")])
        db.send("update accounts_shop set name_en = %s where slug = %s", ["renamed", "two"])
        first, second = db.fetch_each(
            ("select count(*) as n from accounts_shop", []),
            ("select name_en from accounts_shop where slug = %s", ["two"]),
        )
    assert (first[0]["n"], second[0]["name_en"]) == (before + 2, "renamed")


def test_what_waits_at_the_end_goes_with_the_commit() -> None:
    with db.atomically():
        db.send_rows("accounts_shop", [shop("late")])
    assert "late" in slugs()


def test_what_waits_is_forgotten_with_a_rollback_and_with_a_savepoint_s() -> None:
    with pytest.raises(ZeroDivisionError), db.atomically():
        fail("never")
    with db.atomically():
        db.send_rows("accounts_shop", [shop("kept")])
        with pytest.raises(ZeroDivisionError), db.savepoint():
            fail("dropped")
    with db.rehearsal():
        db.send_rows("accounts_shop", [shop("rehearsed")])
    found = slugs()
    assert "kept" in found
    assert not {"never", "dropped", "rehearsed"} & set(found)


def test_django_s_own_statements_come_after_what_waits() -> None:
    with db.atomically():
        db.send_rows("accounts_shop", [shop("seen")])
        assert Shop.objects.filter(slug="seen").count() == 1
        assert Shop.objects.filter(slug="seen").update(name_en="counted") == 1


def fail(*names: str) -> None:
    db.send_rows("accounts_shop", [shop(name) for name in names])
    raise ZeroDivisionError


ASKS: dict[str, Callable[[], object]] = {
    "commit": lambda: None,
    "sql": lambda: db.fetch("select 1 as one"),
    "orm": Shop.objects.count,
}


@db.command
def refused_then(ask: Callable[[], object]) -> None:
    refused_shop("free")
    refused_shop("taken")
    ask()


@pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS)
def test_a_broken_constraint_is_told_as_what_it_means_wherever_it_comes_out(ask: Callable[[], object]) -> None:
    with db.atomically():
        db.send_rows("accounts_shop", [shop("taken")])
    with pytest.raises(errors.Refused) as told:
        refused_then(ask)
    assert told.value.value == "taken"
    assert "free" not in slugs()
    assert isinstance(told.value.__cause__, IntegrityError)


def test_a_constraint_of_which_nothing_was_said_stays_an_error() -> None:
    with db.atomically():
        db.send_rows("accounts_shop", [shop("twice")])
    with pytest.raises(IntegrityError, match="shop_once"), db.atomically():
        db.send_rows("accounts_shop", [shop("twice")])
    assert slugs().count("twice") == 1


def test_statements_that_a_failure_kept_from_being_prepared_work_again_afterwards() -> None:
    with db.atomically():
        db.send_rows("accounts_shop", [shop("taken")])
    connection.close()
    for _ in range(12):  # on the way every statement comes to be prepared behind one that fails
        with pytest.raises(errors.Refused):
            refused_then(lambda: db.fetch("select 2 as two"))
    with db.atomically():
        assert db.fetch("select 2 as two") == [{"two": 2}]
        refused_shop("free after all")


def test_nothing_waits_outside_a_transaction() -> None:
    with pytest.raises(db.NotInTransaction):
        db.send("select 1")


def test_a_transaction_in_which_nothing_is_said_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    run = connection._run  # type: ignore[attr-defined]  # our backend's

    def note(statements: Any) -> Any:
        said.extend(statement.sql for statement in statements)
        return run(statements)

    monkeypatch.setattr(connection, "_run", note)
    with db.atomically():
        pass
    assert said == []
    with db.atomically():
        db.fetch("select 1 as one")
    assert [said[0], said[2:]] == ["BEGIN", ["select 1 as one"]]
    assert "makegood.merchant" in said[1]


def test_who_counts_statements_is_told_of_those_that_wait_too(django_assert_num_queries: Any) -> None:
    with db.atomically(), django_assert_num_queries(3):
        db.send_rows("accounts_shop", [shop("counted")])
        db.send("update accounts_shop set name_en = 'x' where slug = 'counted'")
        db.fetch("select 1 as one")
