"""Interpreter and compiled Python give one answer, on every rule of every shipped pack and at every edge."""

from __future__ import annotations

from typing import Any

import pytest

from makegood.policy.check.drawing import drawn_cases
from makegood.policy.decide import decide
from makegood.policy.engines.compiled import Compiled
from makegood.policy.engines.ruling import Ruling, ruling_of
from makegood.policy.facts import Facts
from makegood.policy.packs import Pack
from makegood.policy.quote import packs_for
from tests.policy.cases import PACKS, a_case, a_pack, a_rule, refund

BY = PACKS.combination()
ENGINES: dict[tuple[str, ...], Compiled] = {}


def engine(packs: list[Pack]) -> Compiled:
    key = tuple(pack.hash for pack in packs)
    if key not in ENGINES:
        ENGINES[key] = Compiled(packs, BY)
    return ENGINES[key]


def both_say(document: Any, packs: list[Pack]) -> tuple[Ruling, Ruling]:
    facts = Facts.from_json(document)
    [row] = facts.rows
    return ruling_of(decide(facts, packs, by=BY)), engine(packs).ruling(row)


@pytest.mark.parametrize("pack", PACKS.packs, ids=lambda pack: f"{pack.id}-{pack.version}")
def test_compiled_python_says_what_the_interpreter_says_at_every_edge_of_every_rule(pack: Pack) -> None:
    verdicts = set()
    for case in drawn_cases(pack, BY):
        facts = Facts.from_json(case.facts)
        together = packs_for(facts, registry=PACKS)
        for packs in ([pack], together):
            told, compiled = both_say(case.facts, packs)
            assert compiled == told, f"{case.rule} {case.kind} {case.change}"
            verdicts.add(told.verdict)
    assert len(verdicts) > 1


def test_the_deciding_rule_its_amount_and_the_total_are_told() -> None:
    pack = a_pack(a_rule(refund("line.price_paid * 50%"), rule_id="half"))
    told, compiled = both_say(a_case(), [pack])
    assert compiled == told == Ruling("grant", 5001, (("main", "half", 5001),), "")


def test_a_text_of_a_pack_cannot_leave_its_literal() -> None:
    hostile = "'] or __import__('os').system('true') or ['"
    pack = a_pack(a_rule(refund("line.price_paid")))
    document = a_case(
        order={"payment": hostile, "lines": [{"id": hostile, "quantity": 1, "paid": "5.00", "category": hostile}]}
    )
    told, compiled = both_say(document, [pack])
    assert compiled == told
    source = engine([pack]).functions
    for function in source.values():
        assert function.__globals__["__builtins__"] == {}


def test_what_a_formula_divides_by_is_left_to_exact_fractions() -> None:
    pack = a_pack(a_rule(refund("line.paid / line.quantity")))
    told, compiled = both_say(a_case(), [pack])
    assert compiled == told
    assert told.total == 5001  # 100.01 over two units, half up
