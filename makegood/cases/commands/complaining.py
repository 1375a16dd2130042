"""Complaints about service are verified with both sides, and not decided by the person complained about."""

from __future__ import annotations

from datetime import datetime

from makegood.accounts import queries as accounts
from makegood.accounts.actors import Actor, NotAllowed, require
from makegood.accounts.states import May
from makegood.cases import history
from makegood.cases.commands import moving
from makegood.cases.models import Case
from makegood.cases.states import UNDECIDED, Kind
from makegood.kit import db, errors


class NoComplaint(errors.Refused):
    code = "no_complaint"
    message = "Case {value} is no open complaint about service."


class PartyOfComplaint(errors.Forbidden):
    code = "party_of_complaint"
    message = "The complaint is about you: somebody else decides it."


class OtherSideNotHeard(errors.Refused):
    code = "other_side_not_heard"
    message = "The other side was asked and may still answer until {due_at}; decide after that."


class StatementNotAsked(errors.Refused):
    code = "statement_not_asked"
    message = "No statement of yours is asked for on case {value}."


@db.command
def ask_statement(*, ref: str, staff_id: int, actor: Actor, at: datetime) -> Case:
    """Ask the person complained about for their side; a deadline from here on, after which a manager takes over.

    Raises NotAllowed, CaseUnknown, NoComplaint, StaffUnknown, PartyOfComplaint.
    """
    require(actor, May.HANDLE)
    of = accounts.staff_by_id(staff_id)
    if actor.key == f"staff:{of.id}":
        raise PartyOfComplaint(actor.key, field="actor", rule="another_person")
    case = history.lock_case(ref, actor)
    _check_complaint(case)
    history.record(case, "statement_asked", actor=actor.key, at=at, of=f"staff:{of.id}")
    moving.finish(case, actor=actor, at=at)
    return case


@db.command
def give_statement(*, ref: str, body: str, actor: Actor, at: datetime) -> Case:
    """The person complained about tells their side; staff read it, the customer sees that it was given.

    Raises CaseUnknown, NoComplaint, StatementNotAsked, NotAllowed.
    """
    if actor.kind != "staff":
        raise NotAllowed(actor.kind, field="actor", rule="staff", actor=actor.kind)
    case = history.lock_case(ref, actor)
    _check_complaint(case)
    if complained_about(case) != actor.key or not body.strip():
        raise StatementNotAsked(ref, field="actor", rule="the_one_who_was_asked")
    digest = history.write_text(case, kind="side", body=body.strip()[:5000], author=actor.key, at=at, internal=True)
    history.record(case, "statement_given", actor=actor.key, at=at, text=digest)
    moving.finish(case, actor=actor, at=at)
    return case


def complained_about(case: Case) -> str:
    """The actor's key of whom a statement was asked last; empty where nobody was."""
    row = db.fetch_one(
        "select data from cases_caseevent where case_id = %s and kind = 'statement_asked' order by seq desc limit 1",
        [case.id],
    )
    return str(db.read_json(row["data"])["of"]) if row else ""


def check_decider(case: Case, actor: Actor) -> None:
    """Raises PartyOfComplaint, OtherSideNotHeard."""
    if case.kind != Kind.COMPLAINT or "statement_asked" not in case.marks:
        return
    if complained_about(case) == actor.key:
        raise PartyOfComplaint(actor.key, field="actor", rule="another_person")
    waiting = db.fetch_one(
        "select due_at from cases_deadline where case_id = %s and wait = 'staff_statement' and state = 'open'",
        [case.id],
    )
    if waiting is not None:
        raise OtherSideNotHeard(field="case", rule="both_sides_first", due_at=waiting["due_at"].isoformat())


def _check_complaint(case: Case) -> None:
    if case.kind != Kind.COMPLAINT or case.state not in UNDECIDED or case.closed_at is not None:
        raise NoComplaint(case.ref, field="case", rule="open_complaint")
