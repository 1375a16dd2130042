"""Every fact of law and platform that the packs are to know stands in one of them, and scenarios speak of each rule.

``facts_of_law.txt`` lists the facts: cn- Chinese law, cp- Chinese platforms, eu-, uk-, us-, az- Amazon, cb-, eb-, pp-
cards, eBay and PayPal. Rules and notes are named after the fact that they rest on: ``cn-03``, ``cn-03-freight``.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from pathlib import Path

from makegood.policy.packs import Pack
from makegood.policy.scenarios import read_book
from tests.policy.cases import PACKS

HERE = Path(__file__).parent
NAMED = re.compile(r"[a-z]{2}-\d\d")
# So far these have one scenario each; the cases drawn from the tables cover their edges.
ONCE = {
    "az-06",
    "az-08",
    "az-18",
    "az-22",
    "az-35",
    "cb-05",
    "cn-10",
    "cn-14",
    "cn-19",
    "cn-22",
    "cn-23",
    "cn-28",
    "cn-44",
    "cn-45",
    "cp-04",
    "cp-07",
    "cp-09",
    "cp-15",
    "eu-11",
    "pp-01",
    "uk-06",
    "us-08",
}


def facts() -> set[str]:
    return set((HERE / "facts_of_law.txt").read_text(encoding="utf-8").split())


def facts_of(pack: Pack, *, notes: bool) -> set[str]:
    ids = [rule.id for rule in pack.rules] + [note.id for note in pack.written.notes if notes]
    return {found[0] for one in ids if (found := NAMED.match(one))}


@cache
def told() -> Counter[str]:
    """In how many scenarios a rule of each fact is told: given, refused, referred or asked for."""
    found: Counter[str] = Counter()
    for file in sorted((HERE / "scenarios").glob("*.yaml")):
        for scenario in read_book(file):
            answer = scenario.outcome().as_json()
            rules = {entry["rule"] for part in ("remedies", "refused", "referred") for entry in answer[part]}
            rules |= {need["for"] for need in answer["evidence_needed"]}
            found.update({fact[0] for rule in rules if (fact := NAMED.match(rule))})
    return found


def test_every_fact_stands_in_a_pack_as_rule_or_note() -> None:
    there = {fact for pack in PACKS.packs for fact in facts_of(pack, notes=True)}

    assert facts() - there == set()
    assert there - facts() == set()  # a rule named after a fact that nobody listed


def test_several_scenarios_speak_of_the_rules_of_every_fact() -> None:
    ruled = {fact for pack in PACKS.packs for fact in facts_of(pack, notes=False)}

    assert {fact for fact in ruled if told()[fact] == 0} == set()
    assert {fact for fact in ruled if told()[fact] == 1} <= ONCE


def test_a_fact_whose_source_was_not_found_gives_nothing() -> None:
    """Numbers for late shipment were found nowhere (cp-14): whatever names it grants nothing."""
    rules = [rule for pack in PACKS.packs for rule in pack.rules if rule.id.startswith(("cp-14", "cn-39", "cn-45"))]

    assert all(not rule.sound or rule.effect == "refer" for rule in rules)
