"""The back ends asked the same by the hundred thousand, and another engine asked which rules hold."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any

from bench.figures import Figure
from bench.ground import Ground
from makegood.policy import jdm
from makegood.policy.clock import zone_of
from makegood.policy.combination import Combination
from makegood.policy.decide import decide
from makegood.policy.engines.bulk import Bulk
from makegood.policy.engines.claims import frame_of
from makegood.policy.engines.compiled import Compiled
from makegood.policy.engines.ruling import ruling_of
from makegood.policy.facts import Facts
from makegood.policy.generate import Generator
from makegood.policy.packs import Pack
from makegood.policy.registry import SHIPPED, Registry
from makegood.policy.table import table_of

PLACES = (
    ("CN", "tmall", "CNY"), ("CN", "own-store", "CNY"), ("DE", "amazon", "EUR"), ("FR", "own-store", "EUR"),
    ("GB", "amazon", "GBP"), ("US", "amazon", "USD"), ("SG", "own-store", "SGD"), ("US", "tau-retail", "USD"),
)  # fmt: skip
UNKNOWN = (0.02, 0.1, 0.3)
DAY = date(2026, 11, 14)
CHUNK = 20_000
FEW = 20  # rows from which on columns are used, so that they are asked about as much as can be
EXAMPLES = 3

Row = dict[str, Any]


def measure(ground: Ground) -> list[Figure]:
    """``policy.backends_equal`` and ``policy.zen_equal``: the share of cases answered alike."""
    registry = Registry.from_folder(SHIPPED)
    return [_back_ends(registry, ground.size.rulings), _zen(registry, ground.size.rulings // 10)]


def _back_ends(registry: Registry, count: int) -> Figure:
    by = registry.combination()
    differing, asked = 0, 0
    examples: list[str] = []
    verdicts = dict.fromkeys(("grant", "partly", "deny", "need_evidence", "refer"), 0)
    ready: dict[tuple[str, ...], tuple[Compiled, Bulk]] = {}
    for packs, rows in chunks(registry, count):
        names = tuple(pack.id for pack in packs)
        if names not in ready:
            ready[names] = Compiled(packs, by), Bulk(registry, names, few=FEW)
        engine, bulk = ready[names]
        answers = [engine.ruling(row) for row in rows]
        columns = bulk.rule(frame_of(rows)).rows()
        for row, compiled, column, told in zip(rows, answers, columns, bulk.as_frame(answers).rows(), strict=True):
            document = {"market": row["market"], "currency": row["currency"], "asked_at": row["asked_at"].isoformat()}
            interpreted = ruling_of(decide(Facts(document, (row,)), packs, by=by))
            verdicts[interpreted.verdict] += 1
            if interpreted != compiled or column != told:
                differing += 1
                if len(examples) < EXAMPLES:
                    examples.append(f"{interpreted} | {compiled} | {column} | {row}")
        asked += len(rows)
        _progress("back ends", asked, count, differing)
    by_columns = sum(one is not None for _, bulk in ready.values() for one in bulk.columns.values())
    return Figure(
        "policy.backends_equal",
        1 - differing / asked,
        f"of {asked:,} generated cases those that interpreter, compiled Python and columns answer alike",
        {"differing": differing, "verdicts": verdicts, "programs_by_columns": by_columns, "examples": examples},
    )


def _zen(registry: Registry, count: int) -> Figure:
    import zen

    by = registry.combination()
    engine = zen.ZenEngine()
    tables = {pack.hash: engine.create_decision(json.dumps(jdm.export(pack))) for pack in registry.packs}
    differing, asked, held = 0, 0, 0
    examples: list[str] = []
    for packs, rows in chunks(registry, 4 * count, seed=1_000_003):
        for at, row in enumerate(rows):
            pack = packs[at % len(packs)]
            ours = _holding(pack, by, row)
            if ours is None:
                continue
            known, day, rules = ours
            theirs = [entry["rule"] for entry in tables[pack.hash].evaluate(jdm.context_of(known, day))["result"]]
            asked, held = asked + 1, held + len(rules)
            if theirs != rules:
                differing += 1
                if len(examples) < EXAMPLES:
                    examples.append(f"{pack.id}: {rules} | {theirs} | {row}")
            if asked >= count:
                break
        _progress("zen", asked, count, differing)
        if asked >= count:
            break
    return Figure(
        "policy.zen_equal",
        1 - differing / asked,
        f"of {asked:,} generated cases, one pack each, those in which zen-engine finds the same rules to hold",
        {"differing": differing, "rules_that_held": held, "examples": examples},
    )


def _holding(pack: Pack, by: Combination, row: Row) -> tuple[Row, date, list[str]] | None:
    """The row with what the pack assumes, the day that counts, and the rules that hold; None where none is for it."""
    known = {**pack.assume, **row}
    moment: datetime = known.get(pack.dated_by) or known["asked_at"]
    day = moment.astimezone(zone_of(row["market"]) or UTC).date()
    table = table_of(pack, row["case.kind"], by)
    if not table.entries:
        return None
    fails, unknown = table.truths(known)
    return known, day, [entry.rule.id for entry in table.in_force(day) if not entry.mask & (fails | unknown)]


def chunks(registry: Registry, count: int, *, seed: int = 0) -> Iterator[tuple[Sequence[Pack], list[Row]]]:
    """Generated cases, so many at a time, place by place; each chunk has a seed of its own."""
    made, at = 0, 0
    while made < count:
        market, platform, currency = PLACES[at % len(PLACES)]
        unknown = UNKNOWN[at // len(PLACES) % len(UNKNOWN)]
        packs = registry.applying(market=market, platform=platform, day=DAY)
        generator = Generator(
            packs, market=market, platform=platform, currency=currency, seed=seed + at, unknown=unknown
        )
        rows = list(generator.rows(min(CHUNK, count - made)))
        yield packs, rows
        made, at = made + len(rows), at + 1


def _progress(what: str, asked: int, count: int, differing: int) -> None:
    sys.stderr.write(f"{what}: {asked:,} of {count:,}, {differing:,} differ\n")
    sys.stderr.flush()
