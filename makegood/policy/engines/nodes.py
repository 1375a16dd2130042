"""From a row to the few rules that can matter, by looking at few facts: at each node those that rule out most.

A node knows which rules may still hold and which of them are not sure. It looks at some facts, and what they rule out
leads to the next node; where no fact is left to look at, the truth of every rule is known. Nodes are made when first
come to, and those that know the same are one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from makegood.policy.cells import Between, Cell, Compare, Known, Not, OneOf
from makegood.policy.engines.program import GIVES
from makegood.policy.engines.ruling import Ruling
from makegood.policy.table import REMEMBERED_MAX, Entry, Row, bits_in
from makegood.policy.together import Era, Marks, Together
from makegood.policy.vocabulary import FACTS, FactType

AT_ONCE = 6  # facts a node looks at
NODES_MAX = 20_000
Look = tuple[str, Any, "RuleMarks"]  # a fact, what is assumed where it is unknown, and what its value rules out
Test = tuple[Callable[[Row], bool | None], int, int]
Function = Callable[[Row, Any], Ruling]
Slot = tuple[int, int, str]  # a pack's place, a rule's place in it, a loss
Placed = tuple[int, Entry, bool]  # a rule: its pack's place, and whether it holds for sure


class RuleMarks(dict[Any, int]):
    """Of ``Marks`` only the rules that a value makes fail or leaves unsure."""

    __slots__ = ("marks", "mask")

    def __init__(self, marks: Marks, mask: int) -> None:
        super().__init__()
        self.marks, self.mask = marks, mask

    def __missing__(self, value: Any) -> int:
        bits = self.marks[value] & self.mask
        if len(self) >= REMEMBERED_MAX:
            self.clear()
        self[value] = bits
        return bits


class Quick(NamedTuple):
    """``ask`` gives the answer, or a number: which amounts are unknown, a bit for each of ``amounts`` from 2 on.

    Nought is told where other rules matter too; what then holds the general function knows.
    """

    ask: Callable[[Row, Any], Ruling | int]
    amounts: tuple[frozenset[Slot], ...]


class Node:
    """``facts`` to look at, and where it leads; at a leaf there are none, and ``answer`` or ``quick`` is set."""

    __slots__ = ("answer", "care", "children", "facts", "general", "known", "left", "quick", "tests", "unknown")

    def __init__(self, known: tuple[int, int], left: frozenset[int]) -> None:
        self.known, self.left = known, left  # rules that may hold, those of them that are unsure; facts not looked at
        self.facts: tuple[Look, ...] = ()
        self.tests: tuple[Test, ...] = ()
        self.care = 0
        self.children: dict[int, Node] | None = None  # None: a leaf
        self.answer: Ruling | None = None
        self.quick: Quick | None = None
        self.unknown: dict[int, tuple[Quick, frozenset[Slot]]] = {}  # the same, where amounts are unknown
        self.general: Function | None = None  # for what the quick one leaves open; made when first needed


class Nodes:
    """The nodes of packs for one kind of case."""

    def __init__(self, packs: Together, make: Callable[[list[Placed], frozenset[Slot]], Quick]) -> None:
        self.packs, self.make = packs, make
        rules = (1 << 2 * packs.count) - 1
        self.looks: list[Look | Test] = [(fact, None, RuleMarks(marks, rules)) for fact, marks in packs.facts]
        self.looks += [(fact, value, RuleMarks(marks, rules)) for fact, value, marks in packs.assumed]
        self.users = [_users(marks, packs.count) for _, marks in packs.facts]
        self.users += [_users(marks, packs.count) for _, _, marks in packs.assumed]
        tests = [
            (_pair(one, other, test), fails, unknown)
            for one, other, marks in packs.pairs
            for test, fails, unknown in marks.tests
        ]
        every = (1 << packs.count) - 1
        for test, fails, unknown in [*tests, *packs.others]:
            self.looks.append((test, fails & rules, unknown & rules))
            self.users.append(fails & every)
        self.weights = self._weights()
        self.nodes: dict[Any, Node] = {}
        self.roots: dict[int, Node] = {}  # the caller's: where it begins

    def root(self, era: Era) -> Node:
        return self._node(era.open, 0, frozenset(range(len(self.looks))))

    def next(self, node: Node, bits: int) -> Node:
        """Where a node leads when these bits, cut to what it cares for, were found."""
        may, unsure = node.known
        may &= ~bits
        found = self._node(may, (unsure | bits >> self.packs.count) & may, node.left)
        if node.children is None:
            raise ValueError("a leaf leads nowhere")
        node.children[bits] = found
        return found

    def _node(self, may: int, unsure: int, left: frozenset[int]) -> Node:
        left = frozenset(at for at in left if self.users[at] & may)
        place = (may, unsure, left)
        found = self.nodes.get(place)
        if found is None:
            if len(self.nodes) >= NODES_MAX:
                self.nodes.clear()
                self.roots.clear()
            found = self.nodes[place] = self._made(Node((may, unsure), left))
        return found

    def _made(self, node: Node) -> Node:
        may, unsure = node.known
        if not node.left:
            rules = self.rules_of(node)
            if any(sure and entry.may_give for _, entry, sure in deciding(rules, frozenset())):
                node.quick = self.make(rules, frozenset())
            else:
                node.answer = without_grant(rules, len(self.packs.packs), self.packs.by.slots[0])
            return node
        best = sorted(node.left, key=lambda at: (-self._weight(at, may), at))[:AT_ONCE]
        looks = [self.looks[at] for at in best]
        node.facts = tuple(look for look in looks if isinstance(look[0], str))
        node.tests = tuple(look for look in looks if not isinstance(look[0], str))
        node.left -= set(best)
        node.care = may | (may & ~unsure) << self.packs.count
        node.children = {}
        return node

    def rules_of(self, node: Node) -> list[Placed]:
        """The rules that may hold at a node."""
        may, unsure = node.known
        return [(*self.packs.rules[bit.bit_length() - 1], not bit & unsure) for bit in bits_in(may)]

    def where_unknown(self, node: Node, place: int, bits: int) -> Quick:
        """The quick function where those amounts are unknown too; ``place``: the bits found before."""
        found = node.unknown.get(place << 8 | bits)
        if found is None:
            before, slots = node.unknown.get(place) or (node.quick, frozenset[Slot]())
            if before is None:
                raise ValueError("a node that is no leaf")
            slots = slots.union(*(some for at, some in enumerate(before.amounts) if bits & 2 << at))
            found = node.unknown[place << 8 | bits] = self.make(self.rules_of(node), slots), slots
        return found[0]

    def _weight(self, at: int, may: int) -> float:
        return sum(weight for bit, weight in self.weights[at] if bit & may)

    def _weights(self) -> list[list[tuple[int, float]]]:
        """Of each look how likely it is that it rules out each rule; a guess, it only says what to look at first."""
        by_fact: dict[tuple[str, int], float] = {}
        for at, (level, entry) in enumerate(self.packs.rules):
            for fact, cell in entry.rule.cells:
                assumed = fact in self.packs.packs[level].assume
                by_fact[fact, at] = max(by_fact.get((fact, at), 0.0), _fails(fact, cell) * (0.5 if assumed else 1))
        return [
            [
                (bit, by_fact.get((look[0], bit.bit_length() - 1), 0.3) if isinstance(look[0], str) else 0.1)
                for bit in bits_in(users)
            ]
            for look, users in zip(self.looks, self.users, strict=True)
        ]


def _users(marks: Marks, count: int) -> int:
    found = 0
    for _, fails, _ in marks.tests:
        found |= fails & (1 << count) - 1
    return found


def _pair(one: str, other: str, test: Callable[[Any], bool | None]) -> Callable[[Row], bool | None]:
    return lambda row: test((row.get(one), row.get(other)))


def _fails(fact: str, cell: Cell) -> float:
    """A guess of how often a test fails."""
    match cell:
        case Not(test):
            return 1 - _fails(fact, test)
        case Known():
            return 0.4
        case Between():
            return 0.6
        case Compare(operator, _):
            if operator not in {"==", "!="}:
                return 0.5
            return _equal(fact, 1) if operator == "==" else 1 - _equal(fact, 1)
        case OneOf(operands):
            return _equal(fact, len(operands))


def _equal(fact: str, members: int) -> float:
    spec = FACTS[fact]
    if spec.type is FactType.FLAG:
        return 0.5
    return max(0.1, 1 - members / len(spec.choices)) if spec.choices else 0.9


def deciding(rules: Sequence[Placed], unknown: frozenset[Slot]) -> list[Placed]:
    """Those that decide a loss, and those that wait above one that would give; some amounts are unknown."""
    decided: set[tuple[int, str]] = set()
    waiting: dict[tuple[int, str], list[int]] = {}
    found: set[int] = set()
    for at, (level, entry, sure) in enumerate(rules):
        open_ = [(level, slot) for slot in entry.slots if (level, slot) not in decided]
        if not entry.sound or not open_:
            continue
        for place in open_:
            if not sure or (level, entry.at, place[1]) in unknown:
                waiting.setdefault(place, []).append(at)
                continue
            found.add(at)
            if entry.rule.effect in GIVES and place in waiting:
                found.update(waiting[place])
            else:
                decided.add(place)
    return [rules[at] for at in sorted(found)]


def without_grant(rules: Sequence[Placed], packs: int, main: str) -> Ruling:
    """The answer where no rule surely gives anything: it is the same whatever else is so."""
    decided: dict[tuple[int, str], Entry] = {}
    waits = refers = False
    for level, entry, sure in rules:
        if all((level, slot) in decided for slot in entry.slots):
            continue
        if not entry.sound:
            refers = refers or sure
        elif not sure:
            waits = True
        else:
            refers = refers or entry.rule.effect == "refer"
            for slot in entry.slots:
                decided.setdefault((level, slot), entry)
    verdict = "need_evidence" if waits else "refer" if refers else "deny"
    refused = ""
    if verdict == "deny":
        shutting = (decided.get((level, main)) for level in reversed(range(packs)))
        refused = next((entry.rule.id for entry in shutting if entry and entry.rule.effect == "deny"), "")
    return Ruling(verdict, 0, (), refused)
