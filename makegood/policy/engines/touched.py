"""Which rows a changed policy may answer otherwise; all others keep the answer they had.

An answer follows from the truth of the rules and from what they give. Where every rule that differs between two
policies is as true under the one as under the other, and nothing but its conditions was changed, nothing else can
differ; a rule that was changed in any other way, came or went matters only where it does not fail.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from functools import reduce
from operator import or_
from typing import Any, TypeVar

import polars as pl

from makegood.policy.cells import Cell
from makegood.policy.combination import Combination
from makegood.policy.engines.program import Program
from makegood.policy.engines.terms import Terms
from makegood.policy.packs import Pack, Rule
from makegood.policy.registry import EU, Registry
from makegood.policy.table import is_plain

ONE_DAY = timedelta(days=1)
MANY = 24  # differences; where there are more, all rows are ruled on anew
T = TypeVar("T")
Pair = tuple[T, T]


class Touched:
    """Two registries, as far as they differ. ``everything``: they are not combined alike, so any row may differ."""

    def __init__(self, old: Registry, new: Registry) -> None:
        self.by = old.combination()
        self.everything = self.by.hash != new.combination().hash
        self.packs: list[tuple[Sequence[Pack], Sequence[Pack]]] = []
        for pack_id in sorted({*old.ids(), *new.ids()}):
            sides = tuple(registry.versions(pack_id) if pack_id in registry.ids() else () for registry in (old, new))
            if len({tuple((pack.hash, pack.valid_from, pack.valid_to) for pack in side) for side in sides}) > 1:
                self.packs.append((sides[0], sides[1]))

    def rows(self, frame: pl.DataFrame) -> pl.Series:
        """Whether a row may be answered otherwise. Frames as ``claims.prepared``."""
        if self.everything:
            return pl.repeat(value=True, n=frame.height, eager=True)
        found = [one for old, new in self.packs for one in self._of_pack(frame, old, new)]
        if len(found) > MANY:
            return pl.repeat(value=True, n=frame.height, eager=True)
        if not found:
            return pl.repeat(value=False, n=frame.height, eager=True)
        near = _rows_of(frame, [roughly for roughly, _ in found])
        sure = _rows_of(frame.filter(near), [exactly for _, exactly in found])
        at = pl.int_range(frame.height, dtype=pl.UInt32, eager=True)
        return pl.repeat(value=False, n=frame.height, eager=True).scatter(at.filter(near).filter(sure), values=True)

    def _of_pack(self, frame: pl.DataFrame, old: Sequence[Pack], new: Sequence[Pack]) -> Iterator[Pair[pl.Expr]]:
        """Of each difference an expression that is quick and true of too many rows, and one that is exact."""
        pairs = _pairs(old[0], new[0]) if len(old) == len(new) == 1 and _alike(old[0], new[0]) else None
        if pairs is None:
            yield from (self._may_hold(frame, pack, rule) for pack in (*old, *new) for rule in pack.rules)
            return
        for one, other in pairs:
            if one and other and _gives(one) == _gives(other):
                yield self._goes_otherwise(frame, old[0], one, other)
            else:
                yield from (self._may_hold(frame, old[0], rule) for rule in (one, other) if rule)
        yield from ((outside, outside) for outside in _outside(frame, old[0], new[0]))

    def _may_hold(self, frame: pl.DataFrame, pack: Pack, rule: Rule) -> Pair[pl.Expr]:
        may = self._truth(frame, pack, rule.cells, rule.evidence).fill_null(value=True) & _about(pack, rule)
        return may, may

    def _goes_otherwise(self, frame: pl.DataFrame, pack: Pack, one: Rule, other: Rule) -> Pair[pl.Expr]:
        """Where the conditions that were changed come out otherwise, and of that where the whole rule does."""
        kept, same = {*one.cells} & {*other.cells}, {*one.evidence} & {*other.evidence}

        def changed(rule: Rule) -> pl.Expr:
            cells = [cell for cell in rule.cells if cell not in kept]
            return self._truth(frame, pack, cells, [need for need in rule.evidence if need not in same])

        whole = [self._truth(frame, pack, rule.cells, rule.evidence) for rule in (one, other)]
        return changed(one).ne_missing(changed(other)), whole[0].ne_missing(whole[1]) & _about(pack, one)

    def _truth(
        self, frame: pl.DataFrame, pack: Pack, cells: Sequence[tuple[str, Cell]], evidence: Sequence[tuple[str, ...]]
    ) -> pl.Expr:
        if all(is_plain(cell) for _, cell in cells):
            return _terms(frame, self.by, "", None).holds(cells, evidence, pack.assume)
        # Written amounts are of one currency, and days begin by the clock of the market.
        chain: Any = pl
        for market, currency in frame.select("market", "currency").unique().iter_rows():
            here = pl.col("market").eq_missing(pl.lit(market)) & (pl.col("currency") == currency)
            chain = chain.when(here).then(
                _terms(frame, self.by, market or "", currency).holds(cells, evidence, pack.assume)
            )
        truth: pl.Expr = chain.otherwise(None)
        return truth


def _rows_of(frame: pl.DataFrame, found: Sequence[pl.Expr]) -> pl.Series:
    # Through a lazy frame, so that what the expressions have in common is computed once.
    return frame.lazy().select(reduce(or_, found).fill_null(value=False).alias("rows")).collect()["rows"]


def _terms(frame: pl.DataFrame, by: Combination, market: str, currency: str | None) -> Terms:
    return Terms(Program((), (), by, {"currency": currency}), frame.columns, market)


def _alike(old: Pack, new: Pack) -> bool:
    """Whether the packs themselves say the same, whatever their rules say."""

    def said(pack: Pack) -> tuple[Any, ...]:
        return pack.kind, pack.dated_by, pack.markets, pack.platforms, tuple(sorted(pack.assume.items()))

    return said(old) == said(new)


def _pairs(old: Pack, new: Pack) -> list[Pair[Rule | None]] | None:
    """The rules that differ, old and new; None where those that stayed are tried in another order."""
    before, after = ({rule.id: rule for rule in pack.rules} for pack in (old, new))
    stayed = {name for name in before.keys() & after.keys() if _gives(before[name]) == _gives(after[name])}
    if [name for name in before if name in stayed] != [name for name in after if name in stayed]:
        return None
    return [
        (before.get(name), after.get(name))
        for name in sorted(before.keys() | after.keys())
        if name not in stayed or _asks(before[name]) != _asks(after[name])
    ]


def _gives(rule: Rule) -> tuple[Any, ...]:
    """All of a rule that an answer depends on, but its conditions."""
    remedies = tuple((r.kind, r.amount, r.borne_by, r.rounding, r.scope) for r in rule.remedies)
    of = tuple(rule.deny.of) if rule.deny else None
    return rule.priority, rule.valid_from, rule.valid_to, rule.kinds, rule.effect, remedies, of, rule.sound


def _asks(rule: Rule) -> tuple[Any, ...]:
    return rule.cells, rule.evidence


def _about(pack: Pack, rule: Rule) -> pl.Expr:
    """Whether the rule is asked at all: for its kinds of case, where its pack applies."""
    asked = pl.col("case.kind").is_in(list(rule.kinds))
    if pack.markets is not None:
        names = {*pack.markets, *(EU if "EU" in pack.markets else ())}
        asked = asked & pl.col("market").is_in(sorted(names))
    if pack.platforms is not None:
        asked = asked & pl.col("platform").is_in(list(pack.platforms))
    return asked


def _outside(frame: pl.DataFrame, old: Pack, new: Pack) -> Iterator[pl.Expr]:
    """Rows asked on a day on which only one of the versions may hold; a day either way, wherever it is counted."""
    day = pl.col("asked_at").dt.date()
    first, last = frame.select(day.min().alias("first"), day.max().alias("last")).row(0)
    begins = max(old.valid_from, new.valid_from) + ONE_DAY
    if old.valid_from != new.valid_from and first < begins:
        yield day < begins
    ends = [pack.valid_to for pack in (old, new) if pack.valid_to]
    if old.valid_to != new.valid_to and last >= (end := min(ends, default=date.max) - ONE_DAY):
        yield day >= end
