"""Working a case through its page, from the queue to the end."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from makegood.cases import commands
from makegood.cases.models import Case
from makegood.cases.queries import case_view
from makegood.kit import db
from tests.desk.working import Member
from tests.portal.test_ask import photo
from tests.portal.visiting import page
from tests.shop import AGENT, Bought, ask, sell, settle

pytestmark = pytest.mark.usefixtures("merchant")


@pytest.fixture(autouse=True)
def _uploads(tmp_path: Any, settings: Any) -> None:
    settings.UPLOADS_DIR = tmp_path


def asked(*, reason: str = "changed_mind", **extra: Any) -> Case:
    at = timezone.now()
    return ask(sell(Bought(2, 20_000), at=at), "return", reason, ("1", 1), at=at, **extra)


def state(case: Case) -> tuple[str, str, str]:
    found = case_view(case.ref)
    return found.state, found.goods_state, found.money_state


def test_the_queue_shows_the_case_and_leads_to_it() -> None:
    case = asked()
    member = Member()

    assert case.ref in page(member.get("/"))
    assert member.get(f"/?q={case.ref.lower()}").headers["Location"].endswith(f"/cases/{case.ref}")
    assert case.ref in page(member.get("/?waiting_on=merchant&kind=return"))
    assert case.ref not in page(member.get("/?kind=claim"))
    assert case.ref in page(member.get("/?q=c" + case_view(case.ref).order_number + "@example.com"))
    assert "Nothing here." in page(member.get("/?q=nothing-like-it"))
    page(member.get("/?after=rubbish"), 422)


def test_a_simple_case_is_decided_and_approved_in_one_form_with_its_total_typed() -> None:
    case = asked()
    member = Member()
    shown = page(member.get(f"/cases/{case.ref}"))
    assert "Decide and approve" in shown

    assert "You typed 99.00" in page(member.do(case.ref, "decide-and-approve", total="99.00"), 422)
    assert state(case)[0] == "received"
    assert member.do(case.ref, "decide-and-approve", total="100.00").status_code == 302
    assert state(case) == ("approved", "authorised", "held")


def test_a_proposal_shows_every_posting_and_is_approved() -> None:
    case = asked()
    member = Member()
    member.do(case.ref, "decide")

    shown = page(member.get(f"/cases/{case.ref}"))
    assert "Every posting this makes" in shown
    assert "refund_promised" in page(member.get(f"/cases/{case.ref}/preview"))
    member.do(case.ref, "approve", total="100.00", decision=str(case_view(case.ref).decisions[-1].id))
    assert state(case)[0] == "approved"


def test_a_decision_replaced_meanwhile_and_a_newer_word_stop_the_approval() -> None:
    case = asked()
    member = Member()
    member.do(case.ref, "decide")
    seen = str(case_view(case.ref).events[-1].seq)
    commands.add_message(ref=case.ref, body="wait!", actor=AGENT, at=timezone.now())

    assert "Something arrived" in page(member.do(case.ref, "approve", total="100.00", seen=seen), 409)
    assert "replaced meanwhile" in page(member.do(case.ref, "approve", total="100.00", decision="1"), 409)
    assert "Something arrived" in page(
        member.do(case.ref, "message", to="customer", body="typed words", seen=seen), 409
    )
    assert state(case)[0] == "planned"


def test_above_the_limit_the_page_says_so_before_and_refuses_after() -> None:
    at = timezone.now()
    case = ask(sell(Bought(1, 900_000), at=at), "return", "changed_mind", at=at)
    member = Member("agent")
    member.do(case.ref, "decide")

    assert "a manager must" in page(member.get(f"/cases/{case.ref}"))
    assert "above what a agent may approve" in page(member.do(case.ref, "approve", total="9000.00"), 403)
    assert Member("manager").do(case.ref, "approve", total="9000.00").status_code == 302


def test_goods_are_received_and_inspected() -> None:
    case = asked()
    settle(case, at=timezone.now())
    member = Member()

    assert "The goods have arrived" in page(member.get(f"/cases/{case.ref}"))
    member.do(case.ref, "receive")
    line = case_view(case.ref).lines[0].line
    member.do(case.ref, "inspect", **{f"accepted-{line}": "1", f"rejected-{line}": "0", f"resellable-{line}": "1"})
    assert state(case) == ("approved", "accepted", "promised")


def test_a_finding_changes_what_is_proposed_and_a_note_stays_inside() -> None:
    case = asked(reason="defective")
    member = Member()

    assert "Needed before it can decide" in page(member.get(f"/cases/{case.ref}"))
    page(member.do(case.ref, "find", finding="findings.fault=seller"), 422)
    member.do(case.ref, "find", finding="findings.fault=seller", how="looked at the film")
    assert member.post(f"/cases/{case.ref}/do/bring", {"kind": "photo", "files": [photo()]}).status_code == 302
    member.do(case.ref, "message", to="staff", body="be kind")

    shown = page(member.get(f"/cases/{case.ref}"))
    for word in ("looked at the film", "be kind", "internal note", "broken lamp.png", "Decide and approve"):
        assert word in shown
    assert [text.internal for text in case_view(case.ref).texts] == [True]


def test_an_appeal_is_decided_by_somebody_else_only() -> None:
    at = timezone.now()
    order = sell(at=at.replace(year=at.year - 1))
    case = ask(order, "return", "changed_mind", at=at)
    decider, reviewer = Member("reviewer"), Member("reviewer")
    decider.do(case.ref, "decide")
    decider.do(case.ref, "deny", why="Too late, sorry.")
    with db.atomically():
        customer = Case.objects.get(ref=case.ref).customer_id
    stored = {"kind": "photo", "files": [photo()]}
    from tests.portal.visiting import Visitor  # noqa: PLC0415 - one test needs a visitor

    visitor = Visitor()
    visitor.prove(order)
    visitor.post(f"/cases/{case.ref}/do/appeal", {"body": "new photo", **stored})
    assert customer

    assert "A reviewer who took no part" in page(decider.get(f"/cases/{case.ref}"))
    page(decider.do(case.ref, "review", outcome="upheld", why="still no"), 403)
    rows = {"kind-0": "refund", "line-0": "1", "amount-0": "100.00", "quantity-0": "1"}
    assert reviewer.do(case.ref, "review", outcome="granted", why="You are right.", **rows).status_code == 302
    assert state(case)[0] == "approved"
    assert "You are right." in page(visitor.get(f"/cases/{case.ref}"))


def test_the_history_is_shown_with_its_chain() -> None:
    case = asked()
    shown = page(Member().get(f"/cases/{case.ref}/history"))

    assert case_view(case.ref).events[0].hash[:16] in shown
    assert "chained to the one before" in shown


def test_agents_neither_decide_by_hand_nor_open_budgets_nor_confirm_payouts() -> None:
    case = asked()
    member = Member("agent")

    assert "Decide by hand" not in page(member.get(f"/cases/{case.ref}"))
    page(member.do(case.ref, "by-hand", verdict="grant", why="please"), 403)
    budget = {"do": "open", "name": "g", "purpose": "goodwill", "asset": "CNY", "amount": "10.00"}
    page(member.post("/budgets", budget), 403)
    page(member.post("/payouts", {"payout": "P-2", "reference": "x"}), 403)


def test_a_manager_opens_a_budget_and_adds_to_it() -> None:
    member = Member("manager")
    budget = {"do": "open", "name": "Kindness", "purpose": "goodwill", "asset": "CNY", "amount": "500.00"}
    assert member.post("/budgets", budget).status_code == 302
    page(member.post("/budgets", budget), 409)
    member.post("/budgets", {"do": "top_up", "name": "Kindness", "amount": "20.5", "request_key": "1"})

    assert "520.50" in page(member.get("/budgets"))


def test_a_request_that_came_by_phone_is_filed_from_the_order() -> None:
    order = sell(Bought(2, 20_000))
    member = Member()
    assert order.number in page(member.get(f"/orders?q={order.number}"))
    form = {
        "reason": "return/defective",
        "units-1": "1",
        "statement": "It hums",
        "channel": "phone",
        "request_key": "k",
    }

    page(member.post(f"/orders/{order.number}", {**form, "units-1": "x"}), 422)
    sent = member.post(f"/orders/{order.number}", form)

    assert "It hums" in page(member.client.get(sent.headers["Location"]))


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_every_page_of_the_desk_opens_in_both_languages(language: str) -> None:
    case = settle(asked(), at=timezone.now())
    member = Member("owner", language=language)
    order = case_view(case.ref).order_number
    for path in (
        "/", "/?all=1", "/orders", f"/orders/{order}", f"/cases/{case.ref}", f"/cases/{case.ref}/history",
        "/payouts", "/budgets", "/outbox",
    ):  # fmt: skip
        shown = page(member.get(path))
        assert ('<html lang="zh-Hans">' in shown) == (language == "zh-CN")
