"""One table, three back ends: how quick each is, beside an expression written by hand and beside another engine."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any

import polars as pl

from bench.figures import Figure, interleaved, ratio_of_medians
from bench.ground import Ground
from makegood.policy import jdm
from makegood.policy.backtest import compare, replaced
from makegood.policy.decide import decide
from makegood.policy.engines.bulk import Bulk
from makegood.policy.engines.claims import prepared
from makegood.policy.engines.compiled import Compiled
from makegood.policy.engines.ruling import ruling_of
from makegood.policy.facts import Facts
from makegood.policy.generate import Generator
from makegood.policy.outcome import Outcome
from makegood.policy.packs import Pack, read_pack
from makegood.policy.registry import SHIPPED, Registry
from makegood.policy.table import table_of

MARKETS = (("CN", "tmall", "CNY"), ("DE", "amazon", "EUR"), ("GB", "amazon", "GBP"), ("US", "amazon", "USD"))
DAY = date(2026, 11, 14)
ASKED = datetime(2026, 11, 14, 4, tzinfo=UTC)
ROUNDS = 5
JUST_READ = 50


def measure_decisions(ground: Ground) -> list[Figure]:
    """``policy.decide_traced_us`` and ``policy.decide_compiled_us``; the answers are compared afterwards.

    A decision keeps the truth of every cell of every rule; what it costs to write that out is told beside it, and what
    a decision costs on cases that lay in memory for long, so that every look at a fact waits for it.
    """
    registry = Registry.from_folder(SHIPPED)
    by = registry.combination()
    names = ("traced", "compiled", "traced_long_before", "compiled_long_before", "written")
    found: dict[str, dict[str, float]] = {name: {} for name in names}
    compared = 0
    for market, platform, currency in MARKETS:
        packs = registry.applying(market=market, platform=platform, day=DAY)
        generator = Generator(packs, market=market, platform=platform, currency=currency, seed=11)
        engine = Compiled(packs, by)
        times: list[list[float]] = []
        for _ in range(max(1, ground.size.rulings // 5_000 // len(MARKETS))):
            rows = list(generator.rows(min(5_000, ground.size.rulings)))
            facts = [
                Facts({"market": market, "currency": currency, "asked_at": row["asked_at"].isoformat()}, (row,))
                for row in rows
            ]
            rulings = [engine.ruling(row) for row in rows]
            live = partial(decide, packs=packs, by=by)
            some = [decide(one, packs, by=by) for one in facts[::20]]
            times.append(
                [
                    _as_read(live, facts), _as_read(engine.ruling, rows),
                    _cpu_seconds(live, facts), _cpu_seconds(engine.ruling, rows), _cpu_seconds(Outcome.trace, some),
                ]
            )  # fmt: skip
            outcomes = [decide(one, packs, by=by) for one in facts]
            assert rulings == [ruling_of(outcome) for outcome in outcomes], "the back ends differ"
            compared += len(rows)
        for name, column in zip(found, zip(*times, strict=True), strict=True):
            found[name][f"{market}-{platform}"] = round(median(column) * 1e6, 2)
    how = (
        f"generated cases just read, all packs of a market, the slowest market; {compared:,} answers compared, equal;"
        " CPU time"
    )
    traced, compiled = found["traced"], found["compiled"]
    return [
        Figure(
            "policy.decide_traced_us",
            max(traced.values()),
            f"one decision with its full trace kept, {how}",
            {
                **traced,
                "cases_read_long_before": found["traced_long_before"],
                "to_write_the_trace_out": found["written"],
            },
        ),
        Figure(
            "policy.decide_compiled_us",
            max(compiled.values()),
            f"one row by compiled Python, {how}",
            {**compiled, "cases_read_long_before": found["compiled_long_before"]},
        ),
    ]


def _as_read(work: Callable[[Any], object], items: Sequence[Any]) -> float:
    """CPU seconds an item as where each was read just before: few at a time, touched once before they are timed."""
    taken = 0.0
    for start in range(0, len(items), JUST_READ):
        few = items[start : start + JUST_READ]
        for item in few:
            work(item)
        taken += _cpu_seconds(work, few) * len(few)
    return taken / len(items)


def _cpu_seconds(work: Callable[[Any], object], items: Sequence[Any]) -> float:
    """CPU seconds an item, one after the other, none of the answers kept."""
    started = process_time()
    for item in items:
        work(item)
    return (process_time() - started) / len(items)


def claims(count: int, start: int = 0) -> pl.DataFrame:
    """Returns that were asked of a shop, one row an asked line; the same rows for the same numbers."""
    at = pl.int_range(start, start + count, eager=True)

    def pick(step: int, values: Sequence[Any]) -> pl.Series:
        index = (at * step + at // len(values)) % len(values)
        return pl.Series(values).gather(index)

    days = (at * 7919) % 120
    paid = 1_000 + (at * 104_729) % 90_000
    return pl.DataFrame(
        {
            "ref": "C" + at.cast(pl.String),
            "market": pl.Series(["SG"]).new_from_index(0, count),
            "platform": pl.Series(["own-store"]).new_from_index(0, count),
            "currency": pl.Series(["SGD"]).new_from_index(0, count),
            "case.kind": pl.Series(["return"]).new_from_index(0, count),
            "case.claimant": pl.Series(["customer"]).new_from_index(0, count),
            "case.reason": pick(3, REASONS),
            "asked_at": pl.Series([ASKED]).new_from_index(0, count).cast(pl.Datetime("us", "UTC")),
            "order.state": pick(11, ["delivered", "delivered", "delivered", "shipped"]),
            "order.free_shipping": pick(5, [True, False, False]),
            "days_since_delivery": days,
            "fault": pick(13, ["seller", "carrier", "customer", "none"]),
            "line.category": pick(17, ["toys", "books", "perishable", "custom_made", "clothes"]),
            "line.excluded_from_no_reason": pick(19, [False, False, False, True]),
            "line.confirmed_no_return": pick(23, [False, False, True]),
            "parcel.condition": pick(29, ["intact", "opened", "used", "damaged"]),
            "evidence.photo": pick(31, [True, True, False]),
            "evidence.report": pick(53, [False, False, True]),
            "evidence.receipt": pick(37, [True, False]),
            "case.return_freight": pick(41, [None, None, 800, 1_200]),
            "fraud": pl.Series([False]).new_from_index(0, count),
            "line.paid": paid,
            "line.price_paid": paid,
            "line.shipping_share": (at * 31) % 1_500,
            "order.shipping_paid": (at * 31) % 1_500,
            "order.paid_at_least": paid + (at * 31) % 1_500,
            "line.refunded_before": pick(43, [0] * 9 + [500]),
            "order.refunded_before": pick(43, [0] * 9 + [500]),
            "line.promotion": pick(47, [None, "spring", "double-11"]),
        }
    )  # fmt: skip


REASONS = ["changed_mind", "defective", "not_as_described", "wrong_item", "damaged", "missing_part", "counterfeit"]

MISFIT = ["not_as_described", "wrong_item", "damaged", "missing_part"]


def with_rule(frame: pl.DataFrame) -> pl.DataFrame:
    """Which rule gives, whether a person is asked, whether the shipping is kept."""
    col = pl.col
    delivered, days, reason = col("order.state") == "delivered", col("days_since_delivery"), col("case.reason")
    ours = delivered & col("fault").is_in(["seller", "carrier"])
    misfit = ours & reason.is_in(MISFIT) & (days <= 30) & col("evidence.photo")
    shown = col("evidence.photo") | col("evidence.report")
    defective = ours & (reason == "defective") & (days <= 90) & shown
    counterfeit = ours & (reason == "counterfeit") & (days <= 365) & shown
    freight = col("case.return_freight").is_not_null() & col("evidence.receipt")
    changed = delivered & (reason == "changed_mind")
    no_reason = (
        changed & (days <= 7) & ~col("line.excluded_from_no_reason") & ~col("line.confirmed_no_return")
        & ~col("line.category").is_in(["custom_made", "perishable", "digital", "newspaper"])
    )  # fmt: skip
    refer = delivered & col("parcel.condition").is_in(["used", "damaged"]) & (col("fault") == "customer")
    kept = changed & ~col("order.free_shipping")

    rule = (
        pl.when(refer).then(None)
        .when(misfit & freight).then(pl.lit("house-return-not-as-sold-with-freight"))
        .when(defective & freight).then(pl.lit("house-return-defective-with-freight"))
        .when(counterfeit & freight).then(pl.lit("house-return-counterfeit-with-freight"))
        .when(misfit).then(pl.lit("house-return-not-as-sold"))
        .when(defective).then(pl.lit("house-return-defective"))
        .when(counterfeit).then(pl.lit("house-return-counterfeit"))
        .when(no_reason).then(pl.lit("house-return-no-reason"))
    )  # fmt: skip
    return frame.select("*", rule.alias("main"), refer.alias("refer"), kept.alias("kept"))


def by_hand(frame: pl.DataFrame) -> pl.DataFrame:
    """The returns of the house pack as somebody would write them in Polars who has to give the same answer."""
    col = pl.col
    found = with_rule(frame)
    given = col("main").is_not_null()
    full = given & (col("main") != "house-return-no-reason")
    of_order = pl.max_horizontal(col("order.paid_at_least") - col("order.refunded_before"), 0)
    refund = pl.min_horizontal(
        col("line.price_paid"), pl.max_horizontal(col("line.paid") - col("line.refunded_before"), 0), of_order
    )
    found = found.with_columns(
        pl.when(given).then(refund).alias("main.minor"), pl.when(full).then(col("main")).alias("shipping_refund")
    )
    shipping = pl.min_horizontal(col("line.shipping_share"), col("order.shipping_paid"), of_order - refund)
    found = found.with_columns(
        pl.when(full).then(shipping).alias("shipping_refund.minor"), col("main").alias("return_freight")
    )
    found = found.with_columns(
        pl.when(col("main").str.ends_with("-with-freight")).then(col("case.return_freight"))
        .when(given).then(0).alias("return_freight.minor")
    )  # fmt: skip
    nothing = given & (col("main.minor") <= 0)
    partly = (nothing | (given & col("kept") & (col("line.shipping_share") != 0) & ~full)).fill_null(value=False)
    verdict = (
        pl.when(~given).then(pl.when(col("refer")).then(pl.lit("refer")).otherwise(pl.lit("deny")))
        .when(partly).then(pl.lit("partly")).otherwise(pl.lit("grant"))
    )  # fmt: skip
    total = col("main.minor").fill_null(0) + col("shipping_refund.minor").fill_null(0)
    return found.select(
        verdict.alias("verdict"),
        (total + col("return_freight.minor").fill_null(0)).alias("total"),
        pl.when(nothing).then(pl.lit("guard")).otherwise(pl.lit("")).alias("refused"),
        "main", "main.minor", "shipping_refund", "shipping_refund.minor", "return_freight", "return_freight.minor",
    )  # fmt: skip


def changed_house(house: Pack) -> Pack:
    """The house pack with 14 days in place of 30."""
    text = (SHIPPED / "house" / "pack.yaml").read_text(encoding="utf-8")
    assert house.file.startswith("house/")
    return read_pack(text.replace('days_since_delivery: "<= 30"', 'days_since_delivery: "<= 14"'), "house/changed.yaml")


def measure_backtests(ground: Ground) -> list[Figure]:
    """``policy.backtest_vs_handwritten``, ``…_vs_zen``, ``policy.diff_vs_run`` and ``policy.backtest_10m_linear``.

    All in CPU seconds, of all threads together: what others do on the machine counts on neither side.
    """
    registry = Registry.from_folder(SHIPPED)
    [house] = registry.versions("house")
    count = ground.size.claims
    frame = prepared(claims(count))
    bulk = Bulk(registry, ["house"])
    ours, theirs = bulk.rule(frame), by_hand(frame)
    assert ours.select(theirs.columns).equals(theirs), "the expression written by hand differs"
    mine, hand = interleaved(ROUNDS, lambda: bulk.rule(frame), lambda: by_hand(frame), clock=process_time)
    alone = registry_of([house])
    other = replaced(alone, [changed_house(house)])
    run, diff = interleaved(
        ROUNDS, lambda: Bulk(alone).rule(frame), lambda: compare([frame], alone, other), clock=process_time
    )
    per_row, differing, asked = zen_seconds(house, frame.head(ground.size.zen_cases))
    return [
        Figure(
            "policy.backtest_vs_handwritten",
            ratio_of_medians(mine, hand),
            f"{count:,} returns ruled on under the pack house, against Polars written by hand; the answers are equal",
            {"seconds": round(median(mine), 3), "by_hand_seconds": round(median(hand), 3)},
        ),
        Figure(
            "policy.backtest_vs_zen",
            per_row * count / median(mine),
            f"the same cases a second, against zen-engine on the exported table row by row ({asked:,} cases of them)",
            {"zen_us_a_case": round(per_row * 1e6, 1), "rules_that_hold_differ": differing},
        ),
        Figure(
            "policy.diff_vs_run",
            ratio_of_medians(diff, run),
            f"{count:,} cases under the old and the new pack, compared and added up, against one plain run",
            {"seconds": round(median(diff), 3), "run_seconds": round(median(run), 3)},
        ),
        *_growth(count),
    ]


def registry_of(packs: Sequence[Pack]) -> Registry:
    return Registry(packs)


def zen_seconds(house: Pack, frame: pl.DataFrame) -> tuple[float, int, int]:
    """Seconds a case of the zen engine, in how many cases other rules hold, and how many cases were asked."""
    import zen

    decision = zen.ZenEngine().create_decision(json.dumps(jdm.export(house)))
    by = Registry([house]).combination()
    table = table_of(house, "return", by)
    rows = [
        {**house.assume, **{name: value for name, value in row.items() if value is not None and name != "ref"}}
        for row in frame.iter_rows(named=True)
    ]
    contexts = [jdm.context_of(row, DAY) for row in rows]
    started = process_time()
    answers = [decision.evaluate(context)["result"] for context in contexts]
    taken = process_time() - started
    differing = 0
    for row, answer in zip(rows, answers, strict=True):
        fails, unknown = table.truths(row)
        holds = [entry.rule.id for entry in table.in_force(DAY) if not entry.mask & (fails | unknown)]
        differing += [one["rule"] for one in answer] != holds
    return taken / len(rows), differing, len(rows)


GROWING = """
import json, resource, sys, time
from pathlib import Path
from bench.policies import changed_house, registry_of
from makegood.policy.backtest import compare, replaced
from makegood.policy.engines.claims import batches
from makegood.policy.registry import SHIPPED, Registry
[house] = Registry.from_folder(SHIPPED).versions("house")
alone = registry_of([house])
started, begun = time.process_time(), time.perf_counter()
found = compare(batches(Path(sys.argv[1])), alone, replaced(alone, [changed_house(house)]))
taken = time.process_time() - started
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps([taken, time.perf_counter() - begun, peak, found.cases, found.changed]))
"""


def _growth(count: int) -> list[Figure]:
    """Ten times the cases from a file: seconds a case and peak memory of a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        few, many = Path(folder) / "few.parquet", Path(folder) / "many.parquet"
        claims(count).write_parquet(few, row_group_size=100_000)
        # Ten files' worth in one file, written part by part.
        pl.concat([pl.scan_parquet(few)] * 10).sink_parquet(many, row_group_size=100_000)
        commands = [[sys.executable, "-c", GROWING, str(file)] for file in (few, many)]
        told = [json.loads(subprocess.run(c, check=True, capture_output=True, text=True).stdout) for c in commands]
    (one, _, small, cases, _), (ten, waited, large, more, changed) = told
    assert more == 10 * cases
    assert changed
    return [
        Figure(
            "policy.backtest_10m_linear",
            ten / one / 10,
            f"CPU seconds a case of a diff over {more:,} cases of a Parquet file, against {cases:,}",
            {
                "cpu_seconds": [round(one, 2), round(ten, 2)],
                "seconds_on_the_clock": round(waited, 1),
                "peak_memory_mb": [round(small), round(large)],
            },
        )
    ]
