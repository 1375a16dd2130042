"""Laws that every shipped pack obeys, alone and together, on cases drawn from the tables themselves."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from makegood.policy.cells import Known, Not
from makegood.policy.check.drawing import drawn_cases
from makegood.policy.decide import decide
from makegood.policy.facts import Facts
from makegood.policy.outcome import Outcome
from makegood.policy.quote import outcome_of, packs_for, replay
from tests.policy.cases import PACKS

BY = PACKS.combination()
GRANTED = {"grant", "partly"}


@cache
def documents() -> list[dict[str, Any]]:
    """Cases at the edges of every table; each is then judged by all packs of its market and platform."""
    return [dict(case.facts) for pack in PACKS.packs for case in drawn_cases(pack, BY)]


cases = st.deferred(lambda: st.sampled_from(documents()))


def judged(document: dict[str, Any]) -> Outcome:
    return outcome_of(Facts.from_json(document), registry=PACKS)


@cache
def told_by_being_unknown() -> frozenset[str]:
    """Facts whose being unknown says something: a rule asks for just that, or a pack assumes a value."""
    found = {fact for pack in PACKS.packs for fact in pack.assume}
    for pack in PACKS.packs:
        for rule in pack.rules:
            for fact, cell in rule.cells:
                test = cell
                while isinstance(test, Not):
                    test = test.test
                if isinstance(test, Known):
                    found.add(fact)
    return frozenset(found)


def forgettable(document: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    ledgers = {"order.refunded_before", "order.charged_back", "case.compensated_before"}
    # Derived from others where they are not told, and so not unknown when they are forgotten.
    follow = {"order.state", "findings.fault", "case.programme", "order.withdrawal_ends_at", "case.days_to_notice"}
    dating = {pack.dated_by for pack in PACKS.packs}  # they say whose rules hold; untold, those of the day asked do
    kept = (
        dating
        | {"order.lines", "case.lines", "case.kind", "case.claimant"}
        | ledgers
        | follow
        | told_by_being_unknown()
    )
    for section in ("order", "case", "parcel", "findings", "customer"):
        yield from ((section, key) for key in document.get(section, {}) if f"{section}.{key}" not in kept)


@settings(max_examples=200, deadline=None)
@given(document=cases, data=st.data())
def test_forgetting_a_fact_never_grants_what_knowing_it_refused(document: dict[str, Any], data: st.DataObject) -> None:
    paths = list(forgettable(document))
    if not paths:
        return
    section, key = data.draw(st.sampled_from(paths))
    forgotten = copy.deepcopy(document)
    del forgotten[section][key]

    before, after = judged(document), judged(forgotten)

    if before.verdict == "deny":
        assert after.verdict not in GRANTED, (section, key)
    if before.verdict in GRANTED | {"deny"}:
        assert after.total.minor <= before.total.minor, (section, key)


@settings(max_examples=200, deadline=None)
@given(document=cases)
def test_i6_all_packs_together_give_at_least_what_the_law_alone_gives(document: dict[str, Any]) -> None:
    facts = Facts.from_json(document)
    packs = packs_for(facts, registry=PACKS)
    law = [pack for pack in packs if pack.kind == "law"]
    if not law:
        return

    alone, together = decide(facts, law, by=BY), decide(facts, packs, by=BY)

    assert together.total.minor >= alone.total.minor
    assert {choice.loss for choice in alone.choices} <= {choice.loss for choice in together.choices}


@settings(max_examples=200, deadline=None)
@given(document=cases, more=st.integers(1, 10**6))
def test_more_paid_never_means_less_refunded(document: dict[str, Any], more: int) -> None:
    richer = copy.deepcopy(document)
    line = richer["order"]["lines"][0]
    line["paid"] = f"{float(line['paid']) + more:.2f}" if "." in line["paid"] else str(int(line["paid"]) + more)
    line.pop("price_paid", None)

    def refunded(outcome: Outcome) -> int:
        return sum(remedy.minor for remedy in outcome.remedies if remedy.kind == "refund")

    assert refunded(judged(richer)) >= refunded(judged(document))


@settings(max_examples=200, deadline=None)
@given(document=cases, lang=st.sampled_from(["zh-Hans", "en"]))
def test_every_answer_replays_and_has_its_reasons_in_both_languages(document: dict[str, Any], lang: str) -> None:
    outcome = judged(document)
    told = outcome.as_json(lang)

    assert replay(outcome.facts.canonical(), told["policy"], registry=PACKS, lang=lang) == outcome.canonical(lang)
    assert all(remedy.minor >= 0 for remedy in outcome.remedies)
    for part in ("remedies", "refused", "evidence_needed", "referred"):
        for entry in told[part]:
            assert entry["text"]
            assert "{" not in entry["text"]
    if told["verdict"] == "deny":
        assert told["refused"]
        assert not told["remedies"]
    if told["verdict"] == "need_evidence":
        assert told["evidence_needed"]
    if told["verdict"] == "refer":
        assert told["referred"]


@pytest.mark.parametrize("pack", PACKS.packs, ids=lambda pack: pack.id)
def test_an_unverified_rule_never_gives_nor_refuses(pack: Any) -> None:
    unsound = {rule.id for rule in pack.rules if not rule.sound}
    if not unsound:
        return
    seen = set()
    for case in drawn_cases(pack, BY):
        outcome = decide(Facts.from_json(case.facts), [pack], by=BY)
        assert not unsound & {remedy.tried.rule.id for remedy in outcome.remedies}
        assert not unsound & {refusal.rule for refusal in outcome.refused}
        seen |= unsound & {referral.tried.rule.id for referral in outcome.referrals}
    assert seen == unsound
