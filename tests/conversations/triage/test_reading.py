"""A message is read: what it wants, how sure that is, and what it says plainly."""

from __future__ import annotations

import pytest

from makegood.conversations.triage.facts import amounts, language_of, order_numbers
from makegood.conversations.triage.measuring import measure
from makegood.conversations.triage.model import SHIPPED, as_text, from_text, shipped
from makegood.conversations.triage.reading import read
from makegood.conversations.triage.states import Intent
from makegood.conversations.triage.training import sentences, train
from makegood.kit.money import Money
from makegood.policy.reasons import reasons_of
from tests.connectors.reading import shared_data
from tests.conversations.triage.reading_sentences import EN, chinese, english


def test_the_shipped_weights_are_what_the_recipe_gives() -> None:
    trained = train()

    assert trained == shipped()
    assert from_text(as_text(trained)) == trained
    assert SHIPPED.stat().st_size < 200_000


def test_chinese_sentences_that_the_recipe_never_saw_are_read_as_well_as_was_measured() -> None:
    unseen = chinese()
    assert len({text for _intent, text in unseen}) >= 300
    assert {intent for intent, _text in unseen} == set(Intent.values)
    assert not {text for _intent, text in unseen} & {text for _intent, text in sentences()}

    measured = measure(unseen)

    assert measured.macro_f1 > 0.68
    assert measured.sure_and_right / measured.sure > 0.85


def test_english_messages_are_read_as_well_as_was_measured() -> None:
    measured = measure(english(shared_data(*EN.parts).parents[1], every=5))

    assert measured.macro_f1 > 0.9
    assert measured.sure_and_right / measured.sure > 0.95


@pytest.mark.parametrize(
    ("text", "intent", "wish"),
    [
        ("请帮我取消订单，拍错了", "cancel", "cancellation/ordered_by_mistake"),
        ("Please cancel my order, I found it cheaper elsewhere", "cancel", "cancellation/found_cheaper"),
        ("杯子收到的时候碎了", "damaged", "claim/damaged"),
        ("It arrived broken.", "damaged", "claim/damaged"),
        ("You sent the wrong size", "wrong", "claim/wrong_item"),
        ("客服态度太差，我要投诉", "service_complaint", "complaint/rude"),
        ("我的退款什么时候到账", "refund_status", "claim/refund_missing"),
        ("I want to appeal the decision", "appeal", ""),
        ("Thank you so much, great service", "praise", ""),
    ],
)
def test_a_plain_message_proposes_kind_and_reason(text: str, intent: str, wish: str) -> None:
    found = read(text)

    assert (found.intent, found.wish, found.is_sure) == (intent, wish, True)


@pytest.mark.parametrize("text", ["", "???", "12345", "明天", "qwertz uiop"])
def test_what_is_not_plain_asks_instead_of_guessing(text: str) -> None:
    found = read(text)

    assert not found.is_sure or found.intent == Intent.OTHER
    assert found.case is None


def test_every_proposal_is_a_reason_that_cases_know() -> None:
    proposed = {found.case for _intent, text in sentences() if (found := read(text)).case}

    assert len(proposed) > 20
    for kind, reason in proposed:
        assert reason in {one.code for one in reasons_of(kind)}, (kind, reason)


@pytest.mark.parametrize(
    ("text", "money"),
    [
        ("退我１２．５０元", [Money(1250, "CNY")]),
        ("少退了三百二十块", [Money(32000, "CNY")]),
        ("三百二块钱", [Money(32000, "CNY")]),
        ("一百零五元和一万二千元", [Money(10500, "CNY"), Money(1200000, "CNY")]),
        ("¥1,299.00 paid, $20 back, 15.5 EUR", [Money(129900, "CNY"), Money(2000, "USD"), Money(1550, "EUR")]),
        ("3 items, order 20261103, 两块表", []),
        ("15 dollars or 15 USD", [Money(1500, "USD")]),
    ],
)
def test_amounts_are_found_with_their_currency(text: str, money: list[Money]) -> None:
    assert [one.money for one in amounts(text)] == money


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("订单号：20261103，请查", ("20261103",)),
        ("order #TM-10023 never came", ("TM-10023",)),
        ("my order number is A12345", ("A12345",)),
        ("112-1234567-1234567 and JD20261107331", ("112-1234567-1234567", "JD20261107331")),
        ("I ordered two of them for ¥123456789012", ()),
        ("order it again", ()),
        ("order" + " " * 4000 + "A12345", ("A12345",)),
        ("订单" * 200_000, ()),
    ],
)
def test_order_numbers_are_found(text: str, numbers: tuple[str, ...]) -> None:
    assert order_numbers(text) == numbers


def test_languages_and_urgency() -> None:
    assert [language_of(text) for text in ("我要退货", "return it", "iPhone 坏了", "返品したいです", "123")] == [
        "zh-hans", "en", "zh-hans", "ja", "",
    ]  # fmt: skip
    assert read("充电器冒烟了").urgency == "high"
    assert read("The charger caught fire").urgent_words == "fire"
    assert read("Thank you so much, great service").urgency == "low"
    assert read("I want to return it").urgency == "normal"
