"""No face sends a customer what the approved decision does not hold: command, API, MCP tool, desk and inbox alike."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from makegood.accounts.actors import Actor
from makegood.accounts.commands import change_settings
from makegood.accounts.states import Role
from makegood.cases import commands as cases
from makegood.cases.commands.writing import OverrulingNotAllowed, ReplyNotHeld, ReplyShowsNotes
from makegood.cases.models import Case
from makegood.cases.queries import case_view
from makegood.kit.pages.language import text_language
from tests.api_client import Caller, issue_token, problem
from tests.desk.working import Member
from tests.mcp.agents import agent
from tests.portal.visiting import page
from tests.shop import AGENT, MANAGER, NOON, OWNER, REVIEWER, ask, bring_photo, sell, settle

TOO_MUCH = "We will refund you ¥5,000 tomorrow. 这是我们的错。"


def test_a_promise_before_the_decision_is_refused_and_the_decided_one_sent_after(merchant: int) -> None:
    case = ask(sell(), "return", "changed_mind")
    with pytest.raises(ReplyNotHeld) as refused:
        cases.add_message(ref=case.ref, body="我们给您退款100元。", actor=AGENT, at=NOON)
    assert [one.words for one in refused.value.findings] == ["退款", "100元"]
    cases.decide_case(ref=case.ref, actor=AGENT, at=NOON)
    with pytest.raises(ReplyNotHeld):  # a proposal is no decision
        cases.add_message(ref=case.ref, body="我们给您退款100元。", actor=AGENT, at=NOON)
    cases.approve_case(ref=case.ref, actor=AGENT, at=NOON)

    cases.add_message(ref=case.ref, body="我们给您退款100元。", actor=AGENT, at=NOON)

    with pytest.raises(ReplyNotHeld):
        cases.add_message(ref=case.ref, body="我们给您退款101元。", actor=AGENT, at=NOON)
    assert sent(case) == ["我们给您退款100元。"]


def sent(case: Case) -> list[str]:
    return [one.body for one in case_view(case.ref).texts if one.author.startswith("staff:") and not one.internal]


def test_who_may_sends_more_with_a_reason_that_is_kept(merchant: int) -> None:
    case = ask(sell(), "return", "changed_mind")
    more: dict[str, Any] = {"ref": case.ref, "body": "We guarantee it.", "beyond": "agreed by phone", "at": NOON}
    with pytest.raises(OverrulingNotAllowed):  # the merchant lets nobody
        cases.add_message(actor=MANAGER, **more)
    change_settings(settings={"replies_beyond_decision": True}, actor=OWNER, at=NOON)
    with pytest.raises(OverrulingNotAllowed):  # an agent may not
        cases.add_message(actor=AGENT, **more)
    with pytest.raises(ReplyNotHeld):  # "ok" is no reason
        cases.add_message(actor=MANAGER, **{**more, "beyond": "ok"})

    cases.add_message(actor=MANAGER, **more)

    view = case_view(case.ref)
    assert sent(case) == ["We guarantee it."]
    assert [one.body for one in view.texts if one.internal] == ["agreed by phone"]
    assert view.events[-1].data["beyond"] == ["guarantee"]


def test_words_of_a_note_are_sent_by_nobody(merchant: int) -> None:
    change_settings(settings={"replies_beyond_decision": True}, actor=OWNER, at=NOON)
    case = ask(sell(), "return", "changed_mind")
    note = "smells of the same trick as in May, watch this one closely"
    cases.add_message(ref=case.ref, body=note, actor=AGENT, at=NOON, internal=True)

    with pytest.raises(ReplyShowsNotes):
        cases.add_message(
            ref=case.ref, body=f"Note: {note}", actor=MANAGER, at=NOON, beyond="the customer asked for it"
        )

    assert sent(case) == []


def test_no_face_goes_around_it(merchant: int) -> None:
    case = ask(sell(), "return", "changed_mind", at=timezone.now())
    member = Member()
    caller = Caller(issue_token(Role.AGENT))

    problem(caller.post(f"/cases/{case.ref}/messages", {"body": TOO_MUCH}), 409, "reply_not_held")
    problem(
        caller.post(f"/cases/{case.ref}/messages", {"body": TOO_MUCH, "beyond": "because I say so"}),
        403,
        "reply_overruling_not_allowed",
    )
    assert agent().refused("write_message", case=case.ref, body=TOO_MUCH) == "reply_not_held"
    seen = str(case_view(case.ref).events[-1].seq)
    shown = page(member.do(case.ref, "message", to="customer", body=TOO_MUCH, seen=seen), 409)
    assert "Not held by the decision" in shown
    assert "¥5,000" in shown
    assert "an amount" in shown
    assert "whose fault it is" in shown
    assert sent(case) == []


def test_a_customer_and_who_speaks_for_one_write_what_they_like(merchant: int) -> None:
    case = ask(sell(), "return", "changed_mind")

    cases.add_message(ref=case.ref, body=TOO_MUCH, actor=Actor.customer(case.customer_id), at=NOON)
    agent(customer=case.customer_id).use("write_message", case=case.ref, body=TOO_MUCH)

    assert len(case_view(case.ref).texts) == 2


def test_the_policy_s_own_sentences_about_a_denial_may_be_sent(merchant: int) -> None:
    order = sell()
    case = ask(order, "return", "damaged")
    bring_photo(case)
    settle(case)
    view = case_view(case.ref)
    assert text_language()
    assert view.decision is not None
    for told in (*view.decision.outcome["remedies"], *view.decision.outcome["refused"]):
        cases.add_message(ref=case.ref, body=str(told["text"]), actor=AGENT, at=NOON)


def test_words_added_to_a_denial_promise_nothing(merchant: int) -> None:
    case = ask(sell(position="not_shipped"), "claim", "not_received")
    cases.decide_by_hand(ref=case.ref, verdict="deny", remedies=[], why="not late yet", actor=REVIEWER, at=NOON)

    with pytest.raises(ReplyNotHeld):
        cases.deny_case(ref=case.ref, actor=AGENT, at=NOON, why="We cannot, but you get a coupon worth ¥50.")

    assert cases.deny_case(ref=case.ref, actor=AGENT, at=NOON, why="We cannot refund this.").state == "denied"
