"""Lists of cases: which, in what order, page by page in both directions, and how many."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from makegood.cases.shapes import CaseRow, CasesPage, Filters
from makegood.cases.states import Status
from makegood.cases.waits import status_of
from makegood.kit import db
from makegood.kit.asking import Question, answer
from makegood.kit.wire import CursorMalformed

_ROW = """
select c.id, c.ref, c.kind, c.reason, c.state, c.goods_state, c.money_state, c.waiting_on, c.due_at,
       c.escalated, c.assigned_to, c.opened_at, c.closed_at, c.snoozed_until, c.merged_into_id is not null as is_part,
       coalesce(o.number, '') as order_number,
       cu.name as customer_name, coalesce(d.verdict, '') as verdict, coalesce(d.total_minor, 0) as total_minor,
       coalesce(d.currency, '') as currency,
       exists (select 1 from cases_deadline dl where dl.case_id = c.id and dl.state = 'open' and dl.provisional
                  and dl.due_at = c.due_at) as provisional,
       array(select t.tag from cases_casetag t where t.case_id = c.id order by t.tag) as tags
  from (select * from cases_case c where {conditions} order by {order} limit {limit}) c
  left join orders_order o on o.id = c.order_id
  join customers_customer cu on cu.id = c.customer_id
  left join cases_decision d on d.case_id = c.id and not d.superseded
 order by {order}
