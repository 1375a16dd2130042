"""Approving and denying: the moment a proposal becomes a promise, or a refusal that can be appealed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from makegood.accounts import queries as accounts
from makegood.accounts.actors import Actor, require
from makegood.accounts.states import May
from makegood.cases import history, reallocating
from makegood.cases.commands import changing, complaining, goods, moving, promising, writing
from makegood.cases.models import Case
from makegood.cases.newer import check_newest
from makegood.cases.states import Kind, State
from makegood.kit import db, errors
from makegood.kit.money import Money
from makegood.ledger.states import Claims
from makegood.orders.queries import OrderView


class NothingToApprove(errors.Refused):
    code = "nothing_to_approve"
    message = "The decision in force is {value}; there is nothing to approve."


class AboveLimit(errors.Forbidden):
    code = "above_limit"
    message = "{value} is above what a {role} may approve."


class OwnDecision(errors.Forbidden):
    code = "own_decision"
    message = "Who decided beyond the policy cannot approve it: a second person must."


class DecisionChanged(errors.Refused):
    code = "decision_changed"
    message = "The decision was replaced meanwhile; look at it again."


@db.command
def approve_case(
    *, ref: str, actor: Actor, at: datetime, decision_id: int | None = None, seen: int | None = None
) -> Case:
    """Promise what the decision in force grants, and leave the job that pays it.

    ``decision_id`` is the decision the person saw, ``seen`` the last event. Above the two-person limit the first
    approval is only noted. Raises NotAllowed, AboveLimit, OwnDecision, DecisionChanged, NewerArrived,
    NothingToApprove, MoveNotAllowed, NotEnoughPaid, BudgetExhausted, CaseUnknown.
    """
    require(actor, May.APPROVE)  # first: who may not approve is not told which cases there are
    case, order = history.lock_case_with_order(ref, actor)
    check_newest(case.id, seen, but=actor.key)
    approve_in_transaction(case, order, actor=actor, at=at, decision_id=decision_id)
    return case


def approve_in_transaction(
    case: Case, order: OrderView | None, *, actor: Actor, at: datetime, decision_id: int | None = None
) -> None:
    """The whole of approving, for commit, for preview and for the consequence of silence alike.

    ``order`` is the case's, as it stands under the lock.
    """
    require(actor, May.APPROVE)
    found, remedies = db.fetch_each((_IN_FORCE, [case.id]), (_PLANNED, [case.id]))
    decision = _one_in_force(found)
    if decision_id is not None and decision["id"] != decision_id:
        raise DecisionChanged(decision_id, field="decision", rule="decision_in_force")
    if case.state != State.PLANNED:
        raise moving.MoveNotAllowed(case.state, field="state", rule="one_step_at_a_time", wanted=str(State.APPROVED))
    if decision["verdict"] not in {"grant", "partly"}:
        raise NothingToApprove(decision["verdict"], field="decision", rule="grant_or_partly")
    complaining.check_decider(case, actor)
    total = promising.money_total(remedies, decision["currency"])
    check_limits(actor, total, decision)
    _check_prices(case, order, decision)
    if accounts.settings_of_merchant().needs_two_people(total) and not _second(case, decision, actor=actor, at=at):
        moving.finish(case, actor=actor, at=at)
        return
    moving.move(case, to=State.APPROVED)
    db.send(
        "update cases_decision set communicated_at = %s, approved_by = case when approved_by = '' then %s"
        " else approved_by end where id = %s",
        [at, actor.key, decision["id"]],
    )
    history.record(case, "approved", actor=actor.key, at=at, decision=decision["id"], total=total.as_json())
    carry_out(case, order, remedies, actor=actor, at=at)
    moving.finish(case, actor=actor, at=at)


def _check_prices(case: Case, order: OrderView | None, decision: dict[str, Any]) -> None:
    """What a part return brings depends on what else came back meanwhile. Raises DecisionChanged."""
    if order is None or decision["by_hand"] or '"price_paid"' not in decision["facts"]:
        return
    if not reallocating.is_current(case, order, decision["facts"]):
        raise DecisionChanged(decision["id"], field="decision", rule="decided_on_the_order_as_it_is")


def carry_out(
    case: Case, order: OrderView | None, remedies: list[dict[str, Any]], *, actor: Actor, at: datetime
) -> None:
    """Put an approved decision into effect: goods, promises, units, changes of the order."""
    if order is not None:
        goods.begin_goods(case, actor=actor, at=at)
        if case.kind == Kind.CHANGE:
            changing.change_order(case, order, actor=actor, at=at)
    promising.promise(case, order, remedies, actor=actor, at=at)
    if order is not None and moving.reserves_units(case.kind, case.reason):
        promising.settle_units(case, remedies, source=Claims.ASKED, at=at)


_IN_FORCE = "select * from cases_decision where case_id = %s and not superseded"
_PLANNED = """
select r.* from cases_remedy r join cases_decision d on d.id = r.decision_id
 where r.case_id = %s and r.state = 'planned' and not d.superseded order by r.seq
