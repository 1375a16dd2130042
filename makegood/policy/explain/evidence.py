"""The facts behind a remedy: what each was, how it is known, and what it follows from."""

from __future__ import annotations

from collections.abc import Iterable

from makegood.policy.explain.said import Teller
from makegood.policy.explain.shapes import FactSaid
from makegood.policy.formulas import facts_in
from makegood.policy.judge import Tried
from makegood.policy.outcome import Outcome
from makegood.policy.packs import Remedy
from makegood.policy.vocabulary import EVIDENCE, FACTS

UNTOLD = frozenset({"case.claimant", "case.kind"})  # who asks for what is the heading already


def facts_of(tried: Tried, remedy: Remedy | None, tell: Teller) -> tuple[FactSaid, ...]:
    """Every fact that the rule tested and that the amount is made of, each once, in the order of the rule."""
    said = {
        fact: _fact(fact, tried, tell, needed=tell.needed(fact, cell.words()))
        for fact, cell in tried.rule.cells
        if fact not in UNTOLD
    }
    for need, value in zip(tried.rule.evidence, tried.needs, strict=True):
        if value:
            kind = next(kind for kind in need if tried.row.get(f"evidence.{kind}"))
            said[f"evidence.{kind}"] = _brought(kind, tell)
    used = facts_in(remedy.amount) if remedy is not None and remedy.amount is not None else ()
    for fact in used:
        said.setdefault(fact, _fact(fact, tried, tell))
    return tuple(said.values())


def _fact(fact: str, tried: Tried, tell: Teller, needed: str = "") -> FactSaid:
    spec = FACTS[fact]
    basis = tuple(
        f"{tell.label(name)}{tell.pick('：', ': ')}{tell.fact(name, tried.row)}"
        for name in spec.needs
        if spec.derived and name in tried.row
    )
    return FactSaid(fact, tell.label(fact), tell.fact(fact, tried.row), _how(fact, tried), needed, basis)


def _brought(kind: str, tell: Teller) -> FactSaid:
    zh, en = EVIDENCE[kind]
    return FactSaid(f"evidence.{kind}", tell.pick(zh, en), tell.pick("已提供", "brought"), "brought")


def _how(fact: str, tried: Tried) -> str:
    if fact in tried.assumed:
        return "assumed"
    if fact not in tried.row:
        return "unknown"
    if fact.startswith("findings."):
        return "found"
    if fact.startswith("evidence."):
        return "brought"
    return "derived" if FACTS[fact].derived else "given"


def assumed_facts(outcome: Outcome, tell: Teller) -> tuple[FactSaid, ...]:
    """What the rules that decided took as true because nobody said otherwise."""
    said: dict[str, FactSaid] = {}
    for tried in _decisive(outcome):
        tested = [fact for fact, _ in tried.rule.cells]
        used = [f for remedy in tried.rule.remedies if remedy.amount is not None for f in facts_in(remedy.amount)]
        for fact in (*tested, *used):
            if fact in tried.assumed and fact not in said:
                said[fact] = FactSaid(fact, tell.label(fact), tell.fact(fact, tried.row), "assumed")
    return tuple(said.values())


def _decisive(outcome: Outcome) -> Iterable[Tried]:
    """The rules that gave something, and those that a refusal names."""
    yield from (given.tried for given in outcome.remedies)
    named = {(refusal.rule, refusal.line) for refusal in outcome.refused}
    yield from (tried for line, tried in outcome.tried if (tried.rule.id, line) in named)
