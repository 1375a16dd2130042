"""The estimator: answers anybody, stores nothing, tells what is wrong with a field, in both languages."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from unittest import mock
from urllib.parse import urlencode

import pytest
from django.test import Client

from makegood.accounts.limits import Limit
from makegood.policy.quote import quote
from makegood.portal import estimate_views
from makegood.portal.questions import QUESTIONS, Question
from tests.portal.visiting import Visitor, page

pytestmark = pytest.mark.usefixtures("database")

BASE = {
    "market": "US", "platform": "own-store", "what": "refusal.changed_mind", "ships": "seller", "parcel": "returning",
    "paid": "100", "shipping": "5.99", "ordered": "2026-11-01", "asked": "2026-11-20", "promise": "1",
}  # fmt: skip


def ask(path: str = "/estimate", language: str = "en", **fields: str) -> Any:
    address = path + ("?" + urlencode(fields) if fields else "")
    return Client(headers={"Accept-Language": language}).get(address)


def shown(text: str) -> str:
    """The sum at the top of the answer."""
    found = re.search(r'<p class="amount">(.*?)</p>', text)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("language", ["en", "zh-CN"])
@pytest.mark.parametrize("question", QUESTIONS, ids=lambda one: one.slug)
def test_every_named_question_is_answered_by_its_example(question: Question, language: str) -> None:
    text = page(ask(f"/estimate/{question.slug}", language))

    assert 'id="the-answer"' in text
    assert 'name="robots"' not in text


def test_the_first_screen_is_about_a_refused_delivery_on_amazon() -> None:
    assert "<h1>拒收亚马逊包裹能赔多少？</h1>" in page(ask(language="zh-CN"))
    assert "<h1>I refused a parcel from Amazon: what do I get back?</h1>" in page(ask())


def test_the_answer_is_that_of_quote() -> None:
    facts = {
        "market": "US", "platform": "own-store", "currency": "USD", "asked_at": "2026-11-20T12:00:00-05:00",
        "order": {"ordered_at": "2026-11-01T12:00:00-04:00", "shipping_paid": "5.99", "fulfilled_by": "seller",
                  "lines": [{"id": "1", "quantity": 1, "paid": "100.00"}]},
        "case": {"kind": "refusal", "reason": "changed_mind", "lines": [{"id": "1", "quantity": 1}]},
        "parcel": {"position": "returning"},
    }  # fmt: skip

    assert shown(page(ask(**BASE))) == f"${quote(facts)['total']['amount']}"


def test_a_state_of_the_form_is_an_address_that_is_not_indexed() -> None:
    response = ask(**BASE)

    assert response.headers["X-Robots-Tag"] == "noindex"
    assert 'name="robots" content="noindex"' in response.content.decode()
    assert "X-Robots-Tag" not in ask().headers


def test_answers_may_be_kept_for_a_while_and_set_no_cookie() -> None:
    response = ask()

    assert response.headers["Cache-Control"] == "public, max-age=300"
    assert {"Accept-Language", "Cookie"} <= {part.strip() for part in response.headers["Vary"].split(",")}
    assert not response.cookies


def test_the_language_may_stand_in_the_address() -> None:
    assert "您应得" in page(ask(**BASE, lang="zh-Hans"))
    assert "You are owed" in page(ask(language="zh-CN", **BASE, lang="en"))


@pytest.mark.parametrize(
    ("field", "value", "en", "zh"),
    [
        ("paid", "-5", "Write an amount", "请填写金额"),
        ("paid", "1e9", "Write an amount", "请填写金额"),
        ("paid", "1.005", "has no such small parts", "没有这么小的单位"),
        ("ordered", "2026-13-01", "Write a date such as", "请填写日期"),
        ("ordered", "0001-01-01", "from 2000 to 2100", "2000 年至 2100 年"),
        ("delivered", "2026-10-01", "before the order", "早于下单日期"),
        ("market", "<script>", "Choose one of the list", "请从列表中选择"),
        ("what", "refusal.nothing", "Choose what happened", "请选择发生了什么"),
        ("units", "2", "More than were bought", "超过购买数量"),
        ("bought", "0", "Write a whole number from 1", "不小于 1 的整数"),
    ],
)
def test_what_is_wrong_is_told_at_its_field_in_both_languages(field: str, value: str, en: str, zh: str) -> None:
    for language, words in (("en", en), ("zh-CN", zh)):
        text = page(ask(language=language, **{**BASE, field: value}), 422)
        found = re.search(rf'id="{field}-wrong">(.*?)</p>', text)
        assert found is not None
        assert words in found[1]
        assert 'id="the-answer"' not in text
        assert "<script>" not in text


def test_what_is_unknown_is_told_with_what_it_would_change() -> None:
    text = page(ask(**{**BASE, "what": "refusal.damaged_on_arrival", "parcel": "at_door"}))

    assert "Still unknown, and what it would change" in text
    with_photo = re.search(r'<a href="([^"]*f\.evidence\.photo=true)">yes</a></span><span>\$105\.99', text)
    assert with_photo is not None
    again = page(ask(with_photo[1].replace("&amp;", "&").replace("?", "/estimate?", 1)))
    assert shown(again) == "$105.99"
    assert "Also given" in again


def test_facts_that_are_none_are_left_aside() -> None:
    text = page(ask(**BASE, **{"f.no.such": "1", "f.fault": "seller", "f.findings.fault": "the moon"}))

    assert shown(text) == "$100.00"


def test_too_many_questions_from_one_address_wait() -> None:
    with mock.patch.object(estimate_views, "ESTIMATES", Limit("estimate-test", 2, timedelta(minutes=1))):
        answers = [ask() for _ in range(3)]

    assert [one.status_code for one in answers] == [200, 200, 429]
    assert int(answers[-1].headers["Retry-After"]) > 0


def test_an_unknown_question_is_not_found() -> None:
    assert ask("/estimate/no-such").status_code == 404


@pytest.mark.usefixtures("merchant")
def test_the_start_page_leads_there() -> None:
    assert 'href="/estimate"' in page(Visitor().get("/"))


def test_an_amount_that_is_missing_is_asked_for_in_the_form_and_taken_from_it() -> None:
    fields = {
        "market": "US", "platform": "amazon", "what": "seller-claim.customer_return_not_received", "ships": "platform",
        "paid": "60", "ordered": "2026-07-20", "refunded": "2026-08-26", "asked": "2026-11-24",
    }  # fmt: skip

    assert 'name="f.line.fees"' in page(ask(**fields))
    assert shown(page(ask(**fields, **{"f.line.fees": "9"}))) == "$51.00"
