"""Reading cases: the queue, one case with everything on it, and what a customer may see of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from makegood.cases.history import CaseUnknown
from makegood.cases.listing import asking_newest, cases_page, queue_page
from makegood.cases.models import Case
from makegood.cases.parts import PARTS, PARTS_TOLD, Part
from makegood.cases.shapes import (
    AppealView,
    BudgetView,
    CaseLineView,
    CaseRow,
    CasesPage,
    CaseView,
    DeadlineView,
    DecisionView,
    EventView,
    EvidenceView,
    Filters,
    FindingView,
    RemedyView,
    TextView,
)
from makegood.cases.states import Status
from makegood.cases.waits import status_of
from makegood.kit import db
from makegood.kit.asking import Question, answer, instance, joined
from makegood.kit.wire import CursorMalformed
from makegood.ledger import queries as balances
from makegood.ledger.states import Book

__all__ = [
    "AppealView",
    "BudgetView",
    "CaseLineView",
    "CaseRow",
    "CaseUnknown",
    "CaseView",
    "CasesPage",
    "CursorMalformed",
    "DeadlineView",
    "DecisionView",
    "EventView",
    "EvidenceView",
    "Filters",
    "FindingView",
    "RemedyView",
    "TextView",
    "asking_budgets",
    "asking_case",
    "asking_newest",
    "budgets",
    "case_place",
    "case_ref_of",
    "case_view",
    "cases_page",
    "deadlines_of",
    "evidence_of",
    "queue_page",
]


_CASE = """
select c.id, c.ref, c.kind, c.reason, c.claimant, c.channel, c.language, c.state, c.goods_state, c.money_state,
       c.waiting_on, c.due_at, c.escalated, c.assigned_to, c.opened_by, c.opened_at, c.closed_at,
       c.snoozed_until, c.order_id,
       coalesce(o.number, '') as order_number, c.customer_id, cu.name as customer_name,
       c.details, array(select t.tag from cases_casetag t where t.case_id = c.id order by t.tag) as tags,
       coalesce((
         with recursive up(ref, merged_into_id) as (
             select w.ref, w.merged_into_id from cases_case w where w.id = c.merged_into_id
             union all select w.ref, w.merged_into_id from cases_case w join up on w.id = up.merged_into_id)
         select ref from up where merged_into_id is null), '') as merged_into
  from cases_case c left join orders_order o on o.id = c.order_id join customers_customer cu on cu.id = c.customer_id
 where c.ref = %s
"""


_ABOUT_CASE = (
    "select l.number as line, l.sku, l.title, cl.quantity, cl.wanted_sku, cl.made_good, cl.received, cl.accepted,"
    " cl.rejected from cases_caseline cl join orders_line l on l.id = cl.line_id where cl.case_id = %s order by cl.id",
    "select r.decision_id, r.id, r.kind, coalesce(l.number, '') as line, r.quantity, r.amount_minor, r.currency,"
    " r.borne_by, r.due_by, r.after, r.rule, r.state from cases_remedy r left join orders_line l"
    " on l.id = r.line_id where r.case_id = %s order by r.decision_id, r.seq",
    "select id, round, verdict, total_minor, currency, by_hand, why, decided_by, decided_at, approved_by,"
    " second_by, communicated_at, policy_hash, outcome, facts from cases_decision where case_id = %s order by round",
    f"{PARTS} select f.fact, f.value, f.how, f.found_by, f.found_at from parts"
    " join cases_finding f on f.case_id = parts.id order by f.id",
    f"{PARTS} select t.id, t.kind, t.author, t.internal, t.body, t.written_at, coalesce(p.ref, '') as came_by"
    " from parts join cases_casetext t on t.case_id = parts.id"
    " left join cases_case p on p.id = coalesce(t.came_by_id, nullif(t.case_id, parts.whole)) order by t.id",
    "select seq, kind, actor, happened_at, data, hash from cases_caseevent where case_id = %s order by seq",
    "select round, filed_by, filed_at, reviewer, outcome, decided_at, proposed from cases_appeal"
    " where case_id = %s order by round",
    PARTS_TOLD,
)
_DEADLINES = (
    "select wait, party, silence, starts_at, due_at, provisional, state from cases_deadline"
    " where case_id = %s order by id"
)
_EVIDENCE = (
    f"{PARTS} select e.id, e.kind, e.of_line, e.party, e.sha256, e.media_type, e.size, e.name, e.brought_by,"
    " e.brought_at, coalesce(p.ref, '') as came_by from parts join cases_evidence e on e.case_id = parts.id"
    " left join cases_case p on p.id = coalesce(e.came_by_id, nullif(e.case_id, parts.whole)) order by e.id"
)


def asking_case(case_id: int) -> Question[Case]:
    """The case as the commands know it."""
    return Question(("select * from cases_case where id = %s", [case_id]), read=lambda rows: instance(Case, rows[0]))


@db.query
def case_view(ref: str) -> CaseView:
    """The case of this reference, in two questions to the database. Raises CaseUnknown, for another merchant's too."""
    row = db.fetch_one(_CASE, [ref.replace("\0", "")])
    if row is None:
        raise CaseUnknown(ref, field="case", rule="known_case")
    row["details"] = db.read_json(row["details"])
    row["tags"] = tuple(row["tags"])
    about = ((sql, [row["id"]]) for sql in (*_ABOUT_CASE, _DEADLINES, _EVIDENCE))
    lines, remedies, decisions, findings, texts, events, appeals, parts, deadlines, evidence = db.fetch_each(*about)
    return CaseView(
        **row,
        parts=tuple(Part(**one) for one in parts),
        status=Status.CLOSED
        if row["merged_into"]
        else status_of(
            state=row["state"],
            goods_state=row["goods_state"],
            money_state=row["money_state"],
            waiting_on=row["waiting_on"],
            closed=row["closed_at"] is not None,
        ),
        may_appeal=any(one["wait"] == "appeal_window" and one["state"] == "open" for one in deadlines),
        lines=tuple(CaseLineView(**one) for one in lines),
        decisions=_decisions(decisions, remedies),
        deadlines=tuple(DeadlineView(**one) for one in deadlines),
        evidence=_each_once(evidence),
        findings=tuple(FindingView(**{**one, "value": db.read_json(one["value"])}) for one in findings),
        texts=tuple(TextView(**one) for one in texts),
        events=tuple(EventView(**{**one, "data": db.read_json(one["data"])}) for one in events),
        appeals=tuple(AppealView(**{**one, "proposed": db.read_json(one["proposed"])}) for one in appeals),
    )


