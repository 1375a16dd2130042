"""Explanations: everything told stands in the outcome, in both languages, to the cent."""

from __future__ import annotations

import dataclasses
import re
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from makegood.kit.money import Money
from makegood.policy.check.drawing import drawn_cases
from makegood.policy.explain import Explanation, explain
from makegood.policy.explain.said import Teller
from makegood.policy.explain.working import caps_met
from makegood.policy.facts import Facts
from makegood.policy.outcome import LANGS, Outcome
from makegood.policy.quote import outcome_of, quote
from makegood.policy.scenarios import read_book
from tests.policy.cases import PACKS, a_case, a_pack, a_rule, refund
from tests.policy.deciding import decided

BOOKS = sorted((Path(__file__).parent / "scenarios").glob("*.yaml"))
MONEY = re.compile(r"(?:CN¥|¥|US\$|\$|€|£|[A-Z]{3}\s)\s?(\d[\d,]*(?:\.\d+)?)")
DAY = {
    "en": re.compile(r"\d{1,2} [A-Z][a-z]+ \d{4}(?:, \d\d:\d\d)?"),
    "zh-Hans": re.compile(r"\d{4}年\d+月\d+日(?: \d\d:\d\d)?"),
}
RULE = {"en": re.compile(r"\(rule ([a-z0-9-]+)"), "zh-Hans": re.compile(r"（规则 ([a-z0-9-]+)")}


@cache
def outcomes() -> list[Outcome]:
    """Of every scenario, and of about a hundred cases drawn from each table, evenly spread over its rules."""
    told = [scenario.outcome() for book in BOOKS for scenario in read_book(book)]
    for pack in PACKS.packs:
        cases = list(drawn_cases(pack, PACKS.combination()))
        step = 1 + len(cases) // 100
        told += [outcome_of(Facts.from_json(case.facts), pack_ids=None) for case in cases[::step]]
    return told


def amounts_known(outcome: Outcome, told: Explanation) -> set[Decimal]:
    """Every sum of money that the outcome holds: facts, formulas, remedies, caps, claw-back, what rules were worth."""
    rows = rows_of(outcome)
    minor = {value for row in rows for value in row.values() if isinstance(value, int)}
    minor |= {one.minor for one in outcome.remedies} | {one.uncapped for one in outcome.remedies}
    minor |= {item.minor for item in outcome.clawed_back} | {outcome.total.minor}
    minor |= {t.value(c.loss) or 0 for c in outcome.choices for t in c.rivals}
    minor |= {room for met in caps_met(outcome) for _, room in met}
    known = {Money(one, outcome.facts.currency).decimal() for one in minor}
    known |= {number for pack in outcome.packs for number in numbers_written(pack.hash)}
    shares = [step.text for amount in told.amounts for step in amount.working]  # proved by their own test
    return known | {Decimal(found.replace(",", "")) for text in shares for found in MONEY.findall(text)}


def rows_of(outcome: Outcome) -> list[Any]:
    """Each row once: the rules tried by one pack share theirs."""
    rows = [*outcome.facts.rows, *(tried.row for _, tried in outcome.tried)]
    return list({id(row): row for row in rows}.values())


@cache
def text_of(pack_hash: str) -> str:
    return repr(PACKS.of_hash(pack_hash).written.model_dump(mode="json"))


@cache
def numbers_written(pack_hash: str) -> frozenset[Decimal]:
    return frozenset(Decimal(found) for found in re.findall(r"\d+(?:\.\d+)?", text_of(pack_hash)))


@cache
def days_written(pack_hash: str, lang: str) -> frozenset[str]:
    written = text_of(pack_hash)
    return frozenset(DAY[lang].findall(written)) | frozenset(re.findall(r"\d{4}年\d+月\d+日", written))


