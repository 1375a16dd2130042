"""How fast cases are settled: filed, decided, approved and paid, against the same rows written by bare psycopg."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from statistics import median
from typing import TYPE_CHECKING, Any

from bench import rows_written
from bench.figures import Figure, interleaved, ratio_of_medians, seconds
from bench.ground import NOON, Ground, open_merchant

if TYPE_CHECKING:
    from makegood.cases.models import Case
    from makegood.orders.queries import OrderView
    from tests.gateway_simulator import GatewaySimulator


def measure(ground: Ground) -> list[Figure]:
    """``spine.settle_vs_psycopg``; its details say how many cases a second and what the time goes into."""
    from makegood.kit import tenancy

    ours, theirs = open_merchant(), open_merchant()
    with gateway(ground) as simulator:
        with tenancy.acting_for(theirs):
            connect(simulator)
            settle(sell(simulator))  # opens the books of the merchant the replay writes for
        with tenancy.acting_for(ours):
            connect(simulator)
            for _ in range(5):
                settle(sell(simulator))
            sample = sell(simulator)
            with rows_written.noted(ground.admin_dsn) as written:
                settle(sample)
            replay = _replay(ground, theirs, written)
            taken = _race(ground, simulator, sample, replay, ours=ours, theirs=theirs)
            spent = _profile([sell(simulator) for _ in range(max(2, ground.size.settles))])
    _check_rows(ground, replay)
    each = ground.size.settles
    rows = Counter(row.table for transaction in written for row in transaction if row.op == "INSERT")
    return [
        Figure(
            "spine.settle_vs_psycopg",
            1 / ratio_of_medians(*taken),
            "claim filed, decided, approved and paid through the gateway simulator (own process, real HTTP),"
            " one after the other, against the same rows in the same transactions by bare psycopg with prepared"
            f" statements; {len(taken[0])} interleaved rounds of {each}, medians",
            {
                "ours_per_second": round(each / median(taken[0]), 1),
                "psycopg_per_second": round(each / median(taken[1]), 1),
                "rows_a_case": dict(sorted(rows.items())),
                "transactions_a_case": len(written),
                **spent,
            },
        )
    ]


@contextmanager
def gateway(ground: Ground) -> Iterator[GatewaySimulator]:
    from tests.gateway_simulator import GatewaySimulator

    with GatewaySimulator(ground.folder / "gateway.sqlite") as simulator:
        yield simulator


def connect(simulator: GatewaySimulator) -> None:
    from makegood.settlement import commands
    from tests.shop import OWNER

    settings = {"api_key": simulator.api_key, "api_base": simulator.url}
    commands.connect_gateway(name="stripe", settings=settings, actor=OWNER, at=NOON)


def sell(simulator: GatewaySimulator) -> OrderView:
    """One order of one line, not yet sent, paid through the simulator."""
    from tests.settlement.paying import sell_through

    return sell_through(simulator)


def settle(order: OrderView) -> Case:
    """The whole way of one case, as the faces and the worker walk it. Raises RuntimeError where it was not paid."""
    steps = steps_of(order)
    case: Case | None = None
    for _, step in steps:
        case = step() or case
    if case is None or _money_state(case.id) != "paid":
        raise RuntimeError("the case was not paid")
    return case


def _money_state(case_id: int) -> str:
    from makegood.kit import db

    with db.atomically():
        return str(db.fetch("select money_state from cases_case where id = %s", [case_id])[0]["money_state"])


def steps_of(order: OrderView) -> list[tuple[str, Callable[[], Any]]]:
    """File, decide, approve and pay, each as a call."""
    from makegood.cases import commands as cases
    from makegood.settlement import jobs
    from tests.shop import AGENT, ask

    at = datetime.now(UTC)  # the job asks the database's clock; an old promise would be looked up before it is paid
    filed: list[Case] = []
    return [
        ("file", lambda: filed.append(ask(order, "cancellation", "changed_mind", at=at))),
        ("decide", lambda: cases.decide_case(ref=filed[0].ref, actor=AGENT, at=at)),
        ("approve", lambda: cases.approve_case(ref=filed[0].ref, actor=AGENT, at=at)),
        ("pay", lambda: jobs.pay_out(case_id=filed[0].id) or filed[0]),
    ]


def _replay(ground: Ground, merchant_id: int, written: list[list[rows_written.Written]]) -> rows_written.Replay:
    import psycopg

    steps = [rows_written.plan(transaction) for transaction in written]
    tables = {step.table for transaction in steps for step in transaction}
    with psycopg.connect(ground.admin_dsn) as admin:
        seq = admin.execute("select seq from ledger_head where merchant_id = %s", [merchant_id]).fetchone()
    assert seq is not None
    shapes = rows_written.read_shapes(ground.admin_dsn, tables)
    return rows_written.Replay(ground.owner_dsn, merchant_id, steps, shapes, seq[0])


def _given(sample: OrderView, order: OrderView) -> rows_written.Given:
    """Rows of the sample's order, and those of the order that a replay is about."""
    return {
        "orders_order": {sample.id: order.id},
        "orders_line": {a.id: b.id for a, b in zip(sample.lines, order.lines, strict=True)},
        "orders_payment": {a.id: b.id for a, b in zip(sample.payments, order.payments, strict=True)},
        "customers_customer": {sample.customer.id: order.customer.id},
    }


