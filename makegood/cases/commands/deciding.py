"""Deciding: facts and policy in, a proposed decision out. The decision is kept letter for letter."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from makegood.accounts import queries as accounts
from makegood.accounts.actors import Actor, require
from makegood.accounts.states import May
from makegood.cases import facts, history
from makegood.cases.commands import complaining, moving, promising
from makegood.cases.models import Case
from makegood.cases.newer import check_newest
from makegood.cases.states import RemedyState, State
from makegood.kit import db, errors
from makegood.kit.money import Money, allocate
from makegood.ledger import queries as balances
from makegood.ledger.queries import StatementRow, statement_of_order
from makegood.ledger.states import Book, Value
from makegood.orders import queries as orders
from makegood.orders.queries import OrderView
from makegood.policy import queries as policies
from makegood.policy.facts import Facts
from makegood.policy.outcome import GrantedRemedy, Outcome
from makegood.policy.quote import outcome_of
from makegood.policy.registry import Registry


class NotDecidable(errors.Refused):
    code = "not_decidable"
    message = "The policy needs more before it can decide: {value}."


class RemedyMalformed(errors.Malformed):
    code = "remedy_malformed"
    message = "{field}: {value} is not a remedy that can be given ({rule})."


@dataclass(frozen=True, slots=True)
class HandRemedy:
    """A remedy a person gives beyond what the policy proposed; money above what was paid names its budget."""

    kind: str
    amount: str = "0"
    line: str = ""
    quantity: int | None = None
    budget: str = ""
    after: str = ""


@db.command
def decide_case(*, ref: str, actor: Actor, at: datetime, seen: int | None = None) -> Case:
    """Let the policy decide on the facts as they are now; the proposal replaces an earlier one not yet approved.

    A verdict ``need_evidence`` asks the customer and stops the merchant's clock. ``seen`` is the last event the
    person saw. Raises CaseUnknown, MoveNotAllowed, NotAllowed, NewerArrived, and Malformed where the facts contradict
    one another.
    """
    require(actor, May.HANDLE)
    case, order = history.lock_case_with_order(ref, actor)
    check_newest(case.id, seen, but=actor.key)
    moving.require_open(case)
    propose(case, order, actor=actor, at=at)
    moving.finish(case, actor=actor, at=at)
    return case


def propose(case: Case, order: OrderView | None, *, actor: Actor, at: datetime) -> Outcome:
    """Decide and write the proposal, inside the caller's transaction; ``order`` is the case's, as it stands now."""
    db.require_transaction()
    stated, outcome = consider(case, order)
    verdict = outcome.verdict
    if verdict == "need_evidence":
        moving.move(case, to=State.VERIFYING)
        needed = [{"kind": list(need.kinds), "fact": need.fact, "rule": need.rule} for need in outcome.needs]
        history.record(case, "evidence_asked", actor=actor.key, at=at, needed=needed)
        return outcome
    moving.move(case, to=State.PLANNED)
    write_decision(case, order, stated=stated, outcome=outcome, actor=actor, at=at)
    return outcome


def consider(case: Case, order: OrderView | None, *, registry: Registry | None = None) -> tuple[Facts, Outcome]:
    """What the policy says of the case as it stands; nothing is written. ``registry`` where it is read already."""
    settings = accounts.settings_of_merchant()
    currency = order.currency if order else accounts.merchant().currency
    stated = Facts.from_json(facts.state_facts(case, order, currency=currency))
    return stated, outcome_of(stated, merchant=settings.packs, registry=registry or policies.registry_of_merchant())


def write_decision(
    case: Case, order: OrderView | None, *, stated: Facts, outcome: Outcome, actor: Actor, at: datetime
) -> int:
    """Store decision and planned remedies; the earlier decision in force is superseded. Gives the decision's id."""
    policy = outcome.as_json()["policy"]
    decision_id = insert_decision(
        case,
        facts=stated.canonical(),
        outcome=outcome.canonical(),
        policy_hash=policy["hash"],
        verdict=outcome.verdict,
        total=outcome.total,
        actor=actor,
        at=at,
    )
    rows = [row for remedy in outcome.remedies for row in _remedy_rows(case, order, remedy, outcome.facts.currency)]
    db.send_rows(
        "cases_remedy",
        [
            {"decision_id": decision_id, "case_id": case.id, "seq": seq, "state": RemedyState.PLANNED, **row}
            for seq, row in enumerate(rows, start=1)
        ],
    )
    history.record(
        case,
        "decided",
        actor=actor.key,
        at=at,
        verdict=outcome.verdict,
        total=outcome.total.as_json(),
        policy=policy["hash"],
        decision=decision_id,
    )
    return decision_id


def _remedy_rows(case: Case, order: OrderView | None, remedy: GrantedRemedy, currency: str) -> list[dict[str, Any]]:
    """The rows of one granted remedy; a refund for the whole order is spread over the asked lines by what is left."""
    lines = {line.number: line.id for line in order.lines} if order else {}
    row = {
        "kind": remedy.kind,
        "line_id": lines.get(remedy.line or ""),
        "quantity": remedy.quantity,
        "amount_minor": remedy.minor,
        "currency": currency,
        "borne_by": remedy.borne_by,
        "due_by": remedy.due_by,
        "after": remedy.after or "",
        "rule": remedy.tried.rule.id,
    }
    if remedy.kind != "refund" or row["line_id"] is not None:
        return [row]
    asked = list(moving.units_of(case)) or list(lines.values())
    left = balances.balances(Book.VALUE, asked)
    parts = allocate(remedy.minor, [left[line_id].get(Value.LEFT, 0) for line_id in asked])
    return [
        {**row, "line_id": line_id, "amount_minor": part} for line_id, part in zip(asked, parts, strict=True) if part
    ]


