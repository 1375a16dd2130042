"""Leaving work for later: a job commits with the data it is about, or not at all.

Jobs are wake-up calls, not the truth: every task looks at its rows, does what is still to be done, and may
be run twice. Deadlines are rows of their own, never jobs of the future.
"""

from __future__ import annotations

import inspect
import json
import secrets
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from procrastinate import BaseRetryStrategy, RetryDecision
from procrastinate.contrib.django import app
from procrastinate.jobs import Job

from makegood.kit import db, tenancy

QUEUES = ("payout", "notify", "import", "default")

# A job that failed this often, by error or by killing its worker, is dead: a person looks at it.
ATTEMPTS = 8

_queue_of: dict[str, str] = {}
_sweeps: dict[str, Sweep] = {}
_companions: dict[str, Callable[[threading.Event], None]] = {}


@dataclass(frozen=True, slots=True)
class Sweep:
    """Rows that fall due, looked for every ``every_s`` seconds by every worker.

    ``merchants(at, limit)`` tells who has something due, looking at no more than ``limit`` rows;
    ``work(at)`` does a batch for the merchant in sight. Where it returns how many rows it did, it is asked
    again at once until that is zero. ``at`` is the database's clock. Several workers may be at it at once.
    """

    name: str
    every_s: float
    merchants: Callable[[datetime, int], Iterable[int]]
    work: Callable[[datetime], int | None]


def sweep(
    name: str,
    every_s: float,
    *,
    merchants: Callable[[datetime, int], Iterable[int]],
    work: Callable[[datetime], int | None],
) -> Sweep:
    """Register a sweep; names read ``module.verb_noun``."""
    if name in _sweeps:
        raise ValueError(name)
    _sweeps[name] = Sweep(name, every_s, merchants, work)
    return _sweeps[name]


def sweeps() -> tuple[Sweep, ...]:
    """Every sweep the imported modules registered."""
    return tuple(_sweeps.values())


def companion(name: str, run: Callable[[threading.Event], None]) -> None:
    """Register what every worker keeps running beside its jobs until the event is set.

    Several workers may run it at once. Where it ends or fails it is begun again.
    """
    if name in _companions:
        raise ValueError(name)
    _companions[name] = run


def companions() -> Mapping[str, Callable[[threading.Event], None]]:
    """Every companion the imported modules registered."""
    return dict(_companions)


def tasks() -> Mapping[str, str]:
    """Every registered task's name and queue."""
    return dict(_queue_of)


def wait_before(attempt: int, *, base_s: float = 2.0, longest_s: float = 3600.0) -> float:
    """Seconds before try ``attempt`` + 1: doubled each time, and spread so that those who fell together part."""
    return float(min(longest_s, base_s * 2.0**attempt) * (0.5 + secrets.randbelow(1001) / 1000))


class Later(RetryDecision):
    """Try again after so many seconds of the database's clock: this machine's may be wrong."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds


class _Patience(BaseRetryStrategy):
    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        return None if job.attempts + 1 >= ATTEMPTS else Later(wait_before(job.attempts))


def task(name: str, *, queue: str = "default") -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register a function ``f(**ids)`` that works for one merchant; names read ``module.verb_noun``.

    The function must be safe to run twice, and opens its own transactions through commands. Where it raises,
    it is tried again with growing pauses, ``ATTEMPTS`` times in all.
    """
    if queue not in QUEUES:
        raise ValueError(queue)

    def register(function: Callable[..., None]) -> Callable[..., None]:
        parameters = inspect.signature(function).parameters
        takes_all = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())

        def run(*, merchant_id: int, **arguments: Any) -> None:
            arguments.pop("_", None)
            # A newer version may have left this job and said more than this one knows.
            known = {word: value for word, value in arguments.items() if word in parameters or takes_all}
            with tenancy.acting_for(merchant_id):
                function(**known)

        app.task(name=name, queue=queue, pass_context=False, retry=_Patience())(run)
        _queue_of[name] = queue
        return function

    return register


def leave(name: str, *, queue: str | None = None, **arguments: Any) -> None:
    """Leave a job in the caller's transaction, by name, for the merchant in sight.

    ``queue`` is needed only where the task's module is not imported: modules leave jobs upwards by name.
    """
    db.require_transaction()
    merchant_id = tenancy.require_merchant_id()
    # procrastinate_defer_jobs_v1 is what the library's own defer calls; called directly it costs no round trip of its
    # own instead of several milliseconds of Python.
    db.send(
        "select procrastinate_defer_jobs_v1(array[row(%s, %s, 0, null, null, %s::jsonb, null)"
        "::procrastinate_job_to_defer_v1])",
        [queue or _queue_of.get(name, "default"), name, json.dumps({"merchant_id": merchant_id, **arguments})],
    )
