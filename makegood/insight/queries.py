"""Figures of the merchant in sight, as tables whose every figure names the cases behind it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from makegood.accounts import queries as accounts
from makegood.cases import words
from makegood.cases.queries import budgets
from makegood.insight.periods import Period
from makegood.insight.slices import AGES, DUE, NOBODY, Slice, conditions, told_between
from makegood.insight.tables import Cell, Column, Table
from makegood.kit import db
from makegood.kit.money import Money

ROWS_MAX = 200  # of a table of figures: the largest first


# The overview looks at no more open cases than this, those due soonest, and says so. Files hold all.
LOOKED_AT = 100_000


@dataclass(frozen=True, slots=True)
class OpenNow:
    """Open cases, counted at a moment by whom they wait for, holder, how soon due and how long open.

    ``capped``: so many were looked at as may be, and there may be more.
    """

    groups: tuple[Mapping[str, Any], ...]
    capped: bool

    def by(self, key: str) -> dict[Any, list[Mapping[str, Any]]]:
        found: dict[Any, list[Mapping[str, Any]]] = defaultdict(list)
        for group in self.groups:
            found[group[key]].append(group)
        return found


@db.query
def open_now(at: datetime, *, most: int | None = None) -> OpenNow:
    """One pass over the open cases, or over the ``most`` that are due soonest: the index of the queue holds it all."""
    limit = "" if most is None else f"order by c.due_at, c.id limit {int(most)}"
    # Reckoned here once, not by the database for each case.
    due = [at + timedelta(hours=first) for first, _end in DUE.values() if first is not None]
    aged = [at - timedelta(days=young) for young, _old in reversed(AGES.values())]
    rows = db.fetch(
        f"""
        select party, holder, due, age, count(*) as cases, min(opened_at) as oldest
          from (select c.waiting_on as party, c.assigned_to as holder, c.opened_at,
                       width_bucket(c.due_at, %s::timestamptz[]) as due,
                       width_bucket(c.opened_at - interval '1 microsecond', %s::timestamptz[]) as age
                  from (select waiting_on, assigned_to, due_at, opened_at from cases_case c
                         where c.closed_at is null {limit}) c) as each_case
         group by party, holder, due, age
        """,
        [due, aged],
    )
    groups = tuple({**row, "due": _due(row["due"]), "age": _age(row["age"])} for row in rows)
    return OpenNow(groups, capped=most is not None and sum(row["cases"] for row in rows) >= most)


def _due(bucket: int | None) -> str:
    """The name of the bucket between two of the moments; a case that nobody is due to act on is in none."""
    return "" if bucket is None else list(DUE)[bucket]


def _age(bucket: int) -> str:
    """The oldest come first; what is to be opened in the future is in none."""
    return [*reversed(AGES), ""][bucket]


def _count(groups: Iterable[Mapping[str, Any]], **wanted: str) -> int:
    return sum(row["cases"] for row in groups if all(row[key] == value for key, value in wanted.items()))


def at_risk(now: OpenNow) -> Table:
    """Open cases by who must act and how soon it is due."""
    columns = (
        Column("party", _("Waiting for")),
        Column("overdue", _("Overdue"), "count", bar=True),
        Column("day", _("Within a day"), "count"),
        Column("three_days", _("In one to three days"), "count"),
        Column("later", _("Later"), "count"),
        Column("open", _("Open"), "count"),
    )
    parties = sorted(now.by("party").items(), key=lambda one: (-_count(one[1], due="overdue"), -_count(one[1]), one[0]))
    return Table("at_risk", _("Deadlines at risk"), columns, tuple(
        (
            Cell(party, said=words.said(party, "Party")),
            *(Cell(_count(groups, due=name), Slice(due=name, party=party)) for name in DUE),
            Cell(_count(groups), Slice(party=party)),
        )
        for party, groups in parties
    ))  # fmt: skip


def load(now: OpenNow) -> Table:
    """Open cases by who holds them, the most first."""
    people = {person.id: person.name for person in accounts.staff_list()}
    columns = (
        Column("holder", _("Held by")),
        Column("open", _("Open"), "count", bar=True),
        Column("ours", _("Ours to act"), "count"),
        Column("overdue", _("Overdue"), "count"),
        Column("oldest", _("Oldest"), "time"),
    )

    def told(one: int | None, groups: list[Mapping[str, Any]]) -> tuple[Cell, ...]:
        holder = str(one or NOBODY)
        name = people.get(one, "") if one is not None else ""
        return (
            Cell(holder, said=name or (_("nobody") if holder == NOBODY else holder)),
            Cell(_count(groups), Slice(holder=holder)),
            Cell(_count(groups, party="merchant"), Slice(holder=holder, party="merchant")),
            Cell(_count(groups, due="overdue"), Slice(holder=holder, due="overdue")),
            Cell(min(row["oldest"] for row in groups)),
        )

    holders = sorted(now.by("holder").items(), key=lambda one: (-_count(one[1]), one[0] is None, one[0]))
    return Table("load", _("Load"), columns, tuple(told(*one) for one in holders[:ROWS_MAX]))


def ageing(now: OpenNow) -> Table:
    """Open cases by how long they have been open."""
    said = {
        "day": _("less than a day"), "three_days": _("one to three days"), "week": _("three to seven days"),
        "fortnight": _("one to two weeks"), "month": _("two weeks to thirty days"),
        "longer": _("more than thirty days"),
    }  # fmt: skip
    columns = (Column("age", _("Open for")), Column("open", _("Open"), "count", bar=True))
    return Table("ageing", _("Ageing"), columns, tuple(
        (Cell(name, said=said[name]), Cell(_count(now.groups, age=name), Slice(age=name))) for name in AGES
    ))  # fmt: skip


_TOLD = """
select {what}
  from cases_decision d join cases_case c on c.merchant_id = d.merchant_id and c.id = d.case_id {more}
 where not d.superseded and d.communicated_at is not null and c.merged_into_id is null and {period}
 group by {by} order by {order} limit {limit}
