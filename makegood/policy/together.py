"""Packs that apply together, made ready for one kind of case: each fact is looked at once for all of their cells.

What a look finds is one whole number, the bits of it in four parts: the rules that fail, the rules that are not sure,
the cells that fail, the cells that are unknown. The first two say at once which rules matter; the last two are the
whole trace: the truth of every cell of every rule of every pack.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, tzinfo
from typing import Any

from makegood.policy.cells import Cell
from makegood.policy.clock import Days
from makegood.policy.combination import Combination
from makegood.policy.packs import Pack
from makegood.policy.table import FAR, REMEMBERED_MAX, Entry, Row, Table, bits_in, is_met, operands_of, table_of

KEPT_MAX = 64  # combinations of packs kept ready; a draft that is tried makes new ones
ERAS_MAX = 4096
NEAR_MAX = 4096
ZONES_MAX = 64
NEARER_THAN_ANOTHER_REASON = FAR["case.reason"]

Truth = Callable[[Any], bool | None]
Near = tuple[int, int, Entry]  # its cells among those that fail, the pack's place, the rule


class Marks(dict[Any, int]):
    """The bits that a value sets, for all tests of it; found when a value is first met."""

    __slots__ = ("tests",)

    def __init__(self) -> None:
        super().__init__()
        self.tests: list[tuple[Truth, int, int]] = []  # the test, the bits where it fails and where it is unknown

    def __missing__(self, value: Any) -> int:
        bits = 0
        for test, fails, unknown in self.tests:
            truth = test(value)
            bits |= unknown if truth is None else 0 if truth else fails
        if len(self) >= REMEMBERED_MAX:
            self.clear()
        self[value] = bits
        return bits


class Era:
    """The rules in force at one time: of each pack its own, and all of them as bits."""

    __slots__ = ("entries", "near", "open")

    def __init__(self, entries: tuple[tuple[Entry, ...], ...], open_: int) -> None:
        self.entries, self.open = entries, open_
        self.near: dict[int, tuple[list[Near], list[Near]]] = {}


class Together:
    """Packs in the order of their levels, for one kind of case, under one combination."""

    def __init__(self, packs: Sequence[Pack], kind: str, by: Combination) -> None:
        self.packs, self.by = tuple(packs), by
        self.tables = tuple(table_of(pack, kind, by) for pack in packs)
        self.rules: tuple[tuple[int, Entry], ...] = tuple(
            (level, entry) for level, table in enumerate(self.tables) for entry in table.entries
        )
        self.count = len(self.rules)
        self.size = sum(len(table.bits) for table in self.tables)
        self.firsts: list[int] = []  # where the rules of each pack begin
        self.starts: list[int] = []  # where the cells of each pack that fail begin
        first, start = 0, 2 * self.count
        for table in self.tables:
            self.firsts.append(first)
            self.starts.append(start)
            first, start = first + len(table.entries), start + len(table.bits)
        self.facts: list[tuple[str, Marks]] = []
        self.assumed: list[tuple[str, Any, Marks]] = []  # with the value that holds where it is unknown
        self.pairs: list[tuple[str, str, Marks]] = []  # evidence of one kind or another
        self.others: list[tuple[Callable[[Row], bool | None], int, int]] = []
        self.marks: dict[Any, Marks] = {}
        for level, table in enumerate(self.tables):
            self._place(level, table, self.firsts[level])
        self.dated: dict[str, list[date]] = {}
        for pack, table in zip(self.packs, self.tables, strict=True):
            if table.edges:
                self.dated.setdefault(pack.dated_by, []).extend(table.edges)
        self.days: dict[tzinfo, list[tuple[str, Days]]] = {}
        self.eras: dict[tuple[int, ...], Era] = {}
        self.who = sum(
            bit << start << more
            for table, start in zip(self.tables, self.starts, strict=True)
            for bit in bits_in(table.reasons | sum({entry.cells[0] for entry in table.entries}))
            for more in (0, self.size)
        )
        self.reasons = sum(table.reasons << start for table, start in zip(self.tables, self.starts, strict=True))
        self.far = [
            (
                weight - 1,
                sum(table.far.get(weight, 0) << at for table, at in zip(self.tables, self.starts, strict=True)),
            )
            for weight in sorted(set(FAR.values()))
        ]
        self.any_far = sum(bits for _, bits in self.far)

    def _place(self, level: int, table: Table, first: int) -> None:
        """Give each cell of a table its bits, and those of the rules it stands in."""
        assume, start = table.pack.assume, self.starts[level]
        users: dict[int, int] = {}
        for at, entry in enumerate(table.entries):
            for bit in (*entry.cells, *entry.needs):
                users[bit] = users.get(bit, 0) | 1 << first + at

        def marks(bit: int) -> tuple[int, int]:
            fails, unknown = bit << start, bit << start + self.size
            return users[bit] | fails, users[bit] << self.count | unknown

        for fact, cells in table.plain.items():
            for bit, cell in cells:
                self._of_fact(fact, assume).tests.append((_of_value(cell), *marks(bit)))
        for bit, need in table.met:
            names = [f"evidence.{kind}" for kind in need]
            if len(names) == 1:
                self._of_fact(names[0], assume).tests.append((lambda value: value, *marks(bit)))
            elif len(names) == 2 and not assume.keys() & set(names):
                self._of_pair(names[0], names[1]).tests.append((_either, *marks(bit)))
            else:
                self.others.append((_of_row(_need_of(need), assume, names), *marks(bit)))
        for bit, fact, cell in table.others:
            names = [fact, *(operand.fact for operand in operands_of(cell))]
            self.others.append((_of_row(_cell_of(fact, cell), assume, names), *marks(bit)))

    def _of_fact(self, fact: str, assume: Mapping[str, Any]) -> Marks:
        place = (fact, repr(assume[fact])) if fact in assume else fact
        if place not in self.marks:
            self.marks[place] = found = Marks()
            if fact in assume:
                self.assumed.append((fact, assume[fact], found))
            else:
                self.facts.append((fact, found))
        return self.marks[place]

    def _of_pair(self, one: str, other: str) -> Marks:
        place = (one, other, "either")
        if place not in self.marks:
            self.marks[place] = found = Marks()
            self.pairs.append((one, other, found))
        return self.marks[place]

    def look(self, row: Row) -> int:
        """The bits of a row: see above."""
        get, bits = row.get, 0
        for fact, marks in self.facts:
            bits |= marks[get(fact)]
        for fact, default, marks in self.assumed:
            bits |= marks[get(fact, default)]
        for one, other, marks in self.pairs:
            bits |= marks[get(one), get(other)]
        for test, fails, unknown in self.others:
            truth = test(row)
            if truth is None:
                bits |= unknown
            elif not truth:
                bits |= fails
        return bits

    def truth(self, level: int, entry: Entry, bits: int) -> bool | None:
        """Whether all of a rule holds."""
        at = 1 << self.firsts[level] + entry.at
        return False if bits & at else None if bits & at << self.count else True

    def masks(self, level: int, bits: int) -> tuple[int, int]:
        """The cells of a pack that fail and that are unknown, as its own table numbers them."""
        start, all_ = self.starts[level], (1 << len(self.tables[level].bits)) - 1
        return bits >> start & all_, bits >> start + self.size & all_

    def era(self, row: Row, asked: datetime | None, zone: tzinfo | None, on: date | None) -> Era:
        """The rules in force on a row: each pack's on the day of the fact that dates it, or all on the day ``on``."""
        if not self.dated:
            place: tuple[int, ...] = ()
        elif on is not None:
            return self._era_of(dict.fromkeys(self.dated, on))
        else:
            place = tuple([days.begun(row.get(fact) or asked) for fact, days in self.dated_in(zone)])  # type: ignore[arg-type]
        found = self.eras.get(place)
        if found is None:
            days_ = {
                fact: days.days[at - 1] if at else None
                for (fact, days), at in zip(self.dated_in(zone), place, strict=True)
            }
            if len(self.eras) >= ERAS_MAX:
                self.eras.clear()
            found = self.eras[place] = self._era_of(days_)
        return found

    def dated_in(self, zone: tzinfo | None) -> list[tuple[str, Days]]:
        """The facts by which rules are dated, each with the days on which any of them changes."""
        if not self.dated or zone is None:
            return []
        found = self.days.get(zone)
        if found is None:
            if len(self.days) >= ZONES_MAX:
                self.days.clear()
            found = self.days[zone] = [(fact, Days(days, zone)) for fact, days in self.dated.items()]
        return found

    def _era_of(self, day: Mapping[str, date | None]) -> Era:
        entries, open_ = [], 0
        for pack, table, first in zip(self.packs, self.tables, self.firsts, strict=True):
            at = day.get(pack.dated_by)
            entries.append(table.entries if not table.edges else table.in_force(at) if at else table.before())
            open_ |= sum(1 << first + entry.at for entry in entries[-1])
        return Era(tuple(entries), open_)

    def nearest(self, era: Era, bits: int) -> tuple[int, Entry] | None:
        """The rule that came nearest to giving something, and the place of its pack.

        By the weight of what failed, then whether it is for just this reason, then by what is unknown. Of rules equally
        near the law's are told first; in a pack the one of lowest priority is the most general.
        """
        place = bits & self.who
        near = era.near.get(place)
        if near is None:
            if len(era.near) >= NEAR_MAX:
                era.near.clear()
            near = era.near[place] = self._near(era, place)
        found, distance = self._nearest_of(near[0], bits)
        if distance >= NEARER_THAN_ANOTHER_REASON:
            found, _ = self._nearest_of(near[1], bits)
        return found

    def _near(self, era: Era, place: int) -> tuple[list[Near], list[Near]]:
        """The rules that may give something to who asks: those that are not for another reason, and all."""
        of_reason, every = [], []
        unsure = place | place >> self.size
        for level, (start, entries) in enumerate(zip(self.starts, era.entries, strict=True)):
            for entry in entries:
                if not entry.may_give or entry.cells[0] << start & unsure:
                    continue
                near = (entry.mask << start, level, entry)
                every.append(near)
                if not near[0] & place & self.reasons:
                    of_reason.append(near)
        return of_reason, every

    def _nearest_of(self, near: Sequence[Near], bits: int) -> tuple[tuple[int, Entry] | None, int]:
        least = 1 << 30
        found: list[tuple[int, Near]] = []
        for one in near:
            missed = one[0] & bits
            distance = missed.bit_count()
            if not distance or distance > least:
                continue
            if missed & self.any_far:
                for more, far in self.far:
                    distance += more * (missed & far).bit_count()
                if distance > least:
                    continue
            if distance < least:
                least, found = distance, [(missed, one)]
            else:
                found.append((missed, one))
        if not found:
            return None, least
        unknown = bits >> self.size
        sure = self.reasons & ~(bits | unknown)

        def key(one: Near) -> tuple[bool, int, int, int]:
            return not one[0] & sure, (one[0] & unknown).bit_count(), one[1], -one[2].at

        _, level, entry = min((one for _, one in found), key=key) if len(found) > 1 else found[0][1]
        return (level, entry), least