def test_prose_names_no_amount_day_or_rule_that_the_outcome_does_not_hold() -> None:
    for outcome in outcomes():
        rules = {rule.id for pack in outcome.packs for rule in pack.rules}
        for lang in LANGS:
            told = explain(outcome, lang)
            prose = "\n".join(told.prose)
            known = amounts_known(outcome, told)
            assert {Decimal(m.replace(",", "")) for m in MONEY.findall(prose)} <= known, prose
            assert set(RULE[lang].findall(prose)) <= rules, prose
            days = days_known(outcome, told, lang)
            assert {found for found in DAY[lang].findall(prose) if found not in days} == set(), prose


def days_known(outcome: Outcome, told: Explanation, lang: str) -> set[str]:
    """Every day and moment of the outcome as said in this language, with and without the hour."""
    tell = Teller(outcome.facts, lang)
    rows = rows_of(outcome)
    moments = {value for row in rows for value in row.values() if hasattr(value, "tzinfo")}
    dues = [one.due_by for one in outcome.remedies if one.due_by]
    moments |= set(dues)
    until = outcome.as_json("en")["appeal"]
    known = {tell.moment(at) for at in moments} | {tell.day(at.astimezone(tell.zone).date()) for at in moments}
    known |= {tell.day(outcome.on)} if outcome.on else set()
    known |= {
        tell.due(given.due_by).removeprefix("the end of ").removesuffix("结束")
        for given in outcome.remedies
        if given.due_by
    }
    if until is not None:
        known.add(told.appeal["said"].removeprefix("the end of ").removesuffix("结束") if told.appeal else "")
    return known | {day for pack in outcome.packs for day in days_written(pack.hash, lang)}


def test_prose_never_leaves_a_placeholder_or_a_name_of_the_machine() -> None:
    for outcome in outcomes():
        for lang in LANGS:
            prose = "\n".join(explain(outcome, lang).prose)
            assert not re.search(r"[{}]|None|<[=>]?|>=|\b(?:line|order|case|parcel|findings)\.[a-z_]+", prose), prose
            assert "  " not in prose, prose
            assert prose.strip(), outcome.verdict


def test_everything_the_outcome_grants_refuses_and_needs_is_explained() -> None:
    for outcome in outcomes():
        told, plain = explain(outcome), outcome.as_json()
        assert [(a.kind, a.rule, a.amount) for a in told.amounts] == [
            (r["kind"], r["rule"], r["amount"]) for r in plain["remedies"]
        ]
        assert [(r.remedy, r.rule, r.fact) for r in told.refused] == [
            (r["remedy"], r["rule"], r["failed"]["fact"]) for r in plain["refused"]
        ]
        assert [need.fact for need in told.needs] == [need["fact"] for need in plain["evidence_needed"]]
        assert [(one.rule, one.unverified) for one in told.referred] == [
            (one["rule"], one["unverified"]) for one in plain["referred"]
        ]


def test_the_caps_told_are_those_that_made_the_amount() -> None:
    for outcome in outcomes():
        for remedy, met in zip(outcome.remedies, caps_met(outcome), strict=True):
            assert min([remedy.uncapped, *(room for _, room in met)]) == remedy.minor


def test_a_share_is_told_unit_by_unit() -> None:
    facts = a_case("cancellation", order={"state": "pending"}, case={"lines": [{"id": "1", "quantity": 1}]})
    [refunded, shipping] = explain(outcome_of(Facts.from_json(facts))).amounts

    assert refunded.working[0].text.endswith(
        "CN¥100.01 for 2 units, shared so that no cent is lost (largest remainder):"
        " CN¥50.01 + CN¥50.00; unit 1 comes to CN¥50.01"
    )
    assert shipping.said == "CN¥6.00"


