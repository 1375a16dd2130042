"""Rulings on many rows: packs by market, platform and day, as columns in the order of the rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any

import polars as pl

from makegood.policy.engines.claims import zone_name
from makegood.policy.engines.columns import Columns
from makegood.policy.engines.compiled import Compiled
from makegood.policy.engines.ruling import Ruling
from makegood.policy.packs import Pack
from makegood.policy.registry import Registry

SETTLED = ("case.kind", "case.claimant", "currency")
ONE_DAY = timedelta(days=1)
FEW = 200  # below that one row after the other is quicker than to make expressions


class Bulk:
    """The packs of a registry, or those named, over frames of ``claims.prepared``; ``few`` rows go one by one."""

    def __init__(self, registry: Registry, pack_ids: Sequence[str] | None = None, *, few: int | None = None) -> None:
        self.few = FEW if few is None else few
        self.registry, self.pack_ids = registry, pack_ids
        self.by = registry.combination()
        days = {day for pack in registry.packs for day in (pack.valid_from, pack.valid_to) if day}
        self.edges = sorted(days)
        self.compiled: dict[tuple[str, ...], Compiled] = {}
        self.columns: dict[tuple[Any, ...], Columns | None] = {}
        self.schema: dict[str, pl.DataType] = {"verdict": pl.String(), "total": pl.Int64(), "refused": pl.String()}
        for slot in self.by.slots:
            self.schema |= {slot: pl.String(), f"{slot}.minor": pl.Int64()}

    def rule(self, frame: pl.DataFrame) -> pl.DataFrame:
        """One ruling a row: verdict, total, refused, and for each loss the rule and its minor units."""
        if not frame.height:
            return pl.DataFrame(schema=self.schema)
        parts = []
        for where, part in _groups(frame, ["market", "platform"], [self._era(frame)]):
            (market, platform), era = _first(part, ["market", "platform"]), part[ERA][0]
            packs = self._packs(market or "", platform or "", int(era))
            parts.append((where, self._rule_part(packs, part.drop(ERA))))
        return _together(parts)

    def _rule_part(self, packs: Sequence[Pack], part: pl.DataFrame) -> pl.DataFrame:
        """By columns, kind by kind; what columns cannot say row by row."""
        if part.height < self.few:
            return self.by_rows(packs, part)
        compiled = self._compiled(packs)
        parts = []
        for where, one in _groups(part, [*SETTLED], []):
            settled = dict(zip(SETTLED, _first(one, SETTLED), strict=True))
            ruled = [
                (rows_at, self._by_columns(compiled, settled, eras, rows))
                for eras, rows_at, rows in self._by_eras(compiled, settled["case.kind"], one)
            ]
            parts.append((where, _together(ruled)))
        return _together(parts)

    def _by_eras(
        self, compiled: Compiled, kind: str, part: pl.DataFrame
    ) -> Iterator[tuple[dict[int, int], pl.Series | None, pl.DataFrame]]:
        """The rows by the eras of the packs' rules; a pack whose rules are all undated has none."""
        dated = compiled.edges(kind)
        zone = zone_name(part["market"][0])
        eras = []
        for at, edges in dated:
            dated_by = compiled.packs[at].dated_by
            moment = pl.coalesce(pl.col(dated_by), "asked_at") if dated_by in part.columns else pl.col("asked_at")
            eras.append(_count_of(part, moment, zone, edges).alias(f"{ERA}{at}"))
        names = [f"{ERA}{at}" for at, _ in dated]
        for where, rows in _groups(part, [], eras):
            yield dict(zip([at for at, _ in dated], _first(rows, names), strict=True)), where, rows.drop(names)

    def _by_columns(
        self, compiled: Compiled, settled: dict[str, Any], eras: dict[int, int], rows: pl.DataFrame
    ) -> pl.DataFrame:
        if rows.height < self.few:
            return self.by_rows(compiled.packs, rows)
        market = rows["market"][0] or ""
        key = (
            tuple(pack.hash for pack in compiled.packs),
            *settled.values(),
            tuple(eras.items()),
            market,
            tuple(rows.columns),
        )
        if key not in self.columns:
            program = compiled.program_of(settled, eras)
            try:
                self.columns[key] = Columns(program, rows.columns, market)
            except ValueError:
                self.columns[key] = None  # what these expressions cannot say
        columns = self.columns[key]
        if columns is None:
            return self.by_rows(compiled.packs, rows)
        ruled, unclear = columns.rule(rows, self.schema)
        if not unclear.any():
            return ruled
        one_by_one = self.by_rows(compiled.packs, rows.filter(unclear))
        at = pl.int_range(rows.height, eager=True)
        whole = pl.concat([ruled.filter(~unclear), one_by_one])
        return (
            whole.with_columns(pl.concat([at.filter(~unclear), at.filter(unclear)]).alias("@i")).sort("@i").drop("@i")
        )

    def by_rows(self, packs: Sequence[Pack], part: pl.DataFrame) -> pl.DataFrame:
        """Row after row by compiled Python."""
        compiled = self._compiled(packs)
        names = [name for name in part.columns if name != "ref"]
        rulings = [
            compiled.ruling({name: value for name, value in zip(names, values, strict=True) if value is not None})
            for values in part.select(names).iter_rows()
        ]
        return self.as_frame(rulings)

    def as_frame(self, rulings: Sequence[Ruling]) -> pl.DataFrame:
        rows = []
        for ruling in rulings:
            row = {"verdict": ruling.verdict, "total": ruling.total, "refused": ruling.refused}
            for loss, rule, minor in ruling.given:
                row |= {loss: rule, f"{loss}.minor": minor}
            rows.append(row)
        return pl.DataFrame(rows, schema=self.schema)

    def _compiled(self, packs: Sequence[Pack]) -> Compiled:
        key = tuple(pack.hash for pack in packs)
        if key not in self.compiled:
            self.compiled[key] = Compiled(packs, self.by)
        return self.compiled[key]

    def _era(self, frame: pl.DataFrame) -> pl.Expr:
        """How many of the days on which a pack begins or ends lie at or before the day a case was asked on."""
        markets = frame["market"]
        only = [markets[0]] if _is_constant(markets) else markets.unique().to_list()
        zones = {zone_name(market) for market in only}
        if len(zones) == 1:
            return _count_of(frame, pl.col("asked_at"), zones.pop(), self.edges).alias(ERA)
        era = pl.lit(0, dtype=pl.Int64)
        for zone in zones:
            here = [market for market in only if market and zone_name(market) == zone]
            of_zone = pl.col("market").is_in(here)
            if zone == zone_name(None):
                of_zone = of_zone | pl.col("market").is_null()
            era = pl.when(of_zone).then(_count_of(frame, pl.col("asked_at"), zone, self.edges)).otherwise(era)
        return era.alias(ERA)

    def _packs(self, market: str, platform: str, era: int) -> list[Pack]:
        day = self.edges[era - 1] if era else date.min
        if self.pack_ids:
            return self.registry.named(self.pack_ids, day)
        return self.registry.applying(market=market, platform=platform, day=day)


