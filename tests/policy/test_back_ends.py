"""Interpreter, compiled Python and columns give one answer: at every edge of every rule, and on generated cases."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date
from typing import Any

import pytest

from makegood.policy.check.drawing import drawn_cases
from makegood.policy.clock import zone_of
from makegood.policy.decide import decide
from makegood.policy.engines.bulk import Bulk
from makegood.policy.engines.claims import frame_of
from makegood.policy.engines.compiled import Compiled
from makegood.policy.engines.ruling import Ruling, ruling_of
from makegood.policy.facts import Facts
from makegood.policy.generate import Generator
from makegood.policy.packs import Pack
from makegood.policy.quote import packs_for
from makegood.policy.together import together
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
        if len(facts.rows) > 1:  # compiled packs judge line by line
            continue
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
    for quick in source.values():
        assert quick.ask.__globals__["__builtins__"] == {}


@pytest.mark.parametrize("line", [{"id": "1", "quantity": 2}, {"id": "1", "quantity": 2, "paid": "100.01"}])
def test_a_thing_waits_below_a_refund_that_waits_where_what_was_paid_is_unknown(line: dict[str, Any]) -> None:
    pack = a_pack(
        a_rule(refund("line.price_paid"), when="line.opened: false", rule_id="money", priority=2),
        a_rule("grant: [{kind: repair, amount: '0'}]", rule_id="thing", priority=1),
    )
    told, compiled = both_say(a_case(order={"lines": [line]}), [pack])
    assert compiled == told
    assert bool(told.given) is ("paid" in line)


def test_what_a_formula_divides_by_is_left_to_exact_fractions() -> None:
    pack = a_pack(a_rule(refund("line.paid / line.quantity")))
    told, compiled = both_say(a_case(), [pack])
    assert compiled == told
    assert told.total == 5001  # 100.01 over two units, half up


MARKETS = [("CN", "tmall", "CNY"), ("DE", "amazon", "EUR"), ("GB", "own-store", "GBP"), ("US", "amazon", "USD")]
CASES_A_MARKET = 5_000


@pytest.mark.parametrize(("market", "platform", "currency"), MARKETS)
def test_all_three_agree_on_generated_cases(market: str, platform: str, currency: str) -> None:
    packs = PACKS.applying(market=market, platform=platform, day=date(2026, 11, 14))
    rows = [
        row
        for unknown in (0.02, 0.3)
        for row in Generator(
            packs, market=market, platform=platform, currency=currency, seed=5, unknown=unknown
        ).rows(CASES_A_MARKET // 2)
    ]  # fmt: skip
    compiled = [engine(packs).ruling(row) for row in rows]
    for row, ruling in zip(rows, compiled, strict=True):
        document = {"market": market, "currency": currency, "asked_at": row["asked_at"].isoformat()}
        facts = Facts(document=document, rows=(row,))
        assert ruling == ruling_of(decide(facts, packs, by=BY)), row
    assert {ruling.verdict for ruling in compiled} == {"grant", "partly", "deny", "need_evidence", "refer"}

    bulk = Bulk(PACKS, [pack.id for pack in packs])
    by_columns = bulk.rule(frame_of(rows))
    assert by_columns.rows() == bulk.as_frame(compiled).rows()
    assert sum(columns is not None for columns in bulk.columns.values()) > 3


@pytest.mark.parametrize(("market", "platform", "currency"), MARKETS)
def test_one_look_at_a_row_finds_what_each_pack_finds_by_itself(market: str, platform: str, currency: str) -> None:
    packs = PACKS.applying(market=market, platform=platform, day=date(2026, 11, 14))
    for row in Generator(packs, market=market, platform=platform, currency=currency, seed=9, unknown=0.2).rows(300):
        ready = together(packs, row["case.kind"], BY)
        bits = ready.look(row)
        for level, (pack, table) in enumerate(zip(ready.packs, ready.tables, strict=True)):
            fails, unknown = table.truths({**pack.assume, **row})
            assert ready.masks(level, bits) == (fails, unknown)
            for entry in table.entries:
                expected = False if entry.mask & fails else None if entry.mask & unknown else True
                assert ready.truth(level, entry, bits) is expected


def test_every_edge_of_every_rule_comes_out_alike_in_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("makegood.policy.engines.bulk.FEW", 0)
    facts = [Facts.from_json(case.facts) for pack in PACKS.packs for case in drawn_cases(pack, BY)]
    rows = [facts_.rows[0] for facts_ in facts if facts_.market][::6]
    bulk = Bulk(PACKS)
    by_columns = bulk.rule(frame_of(rows))
    one_by_one = [engine(_applying(row)).ruling(row) for row in rows]
    assert by_columns.rows() == bulk.as_frame(one_by_one).rows()
    # What columns cannot say (an amount divided by a fact) goes row by row; that stays the exception.
    assert sum(columns is None for columns in bulk.columns.values()) * 10 < len(bulk.columns)


def _applying(row: Mapping[str, Any]) -> list[Pack]:
    zone = zone_of(row["market"]) or UTC
    day = row["asked_at"].astimezone(zone).date()
    return PACKS.applying(market=row["market"], platform=row.get("platform", ""), day=day)
