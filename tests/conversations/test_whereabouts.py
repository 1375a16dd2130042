"""Where is my case: the true state in words, to who may know it and to nobody else."""

from __future__ import annotations

from datetime import timedelta

import pytest

from makegood.accounts.actors import Actor
from makegood.cases import commands as cases
from makegood.cases.history import CaseUnknown
from makegood.conversations.whereabouts import whereabouts, whereabouts_of
from tests.shop import AGENT, NOON, again, ask, sell, settle


def told(ref: str, customer: int, language: str = "en") -> str:
    return whereabouts(ref, actor=Actor.customer(customer), language=language).text


def test_it_says_who_must_act_by_when_and_what_silence_means(merchant: int) -> None:
    case = ask(sell(), "return", "changed_mind")

    said = told(case.ref, case.customer_id)

    assert case.ref in said
    assert "We look at your request and decide." in said
    assert "Who must act: merchant, until end of Nov 18, 2026." in said  # two working days, in the merchant's zone
    assert "a manager takes over" in said


def test_it_speaks_chinese_as_well(merchant: int) -> None:
    case = ask(sell(), "return", "changed_mind")

    said = told(case.ref, case.customer_id, "zh-hans")

    assert "我们" in said
    assert "Who" not in said
    assert "case" not in said.lower().replace(case.ref.lower(), "")


def test_a_proposal_that_nobody_approved_is_not_told(merchant: int) -> None:
    case = ask(sell(), "return", "changed_mind")
    cases.decide_case(ref=case.ref, actor=AGENT, at=NOON)

    assert "Granted" not in told(case.ref, case.customer_id)

    cases.approve_case(ref=case.ref, actor=AGENT, at=NOON)
    assert "Granted: CN¥100.00; paid so far: CN¥0.00." in told(case.ref, case.customer_id)


def test_somebody_elses_case_is_answered_like_one_that_does_not_exist(merchant: int) -> None:
    mine, other = ask(sell(), "return", "changed_mind"), sell()

    with pytest.raises(CaseUnknown) as refused:
        told(mine.ref, other.customer.id)
    with pytest.raises(CaseUnknown) as unknown:
        told("C-AAAAAAAA", other.customer.id)

    assert str(refused.value).replace(mine.ref, "X") == str(unknown.value).replace("C-AAAAAAAA", "X")


def test_of_a_person_the_open_cases_are_told_else_how_the_last_one_ended(merchant: int) -> None:
    order = sell()
    case = ask(order, "return", "changed_mind")
    assert [one.ref for one in whereabouts_of(order.customer.id, language="en")] == [case.ref]

    cases.withdraw_case(ref=case.ref, actor=Actor.customer(order.customer.id), at=NOON + timedelta(hours=1))

    [last] = whereabouts_of(order.customer.id, language="en")
    assert last.closed
    assert "It was finished on Nov 16, 2026, 1:00 PM." in last.text.replace("\u202f", " ")
    assert again(case).closed_at is not None


def test_goods_on_their_way_are_named(merchant: int) -> None:
    case = settle(ask(sell(), "return", "changed_mind"))

    assert "send the goods back and tell us the tracking number" in told(case.ref, case.customer_id)
