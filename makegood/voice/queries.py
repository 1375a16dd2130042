"""Reading what customers said."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from makegood.kit import db


@dataclass(frozen=True, slots=True)
class FeedbackView:
    """One answer; ``order_number`` is empty where the case is about no order."""

    case_ref: str
    order_number: str
    rating: int
    words: str
    language: str
    said_at: datetime


_ROWS = """
select c.ref as case_ref, coalesce(o.number, '') as order_number, f.rating, f.words, f.language, f.said_at
  from voice_feedback f join cases_case c on c.id = f.case_id left join orders_order o on o.id = f.order_id
"""


@db.query
def feedback_of(case_id: int) -> FeedbackView | None:
    """What its customer said of a case."""
    row = db.fetch_one(_ROWS + "where f.case_id = %s", [case_id])
    return FeedbackView(**row) if row else None


@db.query
def latest_feedback(*, limit: int = 50) -> tuple[FeedbackView, ...]:
    """The newest first."""
    return tuple(FeedbackView(**row) for row in db.fetch(_ROWS + "order by f.said_at desc limit %s", [limit]))