ERA = "@era"
Placed = tuple[pl.Series | None, pl.DataFrame]  # rows by their numbers in the whole; None: all of them


def _count_of(frame: pl.DataFrame, moment: pl.Expr, zone: str, edges: Sequence[date]) -> pl.Expr:
    """How many of the edges lie at or before the local day of a moment; only those within the frame are compared."""
    day = moment.dt.convert_time_zone(zone).dt.date()
    span = frame.select(
        moment.min().dt.convert_time_zone(zone).alias("low"), moment.max().dt.convert_time_zone(zone).alias("high")
    )
    low, high = span["low"][0].date() - ONE_DAY, span["high"][0].date() + ONE_DAY
    before = sum(edge <= low for edge in edges)
    within = [(day >= edge).cast(pl.Int64) for edge in edges if low < edge <= high]
    return pl.sum_horizontal(pl.lit(before, dtype=pl.Int64), *within) if within else pl.lit(before, dtype=pl.Int64)


def _groups(frame: pl.DataFrame, keys: list[str], made: list[pl.Expr]) -> Iterator[Placed]:
    """The rows by what is equal in them; where all are alike, the frame as it is."""
    if made:
        frame = frame.with_columns(made)
    names = [*keys, *(expression.meta.output_name() for expression in made)]
    differing = [name for name in names if not _is_constant(frame[name])]
    if not differing:
        yield None, frame
        return
    places = frame.select(differing).with_row_index("@at").group_by(differing, maintain_order=True).agg("@at")["@at"]
    for place in places:
        yield place, frame[place]


def _is_constant(series: pl.Series) -> bool:
    if series.null_count():
        return series.null_count() == series.len()
    return bool((series == series[0]).all())


def _first(frame: pl.DataFrame, names: Sequence[str]) -> list[Any]:
    return [frame[name][0] for name in names]


def _together(parts: Sequence[Placed]) -> pl.DataFrame:
    """The parts in the order of the rows they were taken from."""
    if len(parts) == 1 and parts[0][0] is None:
        return parts[0][1]
    whole = pl.concat([part for _, part in parts])
    order = pl.concat([place for place, _ in parts if place is not None])
    return whole[order.arg_sort()]
