"""What both fast back ends are made from: the rules left once kind, claimant, reason, currency and days are settled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from makegood.policy.cells import Cell
from makegood.policy.combination import Combination
from makegood.policy.packs import Pack, Remedy
from makegood.policy.table import Entry, table_of

GIVES = {"grant", "allow"}


@dataclass(frozen=True, eq=False)
class Left:
    """One rule with the cells that are still open. ``never_sure``: a settled cell is unknown, so it can only wait."""

    number: int  # from 1, over all packs in their order
    at: int  # which pack
    pack: Pack
    entry: Entry
    cells: tuple[tuple[str, Cell], ...]
    never_sure: bool
    slots: tuple[str, ...]  # what it speaks about, of the losses that are told apart
    is_known: bool = False  # its truth is known: it holds, or with ``never_sure`` it may hold

    @property
    def effect(self) -> str:
        return self.entry.rule.effect

    def remedies(self, slot: str) -> tuple[Remedy, ...]:
        return self.entry.remedies.get(slot, ())


@dataclass(frozen=True, eq=False)
class Program:
    """The packs in the order of their levels, with the rules that can matter, highest priority first."""

    packs: tuple[Pack, ...]
    rules: tuple[Left, ...]
    by: Combination
    settled: Mapping[str, Any]  # facts with the value that all rows have; None: unknown in all of them

    @property
    def kind(self) -> str:
        return str(self.settled["case.kind"])

    @cached_property
    def slots(self) -> tuple[str, ...]:
        named = {slot for rule in self.rules for slot in rule.slots}
        return tuple(slot for slot in self.by.slots if slot in named)

    def speaking(self, at: int, slot: str) -> list[Left]:
        return [rule for rule in self.rules if rule.at == at and slot in rule.slots]


def ordered(packs: Sequence[Pack], by: Combination) -> tuple[Pack, ...]:
    return tuple(sorted(packs, key=lambda pack: by.levels.index(pack.kind)))


def program_of(
    packs: Sequence[Pack], by: Combination, *, settled: Mapping[str, Any], entries: Sequence[Sequence[Entry]]
) -> Program:
    """``packs`` as ``ordered``; ``entries`` for each the rules in force; ``settled`` holds kind, claimant, currency."""
    rules: list[Left] = []
    for at, (pack, in_force) in enumerate(zip(packs, entries, strict=True)):
        for entry in in_force:
            left, sure = [], True
            for fact, cell in entry.rule.cells:
                if fact not in settled:
                    left.append((fact, cell))
                    continue
                value = settled[fact]
                truth = cell.holds(pack.assume.get(fact) if value is None else value, settled)
                if truth is False:
                    break
                sure = sure and truth is True
            else:
                rules.append(Left(len(rules) + 1, at, pack, entry, tuple(left), not sure, entry.slots))
    return _program(packs, by, settled, rules)


def settled_program(
    packs: Sequence[Pack], by: Combination, settled: Mapping[str, Any], rules: Sequence[tuple[int, Entry, bool]]
) -> Program:
    """What is left when the truth of every rule is known: those that hold, and those that may (``False``)."""
    known = [
        Left(number, level, packs[level], entry, (), not sure, entry.slots, is_known=True)
        for number, (level, entry, sure) in enumerate(rules, start=1)
    ]
    return _program(packs, by, settled, known)


def _program(packs: Sequence[Pack], by: Combination, settled: Mapping[str, Any], rules: Sequence[Left]) -> Program:
    apart = _told_apart(rules, by)
    told = (replace(rule, slots=tuple(slot for slot in rule.slots if slot in apart)) for rule in rules)
    return Program(tuple(packs), tuple(told), by, settled)


def _told_apart(rules: Sequence[Left], by: Combination) -> set[str]:
    """Losses that some rule makes good; of the others, which can only be shut out, one of those that go alike."""
    alike: dict[tuple[int, ...], str] = {}
    found = set()
    for slot in by.slots:
        speaking = tuple(rule.number for rule in rules if slot in rule.slots)
        if any(rule.effect in GIVES and slot in rule.slots for rule in rules) or slot == by.slots[0]:
            found.add(slot)
        elif speaking:
            found.add(alike.setdefault(speaking, slot))
    return found


def entries_in(pack: Pack, kind: str, by: Combination, era: int) -> tuple[Entry, ...]:
    """The rules of an era: so many of the table's edges lie at or before the day."""
    table = table_of(pack, kind, by)
    if not table.edges:
        return table.entries
    return table.in_force(table.edges[era - 1]) if era else table.before()
