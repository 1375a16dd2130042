"""What a changed policy would cost: the same cases under the old and the new one, by rule, money and people."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from makegood.kit.money import Money
from makegood.policy.chart import bars
from makegood.policy.engines.bulk import Bulk
from makegood.policy.engines.claims import REFERENCE
from makegood.policy.engines.touched import Touched
from makegood.policy.packs import Pack, load_pack
from makegood.policy.registry import PackUnknown, Registry

DIMENSIONS = {"market": "market", "category": "line.category", "promotion": "line.promotion"}
EXAMPLES = 3
Progress = Callable[[int], None]
RULES = ["old.rules", "new.rules", "old.verdict", "new.verdict", "currency"]
SUMS = ["cases", "old.total", "new.total", "gain", "lose", "difference"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """``by_rules``: old rules × new rules with cases and money; ``by``: of each dimension who wins and who loses."""

    cases: int
    changed: int
    by_rules: pl.DataFrame
    by: dict[str, pl.DataFrame]
    packs: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        return {
            "cases": self.cases,
            "changed": self.changed,
            "packs": list(self.packs),
            "by_rules": [_told(row) for row in self.by_rules.iter_rows(named=True)],
            **{f"by_{name}": [_told(row) for row in frame.iter_rows(named=True)] for name, frame in self.by.items()},
        }

    def kept(self, most: int) -> dict[str, Any]:
        """What a page shows, as JSON: minor units, the ``most`` changes with the largest differences, and the chart."""
        changed = self.by_rules.filter("changed")
        return {
            "lines": self.cases,
            "changed": self.changed,
            "rows": changed.head(most).to_dicts(),
            "more": max(0, changed.height - most),
            "groups": {name: frame.head(most).to_dicts() for name, frame in self.by.items()},
            "chart": self.chart() if changed.height else "",
        }

    def chart(self, most: int = 20) -> str:
        """The changes with the largest differences as bars (SVG)."""
        rows = []
        for row in self.by_rules.filter("changed").head(most).iter_rows(named=True):
            label = f"{row['old.rules'] or row['old.verdict']} → {row['new.rules'] or row['new.verdict']}"
            amount = decimal_of(row["difference"], row["currency"])
            rows.append((label, row["difference"], f"{amount} {row['currency']} ({row['cases']:,})"))
        return bars(rows, f"{self.changed:,} / {self.cases:,}")

    def write(self, file: Path) -> None:
        """The table by rules as Parquet, or as CSV where the name ends so."""
        if file.suffix == ".csv":
            flat = self.by_rules.with_columns(pl.col("examples").list.join(" "))
            flat.write_csv(file)
        else:
            self.by_rules.write_parquet(file)


def _told(row: dict[str, Any]) -> dict[str, Any]:
    """Amounts as decimal strings of their currency."""
    currency = row["currency"]
    money = {"old.total", "new.total", "difference"}
    return {
        name.replace(".", "_"): decimal_of(value, currency) if name in money else value for name, value in row.items()
    }


def decimal_of(minor: int, currency: str) -> str:
    """Minor units as a decimal string; losses are told with their sign."""
    return ("-" if minor < 0 else "") + Money(abs(minor), currency).amount()


def compare(
    frames: Iterable[pl.DataFrame], old: Registry, new: Registry, *, progress: Progress | None = None
) -> Comparison:
    """Rule on every row by both and add up. Frames as ``claims.prepared``; what is kept does not grow with them.

    Only rows that a changed rule may touch are ruled on twice.
    """
    before, after, touched = Bulk(old), Bulk(new), Touched(old, new)
    sums: list[pl.DataFrame] = []
    groups: dict[str, list[pl.DataFrame]] = {name: [] for name in DIMENSIONS}
    cases = 0
    for frame in frames:
        parts = list(side_by_side(frame, before, after, touched))
        # All at once first: what is left is so few rows that the tables made of it cost nothing.
        few = pl.concat([_named(part, _sums(part)) for part in parts])
        sums.append(_added([few.drop(DIMENSIONS.values())], RULES))
        for name, column in DIMENSIONS.items():
            groups[name].append(_added([few.drop("examples").rename({column: name})], [name, "currency"]))
        cases += frame.height
        if len(sums) > 16:
            sums = [_added(sums, RULES)]
            groups = {name: [_added(parts, [name, "currency"])] for name, parts in groups.items()}
        if progress:
            progress(cases)
    by_rules = _added([_plainly(part) for part in sums], RULES).sort(
        pl.col("difference").abs(), "cases", *RULES, descending=[True, True, *[False] * 5]
    )
    by_rules = by_rules.with_columns(((pl.col("gain") + pl.col("lose") > 0) | _differs()).alias("changed"))
    changed = by_rules.filter("changed")["cases"].sum()
    by = {
        name: _added(parts, [name, "currency"]).sort("difference", name, nulls_last=True)
        for name, parts in groups.items()
    }
    known = {pack.hash for pack in old.packs}
    packs = tuple(f"{pack.id} {pack.version}" for pack in new.packs if pack.hash not in known)
    return Comparison(cases, int(changed or 0), by_rules, by, packs)


def _plainly(part: pl.DataFrame) -> pl.DataFrame:
    """Each rule named once, however many losses it makes good."""
    return part.with_columns(
        pl.col(name).map_elements(_once, return_dtype=pl.String, skip_nulls=True) for name in ("old.rules", "new.rules")
    )


def _once(names: str) -> str:
    return " + ".join(dict.fromkeys(names.split(" + ")))


def _differs() -> pl.Expr:
    return (pl.col("old.rules") != pl.col("new.rules")) | (pl.col("old.verdict") != pl.col("new.verdict"))


def side_by_side(frame: pl.DataFrame, before: Bulk, after: Bulk, touched: Touched) -> Iterator[pl.DataFrame]:
    """The rows with what both say, those that both answer alike apart: one column a part of the answer."""
    told = frame.select(
        "currency",
        *(
            pl.col(column) if column in frame.columns else pl.lit(None, dtype=pl.String).alias(column)
            for column in DIMENSIONS.values()
        ),
        (pl.col(REFERENCE).cast(pl.String) if REFERENCE in frame.columns else pl.lit(None, dtype=pl.String)).alias(
            "ref"
        ),
    )
    told = pl.concat([told, _answers(before.rule(frame), before, "old")], how="horizontal")
    may_differ = touched.rows(frame)
    if not may_differ.any():
        yield told
        return
    if not may_differ.all():
        yield told.filter(~may_differ)
        told, frame = told.filter(may_differ), frame.filter(may_differ)
    yield pl.concat([told, _answers(after.rule(frame), after, "new")], how="horizontal")


def _answers(ruled: pl.DataFrame, bulk: Bulk, side: str) -> pl.DataFrame:
    slots = [slot for slot in bulk.by.slots if ruled[slot].null_count() < ruled.height]
    return ruled.select(pl.col(name).alias(f"{side}.{name}") for name in ("verdict", "refused", "total", *slots))


def _keys(part: pl.DataFrame) -> list[str]:
    return [name for name in part.columns if name not in {"ref", "old.total", "new.total"}]


def _sums(part: pl.DataFrame) -> pl.DataFrame:
    """Rows that are alike in all but money, counted and added up, with some of them as examples."""
    old, ref = pl.col("old.total"), pl.col("ref")
    differs = "new.total" in part.columns
    new = pl.col("new.total") if differs else old
    difference = new - old
    return part.lazy().group_by(_keys(part), maintain_order=True).agg(
        pl.len().cast(pl.Int64).alias("cases"),
        old.sum().alias("old.total"),
        new.sum().alias("new.total"),
        (difference > 0).sum().cast(pl.Int64).alias("gain"),
        (difference < 0).sum().cast(pl.Int64).alias("lose"),
        difference.sum().alias("difference"),
        # Of what stays as it is two are shown for each group: to list the first of each would cost more than all else.
        ref.head(EXAMPLES).alias("examples") if differs else pl.concat_list(ref.first(), ref.last()).alias("examples"),
    ).collect()  # fmt: skip


def _named(part: pl.DataFrame, few: pl.DataFrame) -> pl.DataFrame:
    """Few rows with the rules of each side in one column; where there is no new side it says what the old one says."""
    sides = ["old", "new" if "new.total" in part.columns else "old"]
    told = []
    for name, side in zip(("old", "new"), sides, strict=True):
        slots = [column for column in _keys(part) if column.startswith(f"{side}.")]
        slots = [column for column in slots if column not in {f"{side}.verdict", f"{side}.refused"}]
        rules = pl.concat_str(slots, separator=" + ", ignore_nulls=True) if slots else pl.lit("")
        refused = pl.col(f"{side}.refused")
        told.append(pl.when(rules != "").then(rules).otherwise(refused).alias(f"{name}.rules"))
        told.append(pl.col(f"{side}.verdict").alias(f"{name}.verdict"))
    return few.select(*told, "currency", *DIMENSIONS.values(), *SUMS, "examples").select(
        *RULES, *DIMENSIONS.values(), *SUMS, "examples"
    )


def _added(parts: Sequence[pl.DataFrame], keys: list[str]) -> pl.DataFrame:
    if not parts:
        sums = dict.fromkeys(SUMS, pl.Int64)
        return pl.DataFrame(schema={**dict.fromkeys(keys, pl.String), **sums, "examples": pl.List(pl.String)})
    whole = pl.concat(parts)
    listed = pl.col("examples").explode().drop_nulls().unique(maintain_order=True).head(EXAMPLES)
    extra = [listed] if "examples" in whole.columns else []
    return whole.group_by(keys, maintain_order=True).agg([pl.col(name).sum() for name in SUMS] + extra)


def read_side(path: Path, registry: Registry) -> Registry:
    """The registry with the packs of a file or folder in place of those of the same name, whenever they begin.

    A folder is one of packs (``<pack>/*.yaml``) or one pack's own. Raises PackMalformed, PackUnknown.
    """
    if path.is_dir():
        files = sorted(path.glob("*.yaml")) if not list(path.glob("*/*.yaml")) else sorted(path.glob("*/*.yaml"))
        files = [file for file in files if not file.name.startswith("combination")]
    else:
        files = [path]
    if not files or not all(file.is_file() for file in files):
        raise PackUnknown(str(path), field="policy", rule="a file or folder of packs")
    return replaced(registry, [load_pack(file) for file in files])


def replaced(registry: Registry, packs: Sequence[Pack]) -> Registry:
    """The registry as if these packs had always been in force."""
    newest = {pack.id: pack for pack in sorted(packs, key=lambda pack: pack.valid_from)}
    always = [dataclasses.replace(pack, valid_from=date(1900, 1, 1), valid_to=None) for pack in newest.values()]
    return Registry([pack for pack in registry.packs if pack.id not in newest] + always, registry.combinations)
