"""Each change of a case is one mail to its customer, over real SMTP, in their language, with reasons and a link."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client

from makegood.cases import commands as cases
from makegood.conversations import papers
from makegood.conversations.commands import remind_customers
from makegood.customers.commands import mark_undeliverable
from makegood.kit import db, tenancy
from tests.conversations.mails import sent
from tests.conversations.servers import Sink, words_of
from tests.conversations.test_sending import connect, send_all
from tests.shop import AGENT, NOON, Bought, ask, bring_photo, sell, settle

pytestmark = pytest.mark.usefixtures("merchant")


@pytest.mark.parametrize(
    ("language", "received", "decided", "why"),
    [
        ("zh-Hans", "已收到申请", "您将得到", "轮到您处理，最晚"),
        ("en", "Request received", "You get", "Your turn, until"),
    ],
)
def test_received_and_decided_are_told_once_each_with_reasons_and_what_is_next(
    smtp: Sink, language: str, received: str, decided: str, why: str
) -> None:
    connect(smtp)
    case = ask(sell(Bought(paid=16_900)), "return", "changed_mind", channel="portal", language=language)
    send_all()
    settle(case)
    send_all()
    send_all()

    first, second = smtp.read()
    assert received in words_of(first)
    assert received in str(first["Subject"])
    for words in (decided, why, case.ref, "169.00"):
        assert words in words_of(second)
    for mail in (first, second):
        assert re.search(r"http://\S+/track/\S+", words_of(mail))
        html = mail.get_body(("html",))
        assert html is not None
        assert f'<html lang="{language}">' in html.get_content()
        assert mail["List-Unsubscribe"] is None
        assert mail["Auto-Submitted"] == "auto-generated"


def test_a_refusal_says_why_and_what_would_change_it(smtp: Sink) -> None:
    connect(smtp)
    case = ask(sell(at=NOON - timedelta(days=60)), "return", "changed_mind", channel="portal", language="zh-Hans")
    cases.decide_case(ref=case.ref, actor=AGENT, at=NOON)
    cases.deny_case(ref=case.ref, actor=AGENT, at=NOON)
    send_all()

    *_, mail = smtp.read()
    for words in ("未同意的部分及原因", "怎样可以改变", "申诉"):
        assert words in words_of(mail)


def test_what_is_needed_is_named(smtp: Sink) -> None:
    connect(smtp)
    case = ask(sell(), "return", "defective", channel="portal", language="en")
    cases.decide_case(ref=case.ref, actor=AGENT, at=NOON)
    send_all()

    *_, mail = smtp.read()
    assert "To decide we need:\n\n- photo" in words_of(mail)


def test_what_happens_at_one_moment_is_one_mail(smtp: Sink) -> None:
    connect(smtp)
    case = ask(sell(), "return", "changed_mind", channel="portal", language="en")
    send_all()
    cases.withdraw_case(ref=case.ref, actor=AGENT, at=NOON + timedelta(hours=1))
    send_all()

    first, last = smtp.read()
    assert "Request received" in words_of(first)
    assert "How did we do?" in words_of(last)


def test_nothing_goes_to_an_address_that_takes_no_mail(smtp: Sink) -> None:
    connect(smtp)
    order = sell()
    with db.atomically():
        mark_undeliverable(kind="email", value=order.customer.contacts[0][1], why="gone", at=NOON)
    ask(order, "return", "changed_mind", channel="portal")
    send_all()

    assert smtp.mails == []


def test_a_near_deadline_is_told_once_and_can_be_declined(smtp: Sink, merchant: int) -> None:
    connect(smtp)
    case = ask(sell(), "return", "defective", channel="portal", language="en")
    cases.decide_case(ref=case.ref, actor=AGENT, at=NOON)
    send_all()
    with db.atomically():
        [row] = db.fetch("select due_at from cases_deadline where wait = 'customer_evidence' and state = 'open'", [])
    near = row["due_at"] - timedelta(hours=30)

    assert remind_customers(at=NOON + timedelta(hours=1)) == 0
    assert [remind_customers(at=near), remind_customers(at=near)] == [1, 0]
    send_all()
    *_, mail = smtp.read()
    assert "It is your turn" in str(mail["Subject"])
    link = str(mail["List-Unsubscribe"]).strip("<>")
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"

    path = "/" + link.split("/", 3)[3]
    strict = Client(enforce_csrf_checks=True)
    assert strict.get(path).status_code == 200
    assert strict.get(path + "x").status_code == 404
    assert strict.post(path, {"List-Unsubscribe": "One-Click"}).status_code == 200
    with tenancy.acting_for(merchant):
        other = ask(sell(customer=case_person(case.customer_id)), "return", "defective", channel="portal")
        cases.decide_case(ref=other.ref, actor=AGENT, at=NOON)
        assert remind_customers(at=near) == 0
        bring_photo(other)
        settle(other)
        send_all()
    assert "Approved" in str(smtp.read()[-1]["Subject"])  # what concerns rights is told all the same


@db.query
def case_person(customer_id: int) -> str:
    row = db.fetch_one("select reference from customers_customer where id = %s", [customer_id])
    assert row is not None
    return str(row["reference"])


def test_notices_are_not_held_back_as_machines_talking(smtp: Sink) -> None:
    connect(smtp)
    person = "c-many"
    for _ in range(7):
        ask(sell(customer=person), "return", "changed_mind", channel="portal")
    send_all()
    assert {one.state for one in sent()} == {"sent"}


def test_html_says_the_same_words_and_nothing_of_it_is_markup() -> None:
    html = papers.as_html("Hi <b>\n\nNeeded:\n- one\n- two & three\n\nhttps://x.example/a?b=1&c=2.", language="en")
    assert "<p>Hi &lt;b&gt;</p>" in html
    assert "<ul><li>one</li><li>two &amp; three</li></ul>" in html
    assert '<a href="https://x.example/a?b=1&amp;c=2"' in html
    assert html.count("<a ") == 1