def _decisions(rows: list[dict[str, Any]], remedies: list[dict[str, Any]]) -> tuple[DecisionView, ...]:
    parts: dict[int, list[RemedyView]] = {}
    for row in remedies:
        parts.setdefault(row.pop("decision_id"), []).append(RemedyView(**row))
    return tuple(
        DecisionView(
            **{**row, "outcome": db.read_json(row["outcome"]), "facts": db.read_json(row["facts"])},
            remedies=tuple(parts.get(row["id"], ())),
        )
        for row in rows
    )


@db.query
def deadlines_of(case_id: int) -> tuple[DeadlineView, ...]:
    """Every deadline the case has had, in order."""
    return tuple(DeadlineView(**row) for row in db.fetch(_DEADLINES, [case_id]))


@db.query
def evidence_of(case_id: int) -> tuple[EvidenceView, ...]:
    """The files of a case and of its parts."""
    return _each_once(db.fetch(_EVIDENCE, [case_id]))


def _each_once(rows: list[dict[str, Any]]) -> tuple[EvidenceView, ...]:
    """A file that lies on the case and on a part of it is one."""
    once = {(row["sha256"], row["kind"]): row for row in reversed(rows)}
    return tuple(EvidenceView(**row) for row in reversed(once.values()))


@dataclass(frozen=True, slots=True)
class CasePlace:
    """Which case it is, and no more."""

    id: int
    ref: str


@db.query
def case_place(ref: str) -> CasePlace:
    """Raises CaseUnknown."""
    row = db.fetch_one("select id, ref from cases_case where ref = %s", [ref.replace("\0", "")])
    if row is None:
        raise CaseUnknown(ref, field="case", rule="known_case")
    return CasePlace(**row)


@db.query
def case_ref_of(case_id: int) -> str:
    """Raises CaseUnknown."""
    row = db.fetch_one("select ref from cases_case where id = %s", [case_id])
    if row is None:
        raise CaseUnknown(case_id, field="case", rule="known_case")
    return str(row["ref"])


def budgets() -> tuple[BudgetView, ...]:
    """Every budget with what is left, promised and spent of it, oldest first."""
    return answer(asking_budgets())


def asking_budgets() -> Question[tuple[BudgetView, ...]]:
    listed = Question(
        ("select id, name, purpose, asset, opened_by, ends_at from cases_budget order by id", []),
        read=lambda rows: rows,
    )
    return joined(_budgets, listed, balances.asking_all_balances(Book.BUDGET))


def _budgets(rows: list[dict[str, Any]], held: balances.Balances) -> tuple[BudgetView, ...]:
    return tuple(
        BudgetView(
            name=row["name"],
            purpose=row["purpose"],
            asset=row["asset"],
            opened_by=row["opened_by"],
            ends_at=row["ends_at"],
            available=held[row["id"]].get("available", 0),
            promised=held[row["id"]].get("promised", 0),
            spent=held[row["id"]].get("spent", 0),
        )
        for row in rows
    )
