"""Reading bulks: how far they are, and what was refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from makegood.cases.commands import bulking
from makegood.cases.commands.bulking import BulkUnknown
from makegood.cases.states import UNDOABLE, BulkState
from makegood.kit import db
from makegood.kit.money import Money


@dataclass(frozen=True, slots=True)
class BulkView:
    id: int
    ref: str
    action: str
    arguments: Mapping[str, Any]
    staff_id: int
    state: str
    undoes_id: int | None
    cut: bool
    made_at: datetime
    ended_at: datetime | None
    waiting: int
    done: int
    refused: int
    undone_by: str  # the ref of the bulk that undoes it

    @property
    def total(self) -> int:
        return self.waiting + self.done + self.refused

    @property
    def can_be_undone(self) -> bool:
        ended = self.state in {BulkState.DONE, BulkState.DROPPED}
        return ended and self.action in UNDOABLE and self.done > 0 and not self.undone_by


@dataclass(frozen=True, slots=True)
class ItemView:
    ref: str
    state: str
    code: str
    told: Mapping[str, str]
    done_at: datetime | None


_BULK = """
select b.id, b.ref, b.action, b.arguments, b.staff_id, b.state, b.undoes_id, b.cut, b.made_at, b.ended_at,
       coalesce(u.ref, '') as undone_by, n.waiting, n.done, n.refused
  from cases_bulk b left join cases_bulk u on u.undoes_id = b.id
 cross join lateral (
       select count(*) filter (where i.state = 'waiting') as waiting, count(*) filter (where i.state = 'done') as done,
              count(*) filter (where i.state = 'refused') as refused
         from cases_bulkitem i where i.bulk_id = b.id) n
"""


@db.query
def bulk_view(ref: str) -> BulkView:
    """Raises BulkUnknown."""
    row = db.fetch_one(_BULK + " where b.ref = %s", [ref.replace("\0", "")])
    if row is None:
        raise BulkUnknown(ref, field="bulk", rule="known_bulk")
    return BulkView(**{**row, "arguments": db.read_json(row["arguments"])})


@db.query
def bulks(limit: int = 20) -> tuple[BulkView, ...]:
    """The latest bulks."""
    rows = db.fetch(_BULK + " order by b.id desc limit %s", [limit])
    return tuple(BulkView(**{**row, "arguments": db.read_json(row["arguments"])}) for row in rows)


@db.query
def items_of(bulk_id: int, state: str, *, limit: int = 100) -> tuple[ItemView, ...]:
    rows = db.fetch(
        "select c.ref, i.state, i.code, i.told, i.done_at from cases_bulkitem i join cases_case c on c.id = i.case_id"
        " where i.bulk_id = %s and i.state = %s order by i.id limit %s",
        [bulk_id, state, limit],
    )
    return tuple(ItemView(**{**row, "told": db.read_json(row["told"])}) for row in rows)


@db.query
def totals(bulk_id: int) -> list[Money]:
    """What approving all of it would promise."""
    return bulking.totals_of(bulk_id)
