"""The rules of one kind of case made ready: every distinct cell has one bit, and a row is tried against all at once.

The truth of all cells on a row is two whole numbers: the bits of those that fail and of those that are unknown. So
a rule is tried with two "and", and nothing is lost: ``truth`` gives back each single cell.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from makegood.policy.arithmetic import Closures, build, denominator_of, round_whole
from makegood.policy.cells import Between, Cell, Compare, Known, Not, OneOf, Operand
from makegood.policy.combination import Combination
from makegood.policy.formulas import evaluate, facts_in, rounded

if TYPE_CHECKING:
    from makegood.policy.packs import Pack, Remedy, Rule

Row = Mapping[str, Any]
Masks = tuple[int, int]  # bits of what fails, bits of what is unknown
GIVEN_BACK = frozenset({"refund", "store_credit"})  # only what was paid can be given back
REMEMBERED_MAX = 10_000

# Who asks, where and why is what a person came with; missing by anything else is nearer.
FAR = {
    "case.claimant": 100, "case.reason": 10, "case.programme": 10, "market": 10, "platform": 10, "order.payment": 10,
    "order.fulfilled_by": 5, "order.card_network": 5,
}  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """One rule made ready. ``cells`` and ``needs`` are the bits of its conditions, ``mask`` all of them together."""

    at: int
    rule: Rule
    cells: tuple[int, ...]
    needs: tuple[int, ...]
    mask: int
    sound: bool
    may_give: bool  # sound, and grants or allows something
    slots: tuple[str, ...]  # what it speaks about, in the fixed order
    remedies: Mapping[str, tuple[Remedy, ...]]  # by slot
    values: Mapping[str, tuple[Callable[[Row], int | None], ...]]  # what each slot is worth, remedy by remedy
    amounts: Mapping[int, Callable[[Row], int | None]]  # of each remedy, by its identity
    made_of: tuple[str, ...]  # the facts in its amounts


class Table:
    """The rules of a pack for one kind of case, under one combination."""

    def __init__(self, pack: Pack, kind: str, by: Combination) -> None:
        self.pack, self.by = pack, by
        self.bits: dict[tuple[str, object], int] = {}
        self.plain: dict[str, list[tuple[int, Cell]]] = defaultdict(list)  # tests of the fact's own value alone
        self.others: list[tuple[int, str, Cell]] = []  # tests that ask for more than the fact's own value
        self.met: list[tuple[int, tuple[str, ...]]] = []  # needs of evidence, any of the kinds
        self.far: dict[int, int] = {}  # weight -> bits
        self.reasons = 0
        self.entries = tuple(self._entry(at, rule) for at, rule in enumerate(pack.rules_for(kind)))
        self.facts: tuple[tuple[str, dict[Any, Masks]], ...] = tuple((fact, {}) for fact in self.plain)
        dates = {day for entry in self.entries for day in (entry.rule.valid_from, entry.rule.valid_to) if day}
        self.edges = sorted(dates)
        self.eras: dict[int, tuple[Entry, ...]] = {}

    def in_force(self, day: date) -> tuple[Entry, ...]:
        """The rules that hold on a day, highest priority first."""
        if not self.edges:
            return self.entries
        era = bisect_right(self.edges, day)
        found = self.eras.get(era)
        if found is None:
            found = self.eras[era] = tuple(entry for entry in self.entries if entry.rule.holds_on(day))
        return found

    def before(self) -> tuple[Entry, ...]:
        """The rules that hold before the first of the edges."""
        return tuple(entry for entry in self.entries if entry.rule.valid_from is None)

    def truths(self, row: Row) -> Masks:
        """The bits of the cells that fail on this row, and of those that are unknown."""
        fails = unknown = 0
        get = row.get
        for fact, remembered in self.facts:
            value = get(fact)
            masks = remembered.get(value)
            if masks is None:
                masks = self._of_value(fact, value, remembered)
            fails |= masks[0]
            unknown |= masks[1]
        told = [(bit, cell.holds(get(fact), row)) for bit, fact, cell in self.others]
        for bit, truth in told + [(bit, is_met(need, row)) for bit, need in self.met]:
            if truth is None:
                unknown |= bit
            elif not truth:
                fails |= bit
        return fails, unknown

    def _of_value(self, fact: str, value: Any, remembered: dict[Any, Masks]) -> Masks:
        fails = unknown = 0
        for bit, cell in self.plain[fact]:
            truth = cell.holds(value, {})
            if truth is None:
                unknown |= bit
            elif not truth:
                fails |= bit
        if len(remembered) >= REMEMBERED_MAX:
            remembered.clear()
        remembered[value] = fails, unknown
        return fails, unknown

    def _entry(self, at: int, rule: Rule) -> Entry:
        cells: list[int] = []
        for fact, cell in rule.cells:
            cells.append(self._bit_of(fact, cell, cells))
        needs: list[int] = []
        for need in rule.evidence:
            needs.append(self._bit_of_need(need, needs))
        slots = slots_of(rule, self.by)
        remedies = {
            slot: tuple(remedy for remedy in rule.remedies if self.by.slot_by_kind[remedy.kind] == slot)
            for slot in slots
        }
        return Entry(
            at=at,
            rule=rule,
            cells=tuple(cells),
            needs=tuple(needs),
            mask=sum(cells) + sum(needs),
            sound=rule.sound,
            may_give=rule.sound and rule.effect in {"grant", "allow"},
            slots=slots,
            remedies=remedies,
            amounts={id(remedy): amounts_of(remedy) for remedy in rule.remedies},
            made_of=tuple(fact for one in rule.remedies if one.amount is not None for fact in facts_in(one.amount)),
            values={slot: tuple(_worth(remedy, self.by) for remedy in given) for slot, given in remedies.items()},
        )

    def _bit_of(self, fact: str, cell: Cell, taken: list[int]) -> int:
        """One bit for a fact with its test; another one where the rule itself says the same twice."""
        bit = self.bits.get((fact, cell), 0)
        if bit and bit not in taken:
            return bit
        bit = self._next_bit((fact, cell) if not bit else (fact, object()))
        if is_plain(cell):
            self.plain[fact].append((bit, cell))
        else:
            self.others.append((bit, fact, cell))
        if weight := FAR.get(fact):
            self.far[weight] = self.far.get(weight, 0) | bit
        if fact == "case.reason":
            self.reasons |= bit
        return bit

    def _bit_of_need(self, need: tuple[str, ...], taken: list[int]) -> int:
        bit = self.bits.get(("", need), 0)
        if bit and bit not in taken:
            return bit
        bit = self._next_bit(("", need) if not bit else ("", object()))
        self.met.append((bit, need))
        return bit

    def _next_bit(self, name: tuple[str, object]) -> int:
        self.bits[name] = bit = 1 << len(self.bits)
        return bit


def table_of(pack: Pack, kind: str, by: Combination) -> Table:
    """The pack's rules of a kind, made ready once."""
    place = (kind, by.hash)
    found = pack.tables.get(place)
    if found is None:
        found = pack.tables[place] = Table(pack, kind, by)
    return found