def insert_decision(
    case: Case,
    *,
    facts: str,
    outcome: str,
    policy_hash: str,
    verdict: str,
    total: Money,
    actor: Actor,
    at: datetime,
    by_hand: bool = False,
    why: str = "",
) -> int:
    """The decision row in force; earlier ones are superseded, never changed."""
    nth = _next_round(case) if {"decided", "decided_by_hand"} & case.marks.keys() else 1
    if nth > 1:
        db.send("update cases_remedy set state = 'void' where case_id = %s and state = 'planned'", [case.id])
        db.send("update cases_decision set superseded = true where case_id = %s and not superseded", [case.id])
    [decision_id] = db.insert(
        "cases_decision",
        [
            {
                "case_id": case.id,
                "round": nth,
                "facts": facts,
                "outcome": outcome,
                "policy_hash": policy_hash,
                "verdict": verdict,
                "currency": total.currency,
                "total_minor": total.minor,
                "by_hand": by_hand,
                "why": why,
                "decided_by": actor.key,
                "decided_at": at,
                "approved_by": "",
                "second_by": "",
                "superseded": False,
            }
        ],
    )
    return int(decision_id)


def _next_round(case: Case) -> int:
    row = db.fetch_one("select coalesce(max(round), 0) + 1 as n from cases_decision where case_id = %s", [case.id])
    assert row is not None  # noqa: S101 - an aggregate always gives a row
    return int(row["n"])


@db.command
def decide_by_hand(
    *, ref: str, verdict: str, remedies: Sequence[HandRemedy], why: str, actor: Actor, at: datetime
) -> Case:
    """A person decides beyond the policy, with a reason; the ledger's limits hold all the same.

    Needs the right to review. Raises NotAllowed, RemedyMalformed, BudgetUnknown, CaseUnknown, MoveNotAllowed.
    """
    require(actor, May.REVIEW)
    case = history.lock_case(ref, actor)
    moving.require_open(case)
    moving.move(case, to=State.PLANNED)
    write_hand_decision(case, verdict=verdict, remedies=remedies, why=why, actor=actor, at=at)
    moving.finish(case, actor=actor, at=at)
    return case


def write_hand_decision(
    case: Case, *, verdict: str, remedies: Sequence[HandRemedy], why: str, actor: Actor, at: datetime
) -> int:
    """Store a decision made by a person beside the facts and the policy's own proposal."""
    complaining.check_decider(case, actor)
    order = orders.order_view(case.order_id) if case.order_id else None
    stated, outcome = consider(case, order)
    currency = outcome.facts.currency
    planned = [promising.plan_by_hand(item, order, currency=currency, index=i) for i, item in enumerate(remedies)]
    total = sum(row["amount_minor"] for row in planned if row["currency"] == currency)
    decision_id = insert_decision(
        case,
        facts=stated.canonical(),
        outcome=outcome.canonical(),
        policy_hash=outcome.as_json()["policy"]["hash"],
        verdict=verdict,
        total=Money(total, currency),
        actor=actor,
        at=at,
        by_hand=True,
        why=why,
    )
    rows = [
        {"decision_id": decision_id, "case_id": case.id, "seq": seq, **row} for seq, row in enumerate(planned, start=1)
    ]
    db.send_rows("cases_remedy", rows)
    history.record(
        case,
        "decided_by_hand",
        actor=actor.key,
        at=at,
        verdict=verdict,
        total=Money(total, currency).as_json(),
        decision=decision_id,
    )
    return decision_id


@dataclass(frozen=True, slots=True)
class Preview:
    """What approving now would do, found by doing it and taking it back."""

    outcome: Mapping[str, Any]
    verdict: str
    postings: tuple[StatementRow, ...]
    refused: str = ""  # code of the error that approving would meet


def preview_case(*, ref: str, actor: Actor, at: datetime) -> Preview:
    """Decide and approve for real in a rehearsal; give the decision and every posting, leave nothing behind.

    Raises what deciding would raise; what approving would refuse is told in ``refused``.
    """
    from makegood.cases.commands.approving import approve_in_transaction  # noqa: PLC0415 - they need each other

    require(actor, May.READ)
    outcome: Mapping[str, Any] = {}
    verdict, refused = "", ""
    postings: tuple[StatementRow, ...] = ()
    with db.rehearsal():
        case, order = history.lock_case_with_order(ref, actor)
        before = len(statement_of_order(case.order_id)) if case.order_id else 0
        if case.state == State.PLANNED:
            decision = db.fetch_one(
                "select outcome, verdict from cases_decision where case_id = %s and not superseded", [case.id]
            )
            assert decision is not None  # noqa: S101 - a planned case has a decision
            outcome, verdict = json.loads(decision["outcome"]), decision["verdict"]
        else:
            proposed = propose(case, order, actor=actor, at=at)
            outcome, verdict = proposed.as_json(), proposed.verdict
        if verdict in {"grant", "partly"}:
            try:
                with db.atomically():
                    approve_in_transaction(case, order, actor=actor, at=at)
            except (errors.Refused, errors.Forbidden) as refusal:
                refused = refusal.code
        if case.order_id:
            postings = tuple(statement_of_order(case.order_id)[before:])
    return Preview(outcome=outcome, verdict=verdict, postings=postings, refused=refused)
