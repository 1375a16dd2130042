"""The loop that runs the worker until somebody asks it to stop."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from types import FrameType

from procrastinate.contrib.django import app
from procrastinate.contrib.django.utils import connector_params
from procrastinate.psycopg_connector import PsycopgConnector

from makegood.kit import jobs
from makegood.kit.worker import housekeeping, rescue
from makegood.kit.worker import pace as paces
from makegood.kit.worker.patient import PatientWorker
from makegood.kit.worker.sweeping import keep_doing, keep_sweeping

log = logging.getLogger(__name__)


def run_worker(
    *,
    queues: Sequence[str] = jobs.QUEUES,
    concurrency: int = 4,
    stop_event: threading.Event | None = None,
    sweeps: Iterable[jobs.Sweep] | None = None,
    pace: paces.Pace = paces.DEFAULT,
) -> None:
    """Do jobs and sweeps until ``stop_event`` is set or, in the main thread, SIGTERM or SIGINT comes.

    Running jobs get ``pace.grace_s`` seconds to end. ``sweeps``: those of all modules where none are given,
    and their companions.
    Nothing else ends it: a lost database or a crash of the loop is logged, and after a pause it starts again.
    """
    stop = stop_event or threading.Event()
    side = [
        threading.Thread(target=keep_sweeping, args=(sweep, stop, pace), name=sweep.name)
        for sweep in (jobs.sweeps() if sweeps is None else sweeps)
    ]
    for name, work, every_s in (
        ("rescue_stalled", partial(rescue.rescue_stalled, pace.stale_s), pace.rescue_s),
        ("housekeep", partial(housekeeping.housekeep, pace), pace.housekeeping_s),
    ):
        side.append(
            threading.Thread(target=partial(keep_doing, name, work, every_s=every_s, stop=stop, pace=pace), name=name)
        )
    for name, run in jobs.companions().items() if sweeps is None else ():
        side.append(
            threading.Thread(
                target=partial(keep_doing, name, partial(run, stop), every_s=1.0, stop=stop, pace=pace), name=name
            )
        )
    with _stopping_on_signals(stop, pace):
        for thread in side:
            thread.start()
        failures = 0
        while not stop.is_set():
            began = time.monotonic()
            try:
                asyncio.run(_work(list(queues), concurrency, stop, pace))
            except Exception:
                log.exception("worker: the loop ended with an error; it is started again")
            if not stop.is_set():
                stop.wait(jobs.wait_before(failures, base_s=pace.first_wait_s, longest_s=pace.longest_wait_s))
                failures = 0 if time.monotonic() - began > 60 else failures + 1
        for thread in side:
            thread.join()
    log.info("worker: stopped as asked")


async def _work(queues: list[str], concurrency: int, stop: threading.Event, pace: paces.Pace) -> None:
    # The loop's own pool of threads is as large as the machine, not as the concurrency asked for.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(concurrency + 2, thread_name_prefix="job"))
    connector = PsycopgConnector(kwargs=connector_params("default"), min_size=1, max_size=4, timeout=10.0)
    with app.replace_connector(connector):
        running = asyncio.create_task(_run_one(queues, concurrency, pace))
        while not stop.is_set() and not running.done():
            await asyncio.wait([running], timeout=0.1)
        if not running.done():
            running.cancel()
        with suppress(asyncio.CancelledError):
            await running


async def _run_one(queues: list[str], concurrency: int, pace: paces.Pace) -> None:
    async with app.open_async():
        # Cancelled, it lets running jobs end: see Worker.run.
        worker = PatientWorker(
            app, pace=pace, queues=queues, concurrency=concurrency, around=app.worker_defaults.get("task_middleware")
        )
        await worker.run()  # type: ignore[no-untyped-call]


@contextmanager
def _stopping_on_signals(stop: threading.Event, pace: paces.Pace) -> Iterator[None]:
    """In the main thread, let SIGTERM and SIGINT ask for the stop, and see to it that the process does end."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def ask(_number: int, _frame: FrameType | None) -> None:
        if not stop.is_set():
            # Threads cannot be ended from outside: a job that ignores the grace is cut off with the process,
            # and done again by the next worker.
            overdue = threading.Timer(pace.grace_s + 5, _leave_jobs_behind)
            overdue.daemon = True
            overdue.start()
        stop.set()

    previous = {number: signal.signal(number, ask) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _leave_jobs_behind() -> None:
    log.warning("worker: jobs still ran when the grace was over; another worker will do them again")
    os._exit(0)
