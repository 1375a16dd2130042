"""The pages of portal and desk at a merchant with 100,000 cases: time, statements and weight of each."""

from __future__ import annotations

from math import ceil
from typing import Any

from bench import bulk
from bench.figures import Figure, seconds
from bench.ground import Ground, open_merchant

WARM = 3


def measure(ground: Ground) -> list[Figure]:
    """``faces.page_p95_ms``, ``faces.page_queries`` and ``faces.first_load_kb``: the worst page counts."""
    from django.conf import settings
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from makegood.kit import tenancy
    from tests.faces import asked, first_load_bytes

    settings.ALLOWED_HOSTS = ["*"]
    count = ground.size.face_cases
    merchant_id = open_merchant()
    bulk.fill_cases(ground.admin_dsn, merchant_id, count)
    queries: dict[str, int] = {}
    statements: dict[str, int] = {}
    weight: dict[str, float] = {}
    with tenancy.acting_for(merchant_id):
        pages = _pages()
    for name, read in pages.items():
        for _ in range(WARM):
            answer = read()
        if answer.status_code != 200:
            raise RuntimeError((name, answer.status_code))
        with asked() as count_asked:
            read()
        queries[name] = count_asked[0]
        with CaptureQueriesContext(connection) as ran:
            read()
        statements[name] = sum(1 for one in ran.captured_queries if not _is_frame(one["sql"]))
        weight[name] = first_load_bytes(answer.content) / 1000
    taken: dict[str, list[float]] = {name: [] for name in pages}
    for _ in range(ground.size.face_reads):  # in turns, so that noise meets all of them alike
        for name, read in pages.items():
            taken[name].append(seconds(read) * 1000)
    return _figures(taken, queries, statements, weight, ground)


def measure_million(ground: Ground) -> list[Figure]:
    """``faces.queue_million_p95_ms`` and ``faces.overview_million_p95_ms``: what counts cases, where there are most."""
    from django.conf import settings

    from makegood.kit import tenancy
    from tests.desk.working import Member

    settings.ALLOWED_HOSTS = ["*"]
    count = ground.size.cases[-1]
    merchant_id = open_merchant()
    bulk.fill_cases(ground.admin_dsn, merchant_id, count)
    with tenancy.acting_for(merchant_id):
        member = Member("owner")
    found = []
    for name, path in (("queue", ""), ("overview", "overview")):
        read = _reading(member.client, f"{member.base}/{path}")
        for _ in range(WARM):
            if read().status_code != 200:
                raise RuntimeError(name)
        taken = [seconds(read) * 1000 for _ in range(3 * ground.size.face_reads)]
        found.append(
            Figure(
                f"faces.{name}_million_p95_ms",
                _p95(taken),
                f"95th percentile of the time in the server of the {name} with its counts, at a merchant with {count:,}"
                f" cases of which a fifth is open; {len(taken)} times",
                {"best": round(min(taken), 1), "median": round(sorted(taken)[len(taken) // 2], 1)},
            )
        )
    return found


def _figures(
    taken: dict[str, list[float]],
    queries: dict[str, int],
    statements: dict[str, int],
    weight: dict[str, float],
    ground: Ground,
) -> list[Figure]:
    from tests.faces import NOT_VISITED

    p95 = {name: _p95(times) for name, times in taken.items()}
    every = [time for times in taken.values() for time in times]
    told = (
        f"of {len(taken)} pages of a merchant with {ground.size.face_cases:,} cases"
        f" ({len(NOT_VISITED)} addresses are left out, each with its reason in tests/faces.py)"
    )
    return [
        Figure(
            "faces.page_p95_ms",
            max(p95.values()),
            f"95th percentile of the time in the server, middleware and session included, of the slowest {told};"
            f" each {ground.size.face_reads} times in turns",
            {
                "worst pages": _worst(p95),
                "over all reads": round(_p95(every), 1),
                "best of each": _worst({name: min(times) for name, times in taken.items()}),
            },
        ),
        Figure(
            "faces.page_queries",
            max(queries.values()),
            f"questions to the database (statements that travel together are one) by the worst page, {told}",
            {"worst pages": _worst(queries), "single statements": _worst(statements)},
        ),
        Figure(
            "faces.first_load_kb",
            max(weight.values()),
            f"kB of page, styles, scripts and images by gzip on the first visit, the heaviest {told}",
            {"worst pages": _worst(weight)},
        ),
    ]


def _is_frame(sql: str) -> bool:
    """What begins and ends a transaction, and names the merchant, asks nothing."""
    return sql.upper().startswith(("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")) or "set_config" in sql


def _p95(times: list[float]) -> float:
    return sorted(times)[ceil(0.95 * len(times)) - 1]


def _worst(by_page: Any) -> dict[str, float]:
    return {name: round(value, 1) for name, value in sorted(by_page.items(), key=lambda one: -one[1])[:8]}


def _pages() -> dict[str, Any]:
    """Every page as a function that reads it, signed in as who may see it."""
    from django.utils import timezone

    from makegood.accounts import queries as accounts
    from makegood.cases import commands
    from tests.desk.working import Member
    from tests.faces import faces
    from tests.portal.visiting import Visitor
    from tests.shop import AGENT, ask, sell

    now = timezone.now()
    order = sell(at=now)
    case = ask(order, "return", "changed_mind", at=now)
    commands.decide_case(ref=case.ref, actor=AGENT, at=now)
    commands.approve_case(ref=case.ref, actor=AGENT, at=now)
    member, visitor = Member("owner"), Visitor()
    made = commands.make_bulk(action="tag", arguments={"tag": "bench"}, chosen=[case.ref], actor=member.actor, at=now)
    visitor.prove(order)
    found: dict[str, Any] = {}
    for face in faces(accounts.slug(), case=case.ref, order=order.number, person=order.customer.id, bulk=made.ref):
        client = member.client if face.name.startswith("desk:") else visitor.client
        if face.name == "portal:find":  # who has found the order already is led on
            client = Visitor().client
        found[face.name] = _reading(client, face.path)
    return found


def _reading(client: Any, path: str) -> Any:
    return lambda: client.get(path)