"""


def _told(period: Period, zone: ZoneInfo, **parts: Any) -> list[dict[str, Any]]:
    asked = told_between(period.since, period.until, zone)
    sql = _TOLD.format(period=" and ".join(test for test, _ in asked), **{"more": "", "limit": ROWS_MAX, **parts})
    return db.fetch(sql, [value for _, values in asked for value in values])


@db.query
def outcomes(period: Period, zone: ZoneInfo) -> Table:
    """Decisions told in a period by kind, reason, verdict and currency, beside the period before."""
    by = "c.kind, c.reason, d.verdict, d.currency"
    what = f"{by}, count(*) as cases, sum(d.total_minor)::bigint as minor"
    rows = _told(period, zone, what=what, by=by, order=f"cases desc, {by}")
    keys = ("kind", "reason", "verdict", "currency")
    earlier = {
        tuple(row[key] for key in keys): row["cases"]
        for row in _told(period.before(), zone, what=f"{by}, count(*) as cases", by=by, order=by, limit=10 * ROWS_MAX)
    }
    columns = (
        Column("kind", _("Kind")),
        Column("reason", _("Reason")),
        Column("verdict", _("Decided")),
        Column("cases", _("Cases"), "count", bar=True),
        Column("before", _("The period before"), "count"),
        Column("amount", _("Granted"), "money"),
    )

    def told(row: Mapping[str, Any]) -> tuple[Cell, ...]:
        behind = Slice(**{key: row[key] for key in keys}, since=period.since, until=period.until)
        before = Slice(**{key: row[key] for key in keys}, since=period.before().since, until=period.before().until)
        return (
            Cell(row["kind"], said=words.said(row["kind"], "Kind")),
            Cell(row["reason"], said=words.reason_said(row["kind"], row["reason"])),
            Cell(row["verdict"], said=words.in_table(words.VERDICTS, row["verdict"])),
            Cell(row["cases"], behind),
            Cell(earlier.get(tuple(row[key] for key in keys), 0), before),
            Cell(Money(row["minor"], row["currency"]) if row["currency"] and row["minor"] else None),
        )

    return Table("outcomes", _("Outcomes by reason"), columns, tuple(told(row) for row in rows))


@db.query
def by_rule(period: Period, zone: ZoneInfo) -> Table:
    """What each rule granted or refused in the decisions told in a period."""
    granted = _told(
        period, zone,
        what="r.rule, r.kind as remedy, r.currency, count(distinct c.id) as cases,"
        " sum(r.amount_minor)::bigint as minor",
        more="join cases_remedy r on r.merchant_id = d.merchant_id and r.decision_id = d.id and r.rule <> ''",
        by="r.rule, r.kind, r.currency", order="cases desc, r.rule, r.kind, r.currency",
    )  # fmt: skip
    refused = _told(
        period, zone, what="rule, count(*) as cases", more="cross join unnest(d.refusing_rules) as rule",
        by="rule", order="cases desc, rule",
    )  # fmt: skip
    columns = (
        Column("rule", _("Rule")),
        Column("does", _("Does")),
        Column("cases", _("Cases"), "count", bar=True),
        Column("amount", _("Amount"), "money"),
    )
    told = Slice(since=period.since, until=period.until)
    rows = [
        (
            Cell(row["rule"]),
            Cell(row["remedy"], said=words.in_table(words.REMEDIES, row["remedy"])),
            Cell(row["cases"], replace(told, rule=row["rule"], remedy=row["remedy"])),
            Cell(_money(row["minor"], row["currency"])),
        )
        for row in granted
    ] + [
        (
            Cell(row["rule"], said=_("more than is left") if row["rule"] == "guard" else ""),
            Cell("refuse", said=_("refuses")),
            Cell(row["cases"], replace(told, refusing=row["rule"])),
            Cell(None),
        )
        for row in refused
    ]
    rows.sort(key=lambda row: -row[2].value)
    return Table("rules", _("Outcomes by rule"), columns, tuple(rows))


def _money(minor: int, currency: str) -> Money | None:
    return Money(minor, currency) if currency and currency != "POINT" and minor else None


@db.query
def budgets_used() -> Table:
    """Goodwill and obligations: what was approved, is left, promised and spent."""
    columns = (
        Column("name", _("Budget")),
        Column("approved", _("Approved"), "money"),
        Column("spent", _("Spent"), "money"),
        Column("promised", _("Promised"), "money"),
        Column("available", _("Left"), "money", bar=True),
    )
    return Table("budgets", _("Budgets"), columns, tuple(
        (
            Cell(one.name),
            Cell(Money(one.available + one.promised + one.spent, one.asset)),
            Cell(Money(one.spent, one.asset)),
            Cell(Money(one.promised, one.asset)),
            Cell(Money(one.available, one.asset)),
        )
        for one in budgets() if one.asset != "POINT"
    ))  # fmt: skip


_CASES = """
select c.id, c.ref, coalesce(o.number, '') as order_number, cu.name as customer, c.kind, c.reason, c.state,
       c.waiting_on, c.opened_at, c.due_at, c.closed_at, c.assigned_to, d.verdict, d.total_minor, d.currency
  from cases_case c
  {join} join cases_decision d on d.merchant_id = c.merchant_id and d.case_id = c.id and not d.superseded
  left join orders_order o on o.id = c.order_id
  join customers_customer cu on cu.id = c.customer_id
 where {conditions} order by c.id desc limit %s
