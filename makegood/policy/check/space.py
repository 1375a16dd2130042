"""The cells of a table as sets of values: every fact falls into finitely many classes that no test tells apart.

Each class has one value that stands for it. So "for all facts" becomes "for all classes", and what is shown for
the classes is shown for every case there can be.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from makegood.policy.cells import Between, Cell, Compare, Known, Not, OneOf, Operand
from makegood.policy.packs import Pack, Rule
from makegood.policy.registry import EU
from makegood.policy.vocabulary import FACTS, FactSpec, FactType

UNKNOWN = None
SOMETHING_ELSE = "something-else"  # any text that no test names
PRESENT = dt.date(2026, 11, 14)  # a day to show cases on, where any will do
Sets = Mapping[str, frozenset[Any]]  # variable -> the classes it may have
FIRST_DAY, LAST_DAY = dt.date(1900, 1, 1), dt.date(2200, 1, 1)
RELATIONS = ("less", "equal", "more")


@dataclass(frozen=True, slots=True)
class Literal:
    """A conjunction: every variable lies in its set."""

    sets: tuple[tuple[str, frozenset[Any]], ...]


@dataclass(frozen=True, slots=True)
class Region:
    """Where a rule holds: all of ``sets``, and of each of ``needs`` at least one kind of evidence."""

    rule: Rule
    pack: Pack
    sets: tuple[tuple[str, frozenset[Any]], ...]
    needs: tuple[tuple[str, ...], ...]

    def fails(self) -> list[Literal]:
        """The ways in which the rule does not hold; it fails where any of them is so."""
        ways = [Literal(((name, self.space.classes[name] - allowed),)) for name, allowed in self.sets]
        ways += [
            Literal(tuple((f"evidence.{kind}", frozenset({False})) for kind in need)) for need in self.needs
        ]  # fmt: skip
        return ways

    space: Space


class Space:
    """The classes of every fact that the given packs test, and of the days on which their rules begin and end."""

    def __init__(self, packs: Iterable[Pack]) -> None:
        self.packs = tuple(packs)
        self.tests: dict[str, list[Operand]] = defaultdict(list)
        self.known_tested: set[str] = set()
        self.classes: dict[str, frozenset[Any]] = {}
        for pack in self.packs:
            for rule in pack.rules:
                for fact, cell in rule.cells:
                    self._note(fact, cell)
        for fact, operands in self.tests.items():
            self._divide(FACTS[fact], operands)
        for kind in sorted(
            {kind for pack in self.packs for rule in pack.rules for need in rule.evidence for kind in need}
        ):
            self.classes[f"evidence.{kind}"] = frozenset({True, False})
        for dated_by in sorted({pack.dated_by for pack in self.packs}):
            self.classes[f"@{dated_by}"] = frozenset(self._days(dated_by))
        self.classes["market"] = frozenset(self._places("market"))
        self.classes["platform"] = frozenset(self._places("platform"))

    def region(self, pack: Pack, rule: Rule) -> Region:
        """Where the rule holds, its dates and the pack's scope among the conditions."""
        sets: dict[str, frozenset[Any]] = {}

        def narrow(name: str, allowed: frozenset[Any]) -> None:
            sets[name] = sets.get(name, self.classes[name]) & allowed

        for fact, cell in rule.cells:
            name, allowed = self._allowed(fact, cell)
            narrow(name, allowed)
            for known in self._must_be_known(fact, name):
                narrow(known, self.classes[known] - {UNKNOWN})
        days = self.classes[f"@{pack.dated_by}"]
        narrow(f"@{pack.dated_by}", frozenset(day for day in days if pack.holds_on(day) and rule.holds_on(day)))
        narrow("market", frozenset(m for m in self.classes["market"] if _is_in(m, pack.markets)))
        narrow(
            "platform", frozenset(p for p in self.classes["platform"] if pack.platforms is None or p in pack.platforms)
        )
        return Region(rule, pack, tuple(sorted(sets.items())), rule.evidence, self)

    def _must_be_known(self, fact: str, name: str) -> list[str]:
        """Facts that a test rests on besides its own: those compared with each other, the moment counted from."""
        rests_on = name.split("~") if "~" in name else [FACTS[fact].since]
        return [other for other in rests_on if other in self.classes and other in self.known_tested]

    def scope(self, pack: Pack) -> Sets:
        """Markets, platforms and days in which the pack speaks at all."""
        days = self.classes[f"@{pack.dated_by}"]
        return {
            "market": frozenset(m for m in self.classes["market"] if _is_in(m, pack.markets)),
            "platform": frozenset(p for p in self.classes["platform"] if pack.platforms is None or p in pack.platforms),
            f"@{pack.dated_by}": frozenset(day for day in days if pack.holds_on(day)),
        }

    def _note(self, fact: str, cell: Cell) -> None:
        if isinstance(cell, Not):
            self._note(fact, cell.test)
        elif isinstance(cell, Known):
            self.known_tested.add(fact)
            self.tests[fact] += []
        else:
            self.tests[fact] += list(_operands(cell))

    def _divide(self, spec: FactSpec, operands: list[Operand]) -> None:
        values = [operand.value for operand in operands if not operand.fact]
        for operand in operands:
            if operand.fact:
                self.classes[_pair(spec.name, operand.fact)] = frozenset(RELATIONS)
        found: set[Any]
        if spec.type is FactType.FLAG:
            found = {True, False}
        elif spec.type is FactType.CHOICE:
            found = set(spec.choices)
        elif spec.type is FactType.TEXT:
            found = {*values, SOMETHING_ELSE}
        elif spec.type is FactType.INSTANT:
            found = set(_around_days([_day_of(value) for value in values]))
        else:
            found = set(_around(values))
        if spec.name in self.known_tested:
            found.add(UNKNOWN)
        self.classes[spec.name] = frozenset(found)

    def _days(self, dated_by: str) -> Iterator[dt.date]:
        edges: set[dt.date] = set()
        for pack in self.packs:
            if pack.dated_by == dated_by:
                dates = [pack.valid_from, pack.valid_to]
                dates += [day for rule in pack.rules for day in (rule.valid_from, rule.valid_to)]
                edges |= {day for day in dates if day}
        return _around_days(edges)

    def _places(self, fact: str) -> set[str]:
        named = {operand.value for operand in self.tests.get(fact, []) if not operand.fact}
        for pack in self.packs:
            places = pack.markets if fact == "market" else pack.platforms
            # One member stands for the Union, but for those that are named themselves.
            named |= {"DE" if place == "EU" else place for place in places or ()}
        return named | ({"ZZ"} if fact == "market" else {SOMETHING_ELSE})

    def _allowed(self, fact: str, cell: Cell) -> tuple[str, frozenset[Any]]:
        test = cell
        while isinstance(test, Not):
            test = test.test
        others = [operand.fact for operand in _operands(test) if operand.fact]
        if others:
            return self._allowed_pair(fact, others[0], cell)
        if isinstance(test, Known):
            return fact, frozenset(v for v in self.classes[fact] if cell.holds(v, {}))
        return fact, frozenset(v for v in self.classes[fact] if v is not UNKNOWN and _holds(cell, FACTS[fact], v))

    def _allowed_pair(self, fact: str, other: str, cell: Cell) -> tuple[str, frozenset[Any]]:
        """A comparison with another fact: which of less, equal, more it allows."""
        name = _pair(fact, other)
        rows = {"less": (0, 1), "equal": (1, 1), "more": (1, 0)}
        if name != f"{fact}~{other}":
            rows = {"less": (1, 0), "equal": (1, 1), "more": (0, 1)}
        return name, frozenset(rel for rel, (mine, its) in rows.items() if cell.holds(mine, {other: its}))

    @cached_property
    def currencies(self) -> frozenset[str]:
        return frozenset(op.currency for operands in self.tests.values() for op in operands if op.currency)


