"""A changed pack touches few rows; every row that it does not touch keeps its answer."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from datetime import date
from typing import Any

import polars as pl
import pytest

from makegood.policy.backtest import replaced
from makegood.policy.engines.bulk import Bulk
from makegood.policy.engines.claims import frame_of
from makegood.policy.engines.touched import Touched
from makegood.policy.generate import Generator
from makegood.policy.marks import Data
from makegood.policy.packs import Pack, read_marked
from makegood.policy.registry import Registry
from tests.policy.cases import PACKS

Change = Callable[[dict[str, Any], random.Random], None]


def one_day_more(pack: dict[str, Any], chance: random.Random) -> None:
    rules = [rule for rule in pack["rules"] if any("days_since" in fact for fact in rule.get("when", {}))]
    rule = chance.choice(rules)
    fact = next(fact for fact in rule["when"] if "days_since" in fact)
    rule["when"][fact] = "<= 8"


def less(pack: dict[str, Any], chance: random.Random) -> None:
    rule = chance.choice([rule for rule in pack["rules"] if rule.get("grant")])
    rule["grant"][0]["amount"] = "line.price_paid * 50%"


def gone(pack: dict[str, Any], chance: random.Random) -> None:
    pack["rules"].remove(chance.choice(pack["rules"]))


def first(pack: dict[str, Any], chance: random.Random) -> None:
    chance.choice(pack["rules"])["priority"] = 9_000


def without_evidence(pack: dict[str, Any], chance: random.Random) -> None:
    chance.choice([rule for rule in pack["rules"] if rule.get("evidence")])["evidence"] = []


def last_first(pack: dict[str, Any], chance: random.Random) -> None:
    for rule in pack["rules"]:
        rule["priority"] = 1
    pack["rules"].reverse()


def assumed(pack: dict[str, Any], chance: random.Random) -> None:
    pack["assume"] = {}


def other_kinds(pack: dict[str, Any], chance: random.Random) -> None:
    rule = chance.choice([rule for rule in pack["rules"] if rule["kinds"] == ["return"] and not rule.get("reasons")])
    rule["kinds"] = ["exchange"]


CHANGES: list[Change] = [one_day_more, less, gone, first, without_evidence, last_first, assumed, other_kinds]
PLACES = [("CN", "tmall", "CNY"), ("SG", "own-store", "SGD")]


def changed(pack: Pack, change: Change, seed: int) -> Pack:
    written = copy.deepcopy(pack.written.model_dump(mode="json", by_alias=True, exclude_defaults=True))
    change(written, random.Random(seed))  # noqa: S311 - cases for a test
    return read_marked(Data(written, "house/changed.yaml"))


def rows_of_places() -> pl.DataFrame:
    rows = []
    for market, platform, currency in PLACES:
        packs = PACKS.applying(market=market, platform=platform, day=date(2026, 11, 14))
        generator = Generator(packs, market=market, platform=platform, currency=currency, seed=8)
        rows += list(generator.rows(400))
    return frame_of(rows)


ROWS = rows_of_places()


HOUSE = PACKS.versions("house")[-1]
OLD = replaced(PACKS, [HOUSE])
BEFORE = Bulk(OLD).rule(ROWS)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_what_a_change_does_not_touch_is_answered_as_before(change: Change) -> None:
    for seed in range(2):
        new = replaced(PACKS, [changed(HOUSE, change, seed)])
        touched = Touched(OLD, new).rows(ROWS)
        after = Bulk(new).rule(ROWS)
        assert BEFORE.filter(~touched).equals(after.filter(~touched))
        assert touched.any()


def test_a_window_of_a_few_days_touches_few_rows() -> None:
    new = replaced(PACKS, [changed(HOUSE, one_day_more, 1)])
    touched = Touched(OLD, new).rows(ROWS)
    assert not Bulk(new).rule(ROWS.filter(touched)).equals(BEFORE.filter(touched))
    assert 0 < touched.sum() < ROWS.height // 10
    assert not Touched(OLD, OLD).rows(ROWS).any()


def test_a_version_that_begins_earlier_touches_what_was_asked_before() -> None:
    early = frame_of([{**row, "asked_at": row["asked_at"].replace(year=2018)} for row in ROWS.head(50).to_dicts()])
    assert Touched(Registry([HOUSE]), replaced(Registry([HOUSE]), [HOUSE])).rows(early).all()
