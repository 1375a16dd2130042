"""Where a reader of the log stands: the snapshot of its last look, in which every transaction is either seen or not.

Written as ``<seconds>-<xmin>:<xmax>:<running,…>``; the seconds tell whether the log still holds what came after.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

KEPT_SECONDS = 7200.0  # how long the log remembers
_STALE_SECONDS = KEPT_SECONDS / 2
_WRITTEN = re.compile(r"(\d{1,12})-(\d{1,19}):(\d{1,19}):((?:\d{1,19}(?:,\d{1,19})*)?)")
_LONGEST = 4000


@dataclass(frozen=True, slots=True)
class Cursor:
    """One look at the log: ``seconds`` of the database's clock, and its snapshot."""

    seconds: int
    xmin: int
    xmax: int
    running: frozenset[int]

    def saw(self, xid: int) -> bool:
        """Whether what this transaction told was in sight."""
        return xid < self.xmax and xid not in self.running

    @property
    def snapshot(self) -> str:
        """As PostgreSQL writes it."""
        return f"{self.xmin}:{self.xmax}:{','.join(map(str, sorted(self.running)))}"

    def __str__(self) -> str:
        return f"{self.seconds}-{self.snapshot}"


def read(text: str) -> Cursor | None:
    """The cursor a reader brings back; None where it is none of ours."""
    found = _WRITTEN.fullmatch(text) if len(text) <= _LONGEST else None
    if found is None:
        return None
    seconds, xmin, xmax = (int(found[n]) for n in (1, 2, 3))
    running = frozenset(int(one) for one in found[4].split(",") if one)
    if not 0 < xmin <= xmax < 2**63 or any(not xmin <= one < xmax for one in running):
        return None
    return Cursor(seconds, xmin, xmax, running)


def holds(now: Cursor, then: Cursor) -> bool:
    """Whether the log of now holds everything after ``then``; not so where it is of another database, or too old."""
    return now.seconds - _STALE_SECONDS < then.seconds <= now.seconds + 60 and then.xmax <= now.xmax
