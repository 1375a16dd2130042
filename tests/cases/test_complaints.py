"""Complaints about service: both sides are heard, another decides, the complainer sees each step, all is counted."""

from __future__ import annotations

from datetime import timedelta

import pytest

from makegood.accounts.actors import Actor
from makegood.cases import commands as cases
from makegood.cases import complaints
from makegood.cases.commands.complaining import (
    NoComplaint,
    OtherSideNotHeard,
    PartyOfComplaint,
    StatementNotAsked,
)
from makegood.cases.commands.deciding import HandRemedy
from makegood.cases.history import breaks
from makegood.cases.models import Case, Remedy
from makegood.cases.tracking import track, tracking_token
from makegood.conversations.whereabouts import whereabouts
from makegood.kit import db
from tests.desk.working import Member
from tests.shop import NOON, again, ask, bring_photo, sell

SOON = NOON + timedelta(hours=1)
# Apart from everybody who is hired here: who is complained about is told by number.
AGENT = Actor.staff(9_000_001, "An", "agent")
REVIEWER = Actor.staff(9_000_002, "Rui", "reviewer")
MANAGER = Actor.staff(9_000_003, "Mei", "manager")


def complain(reason: str = "rude") -> Case:
    return ask(sell(), "complaint", reason, statement="They laughed at me.")


def decide(case: Case, by: Actor, *, verdict: str = "grant", kind: str = "apology") -> Case:
    remedies = [HandRemedy(kind)] if verdict == "grant" else []
    return cases.decide_by_hand(
        ref=case.ref, verdict=verdict, remedies=remedies, why="We are sorry.", actor=by, at=SOON
    )


def test_the_other_side_is_asked_with_a_deadline_and_heard_before_anything_is_decided(merchant: int) -> None:
    case, accused = complain(), Member("reviewer")
    cases.ask_statement(ref=case.ref, staff_id=accused.staff.id, actor=AGENT, at=NOON)

    with pytest.raises(OtherSideNotHeard):
        decide(case, REVIEWER)
    cases.give_statement(ref=case.ref, body="I did not.", actor=accused.actor, at=NOON)
    decide(case, REVIEWER)
    cases.approve_case(ref=case.ref, actor=MANAGER, at=SOON)

    assert again(case).state == "approved"
    with db.atomically():
        [remedy] = Remedy.objects.filter(case=case)
    assert (remedy.kind, remedy.state) == ("apology", "paid")
    assert breaks([case.id]) == []


def test_silence_of_the_other_side_brings_a_manager_and_lets_the_decision_go_on(merchant: int) -> None:
    case, accused = complain(), Member()
    cases.ask_statement(ref=case.ref, staff_id=accused.staff.id, actor=AGENT, at=NOON)

    later = NOON + timedelta(days=8)
    cases.sweep_deadlines(at=later)

    assert again(case).escalated
    cases.decide_by_hand(ref=case.ref, verdict="deny", remedies=[], why="Not so.", actor=REVIEWER, at=later)


def test_the_person_complained_about_neither_decides_nor_approves_nor_asks_themselves(merchant: int) -> None:
    case, accused = complain(), Member("manager")
    with pytest.raises(PartyOfComplaint):
        cases.ask_statement(ref=case.ref, staff_id=accused.staff.id, actor=accused.actor, at=NOON)
    cases.ask_statement(ref=case.ref, staff_id=accused.staff.id, actor=AGENT, at=NOON)
    cases.give_statement(ref=case.ref, body="I did not.", actor=accused.actor, at=NOON)

    with pytest.raises(PartyOfComplaint):
        decide(case, accused.actor)
    decide(case, REVIEWER)
    with pytest.raises(PartyOfComplaint):
        cases.approve_case(ref=case.ref, actor=accused.actor, at=SOON)


