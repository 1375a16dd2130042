"""Keeping the table of jobs small and its statistics true, and the folder of uploads clean."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.conf import settings

from makegood.kit import db, files, live
from makegood.kit.worker.pace import Pace

_BATCH = 5_000

# By id, which is by age: the oldest are at the front, so a batch does not read the whole table.
_DELETE = """
delete from procrastinate_jobs where id in (
    select j.id from procrastinate_jobs j
     where j.status = any(%s::procrastinate_job_status[])
       and (select max(e.at) from procrastinate_events e where e.job_id = j.id) < now() - make_interval(secs => %s)
     order by j.id limit %s for update skip locked)
"""


def delete_finished(keep_days: float) -> int:
    """Delete jobs that ended well ``keep_days`` ago, and dead ones ten times as old; how many."""
    day = 86_400
    return _delete(["succeeded", "cancelled"], keep_days * day) + _delete(["failed", "aborted"], 10 * keep_days * day)


def _delete(states: list[str], older_than_s: float) -> int:
    deleted = 0
    while batch := db.execute(_DELETE, [states, older_than_s, _BATCH]):
        deleted += batch
    return deleted


def refresh_statistics() -> None:
    """ANALYZE the table of jobs where it changed much: with old statistics a fetch reads the whole table."""
    db.execute("select makegood_analyze_jobs()")


def housekeep(pace: Pace) -> None:
    """All of it; doing it twice, or in several workers at once, changes nothing."""
    delete_finished(pace.keep_days)
    refresh_statistics()
    live.forget_told()
    # The files were written by this machine's clock, or one it shares the folder with.
    files.clear_leftovers(settings.UPLOADS_DIR, before=datetime.now(tz=UTC) - timedelta(days=1))
