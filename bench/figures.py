"""The figures that are promised, each with its limit, and what became of it in a run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median
from time import perf_counter
from typing import Any, Literal

Better = Literal["higher", "lower"]


@dataclass(frozen=True, slots=True)
class Promise:
    """What a figure must reach: at least its limit where higher is better, else at most."""

    name: str
    limit: float
    better: Better


PROMISES = (
    Promise("spine.settle_vs_psycopg", 0.25, "higher"),
    Promise("spine.settle_vs_tryton", 50, "higher"),
    Promise("spine.settle_vs_helpdesk", 5, "higher"),
    Promise("http.file_vs_litestar", 1 / 3, "higher"),
    Promise("import.rows_vs_copy", 1 / 3, "higher"),
    Promise("import.memory_growth", 1.2, "lower"),
    Promise("queue.page_growth", 1.5, "lower"),
    Promise("case.page_growth", 1.5, "lower"),
    Promise("api.cases_growth", 1.5, "lower"),
    Promise("ledger.balance_growth", 1.5, "lower"),
    Promise("deadlines.open_million", 1.5, "lower"),
    Promise("chat.to_other_browser_p95_ms", 300, "lower"),
    Promise("live.thousand_listeners", 300, "lower"),
    Promise("mail.intake_vs_parsing", 0.01, "higher"),
    Promise("policy.decide_traced_us", 60, "lower"),
    Promise("policy.decide_compiled_us", 3, "lower"),
    Promise("policy.backtest_vs_handwritten", 1.5, "lower"),
    Promise("policy.backtest_vs_zen", 50, "higher"),
    Promise("policy.diff_vs_run", 3, "lower"),
    Promise("policy.backtest_10m_linear", 1.2, "lower"),
    Promise("policy.backends_equal", 1, "higher"),
    Promise("policy.zen_equal", 1, "higher"),
    Promise("policy.mutants_noticed", 0.95, "higher"),
    Promise("policy.check_seconds", 30, "lower"),
    Promise("faces.page_p95_ms", 60, "lower"),
    Promise("faces.page_queries", 15, "lower"),
    Promise("faces.first_load_kb", 150, "lower"),
    Promise("faces.layout_shift", 0.05, "lower"),
    Promise("faces.queue_million_p95_ms", 60, "lower"),
    Promise("faces.overview_million_p95_ms", 60, "lower"),
    Promise("triage.macro_f1_zh", 0.65, "higher"),
    Promise("triage.macro_f1_en", 0.9, "higher"),
    Promise("triage.messages_per_second", 500, "higher"),
)


@dataclass(slots=True)
class Figure:
    """One measured figure; ``value`` is None where it could not be measured, and ``how`` then says why."""

    name: str
    value: float | None
    how: str
    details: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        promise = next(promise for promise in PROMISES if promise.name == self.name)
        return {
            "name": self.name,
            "value": None if self.value is None else round(self.value, 4),
            "limit": round(promise.limit, 4),
            "better": promise.better,
            "ok": self.value is not None and keeps(promise, self.value),
            "how": self.how,
            "details": self.details,
        }


def keeps(promise: Promise, value: float) -> bool:
    return value >= promise.limit if promise.better == "higher" else value <= promise.limit


def seconds(work: Callable[[], object], clock: Callable[[], float] = perf_counter) -> float:
    started = clock()
    work()
    return clock() - started


def interleaved(
    rounds: int, *works: Callable[[], object], clock: Callable[[], float] = perf_counter
) -> list[list[float]]:
    """Seconds of each work, round by round, one after the other within a round: noise meets all of them alike."""
    taken: list[list[float]] = [[] for _ in works]
    for _ in range(rounds):
        for times, work in zip(taken, works, strict=True):
            times.append(seconds(work, clock))
    return taken


def ratio_of_medians(above: Sequence[float], below: Sequence[float]) -> float:
    return median(above) / median(below)
