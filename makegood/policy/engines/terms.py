"""Cells, evidence and amounts as Polars expressions with three values: "and" and "or" over nulls are Kleene's."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from functools import reduce
from operator import and_, or_
from typing import Any

import polars as pl

from makegood.policy.arithmetic import build, denominator_of
from makegood.policy.cells import OPERATORS, Between, Cell, Compare, Known, Not, OneOf, Operand
from makegood.policy.clock import zone_of
from makegood.policy.engines.claims import type_of
from makegood.policy.engines.program import Left, Program
from makegood.policy.formulas import Formula, currencies_in, facts_in
from makegood.policy.packs import Remedy
from makegood.policy.table import GIVEN_BACK

UNKNOWN = pl.lit(None, dtype=pl.Boolean)


class Numerators:
    """Formulas as expressions; only used where every fact of them is known."""

    def __init__(self, terms: Terms, assume: dict[str, Any]) -> None:
        self.terms, self.assume = terms, assume

    def whole(self, value: int) -> pl.Expr:
        return pl.lit(value, dtype=pl.Int64)

    def fact(self, name: str) -> pl.Expr:
        return self.terms.fact(name, self.assume)

    def written(self, value: int, currency: str) -> pl.Expr:
        return pl.lit(value, dtype=pl.Int64)

    def plus(self, left: pl.Expr, right: pl.Expr) -> pl.Expr:
        return left + right

    def minus(self, left: pl.Expr, right: pl.Expr) -> pl.Expr:
        return left - right

    def times(self, left: pl.Expr, right: pl.Expr) -> pl.Expr:
        return left * right

    def least(self, parts: Sequence[pl.Expr]) -> pl.Expr:
        return pl.min_horizontal(*parts)

    def most(self, parts: Sequence[pl.Expr]) -> pl.Expr:
        return pl.max_horizontal(*parts)


class Terms:
    """Cells, evidence and amounts of one program as expressions over frames with these columns, in one market."""

    def __init__(self, program: Program, names: Sequence[str], market: str) -> None:
        self.program = program
        self.names = frozenset(names)
        self.zone = zone_of(market) or UTC

    def fact(self, name: str, assume: dict[str, Any]) -> pl.Expr:
        default = assume.get(name)
        if name in self.program.settled and self.program.settled[name] is not None:
            return pl.lit(self.program.settled[name])
        if name not in self.names:
            return pl.lit(default, dtype=type_of(name))
        return pl.col(name) if default is None else pl.col(name).fill_null(pl.lit(default, dtype=type_of(name)))

    def truth(self, rule: Left) -> pl.Expr:
        holds = self.holds(rule.cells, rule.entry.rule.evidence, rule.pack.assume)
        return holds & UNKNOWN if rule.never_sure else holds

    def holds(
        self, cells: Sequence[tuple[str, Cell]], evidence: Sequence[Sequence[str]], assume: dict[str, Any]
    ) -> pl.Expr:
        """Whether all conditions are so, with what is assumed where it is unknown."""
        parts = [self._cell(fact, cell, assume) for fact, cell in cells]
        parts += [reduce(or_, [self.fact(f"evidence.{kind}", assume) for kind in need]) for need in evidence]
        return reduce(and_, parts) if parts else pl.lit(value=True)

    def _cell(self, fact: str, cell: Cell, assume: dict[str, Any]) -> pl.Expr:  # noqa: PLR0911 - one a kind
        value = self.fact(fact, assume)
        match cell:
            case Known():
                return value.is_not_null()
            case Not(test):
                return ~self._cell(fact, test, assume)
            case Compare(operator, operand):
                return self._compare(value, operator, self._operand(operand, fact, assume))
            case Between(low, high, low_in, high_in):
                above = self._compare(value, ">=" if low_in else ">", self._operand(low, fact, assume))
                return above & self._compare(value, "<=" if high_in else "<", self._operand(high, fact, assume))
            case OneOf(operands):
                if any(operand.fact or operand.currency for operand in operands):
                    found = [self._compare(value, "==", self._operand(o, fact, assume)) for o in operands]
                    return reduce(or_, found)
                if len(operands) <= 3:
                    return reduce(or_, [value == self._operand(operand, fact, assume) for operand in operands])
                return value.is_in([operand.value for operand in operands])

    def _operand(self, operand: Operand, fact: str, assume: dict[str, Any]) -> pl.Expr:
        if operand.fact:
            return self.fact(operand.fact, assume)
        value = operand.value
        if operand.currency and operand.currency != self.program.settled.get("currency"):
            value = None
        elif isinstance(value, date) and not isinstance(value, datetime):
            value = datetime.combine(value, time(), tzinfo=self.zone)
        if isinstance(value, datetime):
            value = value.astimezone(UTC)
        return pl.lit(value, dtype=type_of(fact))

    def _compare(self, value: pl.Expr, operator: str, other: pl.Expr) -> pl.Expr:
        compared: pl.Expr = OPERATORS[operator](value, other)  # type: ignore[assignment]
        return compared

    def formula(self, formula: Formula, assume: dict[str, Any]) -> tuple[pl.Expr, int, list[pl.Expr]]:
        if denominator_of(formula) is None:
            raise ValueError("a formula divides by a fact")
        numerator, denominator = build(formula, Numerators(self, assume))
        known = [self.fact(fact, assume).is_not_null() for fact in facts_in(formula)]
        if currencies_in(formula) - {self.program.settled.get("currency")}:
            known = [pl.lit(value=False)]
        return numerator, denominator, known

    def minor(self, rule: Left, remedy: Remedy) -> pl.Expr:
        """Minor units of a remedy, null where they are unknown."""
        if remedy.amount is None:
            return pl.lit(0, dtype=pl.Int64)
        assume = rule.pack.assume
        numerator, denominator, known = self.formula(remedy.amount, assume)
        if remedy.kind in GIVEN_BACK and "line.price_paid" not in facts_in(remedy.amount):
            paid = self.fact("line.price_paid", assume).is_not_null() | self.fact("order.paid", assume).is_not_null()
            known.append(paid | (numerator <= 0))
        amount = _rounded(numerator, denominator, remedy.rounding)
        return pl.when(reduce(and_, known)).then(amount) if known else amount


def _rounded(numerator: pl.Expr, denominator: int, mode: str) -> pl.Expr:
    """Whole minor units, as ``arithmetic.round_whole``."""
    if denominator == 1:
        return numerator
    size = numerator.abs()
    whole, rest = size // denominator, size % denominator
    up = {
        "down": pl.lit(value=False),
        "up": rest > 0,
        "half_up": 2 * rest >= denominator,
        "half_even": (2 * rest > denominator) | ((2 * rest == denominator) & (whole % 2 == 1)),
    }[mode]
    return (whole + up.cast(pl.Int64)) * numerator.sign()
