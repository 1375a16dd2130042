"""Procrastinate's worker, made to bear a database that goes away and comes back."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import psycopg
from procrastinate import App, exceptions, job_context, retry, utils
from procrastinate import jobs as library_jobs
from procrastinate.worker import Worker

from makegood.kit import jobs
from makegood.kit.worker import rescue
from makegood.kit.worker.pace import Pace

log = logging.getLogger(__name__)

_LATER = """
update procrastinate_jobs
   set status = 'todo', attempts = attempts + %(failed)s, worker_id = null,
       scheduled_at = now() + make_interval(secs => %(seconds)s)
 where id = %(job_id)s and status = 'doing' and worker_id = %(worker_id)s
"""
_MINE = "select id from procrastinate_jobs where status = 'doing' and worker_id = %(worker_id)s"
_LOST = rescue.BACK_TO_WORK + " where j.id = any(%(ids)s) and j.status = 'doing' and j.worker_id = %(worker_id)s"


def is_connection_lost(problem: BaseException) -> bool:
    """Whether the database went away, rather than refused; also where the library wrapped the cause."""
    return any(isinstance(cause, psycopg.OperationalError | psycopg.InterfaceError) for cause in utils.causes(problem))


class PatientWorker(Worker):
    """A worker whose side tasks begin again, whose acknowledgements are repeated, and which loses no job it fetched.

    What it cannot bear ends :meth:`run` with an error, and the loop around it starts a new worker.
    """

    def __init__(
        self, app: App, *, pace: Pace, queues: Sequence[str], concurrency: int, around: list[Any] | None = None
    ) -> None:
        super().__init__(
            app,
            queues=queues,
            concurrency=concurrency,
            task_middleware=around,
            fetch_job_polling_interval=pace.poll_s,
            update_heartbeat_interval=pace.heartbeat_s,
            stalled_worker_timeout=pace.stale_s,
            shutdown_graceful_timeout=pace.grace_s,
            install_signal_handlers=False,
        )
        self.pace = pace
        self._one_that_fell = asyncio.Lock()

    def _start_side_tasks(self) -> list[asyncio.Task[Any]]:
        side = {
            "heartbeat": self._update_heartbeat,
            "aborts": self._poll_jobs_to_abort,
            "lost jobs": self._take_back_lost_jobs,
            "listener": self._listen,
        }
        return [asyncio.create_task(self._keep(work), name=name) for name, work in side.items()]

    async def _keep(self, work: Callable[[], Awaitable[None]]) -> None:
        failures = 0
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            try:
                await work()
            except exceptions.ConnectorException as problem:
                if not is_connection_lost(problem):
                    raise
                failures = 0 if loop.time() - began > self.pace.longest_wait_s else failures + 1
                log.warning("worker: %s lost the database: %s", work.__name__, problem.__cause__)
            await asyncio.sleep(self._wait(failures))

    def _wait(self, failures: int) -> float:
        return jobs.wait_before(failures, base_s=self.pace.first_wait_s, longest_s=self.pace.longest_wait_s)

    async def _listen(self) -> None:
        # What was left while nobody listened is found by polling.
        self._new_job_event.set()
        await self.app.job_manager.listen_for_jobs(on_notification=self._handle_notification, queues=self.queues)

    async def _fetch_and_process_jobs(self) -> None:
        try:
            await super()._fetch_and_process_jobs()  # type: ignore[no-untyped-call]
        except exceptions.ConnectorException as problem:
            if not is_connection_lost(problem):
                raise
            log.warning("worker: fetching lost the database: %s", problem.__cause__)
            await utils.wait_any(asyncio.sleep(self._wait(1)), self._stop_event.wait())

    async def _take_back_lost_jobs(self) -> None:
        """Give back jobs that are ours in the database and not in our hands.

        The connection was cut after the fetch was committed, or no acknowledgement came through.
        """
        seen: set[int] = set()
        while True:
            await asyncio.sleep(self.pace.rescue_s)
            rows = await self.app.connector.execute_query_all_async(_MINE, worker_id=self.worker_id)
            in_hand = {context.job.id for context in self._running_jobs.values()}
            missing = {int(row["id"]) for row in rows} - in_hand
            # Only at the second look: a job may have come or gone between the query and its answer.
            if lost := sorted(missing & seen):
                log.warning("worker: jobs %s were fetched and lost; giving them back", lost)
                await self.app.connector.execute_query_async(
                    _LOST, ids=lost, worker_id=self.worker_id, attempts=jobs.ATTEMPTS
                )
            seen = missing

    async def _process_job(self, context: job_context.JobContext) -> None:
        if context.job.task_name in self.app.tasks:
            await self._process_known(context)
            return
        log.warning("worker: job %s: no task is named %s; parked", context.job.id, context.job.task_name)
        # Left to a newer version without a mark against it.
        await self._repeat(lambda: self._postpone(context.job, self.pace.park_s, failed=0))

    async def _process_known(self, context: job_context.JobContext) -> None:
        if not (context.job.lock or "").startswith(rescue.FELL):
            await super()._process_job(context)
        elif self._one_that_fell.locked():
            # Not waiting in our hands: it would fall again with the one that runs.
            pause = jobs.wait_before(0, base_s=self.pace.poll_s)
            await self._repeat(lambda: self._postpone(context.job, pause, failed=0))
        else:
            async with self._one_that_fell:
                # Others that fell with it were fetched with it: first they are laid aside.
                await asyncio.sleep(self.pace.poll_s)
                await super()._process_job(context)

    async def _persist_job_status(
        self,
        job: library_jobs.Job,
        status: library_jobs.Status,
        retry_decision: retry.RetryDecision | None,
        context: job_context.JobContext,
        job_result: job_context.JobResult | None,
    ) -> None:
        async def persist() -> None:
            if isinstance(retry_decision, jobs.Later):
                await self._postpone(job, retry_decision.seconds, failed=1)
            else:
                await super(PatientWorker, self)._persist_job_status(job, status, retry_decision, context, job_result)

        await self._repeat(persist)

    async def _postpone(self, job: library_jobs.Job, seconds: float, *, failed: int) -> None:
        await self.app.connector.execute_query_async(
            _LATER, job_id=job.id, seconds=seconds, failed=failed, worker_id=self.worker_id
        )

    async def _repeat(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do the work, again a few times while the database is away; then the job counts as lost and is rescued."""
        for failures in range(4):
            try:
                await work()
            except exceptions.ConnectorException as problem:
                if not is_connection_lost(problem):
                    # Another worker took the job for dead, and finished it before us.
                    log.warning("worker: could not acknowledge a job: %s", problem.__cause__)
                    return
                log.warning("worker: acknowledging lost the database: %s", problem.__cause__)
                await asyncio.sleep(self._wait(failures))
            else:
                return
