"""Whether reading one order's books costs the same however much the merchant has posted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg

from bench.figures import Figure
from bench.ground import NOON, Ground, open_merchant
from bench.growing import race

_MOVES_A_CALL = 250
_POST = """
select count(ledger_post('bench', 'bench:' || n, null, 'bench', %(at)s, jsonb_build_array(jsonb_build_object(
       'book', 'points', 'subject', 10000000 + n, 'from', '~issued', 'to', 'balance', 'asset', 'POINT', 'amount', 1))))
  from generate_series(%(first)s::int, %(last)s::int) as n
"""


def measure(ground: Ground) -> list[Figure]:
    """``ledger.balance_growth``: balances and statement of one order, of the merchant with most postings."""
    reads: dict[int, list[Callable[[], Any]]] = {}
    for postings in ground.size.postings:
        merchant_id = open_merchant()
        _post(ground.app_dsn, merchant_id, postings)
        reads[postings] = [_read(merchant_id)]
    with psycopg.connect(ground.admin_dsn, autocommit=True) as admin:
        admin.execute("vacuum analyze")
    taken = race(reads, ground.size.reads)
    few, many = min(taken), max(taken)
    return [
        Figure(
            "ledger.balance_growth",
            taken[many] / taken[few],
            "balances of an order's line and payment and the order's statement, of a merchant with"
            f" {many:,} postings against one with {few:,}; median of {ground.size.reads} reads, interleaved",
            {"milliseconds": {f"{count:,}": round(value * 1000, 3) for count, value in taken.items()}},
        )
    ]


def _post(app_dsn: str, merchant_id: int, postings: int) -> None:
    """Entries of two postings each through the database's own law: chained, balanced, floored."""
    with psycopg.connect(app_dsn) as connection:
        for first in range(1, postings // 2 + 1, _MOVES_A_CALL):
            connection.execute("select set_config('makegood.merchant', %s, true)", [str(merchant_id)])
            last = min(first + _MOVES_A_CALL - 1, postings // 2)
            connection.execute(_POST, {"first": first, "last": last, "at": NOON})
            connection.commit()


def _read(merchant_id: int) -> Callable[[], Any]:
    from makegood.cases import commands as cases
    from makegood.kit import db, tenancy
    from makegood.ledger import queries
    from tests.shop import AGENT, ask, sell

    with tenancy.acting_for(merchant_id):
        order = sell(position="not_shipped")
        case = ask(order, "cancellation", "changed_mind")
        cases.decide_case(ref=case.ref, actor=AGENT, at=NOON)
        cases.approve_case(ref=case.ref, actor=AGENT, at=NOON)

    @db.query
    def read() -> Any:
        return (
            queries.balances("value", [line.id for line in order.lines]),
            queries.balances("money", [payment.id for payment in order.payments]),
            queries.statement_of_order(order.id),
        )

    def work() -> Any:
        with tenancy.acting_for(merchant_id):
            return read()

    return work
