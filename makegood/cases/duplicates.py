"""Cases that are probably about a problem the same customer has a case about already."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from makegood.cases.likeness import JUST_CLOSED, About, likest
from makegood.cases.queries import CaseView
from makegood.cases.states import Status
from makegood.cases.waits import status_of
from makegood.kit import db

LOOKED_AT = 50  # cases of one customer, the newest

_OF_CUSTOMER = """
select c.ref, c.order_id, c.kind, c.reason, c.claimant, c.state, c.goods_state, c.money_state, c.waiting_on,
       c.opened_at, c.closed_at, coalesce(o.number, '') as order_number,
       array(select distinct l.number from cases_caseline cl join orders_line l on l.id = cl.line_id
              where cl.case_id = c.id) as lines
  from cases_case c left join orders_order o on o.id = c.order_id
 where c.customer_id = %s and c.merged_into_id is null and c.ref <> %s and c.request_key <> %s
   and (c.closed_at is null or c.closed_at >= %s) and (c.state <> 'withdrawn' or %s)
 order by c.id desc limit %s
"""


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A case that may be about the same. ``why`` are codes: ``cases.words.LIKENESS`` says them."""

    ref: str
    kind: str
    reason: str
    status: Status
    order_number: str
    opened_at: datetime
    closed_at: datetime | None
    score: int
    why: tuple[str, ...]


@db.query
def duplicates_of(found: CaseView, *, at: datetime) -> tuple[Duplicate, ...]:
    """Cases of the same customer that this one is probably about as well, the likest first; none for a merged case."""
    if found.merged_into:
        return ()
    about = About(
        found.order_id,
        frozenset(one.line for one in found.lines),
        found.kind,
        found.reason,
        found.opened_at,
        found.closed_at,
        found.claimant,
    )
    return _like(about, customer_id=found.customer_id, but=found.ref, at=at)


@db.query
def already_asked(
    *,
    customer_id: int,
    order_id: int | None,
    lines: Iterable[str] = (),
    kind: str,
    reason: str,
    claimant: str = "customer",
    request_key: str = "",
    at: datetime,
) -> tuple[Duplicate, ...]:
    """Cases of this customer about what somebody is about to ask for, but for what that very request has opened.

    What the customer took back is no case to go on with: they ask anew.
    """
    about = About(order_id, frozenset(lines), kind, reason, at, claimant=claimant)
    return _like(about, customer_id=customer_id, request_key=request_key, withdrawn=False, at=at)


def _like(
    about: About, *, customer_id: int, at: datetime, but: str = "", request_key: str = "", withdrawn: bool = True
) -> tuple[Duplicate, ...]:
    rows = {
        row["ref"]: row
        for row in db.fetch(_OF_CUSTOMER, [customer_id, but, request_key, at - JUST_CLOSED, withdrawn, LOOKED_AT])
    }
    known = [(ref, _about(row)) for ref, row in rows.items()]
    return tuple(
        Duplicate(
            ref=ref,
            kind=row["kind"],
            reason=row["reason"],
            status=status_of(
                state=row["state"],
                goods_state=row["goods_state"],
                money_state=row["money_state"],
                waiting_on=row["waiting_on"],
                closed=row["closed_at"] is not None,
            ),
            order_number=row["order_number"],
            opened_at=row["opened_at"],
            closed_at=row["closed_at"],
            score=min(100, found.score),
            why=found.why,
        )
        for ref, found in likest(about, known, at=at)
        for row in [rows[ref]]
    )


def _about(row: dict[str, Any]) -> About:
    return About(
        row["order_id"],
        frozenset(row["lines"]),
        row["kind"],
        row["reason"],
        row["opened_at"],
        row["closed_at"],
        row["claimant"],
    )
