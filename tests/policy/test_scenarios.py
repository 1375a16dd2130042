"""Every scenario of ``scenarios/*.yaml``: facts in, the verdict, amounts, reasons, rules and cites out.

A file is ``{packs: [ids] (left out: those that apply), given: facts shared by all, scenarios: [...]}``; a scenario
``{name, as_of, facts, expect}``. ``facts`` are merged into ``given`` (objects key by key, lists and values replace;
``null`` forgets a fact); ``as_of`` is when it is asked. ``expect`` holds any of

- ``verdict``;
- ``amounts``: kind → sum of the amounts of that kind, or kind → {bearer: amount}; kinds not named must not be there;
- ``reasons``: reason codes of the refusals, in any order; ``rules``: rules that must appear;
- ``cites``: texts that must stand in some cite; ``needs``: facts or kinds of evidence asked for;
- ``referred``: rules left to a person; ``due``: kind → date; ``failed``: facts of the refusals that must appear.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from makegood.policy.facts import Facts
from makegood.policy.marks import MarkedYaml
from makegood.policy.quote import outcome_of, replay

FILES = sorted((Path(__file__).parent / "scenarios").glob("*.yaml"))
EXPECTED = {"verdict", "amounts", "reasons", "rules", "cites", "needs", "referred", "due", "failed"}


def scenarios() -> Iterator[Any]:
    for file in FILES:
        book = MarkedYaml(file.read_text(encoding="utf-8"), file.name).data
        assert set(book) <= {"packs", "given", "scenarios"}, f"{file.name}: {set(book)}"
        for scenario in book["scenarios"]:
            assert set(scenario) <= {"name", "as_of", "facts", "expect", "packs"}, f"{file.name}: {scenario}"
            packs = scenario.get("packs", book.get("packs"))
            facts = merged(book.get("given", {}), {**scenario.get("facts", {}), "asked_at": scenario["as_of"]})
            yield pytest.param(facts, packs, scenario["expect"], id=f"{file.stem}: {scenario['name']}")


def merged(given: Any, over: Any) -> Any:
    if not isinstance(given, Mapping) or not isinstance(over, Mapping):
        return over
    found = {key: merged(given.get(key), value) for key, value in over.items()}
    return {key: value for key, value in {**given, **found}.items() if value is not None}


@pytest.mark.parametrize(("facts", "packs", "expect"), list(scenarios()))
def test_scenario(facts: dict[str, Any], packs: list[str] | None, expect: dict[str, Any]) -> None:
    outcome = outcome_of(Facts.from_json(facts), pack_ids=packs)
    told = outcome.as_json()
    assert set(expect) <= EXPECTED
    if "verdict" in expect:
        assert told["verdict"] == expect["verdict"], told
    if "amounts" in expect:
        assert amounts_of(told, expect["amounts"]) == expect["amounts"], told
    if "reasons" in expect:
        assert sorted(refusal["reason_code"] for refusal in told["refused"]) == sorted(expect["reasons"]), told
    rules = {entry["rule"] for entry in (*told["remedies"], *told["refused"])}
    assert set(expect.get("rules", [])) <= rules, told
    cites = " | ".join(cite for part in ("remedies", "refused", "referred") for e in told[part] for cite in e["cites"])
    for cite in expect.get("cites", []):
        assert cite in cites, told
    asked = {need["fact"] for need in told["evidence_needed"]} | {need["kind"] for need in told["evidence_needed"]}
    assert set(expect.get("needs", [])) <= asked, told
    assert set(expect.get("referred", [])) <= {entry["rule"] for entry in told["referred"]}, told
    due = {remedy["kind"]: (remedy["due_by"] or "")[:10] for remedy in told["remedies"]}
    assert {**due, **expect.get("due", {})} == due, told
    assert set(expect.get("failed", [])) <= {refusal["failed"]["fact"] for refusal in told["refused"]}, told
    assert replay(outcome.facts.canonical(), told["policy"]) == outcome.canonical()


def amounts_of(told: dict[str, Any], expected: Mapping[str, Any]) -> dict[str, Any]:
    """The sums by kind, spelled as expected: one amount, or one for each bearer."""
    sums: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for remedy in told["remedies"]:
        sums[remedy["kind"]][remedy["borne_by"]] += Decimal(remedy["amount"])
    return {
        kind: {bearer: str(amount) for bearer, amount in by.items()}
        if isinstance(expected.get(kind), Mapping)
        else str(sum(by.values()))
        for kind, by in sums.items()
    }


def test_no_scenario_has_the_name_of_another() -> None:
    names = [parameter.id for parameter in scenarios()]

    assert len(names) == len(set(names))
