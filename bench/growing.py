"""How pages and lists grow: a queue, a case and ``GET /cases`` of merchants with few, many and very many cases."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from statistics import median
from typing import Any

from bench import bulk
from bench.figures import Figure, seconds
from bench.ground import NOON, Ground, open_merchant

REAL_CASES = 12


def measure(ground: Ground) -> list[Figure]:
    """``queue.page_growth``, ``case.page_growth`` and ``api.cases_growth``: the most cases against the fewest."""
    from makegood.accounts.states import Role
    from makegood.kit import tenancy
    from tests.api_client import Caller, issue_token

    merchants = {count: open_merchant() for count in ground.size.cases}
    for count, merchant_id in merchants.items():
        bulk.fill_cases(ground.admin_dsn, merchant_id, count)
    reads: dict[str, dict[int, list[Callable[[], Any]]]] = {"queue": {}, "case": {}, "api": {}}
    for count, merchant_id in merchants.items():
        with tenancy.acting_for(merchant_id):
            refs = _real_cases()
            caller = Caller(issue_token(Role.MANAGER))
        reads["queue"][count] = [_read_queue(merchant_id)]
        reads["case"][count] = [_read_case(merchant_id, ref) for ref in refs]
        reads["api"][count] = [_get_cases(caller)]
    names = {"queue": "queue.page_growth", "case": "case.page_growth", "api": "api.cases_growth"}
    return [_figure(names[what], what, by_count, ground) for what, by_count in reads.items()]


def _figure(name: str, what: str, by_count: dict[int, list[Callable[[], Any]]], ground: Ground) -> Figure:
    taken = race(by_count, ground.size.reads)
    few, many = min(taken), max(taken)
    told = {
        "queue": "the first 50 open cases of the queue, next due first",
        "case": "one case with lines, decision, deadlines and history",
        "api": "GET /api/v1/cases through the whole middleware, 50 cases a page",
    }[what]
    return Figure(
        name,
        taken[many] / taken[few],
        f"{told}: median of {ground.size.reads} reads in the application's role, of a merchant with {many:,} cases"
        f" against one with {few:,}, interleaved",
        {"milliseconds": {f"{count:,}": round(value * 1000, 2) for count, value in taken.items()}},
    )


def race(by_count: dict[int, list[Callable[[], Any]]], rounds: int) -> dict[int, float]:
    """Median seconds of the reads of each size; sizes take turns, after a warm-up."""
    turns = {count: itertools.cycle(reads) for count, reads in by_count.items()}
    taken: dict[int, list[float]] = {count: [] for count in by_count}
    for nth in range(rounds + 8):
        for count, turn in turns.items():
            spent = seconds(next(turn))
            if nth >= 8:  # prepared statements and caches are warm
                taken[count].append(spent)
    return {count: median(times) for count, times in taken.items()}


def _real_cases() -> list[str]:
    """Cases made by the commands, on top of the bulk: their pages show everything a case has."""
    from makegood.cases import commands as cases
    from tests.shop import AGENT, ask, sell

    refs = []
    for _ in range(REAL_CASES):
        case = ask(sell(position="not_shipped"), "cancellation", "changed_mind")
        cases.decide_case(ref=case.ref, actor=AGENT, at=NOON)
        refs.append(case.ref)
    return refs


def _read_queue(merchant_id: int) -> Callable[[], Any]:
    from makegood.cases.queries import Filters, queue_page

    return _acting(merchant_id, lambda: queue_page(Filters()))


def _read_case(merchant_id: int, ref: str) -> Callable[[], Any]:
    from makegood.cases.queries import case_view

    return _acting(merchant_id, lambda: case_view(ref))


def _acting(merchant_id: int, read: Callable[[], Any]) -> Callable[[], Any]:
    from makegood.kit import tenancy

    def work() -> Any:
        with tenancy.acting_for(merchant_id):
            return read()

    return work


def _get_cases(caller: Any) -> Callable[[], Any]:
    def work() -> Any:
        answer = caller.get("/cases")
        if answer.status_code != 200:
            raise RuntimeError(answer.content)
        return answer

    return work