def together(packs: Sequence[Pack], kind: str, by: Combination) -> Together:
    """These packs for a kind of case, in the order of their levels; made ready once."""
    place = (kind, *map(id, packs))
    found = by.together.get(place)
    if found is None:
        if len(by.together) >= KEPT_MAX:
            by.together.clear()
        ordered = sorted(packs, key=lambda pack: by.levels.index(pack.kind))
        # Packs are known by their identity, which stays theirs as long as they are kept.
        found = by.together[place] = (Together(ordered, kind, by), tuple(packs))
    made: Together = found[0]
    return made


def _of_value(cell: Cell) -> Truth:
    holds = cell.holds
    return lambda value: holds(value, {})


def _either(values: tuple[bool | None, bool | None]) -> bool | None:
    return True if True in values else None if None in values else False


def _need_of(need: tuple[str, ...]) -> Callable[[Row], bool | None]:
    return lambda row: is_met(need, row)


def _cell_of(fact: str, cell: Cell) -> Callable[[Row], bool | None]:
    return lambda row: cell.holds(row.get(fact), row)


def _of_row(
    test: Callable[[Row], bool | None], assume: Mapping[str, Any], names: Sequence[str]
) -> Callable[[Row], bool | None]:
    """The test with what the pack assumes of the facts it asks for."""
    assumed = {name: assume[name] for name in names if name in assume}
    if not assumed:
        return test
    return lambda row: test({**assumed, **row})
