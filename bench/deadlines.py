"""Whether open deadlines that are not due cost anything: the sweep, and fetching a job, with and without a million."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median
from typing import Any

from bench import bulk
from bench.figures import Figure, seconds
from bench.ground import NOON, Ground, open_merchant

_ANOTHER = "makegood_bench_few"


def measure(ground: Ground) -> list[Figure]:
    """``deadlines.open_million``: one turn of the sweep in this database against one in a database without any."""
    from django.db import connection

    here = connection.settings_dict["NAME"]
    many, few = open_merchant(), 0
    with _database(ground, _ANOTHER):
        few = open_merchant()
    bulk.fill_deadlines(ground.admin_dsn, many, ground.size.open_deadlines)
    sweeps: dict[str, list[float]] = {here: [], _ANOTHER: []}
    fetches: dict[str, list[float]] = {here: [], _ANOTHER: []}
    for _ in range(ground.size.rounds):
        for name, merchant_id in ((here, many), (_ANOTHER, few)):
            with _connected(name):
                for nth in range(max(12, ground.size.reads // 10)):
                    swept, fetched = seconds(lambda: _sweep(merchant_id)), seconds(_fetch_job)  # noqa: B023
                    if nth >= 6:  # prepared statements and caches are warm
                        sweeps[name].append(swept)
                        fetches[name].append(fetched)
    return [
        Figure(
            "deadlines.open_million",
            median(sweeps[here]) / median(sweeps[_ANOTHER]),
            f"one turn of the deadline sweep with {ground.size.open_deadlines:,} open deadlines that are not due,"
            " against one in a database without any; medians, interleaved",
            {
                "sweep_milliseconds": {"many": _ms(sweeps[here]), "none": _ms(sweeps[_ANOTHER])},
                "fetch_job_milliseconds": {"many": _ms(fetches[here]), "none": _ms(fetches[_ANOTHER])},
            },
        )
    ]


def _ms(times: list[float]) -> float:
    return round(median(times) * 1000, 3)


def _sweep(merchant_id: int) -> None:
    """What a worker does each time: ask which merchants have something due, and a batch of one of them."""
    from makegood.cases.commands import sweep_deadlines
    from makegood.kit import db, tenancy

    with db.atomically():
        due = db.fetch("select id from cases_merchants_due(%s, %s) as id", [NOON, 1000])
    with tenancy.acting_for(merchant_id):
        done = sweep_deadlines(at=NOON)
    if due or done:
        raise RuntimeError("nothing was to be due")


def _fetch_job() -> None:
    from makegood.kit import db

    with db.atomically():
        db.fetch("select id from procrastinate_fetch_job_v2(array['bench'], null)")


@contextmanager
def _connected(name: str) -> Iterator[None]:
    """Django's connections lead to the database of that name."""
    from django.db import connections

    before: dict[str, Any] = {}
    for alias in ("default", "owner"):
        before[alias] = connections[alias].settings_dict["NAME"]
        connections[alias].close()
        connections[alias].settings_dict["NAME"] = name
    try:
        yield
    finally:
        for alias, was in before.items():
            connections[alias].close()
            connections[alias].settings_dict["NAME"] = was


@contextmanager
def _database(ground: Ground, name: str) -> Iterator[None]:
    """A second database on the same server, migrated, and connected while the block lasts."""
    from django.core.management import call_command

    from makegood.kit.postgres import roles

    roles.prepare(ground.admin_dsn, name)
    with _connected(name):
        call_command("migrate", database="owner", verbosity=0)
        yield
