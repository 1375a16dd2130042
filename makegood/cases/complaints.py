"""Counting complaints about service: by reason, by person, by outcome, by the time they took."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from makegood.kit import db


@dataclass(frozen=True, slots=True)
class Count:
    """Complaints under one name: how many, what came of them, and the median days until the decision was told."""

    name: str
    count: int
    open: int
    upheld: int
    denied: int
    median_days: float | None


_COUNTS = """
with told as (
  select c.id, c.reason, c.state, c.closed_at,
         coalesce((select e.data ->> 'of' from cases_caseevent e where e.case_id = c.id and e.kind = 'statement_asked'
                    order by e.seq desc limit 1), '') as person,
         (select extract(epoch from min(e.happened_at) - c.opened_at) / 86400 from cases_caseevent e
           where e.case_id = c.id and e.kind in ('approved', 'denied')) as days
    from cases_case c where c.kind = 'complaint' and c.merged_into_id is null
     and c.opened_at >= %(since)s and c.opened_at < %(until)s)
select {name} as name, count(*) as count,
       count(*) filter (where state in ('received', 'verifying', 'planned', 'appealed')) as open,
       count(*) filter (where state = 'approved') as upheld,
       count(*) filter (where state = 'denied') as denied,
       percentile_cont(0.5) within group (order by days) as median_days
  from told group by 1 order by 2 desc, 1
"""
BY_REASON = _COUNTS.format(name="reason")
BY_PERSON = _COUNTS.format(name="person")
IN_ALL = _COUNTS.format(name="''::text")


@db.query
def counted(*, since: datetime, until: datetime) -> tuple[list[Count], list[Count], list[Count]]:
    """In all, by reason, by the person who was asked for a statement (``staff:3``, empty where nobody was)."""
    asked = {"since": since, "until": until}
    return (
        [_count(row) for row in db.fetch(IN_ALL, asked)],
        [_count(row) for row in db.fetch(BY_REASON, asked)],
        [_count(row) for row in db.fetch(BY_PERSON, asked)],
    )


def _count(row: dict[str, Any]) -> Count:
    days = row["median_days"]
    return Count(**{**row, "median_days": None if days is None else round(float(days), 1)})