def test_a_statement_is_of_whom_it_was_asked_and_of_complaints_alone(merchant: int) -> None:
    case, accused, other = complain(), Member(), Member()
    with pytest.raises(StatementNotAsked):
        cases.give_statement(ref=case.ref, body="I?", actor=accused.actor, at=NOON)
    cases.ask_statement(ref=case.ref, staff_id=accused.staff.id, actor=AGENT, at=NOON)
    with pytest.raises(StatementNotAsked):
        cases.give_statement(ref=case.ref, body="Me?", actor=other.actor, at=NOON)
    returned = ask(sell(), "return", "changed_mind")
    with pytest.raises(NoComplaint):
        cases.ask_statement(ref=returned.ref, staff_id=accused.staff.id, actor=AGENT, at=NOON)


def test_the_complainer_sees_every_step_at_any_time_and_never_the_words_of_the_other_side(merchant: int) -> None:
    case, accused = complain(), Member()
    customer = Actor.customer(case.customer_id)
    cases.ask_statement(ref=case.ref, staff_id=accused.staff.id, actor=AGENT, at=NOON)

    asked = whereabouts(case.ref, actor=customer, language="en").text
    cases.give_statement(ref=case.ref, body="That is not what I said.", actor=accused.actor, at=SOON)

    assert "The person you complained about was asked for their side." in asked
    assert [step.kind for step in track(tracking_token(case.ref)).steps] == [
        "case_filed", "statement_asked", "statement_given",
    ]  # fmt: skip
    told = whereabouts(case.ref, actor=customer, language="en").text
    assert "hear both sides" in told
    assert "not what I said" not in told


def test_a_denied_complaint_can_be_appealed_before_somebody_else(merchant: int) -> None:
    case = complain()
    decide(case, REVIEWER, verdict="deny")
    cases.deny_case(ref=case.ref, actor=AGENT, at=SOON)
    later = SOON + timedelta(hours=1)
    bring_photo(case, at=later)

    cases.file_appeal(ref=case.ref, grounds="I have witnesses.", actor=Actor.customer(case.customer_id), at=later)

    assert again(case).state == "appealed"


def test_complaints_are_counted_by_reason_person_outcome_and_time(merchant: int) -> None:
    accused = Member("reviewer")
    upheld, denied, waiting = complain("rude"), complain("slow_handling"), complain("rude")
    cases.ask_statement(ref=upheld.ref, staff_id=accused.staff.id, actor=AGENT, at=NOON)
    cases.give_statement(ref=upheld.ref, body="Yes.", actor=accused.actor, at=NOON)
    decide(upheld, REVIEWER)
    cases.approve_case(ref=upheld.ref, actor=MANAGER, at=NOON + timedelta(days=2))
    decide(denied, REVIEWER, verdict="deny")
    cases.deny_case(ref=denied.ref, actor=AGENT, at=NOON + timedelta(days=1))

    total, reasons, people = complaints.counted(since=NOON - timedelta(days=1), until=NOON + timedelta(days=1))

    assert [(one.count, one.open, one.upheld, one.denied, one.median_days) for one in total] == [(3, 1, 1, 1, 1.5)]
    assert [(one.name, one.count, one.median_days) for one in reasons] == [("rude", 2, 2.0), ("slow_handling", 1, 1.0)]
    assert {one.name: one.count for one in people} == {"": 2, f"staff:{accused.staff.id}": 1}
    assert waiting.ref
    assert "Complaints about service" in Member("manager").get("/complaints").content.decode()


def test_both_sides_are_asked_and_given_by_the_forms_of_the_case_page(merchant: int) -> None:
    case, agent, accused = complain(), Member(), Member()

    agent.post(f"/cases/{case.ref}/statement", {"do": "ask", "of": str(accused.staff.id)})
    refused = agent.post(f"/cases/{case.ref}/statement", {"do": "give", "body": "Me?"})
    accused.post(f"/cases/{case.ref}/statement", {"do": "give", "body": "I was tired."})

    assert refused.status_code == 409
    page = agent.get(f"/cases/{case.ref}").content.decode()
    assert "I was tired." in page
    assert "gave it" in page
