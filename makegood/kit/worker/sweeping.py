"""Looking for rows that fell due, merchant by merchant, on the database's clock."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.db import InterfaceError, OperationalError, connection

from makegood.kit import db, jobs, tenancy
from makegood.kit.worker.pace import Pace

log = logging.getLogger(__name__)

_FIRST_LOOK = 1_000
_WIDEST_LOOK = 1_000_000
_MOST_BATCHES = 1_000


@dataclass(slots=True)
class HeldBack:
    """Merchants whose sweep failed, and when on the monotonic clock each is tried again."""

    first_wait_s: float = 2.0
    failures: Counter[int] = field(default_factory=Counter)
    _until: dict[int, float] = field(default_factory=dict)

    def failed(self, merchant_id: int) -> None:
        wait = jobs.wait_before(self.failures[merchant_id], base_s=self.first_wait_s, longest_s=600)
        self.failures[merchant_id] += 1
        self._until[merchant_id] = time.monotonic() + wait

    def worked(self, merchant_id: int) -> None:
        del self.failures[merchant_id]
        self._until.pop(merchant_id, None)

    def now(self) -> frozenset[int]:
        return frozenset(merchant_id for merchant_id, until in self._until.items() if until > time.monotonic())


@dataclass(frozen=True, slots=True)
class Round:
    """What one round of a sweep came to: batches done, merchants whose work failed, merchants passed over."""

    swept: int
    failed: tuple[int, ...]
    held_back: tuple[int, ...]


def sweep_round(
    sweep: jobs.Sweep, held_back: HeldBack | None = None, *, is_stopping: Callable[[], bool] = lambda: False
) -> Round:
    """Work for every merchant with something due, turn by turn, until nothing is; one's failure stops no other."""
    held_back = held_back or HeldBack()
    skip, swept = held_back.now(), 0
    failed: list[int] = []
    waiting = _due(sweep, skip)
    for _ in range(_MOST_BATCHES):
        again = []
        for merchant_id in waiting:
            if is_stopping():
                return Round(swept, tuple(failed), tuple(sorted(skip)))
            try:
                with tenancy.acting_for(merchant_id):
                    did = sweep.work(_database_clock())
            except Exception:
                log.exception("sweep %s failed for merchant %s", sweep.name, merchant_id)
                held_back.failed(merchant_id)
                failed.append(merchant_id)
                connection.close()
            else:
                held_back.worked(merchant_id)
                swept += 1
                again += [merchant_id] if did else []
        if not again:
            break
        waiting = again
    return Round(swept, tuple(failed), tuple(sorted(skip)))


def keep_sweeping(sweep: jobs.Sweep, stop: threading.Event, pace: Pace) -> None:
    """Sweep every ``sweep.every_s`` seconds until told to stop, whatever happens."""
    held_back = HeldBack()
    keep_doing(
        sweep.name,
        lambda: sweep_round(sweep, held_back, is_stopping=stop.is_set),
        every_s=sweep.every_s,
        stop=stop,
        pace=pace,
    )


def keep_doing(name: str, work: Callable[[], object], *, every_s: float, stop: threading.Event, pace: Pace) -> None:
    """Do the work every so many seconds; after an error on a new connection, with growing pauses."""
    failures = 0
    while not stop.is_set():
        try:
            work()
            failures = 0
            wait = every_s
        except (OperationalError, InterfaceError) as lost:
            log.warning("worker: %s lost the database: %s", name, lost)
            failures += 1
        except Exception:
            log.exception("%s failed; it is done again", name)
            failures += 1
        if failures:
            wait = jobs.wait_before(failures, base_s=pace.first_wait_s, longest_s=max(every_s, pace.longest_wait_s))
            connection.close()
        stop.wait(wait)
    connection.close()


def _due(sweep: jobs.Sweep, skip: frozenset[int]) -> list[int]:
    """Merchants with something due, without those held back, however many rows these have in front."""
    at, limit = _database_clock(), _FIRST_LOOK
    while True:
        found: Iterable[int] = list(sweep.merchants(at, limit))
        due = sorted(set(found) - skip)
        if not skip & set(found) or limit >= _WIDEST_LOOK:
            return due
        limit *= 10


def _database_clock() -> datetime:
    row = db.fetch_one("select clock_timestamp() as at")
    if row is None:
        raise AssertionError("one row")
    at: datetime = row["at"]
    return at
