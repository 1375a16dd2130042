"""Appeals: new evidence, another reviewer, bounded rounds, and a verdict that never gets worse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from makegood.accounts import queries as accounts
from makegood.accounts.actors import Actor, require
from makegood.accounts.states import May
from makegood.cases import history
from makegood.cases.commands import approving, moving, promising, writing
from makegood.cases.commands.deciding import HandRemedy, write_hand_decision
from makegood.cases.models import Appeal, Case
from makegood.cases.newer import check_newest
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
    *,
    ref: str,
    outcome: str,
    why: str,
    actor: Actor,
    at: datetime,
    remedies: Sequence[HandRemedy] = (),
    seen: int | None = None,
) -> Case:
    """Decide an appeal. ``upheld`` leaves the decision; otherwise ``remedies`` come on top of what was granted.

    What was granted before is never taken back. Above the two-person limit the first reviewer's grant is only noted;
    a second carries it out by saying the same outcome, with the same remedies or none. ``seen`` is the last event
    the reviewer saw. Raises NotAllowed, SamePerson, OutcomeMalformed, AppealNotOpen, AboveLimit, OwnDecision,
    NewerArrived, and what granting remedies raises.
    """
    require(actor, May.REVIEW)
    case = history.lock_case(ref, actor)
    check_newest(case.id, seen, but=actor.key)
    appeal = Appeal.objects.filter(case=case, decided_at__isnull=True).first()
    if case.state != State.APPEALED or appeal is None:
        raise AppealNotOpen(ref, field="case", rule="no appeal is open")
    if outcome != "upheld" and not remedies and appeal.proposed.get("outcome") == outcome:
        remedies = [HandRemedy(**given) for given in appeal.proposed["remedies"]]
    if outcome not in OUTCOMES or (outcome == "upheld") != (not remedies):
        raise OutcomeMalformed(outcome, field="outcome", rule="upheld without remedies; partly or granted with them")
    _check_reviewer(case, appeal, actor)
    if outcome != "upheld" and not _two_agree(case, appeal, outcome, remedies, why=why, actor=actor, at=at):
        return case
    before = db.fetch_one("select verdict from cases_decision where id = %s", [appeal.decision_id])
    had = before["verdict"] if before else "deny"
    if outcome == "upheld":
        moving.move(case, to=State.DENIED if had == "deny" else State.APPROVED)
        db.send("update cases_decision set communicated_at = %s where id = %s", [at, appeal.decision_id])
    else:
        first = appeal.proposed.get("by", "") if appeal.proposed.get("by") != actor.key else ""
        _grant(case, outcome, remedies, why=why, first=first, actor=actor, at=at)
    Appeal.objects.filter(id=appeal.id).update(outcome=outcome, reviewer=actor.key, decided_at=at)
    if why:
        writing.check_words_of_decision(case.ref, why, actor=actor, at=at)
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


def _two_agree(
    case: Case,
    appeal: Appeal,
    outcome: str,
    remedies: Sequence[HandRemedy],
    *,
    why: str,
    actor: Actor,
    at: datetime,
) -> bool:
    """Whether the grant may be carried out now; above the limit the first of two is noted.

    Raises OwnDecision, AboveLimit.
    Another grant than the one that waits takes its place, and waits for a second person itself.
    """
    order = orders.order_view(case.order_id) if case.order_id else None
    currency = order.currency if order else accounts.merchant().currency
    planned = [promising.plan_by_hand(item, order, currency=currency, index=i) for i, item in enumerate(remedies)]
    total = promising.money_total(planned, currency)
    settings = accounts.settings_of_merchant()
    if total and not settings.may_approve(actor.role, total):
        raise approving.AboveLimit(total.amount(), field="total", rule="approval_limit", role=actor.role)
    if not settings.needs_two_people(total):
        return True
    same = {"outcome": outcome, "remedies": [asdict(item) for item in remedies]}
    waiting = {name: appeal.proposed.get(name) for name in same}
    if waiting == same and appeal.proposed["by"] == actor.key:
        raise approving.OwnDecision(actor.key, field="actor", rule="second_person")
    if waiting == same:
        return True
    Appeal.objects.filter(id=appeal.id).update(proposed={**same, "by": actor.key})
    note = history.write_text(case, kind="note", body=why, author=actor.key, at=at, internal=True) if why else ""
    history.record(
        case, "appeal_reviewed_first", actor=actor.key, at=at, outcome=outcome, total=total.as_json(), why=note
    )
    moving.finish(case, actor=actor, at=at)
    return False


def _grant(
    case: Case, outcome: str, remedies: Sequence[HandRemedy], *, why: str, first: str, actor: Actor, at: datetime
) -> None:
    """A new decision by the reviewer, in force at once; ``first`` agreed before where two people must."""
    moving.move(case, to=State.APPROVED)
    verdict = "grant" if outcome == "granted" else "partly"
    decision_id = write_hand_decision(case, verdict=verdict, remedies=remedies, why=why, actor=actor, at=at)
    planned = promising.planned_remedies(decision_id)
    order = orders.order_view(case.order_id) if case.order_id else None
    db.send(
        "update cases_decision set communicated_at = %s, approved_by = %s, second_by = %s where id = %s",
        [at, first or actor.key, actor.key if first else "", decision_id],
    )
    promising.promise(case, order, planned, actor=actor, at=at)
    if order is not None and moving.reserves_units(case.kind, case.reason):
        promising.settle_units(case, planned, source=Claims.OPEN, at=at)
