"""Unary tests of a table's cells: read from text into data, evaluated with three values (true, false, unknown).

Grammar::

    cell    := ["not"] test
    test    := ("<" | "<=" | ">" | ">=" | "==" | "!=") operand | operand        equality
             | "in" "[" operand ("," operand)* "]" | ("[" | "(") operand ".." operand ("]" | ")") | "known"
    operand := true | false | number | 48h | 14d | 500 CNY | 2026-02-01 | a choice or text | the name of a fact
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from operator import eq, ge, gt, le, lt, ne
from typing import Any

from makegood.kit.errors import DomainError
from makegood.kit.money import Money
from makegood.policy.clock import zone_of
from makegood.policy.vocabulary import FACTS, FactSpec, FactType

Row = Mapping[str, Any]

OPERATORS: dict[str, Callable[[Any, Any], bool]] = {"<=": le, ">=": ge, "==": eq, "!=": ne, "<": lt, ">": gt}
OPPOSITE = {"<=": ">", ">=": "<", "==": "!=", "!=": "==", "<": ">=", ">": "<="}
ORDERED = {FactType.COUNT, FactType.DAYS, FactType.DURATION, FactType.AMOUNT, FactType.INSTANT}


class CellUnreadable(ValueError):
    """A cell that is not a test of its fact; the loader adds file, line and rule."""


@dataclass(frozen=True, slots=True)
class Operand:
    """A literal of the fact's type, or another fact of the same type. ``currency`` is set for a written amount."""

    text: str
    value: Any = None
    fact: str = ""
    currency: str = ""

    def resolve(self, row: Row) -> Any:
        """The plain value, None when unknown (also an amount written in another currency than the case's)."""
        if self.fact:
            return row.get(self.fact)
        if self.currency and self.currency != row.get("currency"):
            return None
        if isinstance(self.value, dt.date) and not isinstance(self.value, dt.datetime):
            zone = zone_of(row.get("market", "")) or row["asked_at"].tzinfo
            return dt.datetime.combine(self.value, dt.time(), tzinfo=zone)
        return self.value


@dataclass(frozen=True, slots=True)
class Compare:
    operator: str
    operand: Operand

    def holds(self, value: Any, row: Row) -> bool | None:
        other = self.operand.resolve(row)
        return None if value is None or other is None else OPERATORS[self.operator](value, other)

    def words(self) -> str:
        return self.operand.text if self.operator == "==" else f"{self.operator} {self.operand.text}"

    def opposite(self) -> Cell:
        return Compare(OPPOSITE[self.operator], self.operand)


@dataclass(frozen=True, slots=True)
class OneOf:
    operands: tuple[Operand, ...]

    def holds(self, value: Any, row: Row) -> bool | None:
        if value is None:
            return None
        others = [operand.resolve(row) for operand in self.operands]
        return True if value in others else None if None in others else False

    def words(self) -> str:
        return f"in [{', '.join(operand.text for operand in self.operands)}]"

    def opposite(self) -> Cell:
        return Not(self)


@dataclass(frozen=True, slots=True)
class Between:
    low: Operand
    high: Operand
    low_included: bool
    high_included: bool

    def holds(self, value: Any, row: Row) -> bool | None:
        above = Compare(">=" if self.low_included else ">", self.low).holds(value, row)
        below = Compare("<=" if self.high_included else "<", self.high).holds(value, row)
        return both(above, below)

    def words(self) -> str:
        left, right = "[" if self.low_included else "(", "]" if self.high_included else ")"
        return f"{left}{self.low.text}..{self.high.text}{right}"

    def opposite(self) -> Cell:
        return Not(self)


@dataclass(frozen=True, slots=True)
class Known:
    """True or false, never unknown: whether the fact is known at all."""

    def holds(self, value: Any, row: Row) -> bool | None:
        return value is not None

    def words(self) -> str:
        return "known"

    def opposite(self) -> Cell:
        return Not(self)


@dataclass(frozen=True, slots=True)
class Not:
    test: Cell

    def holds(self, value: Any, row: Row) -> bool | None:
        return negate(self.test.holds(value, row))

    def words(self) -> str:
        return f"not {self.test.words()}"

    def opposite(self) -> Cell:
        return self.test


Cell = Compare | OneOf | Between | Known | Not


def both(left: bool | None, right: bool | None) -> bool | None:  # noqa: FBT001 - truth values are the matter
    """Kleene's "and": false wins, then unknown."""
    return False if left is False or right is False else None if left is None or right is None else True


def negate(value: bool | None) -> bool | None:  # noqa: FBT001 - same
    return None if value is None else not value


