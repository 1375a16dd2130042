"""Statements stay prepared through a rollback: refusals and previews do not make everything be planned anew."""

from __future__ import annotations

import pytest
from django.db import connection

from makegood.kit import db

pytestmark = pytest.mark.usefixtures("merchant")
STATEMENT = "select id from orders_order where number = %s"


@db.query
def prepared() -> int:
    row = db.fetch_one(
        "select count(*) as n from pg_prepared_statements where statement like %s", [STATEMENT[:40] + "%"]
    )
    assert row is not None
    return int(row["n"])


def read_often() -> None:
    for _ in range(8):
        db.fetch(STATEMENT, ["none"])


@pytest.mark.parametrize("nested", [True, False])
def test_a_statement_stays_prepared_when_what_it_was_in_is_taken_back(nested: bool) -> None:  # noqa: FBT001
    connection.close()
    with db.rehearsal():
        if nested:
            with db.rehearsal():
                read_often()
        else:
            read_often()

    assert prepared() == 1
    with db.atomically():
        assert db.fetch(STATEMENT, ["none"]) == []
    assert prepared() == 1
