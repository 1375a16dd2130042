"""Formulas over one declared denominator, so that amounts are exact whole numbers in every back end.

The denominator of a formula is known before any case is seen, as long as nothing is divided by a fact. What is
divided by a fact has none; ``evaluate`` of ``formulas`` still knows its value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import lcm, prod
from typing import Any, Protocol, TypeVar

from makegood.policy.formulas import Formula, Name, Number, Operation, Written, evaluate

Row = Mapping[str, Any]
E = TypeVar("E")


class Operations(Protocol[E]):
    """What a back end makes of the parts of a formula."""

    def whole(self, value: int) -> E: ...
    def fact(self, name: str) -> E: ...
    def written(self, value: int, currency: str) -> E: ...
    def plus(self, left: E, right: E) -> E: ...
    def minus(self, left: E, right: E) -> E: ...
    def times(self, left: E, right: E) -> E: ...
    def least(self, parts: Sequence[E]) -> E: ...
    def most(self, parts: Sequence[E]) -> E: ...


def denominator_of(formula: Formula) -> int | None:
    """The denominator over which the formula is always whole; None where it divides by a fact or by nothing."""
    match formula:
        case Name():
            return 1
        case Number(_, value) | Written(_, value, _):
            return value.denominator
        case Operation(sign, parts):
            if sign == "/":
                above, below = denominator_of(parts[0]), parts[1]
                fits = above is not None and isinstance(below, Number) and below.value > 0
                return above * below.value.numerator if fits else None  # type: ignore[union-attr, operator]
            scales = [scale for part in parts if (scale := denominator_of(part)) is not None]
            if len(scales) < len(parts):
                return None
            return prod(scales) if sign == "*" else lcm(*scales)


def build(formula: Formula, ops: Operations[E]) -> tuple[E, int]:
    """The numerator as the back end writes it, and the denominator. Only for formulas that have one."""
    denominator = denominator_of(formula)
    if denominator is None:
        raise ValueError("the formula divides by a fact")
    match formula:
        case Name(fact):
            return ops.fact(fact), 1
        case Number(_, value):
            return ops.whole(value.numerator), denominator
        case Written(_, value, currency):
            return ops.written(value.numerator, currency), denominator
        case Operation(sign, parts):
            return _operation(sign, parts, denominator, ops), denominator


def _operation(sign: str, parts: tuple[Formula, ...], denominator: int, ops: Operations[E]) -> E:
    if sign == "/":
        above, below = build(parts[0], ops)[0], parts[1]
        return _scaled(above, below.value.denominator, ops) if isinstance(below, Number) else above
    built = [build(part, ops) for part in parts]
    if sign == "*":
        return ops.times(built[0][0], built[1][0])
    same = [_scaled(part, denominator // scale, ops) for part, scale in built]
    if sign in {"min", "max"}:
        return ops.least(same) if sign == "min" else ops.most(same)
    return ops.plus(*same) if sign == "+" else ops.minus(*same)


def _scaled(part: E, by: int, ops: Operations[E]) -> E:
    return part if by == 1 else ops.times(part, ops.whole(by))


Count = Callable[[Row], int | None]


class Closures:
    """Formulas as functions of a row; None where a fact is unknown and not among ``assume``."""

    def __init__(self, assume: Mapping[str, int] | None = None) -> None:
        self.assume = assume or {}

    def whole(self, value: int) -> Count:
        return lambda _: value

    def fact(self, name: str) -> Count:
        assumed = self.assume.get(name)
        return lambda row: row.get(name, assumed)

    def written(self, value: int, currency: str) -> Count:
        return lambda row: value if row.get("currency") == currency else None

    def plus(self, left: Count, right: Count) -> Count:
        def added(row: Row) -> int | None:
            one, other = left(row), right(row)
            return None if one is None or other is None else one + other

        return added

    def minus(self, left: Count, right: Count) -> Count:
        def less(row: Row) -> int | None:
            one, other = left(row), right(row)
            return None if one is None or other is None else one - other

        return less

    def times(self, left: Count, right: Count) -> Count:
        def product(row: Row) -> int | None:
            one, other = left(row), right(row)
            return None if one is None or other is None else one * other

        return product

    def least(self, parts: Sequence[Count]) -> Count:
        return _among(parts, min)

    def most(self, parts: Sequence[Count]) -> Count:
        return _among(parts, max)


def _among(parts: Sequence[Count], which: Callable[[list[int]], int]) -> Count:
    def chosen(row: Row) -> int | None:
        values = []
        for part in parts:
            value = part(row)
            if value is None:
                return None
            values.append(value)
        return which(values)

    return chosen


def whole_part(formula: Formula, assume: Mapping[str, int]) -> Callable[[Row], tuple[int, bool] | None]:
    """A function of the row: the whole minor units (never rounded up), and whether it is more than nothing."""
    denominator = denominator_of(formula)
    if denominator is None:

        def exact(row: Row) -> tuple[int, bool] | None:
            value = evaluate(formula, {**assume, **row})
            return None if value is None else (value.numerator // value.denominator, value > 0)

        return exact
    numerator, scale = build(formula, Closures(assume))

    def scaled(row: Row) -> tuple[int, bool] | None:
        value = numerator(row)
        return None if value is None else (value // scale, value > 0)

    return scaled


def round_whole(numerator: int, denominator: int, mode: str) -> int:
    """Whole minor units of ``numerator/denominator`` by the declared mode; exact. See ``formulas.rounded``."""
    if denominator == 1:
        return numerator
    whole, rest = divmod(abs(numerator), denominator)
    if rest and (
        mode == "up"
        or (mode == "half_up" and 2 * rest >= denominator)
        or (mode == "half_even" and (2 * rest > denominator or (2 * rest == denominator and whole % 2)))
    ):
        whole += 1
    return -whole if numerator < 0 else whole
