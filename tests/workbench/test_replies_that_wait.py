"""A reply waits, can be taken back, is sent exactly once, and is stopped by what arrives meanwhile."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from makegood.accounts import commands as accounts
from makegood.cases import commands as cases
from makegood.cases.erasure import erase_customer
from makegood.cases.newer import NewerArrived
from makegood.cases.queries import case_view
from makegood.kit import db, jobs, tenancy
from makegood.kit.worker.sweeping import sweep_round
from makegood.workbench import commands, queries
from makegood.workbench.commands.outgoing import AlreadyGone
from makegood.workbench.jobs import forget_replies as forget
from makegood.workbench.jobs import send_due
from makegood.workbench.models import Outgoing
from makegood.workbench.states import OutgoingState
from tests.desk.working import Member
from tests.portal.visiting import page
from tests.shop import OWNER, Bought, ask, sell

pytestmark = pytest.mark.usefixtures("merchant")


def case_of_today() -> Any:
    at = timezone.now()
    return ask(sell(Bought(2, 20_000), at=at), "return", "changed_mind", at=at)


def left(member: Member, ref: str, body: str = "We look at it.") -> Any:
    return commands.leave_reply(ref=ref, body=body, seen=None, actor=member.actor, at=timezone.now())


def test_a_reply_goes_out_after_its_seconds_and_not_before() -> None:
    case, member = case_of_today(), Member()
    reply = left(member, case.ref)

    assert send_due(timezone.now()) == 0
    assert case_view(case.ref).texts == ()
    assert send_due(reply.due_at) == 1
    assert [(text.body, text.author) for text in case_view(case.ref).texts] == [("We look at it.", member.actor.key)]
    assert send_due(reply.due_at) == 0
    with pytest.raises(AlreadyGone):
        commands.take_back(outgoing_id=reply.id, actor=member.actor)


def test_what_is_taken_back_is_never_sent_and_only_its_writer_can() -> None:
    case, member = case_of_today(), Member()
    reply = left(member, case.ref)

    with pytest.raises(AlreadyGone):
        commands.take_back(outgoing_id=reply.id, actor=Member().actor)
    assert commands.take_back(outgoing_id=reply.id, actor=member.actor) == (case.id, "We look at it.")
    assert send_due(reply.due_at + timedelta(hours=1)) == 0
    assert case_view(case.ref).texts == ()


def test_several_workers_at_once_send_it_once_also_long_after_a_restart(merchant: int) -> None:
    case, member = case_of_today(), Member()
    reply = left(member, case.ref)
    gate = threading.Barrier(4)

    def sweep() -> None:
        with tenancy.acting_for(merchant):
            gate.wait()
            commands.send_reply(outgoing_id=reply.id, at=reply.due_at + timedelta(days=2))
        connections.close_all()

    workers = [threading.Thread(target=sweep) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert len(case_view(case.ref).texts) == 1


def test_the_workers_sweep_finds_it_on_its_own() -> None:
    accounts.change_settings(settings={"undo_seconds": 1}, actor=OWNER, at=timezone.now())
    case, member = case_of_today(), Member()
    commands.leave_reply(ref=case.ref, body="Hello", seen=None, actor=member.actor, at=timezone.now() - timedelta(5))
    [sweep] = [one for one in jobs.sweeps() if one.name == "workbench.send_due"]

    with tenancy.acting_for_nobody():
        sweep_round(sweep)

    assert [text.body for text in case_view(case.ref).texts] == ["Hello"]


def test_without_seconds_of_grace_it_is_sent_at_once() -> None:
    accounts.change_settings(settings={"undo_seconds": 0}, actor=OWNER, at=timezone.now())
    case = case_of_today()

    assert left(Member(), case.ref) is None
    assert len(case_view(case.ref).texts) == 1


def test_what_the_customer_writes_meanwhile_stops_it() -> None:
    case, member = case_of_today(), Member()
    reply = left(member, case.ref)
    customer = cases.add_message
    from makegood.accounts.actors import Actor  # noqa: PLC0415 - only here

    customer(ref=case.ref, body="Never mind!", actor=Actor.customer(case.customer_id), at=timezone.now())

    send_due(reply.due_at)
    assert [text.body for text in case_view(case.ref).texts] == ["Never mind!"]
    [stopped] = queries.waiting_of(member.staff.id)
    assert (stopped.state, stopped.body) == ("stopped", "We look at it.")
    assert commands.take_back(outgoing_id=reply.id, actor=member.actor)[1] == "We look at it."


def test_a_reply_over_something_unseen_is_refused_but_ones_own_note_and_an_assignment_are_not_news() -> None:
    case, member, other = case_of_today(), Member(), Member()
    seen = case_view(case.ref).events[-1].seq
    cases.add_message(ref=case.ref, body="a note", internal=True, actor=member.actor, at=timezone.now())
    cases.assign_case(ref=case.ref, staff_id=other.staff.id, actor=other.actor, at=timezone.now())
    said = {"ref": case.ref, "body": "Hello", "actor": member.actor}

    assert commands.leave_reply(**said, seen=seen, at=timezone.now()) is not None
    cases.add_message(ref=case.ref, body="theirs", actor=other.actor, at=timezone.now())
    with pytest.raises(NewerArrived):
        commands.leave_reply(**said, seen=seen, at=timezone.now())


def test_through_the_page_it_is_undone_and_the_words_are_in_the_box_again() -> None:
    case, member = case_of_today(), Member()
    member.do(case.ref, "message", to="customer", body="Wrong words")
    shown = page(member.get(f"/cases/{case.ref}"))
    [waiting] = queries.waiting_of(member.staff.id)

    assert "your reply goes out in" in shown
    assert member.post(f"/outgoing/{waiting.id}/take-back", {"ref": case.ref}).status_code == 302
    again = page(member.get(f"/cases/{case.ref}"))
    assert "Taken back" in again
    assert ">Wrong words</textarea>" in again
    assert "Wrong words" not in page(member.get(f"/cases/{case.ref}"))
    member.post(f"/outgoing/{waiting.id}/take-back", {"ref": case.ref})
    assert "Too late" in page(member.get(f"/cases/{case.ref}"))


def test_replies_to_a_person_who_is_forgotten_are_dropped_with_their_words_and_never_sent() -> None:
    case, other, member = case_of_today(), case_of_today(), Member()
    waiting, elsewhere = left(member, case.ref, "Dear Zhu, we look at it."), left(member, other.ref)
    stopped = left(member, case.ref, "Dear Zhu, once more.")
    with db.atomically():
        Outgoing.objects.filter(id=stopped.id).update(state=OutgoingState.STOPPED)

    erase_customer(customer_id=case.customer_id, at=timezone.now())
    with db.atomically():
        left_jobs = db.fetch(
            "select args from procrastinate_jobs where task_name = 'workbench.forget_replies'"
            " and args ->> 'customer_id' = %s",
            [str(case.customer_id)],
        )
    assert len(left_jobs) == 1
    forget(customer_id=case.customer_id)
    forget(customer_id=case.customer_id)  # a job may be done twice

    with db.atomically():
        told = {one.id: (one.state, one.body) for one in Outgoing.objects.filter(staff_id=member.staff.id)}
    assert told[waiting.id] == told[stopped.id] == (OutgoingState.UNDONE, "")
    assert told[elsewhere.id] == (OutgoingState.WAITING, "We look at it.")
    assert send_due(elsewhere.due_at) == 1  # the one to somebody else
    assert case_view(case.ref).texts == ()