def _race(
    ground: Ground,
    simulator: GatewaySimulator,
    sample: OrderView,
    replay: rows_written.Replay,
    *,
    ours: int,
    theirs: int,
) -> list[list[float]]:
    from makegood.kit import tenancy

    def sold(merchant_id: int) -> list[OrderView]:
        with tenancy.acting_for(merchant_id):
            return [sell(simulator) for _ in range(ground.size.settles)]

    taken: list[list[float]] = [[], []]
    for _ in range(ground.size.rounds):
        orders = sold(ours)
        writes = [replay.prepare(_given(sample, order)) for order in sold(theirs)]
        both = interleaved(1, lambda: [settle(order) for order in orders], lambda: [write() for write in writes])  # noqa: B023
        for times, new in zip(taken, both, strict=True):
            times.extend(new)
    return taken


def _check_rows(ground: Ground, replay: rows_written.Replay) -> None:
    """The replay must have left as many rows of each table as it was to write. Raises RuntimeError."""
    import psycopg

    with psycopg.connect(ground.admin_dsn) as admin:
        for table, count in replay.rows.items():
            found = admin.execute(f"select count(*) from {table} where id >= {rows_written._FIRST_ID}").fetchone()  # noqa: SLF001
            if found is None or found[0] != count:
                raise RuntimeError(f"{table}: {found} rows where {count} were to be written")


@dataclass
class _Spent:
    queries: int = 0
    in_database: float = 0.0
    whole: list[float] = field(default_factory=list)

    def __call__(self, execute: Callable[..., Any], *arguments: Any) -> Any:
        self.queries += 1
        started = time.perf_counter()
        try:
            return execute(*arguments)
        finally:
            self.in_database += time.perf_counter() - started


def _profile(orders: Sequence[OrderView]) -> dict[str, Any]:
    """Statements and milliseconds of each step: all of it, and the part spent in statements."""
    from django.db import connection

    spent: dict[str, _Spent] = {}
    for order in orders:
        for name, step in steps_of(order):
            mine = spent.setdefault(name, _Spent())
            with connection.execute_wrapper(mine):
                mine.whole.append(seconds(step))
    count = len(orders)
    return {
        "steps": {
            name: {
                "milliseconds": round(median(mine.whole) * 1000, 2),
                "statements": round(mine.queries / count, 1),
                "milliseconds_in_statements": round(mine.in_database / count * 1000, 2),
            }
            for name, mine in spent.items()
        }
    }
