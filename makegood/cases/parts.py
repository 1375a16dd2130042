"""Which cases are parts of which: a case that was merged into another is a part of it, over any number of steps."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from makegood.cases.history import WHOLE, CaseUnknown
from makegood.kit import db

_WHOLE_BY_ID = WHOLE.replace("ref = %s", "id = %s")
# From a case down: itself and every part of it, each with the case that was asked for; to be joined.
PARTS = """
with recursive parts(id, whole, depth) as (
    select id, id, 0 from cases_case where id = %s
    union all select c.id, p.whole, p.depth + 1 from cases_case c join parts p on c.merged_into_id = p.id)
"""
PARTS_TOLD = (
    f"{PARTS} select c.id, c.ref, c.kind, c.reason, c.channel, c.opened_at, p.depth = 1 as direct,"
    " e.actor as merged_by, e.happened_at as merged_at"
    " from parts p join cases_case c on c.id = p.id and p.depth > 0"
    " join lateral (select actor, happened_at from cases_caseevent"
    " where case_id = c.id and kind = 'case_merged' order by seq desc limit 1) e on true order by p.depth, c.id"
)
_PARTS_IDS = f"{PARTS} select id from parts"


@dataclass(frozen=True, slots=True)
class Part:
    """A case that was merged into another. ``direct``: into this one, and not into a part of it."""

    id: int
    ref: str
    kind: str
    reason: str
    channel: str
    opened_at: datetime
    direct: bool
    merged_by: str
    merged_at: datetime


@db.query
def whole_ref(ref: str) -> str:
    """The reference under which a case goes on: its own, or that of the case it is part of. Raises CaseUnknown."""
    row = db.fetch_one(f"select ref from cases_case where id = ({WHOLE})", [ref.replace("\0", "")])
    if row is None:
        raise CaseUnknown(ref, field="case", rule="known_case")
    return str(row["ref"])


def whole_id(case_id: int) -> int:
    """As ``whole_ref``, by number, in the caller's transaction. Raises CaseUnknown."""
    row = db.fetch_one(_WHOLE_BY_ID, [case_id])
    if row is None:
        raise CaseUnknown(case_id, field="case", rule="known_case")
    return int(row["id"])


def with_parts(case_id: int) -> list[int]:
    """The case and every part of it, in the caller's transaction."""
    return [row["id"] for row in db.fetch(_PARTS_IDS, [case_id])]


@db.query
def whole_refs(case_ids: Iterable[int]) -> dict[int, str]:
    """For each case that is part of another: the reference of that."""
    rows = db.fetch(
        "with recursive up(start, id, merged_into_id) as ("
        " select id, id, merged_into_id from cases_case where id = any(%s) and merged_into_id is not null"
        " union all select up.start, c.id, c.merged_into_id from cases_case c join up on c.id = up.merged_into_id)"
        " select up.start, c.ref from up join cases_case c on c.id = up.id where up.merged_into_id is null",
        [list(case_ids)],
    )
    return {row["start"]: row["ref"] for row in rows}