def test_formula_numbers_rounding_and_cap_are_steps() -> None:
    pack = a_pack(a_rule('grant: [{kind: damages, amount: "max(line.price_paid / 3, 10 CNY)"}]'))
    told = explain(decided(a_case(), pack))

    assert [(step.kind, step.text) for step in told.amounts[0].working] == [
        ("formula", "the greater of price paid for the units asked ÷ 3 and CN¥10.00"),
        ("numbers", "the greater of CN¥100.01 ÷ 3 and CN¥10.00 = 33.336666… CNY"),
        ("rounding", "Rounded to the nearest, halves up: CN¥33.34"),
    ]


def test_a_cap_is_told_with_what_it_left() -> None:
    pack = a_pack(a_rule(refund("2 * line.price_paid")))
    [amount] = explain(decided(a_case(), pack)).amounts

    assert (amount.said, amount.working[-1].kind) == ("CN¥100.01", "cap")
    assert "CN¥100.01 is what this line still leaves" in amount.prose


@pytest.mark.parametrize(
    ("law", "shop", "because"),
    [
        (refund("line.price_paid / 2"), refund("line.price_paid"), "more"),
        (refund("line.price_paid"), refund("line.price_paid"), "first"),
        ("grant: [{kind: repair}]", refund("line.price_paid"), "asked_for"),
    ],
)
def test_of_rules_that_stand_against_each_other_it_is_told_why_one_decides(law: str, shop: str, because: str) -> None:
    packs = [
        dataclasses.replace(a_pack(a_rule(law, rule_id="l"), kind="law"), id="law"),
        dataclasses.replace(a_pack(a_rule(shop, rule_id="s")), id="shop"),
    ]
    [amount] = explain(decided(a_case(case={"wants": "refund"}), *packs)).amounts

    assert amount.choice is not None
    assert (amount.choice.because, len(amount.choice.rivals)) == (because, 2)
    assert "One loss is made good once" in amount.prose


def test_a_refusal_tells_the_condition_and_what_would_change_it() -> None:
    facts = a_case(order={"delivered_at": "2026-10-01T00:00:00+08:00"})
    told = {lang: explain(outcome_of(Facts.from_json(facts)), lang) for lang in LANGS}

    [refusal] = told["en"].refused
    assert (refusal.needed, refusal.was) == ("at most 7 days", "44 days")
    assert "carrier scan" in refusal.prose
    assert "不超过 7 天；实际为44 天" in told["zh-Hans"].refused[0].prose
    assert told["en"].appeal is not None
    assert told["en"].appeal["said"] == "14 December 2026, 10:00"


def test_what_was_assumed_is_said() -> None:
    told = explain(outcome_of(Facts.from_json(a_case(order={"delivered_at": "2026-11-10T00:00:00+08:00"}))))

    assert "category" in {one.label for one in told.assumed}
    assert any("Nobody said otherwise" in paragraph for paragraph in told.prose)


def test_a_quote_holds_its_explanation_where_asked_for() -> None:
    plain, more = quote(a_case()), quote(a_case(), explained=True, lang="zh-Hans")

    assert "explanation" not in plain
    assert more["explanation"]["headline"] == "现在还不能决定：缺少下列信息或材料。"


@given(paid=st.integers(1, 10**7), units=st.integers(1, 9), data=st.data())
@settings(max_examples=60, deadline=None)
def test_shares_told_sum_to_what_is_refunded(paid: int, units: int, data: Any) -> None:
    asked = data.draw(st.integers(1, units))
    facts = a_case(
        "cancellation",
        order={
            "state": "pending",
            "shipping_paid": "0.00",
            "lines": [{"id": "1", "quantity": units, "paid": f"{paid / 100:.2f}"}],
        },
        case={"lines": [{"id": "1", "quantity": asked}]},
    )
    outcome = outcome_of(Facts.from_json(facts))
    for amount, granted in zip(explain(outcome).amounts, outcome.remedies, strict=True):
        shares = [step for step in amount.working if step.kind == "share"]
        assert [step.amount for step in shares] == ([amount.said] if asked < units else [])
        assert amount.amount == Money(granted.minor, "CNY").amount()