"""


def decision_in_force(case: Case) -> dict[str, Any]:
    """The decision that counts. Raises NothingToApprove where there is none yet."""
    return _one_in_force(db.fetch(_IN_FORCE, [case.id]))


def _one_in_force(found: list[dict[str, Any]]) -> dict[str, Any]:
    decision = db.only(found)
    if decision is None:
        raise NothingToApprove("none", field="decision", rule="decision_in_force")
    return decision


def check_limits(actor: Actor, total: Money, decision: Mapping[str, Any]) -> None:
    """Raises AboveLimit, OwnDecision."""
    if decision["by_hand"] and decision["decided_by"] == actor.key:
        raise OwnDecision(actor.key, field="actor", rule="another_person")
    if actor.kind == "system" or not total:
        return
    if not accounts.settings_of_merchant().may_approve(actor.role, total):
        raise AboveLimit(total.amount(), field="total", rule="approval_limit", role=actor.role)


def _second(case: Case, decision: dict[str, Any], *, actor: Actor, at: datetime) -> bool:
    """Note the first of two approvals; True when this is the second, by somebody else. Raises OwnDecision."""
    if not decision["approved_by"]:
        db.send("update cases_decision set approved_by = %s where id = %s", [actor.key, decision["id"]])
        history.record(case, "approved_first", actor=actor.key, at=at, decision=decision["id"])
        return False
    if decision["approved_by"] == actor.key:
        raise OwnDecision(actor.key, field="actor", rule="second_person")
    db.send("update cases_decision set second_by = %s where id = %s", [actor.key, decision["id"]])
    return True


@db.command
def deny_case(*, ref: str, actor: Actor, at: datetime, why: str = "", seen: int | None = None) -> Case:
    """Tell the customer no, with the reason code, rule and failed condition of the decision in force.

    ``seen`` is the last event the person saw. Raises NotAllowed, MoveNotAllowed, CaseUnknown, NothingToApprove,
    NewerArrived.
    """
    require(actor, May.HANDLE)
    case = history.lock_case(ref, actor)
    check_newest(case.id, seen, but=actor.key)
    deny_in_transaction(case, actor=actor, at=at, why=why)
    return case


class NotDeniable(errors.Refused):
    code = "not_deniable"
    message = "The policy says {value}; to deny all the same, a reviewer decides by hand with a reason."


def deny_in_transaction(case: Case, *, actor: Actor, at: datetime, why: str = "") -> None:
    """The whole of denying. Only a decision that denies can be told as a denial."""
    decision = decision_in_force(case)
    if decision["verdict"] != "deny":
        raise NotDeniable(decision["verdict"], field="decision", rule="deny")
    complaining.check_decider(case, actor)
    moving.move(case, to=State.DENIED)
    db.send(
        "update cases_decision set communicated_at = %s, approved_by = %s where id = %s",
        [at, actor.key, decision["id"]],
    )
    refused = json.loads(decision["outcome"])["refused"] if not decision["by_hand"] else []
    reasons = [{"code": item["reason_code"], "rule": item["rule"]} for item in refused]
    if why:
        writing.check_words_of_decision(case.ref, why, actor=actor, at=at)
    digest = history.write_text(case, kind="message", body=why, author=actor.key, at=at) if why else ""
    history.record(
        case,
        "denied",
        actor=actor.key,
        at=at,
        decision=decision["id"],
        reasons=reasons or [{"code": "by_hand", "rule": ""}],
        message=digest,
    )
    goods.call_off_recall(case, at=at)
    moving.release_units(case, at=at)
    moving.finish(case, actor=actor, at=at)
