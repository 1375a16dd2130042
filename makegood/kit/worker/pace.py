"""How often the worker looks, and how long it waits."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """All in seconds, except ``keep_days``. Tests run the same code at a faster pace."""

    poll_s: float = 2.0  # look for jobs whose notification was missed, or whose next try has come
    heartbeat_s: float = 10.0
    stale_s: float = 45.0  # a worker silent for so long is dead, and its jobs are taken back
    rescue_s: float = 20.0
    park_s: float = 60.0  # how long a job that only a newer version knows is left to that version
    grace_s: float = 12.0  # what running jobs get when the worker is told to stop
    first_wait_s: float = 0.2  # after a crash of the loop; doubled each time
    longest_wait_s: float = 10.0
    housekeeping_s: float = 300.0
    keep_days: float = 2.0  # finished jobs; dead ones are kept ten times as long


DEFAULT = Pace()