def parse_cell(spec: FactSpec, written: object) -> Cell:
    """Read one cell. ``written`` is a YAML scalar or a list (meaning ``in``). Raises CellUnreadable."""
    if isinstance(written, list):
        return OneOf(tuple(_operand(spec, _spelled(item)) for item in written))
    text = _spelled(written)
    if re.match(r"not\b", text):
        return Not(parse_cell(spec, text[3:].strip()))
    if found := re.fullmatch(r"in\s*\[(.*)\]", text):
        return OneOf(tuple(_operand(spec, part.strip()) for part in found[1].split(",")))
    if found := re.fullmatch(r"([\[(])(.+?)\.\.(.+)([\])])", text):
        return _between(spec, found)
    return Known() if text == "known" else _compare(spec, text)


def _between(spec: FactSpec, found: re.Match[str]) -> Cell:
    _must_be_ordered(spec)
    low, high = _operand(spec, found[2].strip()), _operand(spec, found[3].strip())
    if not low.fact and not high.fact and not low.value <= high.value:
        raise CellUnreadable(f"the range {found[0]} is empty")
    return Between(low, high, found[1] == "[", found[4] == "]")


def _compare(spec: FactSpec, text: str) -> Cell:
    for sign in OPERATORS:
        if text.startswith(sign):
            if sign not in {"==", "!="}:
                _must_be_ordered(spec)
            return Compare(sign, _operand(spec, text[len(sign) :].strip()))
    return Compare("==", _operand(spec, text))


def _must_be_ordered(spec: FactSpec) -> None:
    if spec.type not in ORDERED:
        raise CellUnreadable(f"{spec.name} is a {spec.type} and has no order")


def _spelled(written: object) -> str:
    if isinstance(written, bool):
        return "true" if written else "false"
    if isinstance(written, str | int | dt.date):
        text = str(written).strip()
        if text:
            return text
    raise CellUnreadable(f"{written!r} is not a test")


def _operand(spec: FactSpec, text: str) -> Operand:
    # A value of the fact before a fact of that name: ``order.fulfilled_by: platform`` is not about the platform, nor
    # is the reason ``fraud`` about the fact of that name.
    other = FACTS.get(text) if text != spec.name and text not in spec.choices else None
    if other is not None and (other.type == spec.type or spec.type is not FactType.TEXT or "." in text):
        if other.type != spec.type:
            raise CellUnreadable(f"{text} is a {other.type}, {spec.name} a {spec.type}")
        return Operand(text, fact=text)
    return READERS[spec.type](spec, text)


def _flag(spec: FactSpec, text: str) -> Operand:
    if text not in {"true", "false"}:
        raise CellUnreadable(f"{spec.name} is true or false, not {text!r}")
    return Operand(text, value=text == "true")


def _choice(spec: FactSpec, text: str) -> Operand:
    if text not in spec.choices:
        raise CellUnreadable(f"{text!r} is not one of {', '.join(spec.choices)}")
    return Operand(text, value=text)


def _text(spec: FactSpec, text: str) -> Operand:
    if not re.fullmatch(r"[\w.\-]+", text):
        raise CellUnreadable(f"{text!r} is not a value of {spec.name}")
    return Operand(text, value=text)


def _whole(spec: FactSpec, text: str) -> Operand:
    found = re.fullmatch(r"(\d{1,9})(d?)", text)
    if not found or (found[2] and spec.type is not FactType.DAYS):
        raise CellUnreadable(f"{text!r} is not a whole number{' of days' if spec.type is FactType.DAYS else ''}")
    return Operand(text, value=int(found[1]))


def _duration(spec: FactSpec, text: str) -> Operand:
    found = re.fullmatch(r"(\d{1,7})(h|d|m)?", text)
    if not found:
        raise CellUnreadable(f"{text!r} is not a time such as 48h for {spec.name}")
    return Operand(text, value=int(found[1]) * {"h": 3600, "d": 86400, "m": 60}[found[2] or "h"])


def _amount(spec: FactSpec, text: str) -> Operand:
    if text == "0":
        return Operand(text, value=0)
    found = re.fullmatch(r"(\S+)\s+([A-Z]{3})", text)
    if not found:
        raise CellUnreadable(f"{text!r} is not an amount such as 500 CNY")
    try:
        money = Money.parse(Decimal(found[1]), found[2], field=spec.name)
    except (InvalidOperation, DomainError) as error:
        raise CellUnreadable(f"{text!r} is not an amount: {error}") from None
    return Operand(text, value=money.minor, currency=found[2])


def _instant(spec: FactSpec, text: str) -> Operand:
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            return Operand(text, value=dt.date.fromisoformat(text))
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise CellUnreadable(f"{text!r} is not a date for {spec.name}") from None
    if moment.tzinfo is None:
        raise CellUnreadable(f"{text!r} has no offset from UTC")
    return Operand(text, value=moment)


READERS: dict[FactType, Callable[[FactSpec, str], Operand]] = {
    FactType.FLAG: _flag,
    FactType.CHOICE: _choice,
    FactType.TEXT: _text,
    FactType.COUNT: _whole,
    FactType.DAYS: _whole,
    FactType.DURATION: _duration,
    FactType.AMOUNT: _amount,
    FactType.INSTANT: _instant,
}
