"""Python source of one program: straight code from the highest priority down, with nothing in it but parsed data.

Every text of a pack that reaches the source is a literal by ``repr``; every name is a number the generator gave.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from makegood.policy.arithmetic import build, denominator_of
from makegood.policy.cells import Between, Cell, Compare, Known, Not, OneOf, Operand
from makegood.policy.derive import ABOUT_THE_ORDER
from makegood.policy.engines.program import GIVES, Left, Program
from makegood.policy.formulas import Formula, currencies_in, facts_in
from makegood.policy.packs import Remedy
from makegood.policy.table import GIVEN_BACK

MOVES_UNITS = ("cancellation", "refusal", "return", "exchange")
MISSING = object()


class Numerators:
    """Formulas as source over the generator's variables; only evaluated where every fact of them is known."""

    def __init__(self, source: Source, defaults: dict[str, Any]) -> None:
        self.source, self.defaults = source, defaults

    def whole(self, value: int) -> str:
        return repr(int(value))

    def fact(self, name: str) -> str:
        return self.source.variable(name, self.defaults)

    def written(self, value: int, currency: str) -> str:
        return repr(int(value))

    def plus(self, left: str, right: str) -> str:
        return f"({left} + {right})"

    def minus(self, left: str, right: str) -> str:
        return f"({left} - {right})"

    def times(self, left: str, right: str) -> str:
        return f"({left} * {right})"

    def least(self, parts: Sequence[str]) -> str:
        return f"min({', '.join(parts)})"

    def most(self, parts: Sequence[str]) -> str:
        return f"max({', '.join(parts)})"


