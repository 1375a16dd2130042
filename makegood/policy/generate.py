"""Generated cases from a seed: rows of facts at the edges of a table's cells, with facts left out at random."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator, Sequence
from typing import Any

from makegood.policy.cells import Operand
from makegood.policy.packs import Pack
from makegood.policy.reasons import TREE
from makegood.policy.table import operands_of
from makegood.policy.vocabulary import EVIDENCE, FACTS, FactType

ASKED = dt.datetime(2026, 11, 14, 12, tzinfo=dt.UTC)
MONEY = (
    "line.price_paid",
    "line.paid",
    "line.shipping_share",
    "order.paid",
    "order.shipping_paid",
    "order.paid_at_least",
)
BEFORE = ("line.refunded_before", "order.refunded_before", "order.shipping_refunded_before", "order.charged_back")


class Generator:
    """Rows for packs that apply together. The same seed gives the same rows."""

    def __init__(
        self, packs: Sequence[Pack], *, market: str, platform: str, currency: str, seed: int, unknown: float = 0.1
    ) -> None:
        self.random = random.Random(seed)  # noqa: S311 - cases for a test, no secret
        self.packs, self.unknown = packs, unknown
        self.base = {"market": market, "platform": platform, "currency": currency}
        self.values = self._edges()
        leaves = {(kind, leaf.claimant, leaf.code) for kind, all_ in TREE.items() for leaf in all_}
        used = {(kind, rule.cells[0][1].operand.value) for p in packs for rule in p.rules for kind in rule.kinds}  # type: ignore[union-attr]
        self.askings = sorted(asking for asking in leaves if asking[:2] in used)

    def rows(self, count: int) -> Iterator[dict[str, Any]]:
        for _ in range(count):
            yield self._row()

    def _row(self) -> dict[str, Any]:
        chance, choice = self.random.random, self.random.choice
        kind, claimant, reason = choice(self.askings)
        row: dict[str, Any] = {**self.base, "case.kind": kind, "case.claimant": claimant, "case.reason": reason}
        row["asked_at"] = ASKED - dt.timedelta(days=self.random.randrange(0, 1500))
        row["order.ordered_at"] = row["asked_at"] - dt.timedelta(days=self.random.randrange(0, 120))
        for fact, values in self.values.items():
            if fact not in row and chance() >= self.unknown:
                row[fact] = choice(values)
        paid = self.random.randrange(1, 200_000)
        for fact in MONEY:
            if chance() >= self.unknown:
                row[fact] = self.random.randrange(0, 2_000) if "shipping" in fact else paid
        for fact in BEFORE:
            if chance() < 0.1:
                row[fact] = self.random.randrange(0, 2 * paid)
        row["line.quantity"] = 3
        row["line.units_left"] = self.random.randrange(0, 4) if chance() < 0.1 else 3
        row["line.asked_quantity"] = self.random.randrange(1, 4)
        if chance() < self.unknown:
            del row["case.reason"]
        return row

    def _edges(self) -> dict[str, list[Any]]:
        """Of each fact that a cell tests, the values at the edge of a cell and beside it."""
        found: dict[str, set[Any]] = {f"evidence.{kind}": {True, False} for kind in EVIDENCE}
        for pack in self.packs:
            for rule in pack.rules:
                for fact, cell in rule.cells:
                    for operand in operands_of(cell):
                        found.setdefault(fact, set()).update(_beside(operand))
                    found.setdefault(fact, set()).update(_always(fact))
        return {fact: sorted(values, key=str) for fact, values in sorted(found.items()) if values}


def _beside(operand: Operand) -> set[Any]:
    value = operand.value
    if operand.fact or value is None:
        return set()
    if isinstance(value, dt.datetime):
        return {value - dt.timedelta(seconds=1), value, value + dt.timedelta(seconds=1)}
    if isinstance(value, dt.date):
        start = dt.datetime.combine(value, dt.time(), tzinfo=dt.UTC)
        return {start + dt.timedelta(hours=hours) for hours in (-24, -1, 0, 1, 24)}
    if isinstance(value, bool | str):
        return {value}
    return {max(0, value - 1), value, value + 1}


def _always(fact: str) -> set[Any]:
    spec = FACTS[fact]
    if spec.type is FactType.FLAG:
        return {True, False}
    if spec.type is FactType.CHOICE:
        return set(spec.choices)
    if spec.type is FactType.TEXT:
        return {"something-else"}
    if spec.type is FactType.INSTANT:
        return {ASKED - dt.timedelta(days=40)}
    return {0, 45}