"""


def case_columns() -> tuple[Column, ...]:
    return (
        Column("ref", _("Case")),
        Column("order", _("Order")),
        Column("customer", _("Customer")),
        Column("kind", _("Kind")),
        Column("reason", _("Reason")),
        Column("state", _("Decision")),
        Column("waiting_on", _("Waiting for")),
        Column("opened_at", _("Opened"), "time"),
        Column("due_at", _("Due"), "time"),
        Column("amount", _("Amount"), "money"),
    )


@db.query
def cases_behind(
    one: Slice, at: datetime, zone: ZoneInfo, *, before: int = 0, limit: int = 50
) -> tuple[list[tuple[Cell, ...]], int]:
    """A page of the cases that a figure counts, newest first, and where the next page begins (0: nowhere).

    ``at`` is the moment the figure was told for, ``before`` an id from the page before.
    """
    tests, values = conditions(one, at, zone)
    if before:
        tests, values = [*tests, "c.id < %s"], [*values, before]
    sql = _CASES.format(conditions=" and ".join(tests) or "true", join="" if one.is_decided() else "left")
    rows = db.fetch(sql, [*values, limit + 1])
    return [_case(row) for row in rows[:limit]], rows[limit - 1]["id"] if len(rows) > limit else 0


def _case(row: Mapping[str, Any]) -> tuple[Cell, ...]:
    return (
        Cell(row["ref"]),
        Cell(row["order_number"]),
        Cell(row["customer"]),
        Cell(row["kind"], said=words.said(row["kind"], "Kind")),
        Cell(row["reason"], said=words.reason_said(row["kind"], row["reason"])),
        Cell(row["state"], said=words.said(row["state"], "State")),
        Cell(row["waiting_on"], said=words.said(row["waiting_on"], "Party")),
        Cell(row["opened_at"]),
        Cell(None if row["closed_at"] else row["due_at"]),
        Cell(_money(row["total_minor"] or 0, row["currency"] or "")),
    )


def all_cases_behind(one: Slice, at: datetime, zone: ZoneInfo, *, most: int) -> Iterator[tuple[Cell, ...]]:
    """Every case that a figure counts, newest first, at most so many; read in pages."""
    before = told = 0
    while told < most:
        rows, before = cases_behind(one, at, zone, before=before, limit=min(1_000, most - told))
        yield from rows
        told += len(rows)
        if not before:
            return
