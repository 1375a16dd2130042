"""Replies that are proposed: composed from the case, in its language, and never refused by the check of replies."""

from __future__ import annotations

import html

import pytest
from django.utils import timezone

from makegood.accounts.actors import Actor
from makegood.accounts.states import Role
from makegood.cases import commands as cases
from makegood.cases import holding
from makegood.cases.models import Case
from makegood.cases.queries import case_view
from makegood.cases.saying.checking import check
from makegood.conversations.suggesting.composing import Suggestion, suggest
from makegood.conversations.suggesting.slots import plain_name
from tests.api_client import Caller, issue_token, problem
from tests.desk.working import Member
from tests.portal.visiting import page
from tests.shop import AGENT, NOON, REVIEWER, ask, bring_photo, sell, settle

pytestmark = pytest.mark.usefixtures("merchant")


def proposed(case: Case) -> Suggestion:
    """What is proposed; it passes the check, and no sentence had to be left out."""
    view = case_view(case.ref)
    found = suggest(view, at=NOON)
    assert check(found.body, holding.held_by(view, at=NOON)) == ()
    assert found.left_out == ()
    return found


def test_before_the_decision_it_says_who_acts_by_when_and_promises_nothing() -> None:
    case = ask(sell(), "return", "changed_mind")

    found = proposed(case)

    assert list(dict.fromkeys(one.part for one in found.sentences)) == [
        "greeting", "acknowledgement", "facts", "next", "options", "tip", "close",
    ]  # fmt: skip
    assert case.ref in found.body
    assert "decision" not in {one.part for one in found.sentences}


@pytest.mark.parametrize(
    ("words", "language"), [("灯坏了，我要退货", "zh-hans"), ("The lamp is broken, I want to return it", "en")]
)
def test_it_speaks_as_the_customer_wrote(words: str, language: str) -> None:
    case = ask(sell(), "return", "changed_mind")
    cases.add_message(ref=case.ref, body=words, actor=Actor.customer(case.customer_id), at=NOON)
    settle(case)

    found = proposed(case)

    assert found.language == language
    amounts = [slot for one in found.sentences for slot in one.slots if slot.kind == "money"]
    assert [str(one.source) for one in amounts] == ["decision.remedies[1].amount"]
    assert ("您好：" in found.body) == (language == "zh-hans")
    assert cases.add_message(ref=case.ref, body=found.body, actor=AGENT, at=NOON).ref == case.ref


def test_a_denial_gives_its_reasons_and_how_to_appeal() -> None:
    case = ask(sell(position="not_shipped"), "claim", "not_received")
    cases.decide_by_hand(ref=case.ref, verdict="deny", remedies=[], why="not late yet", actor=REVIEWER, at=NOON)
    cases.deny_case(ref=case.ref, actor=AGENT, at=NOON)

    found = proposed(case)

    assert "not late yet" in found.body
    assert any(slot.source.startswith("deadlines[") for one in found.sentences for slot in one.slots)


@pytest.mark.parametrize(
    "kind",
    ["return/damaged", "exchange/defective", "claim/not_received", "complaint/rude", "cancellation/changed_mind"],
)
@pytest.mark.parametrize(
    "words", ["", "请赔我五千元，否则投诉", "I was promised a full refund of $500 and a free gift"]
)
def test_whatever_is_asked_and_demanded_it_passes_at_every_step(kind: str, words: str) -> None:
    name, reason = kind.split("/")
    case = ask(sell(position="not_shipped" if name == "cancellation" else "with_customer"), name, reason)
    if words:
        cases.add_message(ref=case.ref, body=words, actor=Actor.customer(case.customer_id), at=NOON)
    proposed(case)
    bring_photo(case)
    proposed(case)
    if name in {"return", "cancellation"}:
        settle(case)
        proposed(case)


def test_a_name_that_is_a_text_is_not_repeated() -> None:
    assert plain_name("王小明") == "王小明"
    assert plain_name("Anna-Maria O’Neil") == "Anna-Maria O’Neil"
    for text in ("we owe you $500", "退款500元", "x" * 41, "<b>", "visit evil.example/now"):
        assert plain_name(text) == "", text
    assert timezone.is_aware(NOON)


def test_one_click_puts_it_into_the_reply_box_in_both_languages_and_it_goes_out() -> None:
    for language, words in (("en", "Use the proposed reply"), ("zh-CN", "采用建议的回复")):
        case = ask(sell(at=timezone.now()), "return", "changed_mind", at=timezone.now())
        member = Member(language=language)
        shown = page(member.get(f"/cases/{case.ref}"))
        assert words in shown
        assert 'name="proposed"' in shown
        assert case.ref not in _box(shown)

        filled = _box(page(member.get(f"/cases/{case.ref}?proposed=1")))

        assert case.ref in filled
        member.do(
            case.ref, "message", to="customer", body=html.unescape(filled), seen=str(case_view(case.ref).events[-1].seq)
        )


def _box(shown: str) -> str:
    return shown.split('<textarea id="reply"', 1)[1].split(">", 1)[1].split("</textarea>", 1)[0]


def test_over_http_each_slot_says_where_it_comes_from_and_only_staff_may_ask() -> None:
    case = ask(sell(), "return", "changed_mind")
    answer = Caller(issue_token(Role.AGENT)).get(f"/cases/{case.ref}/suggested-reply")

    assert answer.status_code == 200
    found = answer.json()
    assert case.ref in found["body"]
    assert all(slot["words"] in sentence["text"] for sentence in found["sentences"] for slot in sentence["slots"])
    problem(Caller(issue_token(Role.AGENT)).get("/cases/C-2222/suggested-reply"), 404, "case_unknown")
