"""Packs on one line: which rules hold, which do not, which cannot be known yet, and what that leaves granted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, overload

from makegood.policy.combination import Combination
from makegood.policy.packs import Pack, Remedy, Rule
from makegood.policy.table import GIVEN_BACK, Entry
from makegood.policy.together import Era, Together, together

__all__ = ["GIVEN_BACK", "NOTHING_SURE", "Look", "Row", "Tried", "Verdict", "judge", "judge_all"]

Row = Mapping[str, Any]

NOTHING_SURE = -1


class Tried:
    """A rule tried on a row, and whether all of it holds, with the truth of each single cell."""

    __slots__ = ("by", "entry", "given", "level", "look", "pack", "packs", "result", "row", "rule", "worth")

    def __init__(self, seen: Seen, entry: Entry) -> None:
        self.pack: Pack = seen.pack
        self.by: Combination = seen.by
        self.row: Row = seen.row
        self.given: Row = seen.given
        self.packs, self.level, self.look = seen.packs, seen.level, seen.bits
        self.entry = entry
        self.rule: Rule = entry.rule
        self.result = seen.packs.truth(seen.level, entry, seen.bits)
        self.worth: dict[str, int | None] = {}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Tried) and self.rule is other.rule and self.row == other.row

    def __hash__(self) -> int:
        return id(self.rule)

    @property
    def assumed(self) -> frozenset[str]:
        """The facts that hold only because the pack assumes them where unknown."""
        return frozenset([fact for fact in self.pack.assume if fact not in self.given])

    @property
    def cells(self) -> tuple[bool | None, ...]:
        """The truth value of each cell."""
        return self._truths(self.entry.cells)

    @property
    def needs(self) -> tuple[bool | None, ...]:
        """The truth value of each need of evidence."""
        return self._truths(self.entry.needs)

    def _truths(self, bits: tuple[int, ...]) -> tuple[bool | None, ...]:
        fails, unknown = self.packs.masks(self.level, self.look)
        return tuple([False if bit & fails else None if bit & unknown else True for bit in bits])

    def unmet_needs(self) -> list[tuple[str, ...]]:
        return [need for need, value in zip(self.rule.evidence, self.needs, strict=True) if value is None]

    def slots(self) -> tuple[str, ...]:
        """The slots this rule speaks about, in their fixed order."""
        return self.entry.slots

    def remedies_in(self, slot: str) -> tuple[Remedy, ...]:
        return self.entry.remedies.get(slot, ())

    def amount(self, remedy: Remedy) -> int | None:
        """Minor units of one of its remedies, rounded as declared; None when a fact of the formula is unknown."""
        return self.entry.amounts[id(remedy)](self.row)

    def rank(self, slot: str) -> int:
        """Where it stands among remedies of equal worth; less is preferred."""
        wanted = self.given.get("case.wants")  # what a pack assumes was not asked for by anybody
        return min((self.by.rank_of(remedy.kind, wanted) for remedy in self.remedies_in(slot)), default=0)

    def value(self, slot: str) -> int | None:
        """What the slot is worth to the asker in minor units; None when an amount cannot be known yet."""
        if slot in self.worth:
            return self.worth[slot]
        total: int | None = 0
        for worth in self.entry.values.get(slot, ()):
            amount = worth(self.row)
            if amount is None:
                total = None
                break
            total = (total or 0) + amount
        self.worth[slot] = total
        return total


class Seen(Sequence[Tried]):
    """A row under one pack: every rule tried, told when somebody asks."""

    __slots__ = ("bits", "by", "entries", "given", "level", "pack", "packs", "row", "told")

    def __init__(self, look: Look, level: int) -> None:
        self.packs, self.level, self.bits, self.given = look.packs, level, look.bits, look.row
        self.pack, self.by = look.packs.packs[level], look.packs.by
        self.entries = look.era.entries[level]
        assume = self.pack.assume
        self.row: Row = {**assume, **look.row} if assume else look.row
        self.told: dict[int, Tried] = {}

    def of(self, entry: Entry) -> Tried:
        """The rule tried; the same object whenever it is asked for."""
        found = self.told.get(entry.at)
        if found is None:
            found = self.told[entry.at] = Tried(self, entry)
        return found

    def __len__(self) -> int:
        return len(self.entries)

    @overload
    def __getitem__(self, at: int) -> Tried: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Tried]: ...
    def __getitem__(self, at: int | slice) -> Tried | Sequence[Tried]:
        if isinstance(at, slice):
            return [self.of(entry) for entry in self.entries[at]]
        return self.of(self.entries[at])

    def __iter__(self) -> Iterator[Tried]:
        return map(self.of, self.entries)


class Look:
    """One line under all packs: ``bits`` is the truth of every cell of every rule, as ``together`` numbers them."""

    __slots__ = ("bits", "era", "line", "packs", "row", "seen")

    def __init__(self, packs: Together, row: Row, era: Era) -> None:
        self.packs, self.row, self.era = packs, row, era
        self.line: str | None = row.get("line.id")
        self.bits = packs.look(row)
        self.seen: list[Seen | None] = [None] * len(packs.packs)

    def under(self, level: int) -> Seen:
        """The line under one of the packs."""
        found = self.seen[level]
        if found is None:
            found = self.seen[level] = Seen(self, level)
        return found

    def under_each(self) -> list[Seen]:
        return [self.under(level) for level in range(len(self.seen))]

    def nearest(self) -> Tried | None:
        """Of the rules that failed the one that came nearest to giving something."""
        found = self.packs.nearest(self.era, self.bits)
        return None if found is None else self.under(found[0]).of(found[1])


class Verdict:
    """What one pack says about one row. ``granted`` maps each slot to the rule that decides it."""

    __slots__ = ("denied", "granted", "referred", "sure_up_to", "tried", "waiting")

    def __init__(self, tried: Seen) -> None:
        self.tried = tried
        self.granted: dict[str, Tried] = {}
        self.denied: dict[str, Tried] = {}
        self.waiting: list[Tried] = []
        self.referred: list[Tried] = []
        # Of a slot what may be given at most for sure, while a rule above may yet hold.
        self.sure_up_to: dict[str, int] = {}


def judge(pack: Pack, given: Row, day: date, by: Combination) -> Verdict:
    """One pack alone, on a day."""
    packs = together((pack,), given["case.kind"], by)
    look = Look(packs, given, packs.era(given, None, None, day))
    verdicts = judge_all(look)
    return verdicts[0] if verdicts else Verdict(look.under(0))


def judge_all(look: Look) -> list[Verdict]:
    """What each pack says, of those that have anything to say, in their order.

    In each the rules are tried from the highest priority down. A slot is decided by the first rule that holds. A rule
    that may yet hold keeps the slot from any lower rule that gives more than it would give itself: what is sure is
    granted, the rest waits for the missing fact.
    """
    packs, bits = look.packs, look.bits
    alive = look.era.open & ~bits
    verdicts: list[Verdict] = []
    if not alive:
        return verdicts
    rules, last = packs.rules, -1
    while alive:
        first = alive & -alive
        alive ^= first
        level, entry = rules[first.bit_length() - 1]
        if level != last:
            last, seen = level, look.under(level)
            verdict = Verdict(seen)
            verdicts.append(verdict)
        still_open = [slot for slot in entry.slots if slot not in verdict.granted and slot not in verdict.denied]
        if not still_open:
            continue
        tried = seen.of(entry)
        if not entry.sound:
            # An unverified rule never decides by itself; a person looks where nothing sound decides.
            verdict.referred += [tried] if tried.result else []
        elif tried.result is None:
            _wait(verdict, tried, still_open)
        else:
            _settle(verdict, tried, still_open)
    return verdicts


def _wait(verdict: Verdict, tried: Tried, slots: list[str]) -> None:
    verdict.waiting.append(tried)
    sure_up_to = verdict.sure_up_to
    for slot in slots:
        may_give = tried.value(slot) if tried.rule.effect in {"grant", "allow"} else NOTHING_SURE
        floor = NOTHING_SURE if may_give is None else may_give
        sure_up_to[slot] = min(sure_up_to.get(slot, floor), floor)


def _settle(verdict: Verdict, tried: Tried, slots: list[str]) -> None:
    if tried.rule.effect == "refer":
        verdict.referred.append(tried)
    if tried.rule.effect in {"refer", "deny"}:
        verdict.denied.update(dict.fromkeys(slots, tried))
        return
    for slot in slots:
        worth = tried.value(slot)
        if worth is None:
            # The rule holds but its amount is not known: it waits like a rule that may yet hold.
            _wait(verdict, tried, [slot])
        elif slot not in verdict.sure_up_to or worth <= verdict.sure_up_to[slot]:
            verdict.granted[slot] = tried