class Source:
    """Writes the function of a program; ``constants`` is what its source refers to beside its arguments."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.constants: dict[str, Any] = {}
        self.variables: dict[tuple[str, str], str] = {}
        self.loads: list[str] = []
        self.lines: list[str] = []
        self.slot_at = {slot: at for at, slot in enumerate(program.slots)}

    def write(self) -> str:
        for rule in self.program.rules:
            self._rule(rule)
        self._finish()
        body = "\n".join([*self._loads(), *self.lines])
        return f"def decide(row, get):\n{body}\n"

    def _loads(self) -> list[str]:
        names = [self._state(at, slot) for at, slot in self._speaking()]
        states = [f"    {' = '.join(names)} = 0"] if names else []
        return [*self.loads, *states, *self._sures(), "    waits = refers = shut = None"]

    def _speaking(self) -> list[tuple[int, str]]:
        """Packs and losses about which they have any rule."""
        packs = range(len(self.program.packs))
        return [(at, slot) for slot in self.slot_at for at in packs if self.program.speaking(at, slot)]

    def _sures(self) -> list[str]:
        names = [f"s{at}_{self.slot_at[slot]}" for at, slot in self._speaking()]
        return [f"    {' = '.join(names)} = None"] if names else []

    def _state(self, at: int, slot: str) -> str:
        return f"a{at}_{self.slot_at[slot]}"

    def variable(self, fact: str, defaults: dict[str, Any]) -> str:
        """The name under which a fact's value is known, with the default that holds where it is unknown."""
        default = defaults.get(fact)
        place = (fact, repr(default))
        if place not in self.variables:
            name = self.variables[place] = f"v{len(self.variables)}"
            spelled = "" if default is None else f", {self.constant(default)}"
            self.loads.append(f"    {name} = get({fact!r}{spelled})")
        return self.variables[place]

    def constant(self, value: Any) -> str:
        if value is None or isinstance(value, bool | int | str):
            return repr(value)
        name = f"K{len(self.constants)}"
        self.constants[name] = value
        return name

    def _rule(self, rule: Left) -> None:
        states = [self._state(rule.at, slot) for slot in rule.slots]
        first = self.program.speaking(rule.at, rule.slots[0])[0] is rule if rule.slots else False
        conditions = [] if first and len(states) == 1 else [" or ".join(f"not {state}" for state in states)]
        conditions = [f"({text})" for text in conditions]
        known: list[str] = ["False"] if rule.never_sure else []
        for fact, cell in rule.cells:
            may, sure = self._cell(rule, fact, cell)
            conditions += [may] if may else []
            known += [sure] if sure else []
        for need in () if rule.is_known else rule.entry.rule.evidence:
            names = [self.variable(f"evidence.{kind}", rule.pack.assume) for kind in need]
            conditions.append(f"({' or '.join(f'{name} is not False' for name in names)})")
            known.append(f"({' or '.join(f'{name} is True' for name in names)})")
        self.lines.append(f"    if {' and '.join(conditions) or 'True'}:  # {rule.number}")
        if not known:
            self._holds(rule, "        ")
            return
        self.lines.append(f"        if {' and '.join(known)}:")
        self._holds(rule, "            ")
        if rule.entry.sound:
            self.lines.append("        else:")
            self._wait(rule, rule.slots, "            ")

    def _cell(self, rule: Left, fact: str, cell: Cell) -> tuple[str, str]:
        """Source for "does not fail" and for "is known", each empty where it is so in any case."""
        value = self.variable(fact, rule.pack.assume)
        plain = self._plain(cell, value)
        if plain is None:
            name = self.constant(cell.holds)
            truth = f"t{len(self.variables)}_{rule.number}_{name}"
            self.loads.append(f"    {truth} = {name}({value}, {self._row(rule)})")
            return f"{truth} is not False", f"{truth} is not None"
        if isinstance(_inner(cell), Known):
            return plain, ""
        if plain in {f"{value} == True", f"{value} == False"}:
            return f"{value} is not {plain.endswith('False')}", f"{value} is not None"
        return f"({value} is None or {plain})", f"{value} is not None"

    def _row(self, rule: Left) -> str:
        """The row with what the pack assumes, for a cell that asks for other facts."""
        if not rule.pack.assume:
            return "row"
        name = f"row{rule.at}"
        load = f"    {name} = {{**{self.constant(rule.pack.assume)}, **row}}"
        if not any(line.startswith(f"    {name} = ") for line in self.loads):
            self.loads.append(load)
        return name

    def _plain(self, cell: Cell, value: str) -> str | None:  # noqa: PLR0911 - one for each kind of cell
        """A test that needs the value alone, true or false where it is known; None where it needs more."""
        match cell:
            case Known():
                return f"{value} is not None"
            case Not(test):
                inner = self._plain(test, value)
                return None if inner is None else f"not ({inner})"
            case Compare(operator, operand):
                return f"{value} {operator} {self._literal(operand)}" if self._is_literal(operand) else None
            case OneOf(operands):
                if not all(self._is_literal(operand) for operand in operands):
                    return None
                return f"{value} in {self.constant(frozenset(self._value(operand) for operand in operands))}"
            case Between(low, high, low_in, high_in):
                if not (self._is_literal(low) and self._is_literal(high)):
                    return None
                left, right = "<=" if low_in else "<", "<=" if high_in else "<"
                return f"{self._literal(low)} {left} {value} {right} {self._literal(high)}"

    def _is_literal(self, operand: Operand) -> bool:
        is_day = isinstance(operand.value, date) and not hasattr(operand.value, "hour")
        foreign = operand.currency and operand.currency != self.program.settled.get("currency")
        return not operand.fact and not is_day and not foreign

    def _value(self, operand: Operand) -> Any:
        return operand.value

    def _literal(self, operand: Operand) -> str:
        return self.constant(operand.value)

    def _holds(self, rule: Left, indent: str) -> None:
        if not rule.entry.sound:
            self.lines.append(f"{indent}refers = True")
            return
        if rule.effect in {"refer", "deny"}:
            self.lines.append(f"{indent}{'refers' if rule.effect == 'refer' else 'shut'} = True")
            self.lines += [
                f"{indent}if not {state}: {state} = -{rule.number}"
                for state in (self._state(rule.at, slot) for slot in rule.slots)
            ]
            return
        for slot in rule.slots:
            i, state = self.slot_at[slot], self._state(rule.at, slot)
            self.lines.append(f"{indent}if not {state}:")
            self._worth(rule, slot, indent + "    ")
            self.lines.append(f"{indent}    if w is None:")
            self._wait(rule, (slot,), indent + "        ", guarded=True)
            sure = f"s{rule.at}_{i}"
            self.lines.append(f"{indent}    elif {sure} is None or w <= {sure}:")
            self.lines.append(f"{indent}        {state} = {rule.number}; w{rule.at}_{i} = w; m{rule.at}_{i} = m")

    def _worth(self, rule: Left, slot: str, indent: str) -> None:
        """Sets ``m``, the minor units of each remedy, and ``w``, what they are worth together or None."""
        minors, worths = [], []
        for at, remedy in enumerate(rule.remedies(slot)):
            self.lines.append(f"{indent}m{at} = {self.amount(rule, remedy)}")
            minors.append("0" if remedy.amount is None else f"m{at} or 0")
            fact = self.program.by.worth.get(remedy.kind)
            name = f"m{at}"
            if fact:
                name = f"x{at}"
                self.lines.append(f"{indent}{name} = {self._fact_or_nothing(rule, fact)}")
            worths.append((name, remedy.borne_by != "customer"))
        unknown = " or ".join(f"{name} is None" for name, _ in worths)
        total = " + ".join(name for name, counts in worths if counts) or "0"
        self.lines.append(f"{indent}w = None if {unknown} else {total}" if worths else f"{indent}w = 0")
        self.lines.append(f"{indent}m = ({''.join(f'{minor}, ' for minor in minors)})")

    def _fact_or_nothing(self, rule: Left, fact: str) -> str:
        value = self.variable(fact, rule.pack.assume)
        return f"0 if {value} is None else {value}"

    def amount(self, rule: Left, remedy: Remedy) -> str:
        if remedy.amount is None:
            return "0"
        amount = self.formula(remedy.amount, rule.pack.assume)
        if amount is None:
            name = self.constant(rule.entry.amounts[id(remedy)])
            return f"{name}({self._row(rule)})"
        numerator, denominator, known = amount
        spelled = numerator if denominator == 1 else f"rounded({numerator}, {denominator}, {remedy.rounding!r})"
        if remedy.kind in GIVEN_BACK and "line.price_paid" not in facts_in(remedy.amount):
            paid = [self.variable(fact, rule.pack.assume) for fact in ("line.price_paid", "order.paid")]
            known.append(f"({paid[0]} is not None or {paid[1]} is not None or {numerator} <= 0)")
        return f"{spelled} if {' and '.join(known)} else None" if known else spelled

    def formula(self, formula: Formula, defaults: dict[str, Any]) -> tuple[str, int, list[str]] | None:
        """Numerator, denominator and what must be known; None for a formula that divides by a fact."""
        if denominator_of(formula) is None:
            return None
        numerator, denominator = build(formula, Numerators(self, defaults))
        known = [f"{self.variable(fact, defaults)} is not None" for fact in facts_in(formula)]
        if currencies_in(formula) - {self.program.settled.get("currency")}:
            known = ["False"]
        return numerator, denominator, known

    def room(self, at: int) -> list[str]:
        """Lines that set ``c``: what a cap leaves, None where nothing is known that limits it."""
        name, by = f"c{at}", self.program.by
        lines = [f"    {name} = None"]
        for formula in by.caps[at].at_most:
            found = self.formula(formula, by.assume)
            if found is None:
                raise ValueError(f"the cap {by.caps[at].id} divides by a fact")
            numerator, denominator, known = found
            lines.append(f"    if {' and '.join(known) or 'True'}:")
            lines.append(f"        x = {numerator if denominator == 1 else f'{numerator} // {denominator}'}")
            lines.append(f"        if {name} is None or x < {name}: {name} = x if x > 0 else 0")
        return lines

    def _wait(self, rule: Left, slots: Sequence[str], indent: str, *, guarded: bool = False) -> None:
        self.lines.append(f"{indent}waits = ({rule.number},) if waits is None else (*waits, {rule.number})")
        for slot in slots:
            sure, deeper = f"s{rule.at}_{self.slot_at[slot]}", indent
            if not guarded:
                self.lines.append(f"{indent}if not {self._state(rule.at, slot)}:")
                deeper = indent + "    "
            if rule.effect not in GIVES or guarded:
                self.lines.append(f"{deeper}if {sure} is None or {sure} > -1: {sure} = -1")
                continue
            self._worth(rule, slot, deeper)
            self.lines.append(f"{deeper}if w is None: w = -1")
            self.lines.append(f"{deeper}if {sure} is None or w < {sure}: {sure} = w")

    def _finish(self) -> None:
        """Of each loss the best pack; then what all packs together may give back, and the verdict."""
        slots, packs = self.program.slots, range(len(self.program.packs))
        found = []
        for i, slot in enumerate(slots):
            giving = [at for at in packs if any(r.effect in GIVES for r in self.program.speaking(at, slot))]
            if not giving:
                continue
            self.lines.append(f"    g{i} = None")
            for at in giving:
                mine = f"a{at}_{i}, w{at}_{i}, m{at}_{i}"
                self.lines.append(f"    if a{at}_{i} > 0:")
                self.lines.append(f"        if g{i} is None: g{i} = ({mine}, a{at}_{i})")
                self.lines.append(
                    f"        elif w{at}_{i} > g{i}[1] or (w{at}_{i} == g{i}[1] and"
                    f" rank(a{at}_{i}, {i}, row) < rank(g{i}[0], {i}, row)): g{i} = ({mine}, g{i}[3])"
                )
            found.append((i, f"g{i}"))
        given = f"[({''.join(f'({i}, {name}), ' for i, name in found)})]"[1:-1]
        # Of each loss the packs that may shut it out, the last one first.
        denied = ""
        for slot in slots:
            denying = [at for at in reversed(packs) if any(r.effect == "deny" for r in self.program.speaking(at, slot))]
            denied += f"({''.join(f'{self._state(at, slot)}, ' for at in denying)}), "
        self.lines.append(f"    return finish(row, get, {given}, ({denied}) if shut else (), waits, refers)")


def rooms_source(program: Program) -> tuple[str, dict[str, Any]]:
    """Source of ``rooms(get)``: what each cap leaves on a row, None where nothing is known that limits it."""
    source = Source(program)
    caps = range(len(program.by.caps))
    lines = [line for at in caps for line in source.room(at)]
    lines.append(f"    return [{', '.join(f'c{at}' for at in caps)}]")
    return "def rooms(get):\n" + "\n".join([*source.loads, *lines]) + "\n", source.constants


def _inner(cell: Cell) -> Cell:
    while isinstance(cell, Not):
        cell = cell.test
    return cell


def is_about_the_order(kind: str) -> bool:
    return kind in ABOUT_THE_ORDER
