"""Amount formulas: a tiny exact language, read into data and evaluated in fractions of a minor unit.

Grammar::

    sum     := product (("+" | "-") product)*
    product := factor (("*" | "/") factor)*
    factor  := number | number "%" | number CURRENCY | fact | ("min" | "max") "(" sum ("," sum)* ")" | "(" sum ")"

Every part is an amount or a number: amounts add to amounts, an amount times or over a number is an amount.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from makegood.kit.errors import DomainError
from makegood.kit.money import exponent
from makegood.policy.vocabulary import FACTS, FactType

Row = Mapping[str, Any]
TOKEN = re.compile(r"\s*(?:(\d+(?:\.\d+)?)|([A-Z]{3})\b|([a-z_]+(?:\.[a-z_]+)*)|([-+*/(),%]))")
ROUNDINGS = ("half_up", "half_even", "down", "up")


class FormulaUnreadable(ValueError):
    """A formula that is not one; the loader adds file, line and rule."""


@dataclass(frozen=True, slots=True)
class Number:
    text: str
    value: Fraction


@dataclass(frozen=True, slots=True)
class Written:
    """An amount written in the formula."""

    text: str
    value: Fraction  # minor units
    currency: str


@dataclass(frozen=True, slots=True)
class Name:
    fact: str


@dataclass(frozen=True, slots=True)
class Operation:
    sign: str  # + - * / min max
    parts: tuple[Formula, ...]


Formula = Number | Written | Name | Operation


def parse_formula(text: str) -> Formula:
    """Read a formula whose result is an amount. Raises FormulaUnreadable."""
    parser = _Parser(text)
    formula = parser.sum()
    if parser.peek():
        raise FormulaUnreadable(f"{parser.peek()!r} is not expected in {text!r}")
    if not is_amount(formula) and formula != Number("0", Fraction(0)):
        raise FormulaUnreadable(f"{text!r} is a number, not an amount: write its currency or a fact that is money")
    return formula


class _Parser:
    def __init__(self, text: str) -> None:
        self.tokens: list[str] = []
        at, text = 0, text.strip()
        while at < len(text):
            found = TOKEN.match(text, at)
            if not found:
                raise FormulaUnreadable(f"{text[at:].strip()[:20]!r} is not expected in {text!r}")
            self.tokens.append(found[0].strip())
            at = found.end()

    def peek(self) -> str:
        return self.tokens[0] if self.tokens else ""

    def take(self) -> str:
        if not self.tokens:
            raise FormulaUnreadable("the formula ends too early")
        return self.tokens.pop(0)

    def expect(self, part: str) -> None:
        if (got := self.take()) != part:
            raise FormulaUnreadable(f"{part!r} is expected, not {got!r}")

    def sum(self) -> Formula:
        left = self.product()
        while self.peek() in {"+", "-"}:
            left = _checked(self.take(), (left, self.product()))
        return left

    def product(self) -> Formula:
        left = self.factor()
        while self.peek() in {"*", "/"}:
            left = _checked(self.take(), (left, self.factor()))
        return left

    def factor(self) -> Formula:
        part = self.take()
        if part == "(":
            inner = self.sum()
            self.expect(")")
            return inner
        if part[0].isdigit():
            return self._number(part)
        if part in {"min", "max"}:
            self.expect("(")
            parts = [self.sum()]
            while self.peek() == ",":
                self.take()
                parts.append(self.sum())
            self.expect(")")
            return _checked(part, tuple(parts))
        return _name(part)

    def _number(self, part: str) -> Formula:
        if self.peek() == "%":
            self.take()
            return Number(f"{part}%", Fraction(part) / 100)
        if re.fullmatch(r"[A-Z]{3}", self.peek()):
            currency = self.take()
            try:
                minor = Fraction(part) * 10 ** exponent(currency)
            except DomainError as error:
                raise FormulaUnreadable(error.sentence()) from None
            return Written(f"{part} {currency}", minor, currency)
        return Number(part, Fraction(part))


def _name(part: str) -> Formula:
    spec = FACTS.get(part)
    if spec is None:
        raise FormulaUnreadable(f"there is no fact {part!r}")
    if spec.type not in {FactType.AMOUNT, FactType.COUNT, FactType.DAYS}:
        raise FormulaUnreadable(f"{part} is a {spec.type}: formulas take amounts and whole numbers")
    return Name(part)


def is_amount(formula: Formula) -> bool:
    """Whether it is money; else it is a bare number."""
    match formula:
        case Number():
            return False
        case Written():
            return True
        case Name(fact):
            return FACTS[fact].type is FactType.AMOUNT
        case Operation(_, parts):
            return any(is_amount(part) for part in parts)


def _checked(sign: str, parts: tuple[Formula, ...]) -> Operation:
    kinds = [is_amount(part) for part in parts]
    zero = [isinstance(part, Number) and part.value == 0 for part in parts]
    fine = {
        "*": sum(kinds) <= 1,
        "/": not kinds[-1],
    }.get(sign, all(kind or nothing for kind, nothing in zip(kinds, zero, strict=True)) or not any(kinds))
    if not fine:
        raise FormulaUnreadable(f"{sign!r} mixes amounts and numbers")
    return Operation(sign, parts)


def evaluate(formula: Formula, row: Row) -> Fraction | None:
    """The exact value (minor units for an amount); None when a fact in it is unknown or nothing is divided by."""
    match formula:
        case Number(_, value):
            return value
        case Written(_, value, currency):
            return value if currency == row.get("currency") else None
        case Name(fact):
            known = row.get(fact)
            return None if known is None else Fraction(known)
        case Operation(sign, parts):
            values = [evaluate(part, row) for part in parts]
            return None if any(value is None for value in values) else _apply(sign, values)  # type: ignore[arg-type]


def _apply(sign: str, values: list[Fraction]) -> Fraction | None:
    if sign in {"min", "max"}:
        return min(values) if sign == "min" else max(values)
    left, right = values
    match sign:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
    return left / right if right else None


def facts_in(formula: Formula) -> tuple[str, ...]:
    """Names of the facts used, each once, in order of appearance."""
    match formula:
        case Name(fact):
            return (fact,)
        case Operation(_, parts):
            return tuple(dict.fromkeys(fact for part in parts for fact in facts_in(part)))
    return ()


def currencies_in(formula: Formula) -> set[str]:
    match formula:
        case Written(_, _, currency):
            return {currency}
        case Operation(_, parts):
            return set().union(*(currencies_in(part) for part in parts))
    return set()


def rounded(value: Fraction, mode: str) -> int:
    """Whole minor units by the declared mode (half_up, half_even, down, up); exact, no float on the way."""
    whole, rest = divmod(abs(value.numerator), value.denominator)
    double = 2 * rest
    up = {
        "down": False,
        "up": rest > 0,
        "half_up": double >= value.denominator,
        "half_even": double > value.denominator or (double == value.denominator and whole % 2 == 1),
    }[mode]
    return (whole + up) * (-1 if value < 0 else 1)
