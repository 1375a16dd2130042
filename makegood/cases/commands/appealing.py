"""Appeals: new evidence, another reviewer, bounded rounds, and a verdict that never gets worse."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from makegood.accounts import queries as accounts
from makegood.accounts.actors import Actor, require
from makegood.accounts.states import May
from makegood.cases import history
from makegood.cases.commands import approving, moving, promising
from makegood.cases.commands.deciding import HandRemedy, write_hand_decision
from makegood.cases.models import Appeal, Case
from makegood.cases.states import State
from makegood.kit import db, errors
from makegood.ledger.states import Claims
from makegood.orders import queries as orders

OUTCOMES = ("upheld", "partly", "granted")


class AppealNotOpen(errors.Refused):
    code = "appeal_not_open"
    message = "This decision can no longer be appealed: {rule}."


class NewEvidenceNeeded(errors.Refused):
    code = "new_evidence_needed"
    message = "An appeal needs something new: add evidence, then appeal."


class SamePerson(errors.Forbidden):
    code = "reviewer_decided"
    message = "Who took part in the decision cannot review it."


class OutcomeMalformed(errors.Malformed):
    code = "appeal_outcome_malformed"
    message = "{field}: {value} is not an outcome of an appeal ({rule})."


@db.command
def file_appeal(*, ref: str, grounds: str, actor: Actor, at: datetime) -> Case:
    """Challenge the decision in force, within its window, with evidence brought since it was told.

    Raises CaseUnknown, AppealNotOpen, NewEvidenceNeeded.
    """
    case = history.lock_case(ref, actor)
    if case.state == State.APPEALED:
        raise AppealNotOpen(ref, field="case", rule="an appeal is open")
    if not moving.appeal_is_open(case) or _window_is_over(case, at):
        raise AppealNotOpen(ref, field="case", rule="window_and_rounds")
    decision = approving.decision_in_force(case)
    new = db.fetch_one(
        "select count(*) as n from cases_evidence where case_id = %s and party = 'customer' and brought_at > %s",
        [case.id, decision["communicated_at"]],
    )
    if not new or not new["n"]:
        raise NewEvidenceNeeded(ref, field="evidence", rule="brought_since_the_decision")
    moving.move(case, to=State.APPEALED)
    case.closed_at = None
    rounds = Appeal.objects.filter(case=case).count()
    Appeal.objects.create(case=case, round=rounds + 1, decision_id=decision["id"], filed_by=actor.key, filed_at=at)
    digest = history.write_text(case, kind="grounds", body=grounds, author=actor.key, at=at) if grounds else ""
    history.record(case, "appeal_filed", actor=actor.key, at=at, decision=decision["id"], grounds=digest)
    moving.finish(case, actor=actor, at=at)
    return case


def _window_is_over(case: Case, at: datetime) -> bool:
    """By the due time itself, however late the sweep that closes the case may be."""
    window = db.fetch_one(
        "select due_at from cases_deadline where case_id = %s and wait = 'appeal_window' and state = 'open'", [case.id]
    )
    return window is not None and window["due_at"] <= at


@db.command
def review_appeal(
    *, ref: str, outcome: str, why: str, actor: Actor, at: datetime, remedies: Sequence[HandRemedy] = ()
) -> Case:
    """Decide an appeal. ``upheld`` leaves the decision; otherwise ``remedies`` come on top of what was granted.

    What was granted before is never taken back. Raises NotAllowed, SamePerson, OutcomeMalformed, AppealNotOpen,
    AboveLimit, and what granting remedies raises.
    """
    require(actor, May.REVIEW)
    case = history.lock_case(ref, actor)
    appeal = Appeal.objects.filter(case=case, decided_at__isnull=True).first()
    if case.state != State.APPEALED or appeal is None:
        raise AppealNotOpen(ref, field="case", rule="no appeal is open")
    if outcome not in OUTCOMES or (outcome == "upheld") != (not remedies):
        raise OutcomeMalformed(outcome, field="outcome", rule="upheld without remedies; partly or granted with them")
    _check_reviewer(case, appeal, actor)
    before = db.fetch_one("select verdict from cases_decision where id = %s", [appeal.decision_id])
    had = before["verdict"] if before else "deny"
    if outcome == "upheld":
        moving.move(case, to=State.DENIED if had == "deny" else State.APPROVED)
        db.send("update cases_decision set communicated_at = %s where id = %s", [at, appeal.decision_id])
    else:
        _grant(case, outcome, remedies, why=why, actor=actor, at=at)
    Appeal.objects.filter(id=appeal.id).update(outcome=outcome, reviewer=actor.key, decided_at=at)
    digest = history.write_text(case, kind="message", body=why, author=actor.key, at=at) if why else ""
    history.record(case, "appeal_decided", actor=actor.key, at=at, outcome=outcome, why=digest, round=appeal.round)
    moving.finish(case, actor=actor, at=at)
    return case


def _check_reviewer(case: Case, appeal: Appeal, actor: Actor) -> None:
    """Whoever decided or approved any earlier round, or filed the appeal, is out. Raises SamePerson."""
    took_part = {appeal.filed_by}
    for row in db.fetch("select decided_by, approved_by, second_by from cases_decision where case_id = %s", [case.id]):
        took_part |= {row["decided_by"], row["approved_by"], row["second_by"]}
    earlier = db.fetch("select reviewer from cases_appeal where case_id = %s", [case.id])
    took_part |= {row["reviewer"] for row in earlier}
    if actor.key in took_part:
        raise SamePerson(actor.key, field="actor", rule="reviewer_is_not_decider")


def _grant(case: Case, outcome: str, remedies: Sequence[HandRemedy], *, why: str, actor: Actor, at: datetime) -> None:
    """A new decision by the reviewer, in force at once; limits of the reviewer hold."""
    moving.move(case, to=State.APPROVED)
    verdict = "grant" if outcome == "granted" else "partly"
    decision_id = write_hand_decision(case, verdict=verdict, remedies=remedies, why=why, actor=actor, at=at)
    planned = promising.planned_remedies(decision_id)
    currency = accounts.merchant().currency
    order = orders.order_view(case.order_id) if case.order_id else None
    total = promising.money_total(planned, order.currency if order else currency)
    if total and not accounts.settings_of_merchant().may_approve(actor.role, total):
        raise approving.AboveLimit(total.amount(), field="total", rule="approval_limit", role=actor.role)
    db.send(
        "update cases_decision set communicated_at = %s, approved_by = %s where id = %s", [at, actor.key, decision_id]
    )
    promising.promise(case, order, planned, actor=actor, at=at)
    if order is not None and moving.reserves_units(case.kind, case.reason):
        promising.settle_units(case, planned, source=Claims.OPEN, at=at)