"""


@dataclass(frozen=True, slots=True)
class _Sort:
    """``key``: the columns that order the list, all in one direction, the id last."""

    key: tuple[str, ...]
    descending: bool
    condition: str = ""

    def order(self, *, backwards: bool) -> str:
        direction = " desc" if self.descending != backwards else ""
        return ", ".join(f"c.{column}{direction}" for column in self.key)

    def beyond(self, *, backwards: bool) -> str:
        sign = "<" if self.descending != backwards else ">"
        names = ", ".join(f"c.{column}" for column in self.key)
        return f"({names}) {sign} ({', '.join(['%s'] * len(self.key))})"


SORTS = {
    "due": _Sort(("due_at", "id"), descending=False, condition="c.closed_at is null and c.due_at is not null"),
    "newest": _Sort(("id",), descending=True),
    "oldest": _Sort(("id",), descending=False),
}


@db.query
def list_cases(filters: Filters, *, sort: str = "due", after: str = "", before: str = "", limit: int = 50) -> CasesPage:
    """A page of cases; ``sort`` is one of ``SORTS``. Sorted by ``due``, only open ones that somebody is due to act on.

    ``after`` and ``before`` are the cursors that a page gave. Raises CursorMalformed.
    """
    by = SORTS[sort]
    backwards = bool(before) and not after
    conditions, params = conditions_of(filters)
    if by.condition:
        conditions.append(by.condition)
    if cursor := after or before:
        due_at, last_id = _read_cursor(cursor, with_time="due_at" in by.key)
        conditions.append(by.beyond(backwards=backwards))
        params += [due_at, last_id] if "due_at" in by.key else [last_id]
    rows = answer(_asking_rows(conditions, params, order=by.order(backwards=backwards), limit=limit + 1))
    more, rows = len(rows) > limit, rows[:limit]
    if backwards:
        rows.reverse()
    if not rows:
        return CasesPage((), "")
    has_next, has_previous = (True, more) if backwards else (more, bool(cursor))
    return CasesPage(
        tuple(rows), _cursor(rows[-1]) if has_next else "", previous=_cursor(rows[0]) if has_previous else ""
    )


def queue_page(filters: Filters, *, after: str = "", limit: int = 50) -> CasesPage:
    """Open cases, the next due first. Raises CursorMalformed."""
    return list_cases(filters, sort="due", after=after, limit=limit)


def cases_page(filters: Filters, *, after: str = "", limit: int = 50) -> CasesPage:
    """All cases, newest first. Raises CursorMalformed."""
    return list_cases(filters, sort="newest", after=after, limit=limit)


def asking_newest(filters: Filters, *, limit: int) -> Question[list[CaseRow]]:
    """The newest cases of a list."""
    conditions, params = conditions_of(filters)
    return _asking_rows(conditions, params, order=SORTS["newest"].order(backwards=False), limit=limit)


def _asking_rows(conditions: list[str], params: list[Any], *, order: str, limit: int) -> Question[list[CaseRow]]:
    sql = _ROW.format(conditions=" and ".join(conditions) or "true", order=order, limit=limit)
    return Question((sql, params), read=_rows)


def _rows(rows: Sequence[dict[str, Any]]) -> list[CaseRow]:
    return [
        CaseRow(
            **{**row, "tags": tuple(row["tags"])},
            status=Status.CLOSED
            if row["is_part"]
            else status_of(
                state=row["state"],
                goods_state=row["goods_state"],
                money_state=row["money_state"],
                waiting_on=row["waiting_on"],
                closed=row["closed_at"] is not None,
            ),
        )
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class ViewRow:
    """A list of the queue under a name; ``query`` is that of its address."""

    id: int
    name: str
    query: str
    staff_id: int
    shared: bool


_OF_ORDER = "exists (select 1 from orders_order o where o.id = c.order_id and o.{} = %s)"
_VALUE = (
    "exists (select 1 from cases_decision d where d.case_id = c.id and not d.superseded"
    " and d.currency = %s and d.total_minor between %s and %s)"
)
# What a filter asks of the case (written for the alias ``c``); each takes its value once.
_ASKED = {
    "state": "c.state = %s",
    "kind": "c.kind = %s",
    "reason": "c.reason = %s",
    "waiting_on": "c.waiting_on = %s",
    "assigned_to": "c.assigned_to = %s",
    "customer_id": "c.customer_id = %s",
    "shop": _OF_ORDER.format("shop_slug"),
    "market": _OF_ORDER.format("market"),
    "due_before": "c.due_at < %s",
    "opened_before": "c.opened_at < %s",
    "opened_from": "c.opened_at >= %s",
    "asleep_at": "c.snoozed_until > %s",
    "awake_at": "(c.snoozed_until is null or c.snoozed_until <= %s)",
    "tag": "c.id in (select t.case_id from cases_casetag t where t.tag = %s)",
    "order_number": "c.order_id = (select id from orders_order where number = %s)",
}
_FLAGS = {"escalated": "c.escalated", "open_only": "c.closed_at is null", "unassigned": "c.assigned_to is null"}
MOST = 2**62


def conditions_of(filters: Filters) -> tuple[list[str], list[Any]]:
    """SQL about ``cases_case c``, and its values in order."""
    # What is part of another case is counted there; who names it finds it.
    conditions: list[str] = [] if filters.search.strip() or filters.parts else ["c.merged_into_id is null"]
    conditions += [sql for name, sql in _FLAGS.items() if getattr(filters, name)]
    params: list[Any] = []
    for name, sql in _ASKED.items():
        value = getattr(filters, name)
        if value not in {"", None}:
            conditions.append(sql)
            params.append(value)
    if filters.value_from is not None or filters.value_to is not None:
        conditions.append(_VALUE)
        params += [filters.currency, filters.value_from or 0, MOST if filters.value_to is None else filters.value_to]
    if filters.customers:
        conditions.append("c.customer_id = any(%s)")
        params.append(list(filters.customers))
    if text := filters.search.strip().replace("\0", ""):
        conditions.append("(c.ref = %s or c.order_id in (select id from orders_order where number = %s))")
        params += [text.upper(), text]
    return conditions, params


# A count looks at no more rows than this, and says no more than that, whatever the merchant has.
LOOKED_AT = 5_000
COUNTED = 1_000

# What a filter can be found by without reading all open cases; the most telling first.
_FOUND_BY = ("customer_id", "order_number", "assigned_to", "escalated", "asleep_at", "state")


@dataclass(frozen=True, slots=True)
class Count:
    """How many cases a list has: exactly, or at least so many."""

    number: int
    at_least: bool


@db.query
def count_open(wanted: Sequence[Filters]) -> tuple[Count, ...]:
    """How many open cases each of these lists has, in one question that looks at a bounded number of rows.

    Lists that are found by the same index are counted in one pass over it.
    """
    passes: dict[tuple[str, str], list[int]] = {}
    for place, filters in enumerate(wanted):
        name = next((name for name in _FOUND_BY if getattr(filters, name) not in {"", None, False}), "")
        passes.setdefault((name, str(getattr(filters, name)) if name else ""), []).append(place)
    parts: list[str] = []
    params: list[Any] = []
    for number, ((name, _), places) in enumerate(passes.items()):
        base = Filters(**{name: getattr(wanted[places[0]], name)}) if name else Filters()
        found_by, base_params = conditions_of(base)
        told: list[str] = []
        for place in places:
            conditions, own = conditions_of(wanted[place])
            told.append(f"count(*) filter (where {' and '.join(conditions) or 'true'})")
            params += own
        where = " and ".join(["c.closed_at is null", "c.due_at is not null", *found_by])
        parts.append(
            f"select {number} as pass, array[{', '.join(told)}] as counts, count(*) as looked_at from"
            f" (select * from cases_case c where {where} order by c.due_at, c.id limit {LOOKED_AT + 1}) c"
        )
        params += base_params
    rows = sorted(db.fetch(" union all ".join(parts), params), key=lambda row: row["pass"]) if parts else []
    counts: dict[int, Count] = {}
    for places, row in zip(passes.values(), rows, strict=True):
        cut = row["looked_at"] > LOOKED_AT
        for place, number in zip(places, row["counts"], strict=True):
            counts[place] = Count(min(number, COUNTED), at_least=cut or number > COUNTED)
    return tuple(counts[place] for place in range(len(wanted)))


@db.query
def matching(filters: Filters, *, sort: str, limit: int) -> list[int]:
    """The ids of the first ``limit`` cases of a list, in its order."""
    by = SORTS[sort]
    conditions, params = conditions_of(filters)
    where = " and ".join([*conditions, by.condition or "true"])
    rows = db.fetch(
        f"select c.id from cases_case c where {where} order by {by.order(backwards=False)} limit {int(limit)}", params
    )
    return [row["id"] for row in rows]


@db.query
def views_of(staff_id: int | None) -> tuple[ViewRow, ...]:
    """The views a person sees: own ones and shared ones, by name."""
    rows = db.fetch(
        "select id, name, query, staff_id, shared from cases_savedview where shared or staff_id = %s order by name, id",
        [staff_id],
    )
    return tuple(ViewRow(**row) for row in rows)


@db.query
def tags_in_use(limit: int = 50) -> tuple[str, ...]:
    """Tags that cases have, by jumping along their index: as many steps as there are tags."""
    rows = db.fetch(
        """
        with recursive used as (
            (select tag from cases_casetag order by tag limit 1)
            union all
            select (select t.tag from cases_casetag t where t.tag > used.tag order by t.tag limit 1)
              from used where used.tag is not null)
        select tag from used where tag is not null limit %s
        """,
        [limit],
    )
    return tuple(row["tag"] for row in rows)


def _cursor(row: CaseRow) -> str:
    due = row.due_at.isoformat() if row.due_at else ""
    return base64.urlsafe_b64encode(f"{due}|{row.id}".encode()).decode().rstrip("=")


def _read_cursor(text: str, *, with_time: bool) -> tuple[datetime | None, int]:
    try:
        due, _, last_id = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode().partition("|")
        if not last_id.isdecimal() or len(last_id) > 18 or (with_time and not due):
            raise ValueError(last_id)
        at = datetime.fromisoformat(due) if due else None
        if at is not None and at.tzinfo is None:
            raise ValueError(due)
        return at, int(last_id)
    except ValueError:
        raise CursorMalformed(text, field="after", rule="a cursor of this list") from None
