"""Rulings on many rows: packs by market, platform and day, as columns in the order of the rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import polars as pl

from makegood.policy.engines.claims import zone_name
from makegood.policy.engines.columns import Columns
from makegood.policy.engines.compiled import Compiled
from makegood.policy.engines.ruling import Ruling
from makegood.policy.packs import Pack
from makegood.policy.registry import Registry

SETTLED = ("case.kind", "case.claimant", "currency")
FEW = 200  # below that one row after the other is quicker than to make expressions


class Bulk:
    """The packs of a registry, or those named, over frames of ``claims.prepared``."""

    def __init__(self, registry: Registry, pack_ids: Sequence[str] | None = None) -> None:
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
        keyed = frame.with_row_index("@at").with_columns(self._era(frame).alias("@era"))
        groups = keyed.partition_by("market", "platform", "@era", as_dict=True, include_key=True)
        found = []
        for (market, platform, era), part in groups.items():
            packs = self._packs(market or "", platform or "", int(era))
            ruled = self._rule_part(packs, part.drop("@at", "@era"))
            found.append(ruled.with_columns(part["@at"]))
        return pl.concat(found).sort("@at").drop("@at")

    def _rule_part(self, packs: Sequence[Pack], part: pl.DataFrame) -> pl.DataFrame:
        """By columns, kind by kind; what columns cannot say row by row."""
        if part.height < FEW:
            return self.by_rows(packs, part)
        compiled = self._compiled(packs)
        found = []
        keyed = part.with_row_index("@row")
        for (kind, claimant, currency), one in keyed.partition_by(*SETTLED, as_dict=True, include_key=True).items():
            settled = dict(zip(SETTLED, (kind, claimant, currency), strict=True))
            for eras, rows in self._by_eras(compiled, str(kind), one):
                ruled = self._by_columns(compiled, settled, eras, rows.drop("@row"))
                found.append(ruled.with_columns(rows["@row"]))
        return found[0].drop("@row") if len(found) == 1 else pl.concat(found).sort("@row").drop("@row")

    def _by_eras(
        self, compiled: Compiled, kind: str, part: pl.DataFrame
    ) -> Iterator[tuple[dict[int, int], pl.DataFrame]]:
        """The rows by the eras of the packs' rules; a pack whose rules are all undated has none."""
        zone = zone_name(part["market"][0])
        names = []
        for at, edges, _ in compiled.edges(kind):
            dated_by = compiled.packs[at].dated_by
            moment = pl.coalesce(pl.col(dated_by), "asked_at") if dated_by in part.columns else pl.col("asked_at")
            day = moment.dt.convert_time_zone(zone).dt.date()
            names.append(f"@era{at}")
            part = part.with_columns(
                pl.sum_horizontal([(day >= edge).cast(pl.Int64) for edge in edges]).alias(names[-1])
            )
        if not names:
            yield {}, part
            return
        for eras, rows in part.partition_by(names, as_dict=True, include_key=True).items():
            ats = (int(name.removeprefix("@era")) for name in names)
            yield dict(zip(ats, map(int, eras), strict=True)), rows.drop(names)

    def _by_columns(
        self, compiled: Compiled, settled: dict[str, Any], eras: dict[int, int], rows: pl.DataFrame
    ) -> pl.DataFrame:
        if rows.height < FEW:
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
        markets = frame["market"].unique().to_list()
        era = pl.lit(0, dtype=pl.Int64)
        for zone in {zone_name(market) for market in markets}:
            here = [market for market in markets if zone_name(market) == zone]
            day = pl.col("asked_at").dt.convert_time_zone(zone).dt.date()
            count = pl.sum_horizontal([(day >= edge).cast(pl.Int64) for edge in self.edges])
            of_zone = pl.col("market").is_in([market for market in here if market], nulls_equal=False)
            if None in here:
                of_zone = of_zone | pl.col("market").is_null()
            era = pl.when(of_zone).then(count).otherwise(era)
        return era

    def _packs(self, market: str, platform: str, era: int) -> list[Pack]:
        day = self.edges[era - 1] if era else date.min
        if self.pack_ids:
            return self.registry.named(self.pack_ids, day)
        return self.registry.applying(market=market, platform=platform, day=day)