def slots_of(rule: Rule, by: Combination) -> tuple[str, ...]:
    """The slots a rule speaks about, in their fixed order."""
    if rule.effect == "grant":
        named = {by.slot_by_kind[remedy.kind] for remedy in rule.remedies}
    elif rule.effect == "deny" and rule.deny is not None and rule.deny.of:
        named = {by.slot_by_kind[kind] for kind in rule.deny.of}
    else:
        named = {by.slots[0]} if rule.effect == "allow" else set(by.slots)
    return tuple(slot for slot in by.slots if slot in named)


def operands_of(cell: Cell) -> tuple[Operand, ...]:
    if isinstance(cell, Not):
        return operands_of(cell.test)
    if isinstance(cell, Compare):
        return (cell.operand,)
    if isinstance(cell, OneOf):
        return cell.operands
    if isinstance(cell, Between):
        return (cell.low, cell.high)
    if isinstance(cell, Known):
        return ()
    raise TypeError(cell)


def is_plain(cell: Cell) -> bool:
    """Whether the value alone decides it: no other fact, no currency, no day that begins by the market's clock."""
    return all(
        not operand.fact
        and not operand.currency
        and not (isinstance(operand.value, date) and not isinstance(operand.value, datetime))
        for operand in operands_of(cell)
    )


def is_met(need: tuple[str, ...], row: Row) -> bool | None:
    """Kleene's "or" over the kinds of evidence that meet it: true wins, then unknown."""
    values = [row.get(f"evidence.{kind}") for kind in need]
    return True if True in values else None if None in values else False


def amounts_of(remedy: Remedy) -> Callable[[Row], int | None]:
    """A function of the row for the remedy's amount: minor units, rounded as declared, None where it is unknown."""
    formula, mode = remedy.amount, remedy.rounding
    if formula is None:
        return lambda _: 0
    must_be_paid = remedy.kind in GIVEN_BACK
    if denominator_of(formula) is None:
        return lambda row: _by_fractions(remedy, row)
    numerator, denominator = build(formula, Closures())

    def amount(row: Row) -> int | None:
        value = numerator(row)
        if value is None or (must_be_paid and value > 0 and "line.price_paid" not in row and "order.paid" not in row):
            return None
        return value if denominator == 1 else round_whole(value, denominator, mode)

    return amount


def _by_fractions(remedy: Remedy, row: Row) -> int | None:
    exact = evaluate(remedy.amount, row) if remedy.amount is not None else None
    if exact is None or (exact > 0 and remedy.kind in GIVEN_BACK and not is_paid_known(row)):
        return None
    return rounded(exact, remedy.rounding)


def is_paid_known(row: Row) -> bool:
    """Whether anything shows what was paid: without it nothing can be given back."""
    return "line.price_paid" in row or "order.paid" in row


def _worth(remedy: Remedy, by: Combination) -> Callable[[Row], int | None]:
    """What the remedy adds to the worth of its slot; a fact stands in for the amount where the combination says so."""
    counts = remedy.borne_by != "customer"
    if fact := by.worth.get(remedy.kind):
        return (lambda row: row.get(fact, 0)) if counts else (lambda row: 0 if row.get(fact, 0) is not None else None)
    amount = amounts_of(remedy)
    return amount if counts else lambda row: None if amount(row) is None else 0


def bits_in(mask: int) -> Iterator[int]:
    while mask:
        low = mask & -mask
        yield low
        mask ^= low