def _pair(fact: str, other: str) -> str:
    return "~".join(sorted((fact, other)))


def operands_in(cell: Cell) -> tuple[Operand, ...]:
    """What a test compares with, also where it is turned round."""
    return operands_in(cell.test) if isinstance(cell, Not) else _operands(cell)


def _operands(cell: Cell) -> tuple[Operand, ...]:
    if isinstance(cell, Compare):
        return (cell.operand,)
    if isinstance(cell, OneOf):
        return cell.operands
    if isinstance(cell, Between):
        return (cell.low, cell.high)
    return ()


def _holds(cell: Cell, spec: FactSpec, value: Any) -> bool:
    """Whether a class passes a test; amounts are taken in the currency in which the test is written."""
    operands = _operands(cell.test if isinstance(cell, Not) else cell)
    row: dict[str, Any] = {"currency": next((op.currency for op in operands if op.currency), "")}
    if spec.type is FactType.INSTANT:
        row["asked_at"] = value = dt.datetime.combine(value, dt.time(), tzinfo=dt.UTC)
    return cell.holds(value, row) is True


def _day_of(value: Any) -> dt.date:
    return value.date() if isinstance(value, dt.datetime) else value


def _around(values: Iterable[int]) -> Iterator[int]:
    """Each threshold, and one value below, between and above them."""
    edges = sorted(set(values))
    for edge in edges:
        yield from (edge - 1, edge, edge + 1)
    if not edges:
        yield 2_000


def _around_days(edges: Iterable[dt.date]) -> Iterator[dt.date]:
    one = dt.timedelta(days=1)
    yield from (FIRST_DAY, PRESENT)
    for edge in sorted(set(edges)):
        yield from (edge - one, edge, edge + one)


def _is_in(market: str, markets: tuple[str, ...] | None) -> bool:
    return markets is None or market in markets or ("EU" in markets and market in EU)
