"""What a text may say: the corpus, amounts and days in every writing, notes; and that no writing gets around it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from makegood.cases.saying.checking import check
from makegood.cases.saying.shapes import Held, Topic
from tests.cases.saying.facts import HELD, corpus

SIGNS = "零一二三四五六七八九"


def test_what_is_not_held_is_found() -> None:
    found = {sentence: check(sentence, HELD) for sentence in corpus("bad")}

    assert [sentence for sentence, one in found.items() if not one] == []
    assert all(sentence[one.start : one.end] == one.words for sentence, some in found.items() for one in some)


def test_what_is_held_passes() -> None:
    assert {sentence: check(sentence, HELD) for sentence in corpus("good") if check(sentence, HELD)} == {}


def test_the_corpus_is_large_enough() -> None:
    assert len(set(corpus("bad"))) >= 200
    assert len(set(corpus("good"))) >= 200


def han(value: int) -> str:
    """The value in Chinese numerals, written by this test's own rule."""
    told, zero = "", False
    for power, sign in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = value // power % 10
        if digit:
            told += ("零" if zero and told else "") + SIGNS[digit] + sign
        zero = not digit
    return told


WRITINGS: tuple[Callable[[int], str], ...] = (
    lambda n: f"我们给您退款{n}元。",
    lambda n: f"退您{han(n)}元。",
    lambda n: f"退款{''.join(chr(ord(sign) + 0xFEE0) for sign in str(n))}块。",
    lambda n: f"We will refund you ¥{n}.",
    lambda n: f"Your refund of {n:,}.00 yuan is on its way.",
    lambda n: f"We are refunding CNY {n} to you.",
    lambda n: f"我们补偿您{n}。",
    lambda n: f"We will refund\u200b you {n}\u200b yuan",
)


@settings(max_examples=60, deadline=None)
@given(amount=st.integers(10, 9999), writing=st.sampled_from(WRITINGS))
def test_an_amount_passes_in_any_writing_only_where_it_is_the_decided_one(
    amount: int, writing: Callable[[int], str]
) -> None:
    text = writing(amount)
    amounts = [one for one in check(text, HELD) if one.topic == Topic.AMOUNT]
    decided = 20 if "补偿" in text else 300

    assert bool(amounts) == (amount != decided), text


@settings(max_examples=60, deadline=None)
@given(day=st.dates(date(2026, 11, 25), date(2027, 6, 30)))
def test_a_day_of_payment_passes_only_where_it_is_the_due_one(day: date) -> None:
    writings = (
        f"退款将在{day.year}年{day.month}月{day.day}日前到账。",
        f"退款{day.month}月{day.day}号到账。",
        f"Your refund arrives by {day:%d %B %Y}.",
        f"Your refund arrives by {day:%b} {day.day}.",
        f"The refund will be paid on {day.isoformat()}.",
    )
    for text in writings:
        assert (check(text, HELD) == ()) == (day == date(2026, 12, 1)), text


def test_codes_and_words_with_a_currency_in_them_are_no_sums() -> None:
    for text in ("BrL73", "xGBp0 9aM_", "your key is aEUR7-yeN1_73usd9", "-usd5", "file_eur12.pdf"):
        assert check(text, HELD) == (), text
    for text in ("usd 73", "USD73", "(GBP 9)", "Eur 7", "73 Eur", "we refund you usD73"):
        assert check(text, HELD), text


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=400))
def test_any_text_can_be_read(text: str) -> None:
    for one in check(text, HELD):
        assert text[one.start : one.end] == one.words


def test_without_a_decision_nothing_that_is_given_passes() -> None:
    nothing = Held(at=HELD.at)

    for sentence in (
        "我们给您退款300元。",
        "We will refund you ¥300.",
        "您会收到一张20元优惠券。",
        "Your request has been approved.",
    ):
        assert check(sentence, nothing), sentence


def test_sentences_approved_with_the_decision_pass_as_they_stand_and_not_changed() -> None:
    told = "依法应退一赔三，并在7日内支付。"

    assert check(f"理由：{told}", replace(HELD, texts=(told,))) == ()
    assert check(told.replace("三", "五"), replace(HELD, texts=(told,)))
    assert check(f"并非{told}", replace(HELD, texts=(told,)))  # a sentence begun differently is another sentence


def test_words_of_a_note_never_pass_and_cannot_be_overruled() -> None:
    held = replace(HELD, notes=("Looks like the same person who tried this in March with another name", "疑似职业索赔"))
    for text in (
        "Our file says it looks like the same person who tried this in march.",
        "内部备注：疑似 职业-索赔，请知悉",
    ):
        [*found] = check(text, held)
        assert Topic.NOTES in {one.topic for one in found}
        assert not all(one.may_be_overruled for one in found)


def test_a_note_that_repeats_the_customer_gives_nothing_away() -> None:
    said = "the lamp flickers and then goes out after some minutes"

    assert check(f"You wrote that {said}.", replace(HELD, notes=(said,), known_words=(said,))) == ()


def test_fault_passes_only_as_it_was_established() -> None:
    ours = "很抱歉，这是我们的责任。"

    assert check(ours, HELD)
    assert check(ours, replace(HELD, fault="seller")) == ()
    assert check(ours, replace(HELD, fault="carrier"))
