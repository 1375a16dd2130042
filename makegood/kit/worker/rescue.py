"""Jobs whose worker died, jobs that are dead themselves, and jobs nobody here knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from makegood.kit import db, errors, jobs

# A job that fell with its worker may be the one that killed it. Under such a lock, its own alone, a worker runs one
# at a time, so that it cannot take the same others down again and again until they count as dead too.
FELL = "fell:"

BACK_TO_WORK = """
update procrastinate_jobs j
   set status = (case when j.attempts + 1 >= %(attempts)s then 'failed' else 'todo' end)::procrastinate_job_status,
       attempts = j.attempts + 1, worker_id = null, lock = 'fell:' || j.id, abort_requested = false,
       scheduled_at = now() + make_interval(secs => least(3600, power(2, least(j.attempts, 12)) - 1)
                                                     * (0.5 + random()))
"""

_STALLED = (
    BACK_TO_WORK
    + """
 where j.id in (
         select d.id from procrastinate_jobs d left join procrastinate_workers w on w.id = d.worker_id
          where d.status = 'doing'
            and (w.id is null or w.last_heartbeat < now() - make_interval(secs => %(stale_s)s))
          for update of d skip locked)
returning j.id
"""
)


class JobUnknown(errors.Unknown):
    code = "job_unknown"
    message = "There is no dead job {value}."


@dataclass(frozen=True, slots=True)
class DeadJob:
    """A job that was given up, or one that waits for a version of the software that knows it."""

    id: int
    name: str
    queue: str
    arguments: Mapping[str, Any]
    attempts: int
    since: datetime | None


def rescue_stalled(stale_s: float) -> list[int]:
    """Give back the jobs of workers silent for ``stale_s`` seconds; a job that fell too often becomes dead.

    The worker may only be slow, and the job then runs twice: tasks are made for that. Gives the jobs' ids.
    """
    rows = db.fetch(_STALLED, {"attempts": jobs.ATTEMPTS, "stale_s": stale_s})
    return [row["id"] for row in rows]


def dead_jobs(limit: int = 100) -> list[DeadJob]:
    """Jobs that failed for good, of all merchants, newest first: for the operator, who may :func:`revive` them."""
    return _found("j.status in ('failed', 'aborted')", "e.type in ('failed', 'aborted')", [], limit)


def parked_jobs(limit: int = 100) -> list[DeadJob]:
    """Waiting jobs under a name that no task of this version has, newest first."""
    unknown = "j.status = 'todo' and not j.task_name = any(%s)"
    return _found(unknown, "e.type = 'deferred'", [list(jobs.tasks())], limit)


def revive(job_id: int) -> None:
    """Let a dead job be tried again, as often as a new one. Raises JobUnknown."""
    revived = db.execute(
        "update procrastinate_jobs"
        " set status = 'todo', attempts = 0, scheduled_at = null, worker_id = null, lock = null"
        " where id = %s and status in ('failed', 'aborted')",
        [job_id],
    )
    if not revived:
        raise JobUnknown(job_id, field="job")


def _found(which: str, event: str, params: list[object], limit: int) -> list[DeadJob]:
    rows = db.fetch(
        f"""
        select j.id, j.task_name as name, j.queue_name as queue, j.args as arguments, j.attempts,
               (select max(e.at) from procrastinate_events e where e.job_id = j.id and {event}) as since
          from procrastinate_jobs j
         where {which} order by j.id desc limit %s
        """,
        [*params, limit],
    )
    return [DeadJob(**{**row, "arguments": db.read_json(row["arguments"])}) for row in rows]
