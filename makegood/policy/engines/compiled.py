"""Compiled Python: few facts of a row lead to the rules that hold, and these to a function; no trace, the same Ruling.

For each set of rules that hold or may hold, and among which one gives something, one function is made when first
needed; where none gives anything the answer is known without one.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, tzinfo
from typing import Any

from makegood.policy.arithmetic import round_whole
from makegood.policy.clock import zone_of
from makegood.policy.combination import Combination
from makegood.policy.engines.nodes import Function, Node, Nodes, Placed, Quick, Slot, deciding
from makegood.policy.engines.program import GIVES, Left, Program, entries_in, ordered, program_of, settled_program
from makegood.policy.engines.ruling import Ruling
from makegood.policy.engines.source import MOVES_UNITS, Source, is_about_the_order, rooms_source
from makegood.policy.engines.straight import Straight
from makegood.policy.outcome import MONEY_KINDS
from makegood.policy.packs import Pack
from makegood.policy.table import GIVEN_BACK, Row, table_of
from makegood.policy.together import Together

Given = tuple[int, tuple[int, int, tuple[int, ...], int] | None]  # slot; rule, worth, minors, place in the order
FUNCTIONS_MAX = 4096
ERAS_MAX = 4096  # more than a pack's rules have days on which they change
GUARDED = Ruling("deny", 0, (), "guard")


class Asked:
    """One kind of case in one market and currency."""

    __slots__ = ("days", "is_steady", "moves_units", "nodes", "packs", "roots", "zone")

    def __init__(self, packs: Together, nodes: Nodes, kind: str, zone: tzinfo | None) -> None:
        self.packs, self.nodes, self.zone = packs, nodes, zone
        self.moves_units = kind in MOVES_UNITS
        dated = packs.dated_in(zone)
        # The facts by which rules are dated, with the moments at which other rules begin to hold.
        self.days = [(fact, days.begins) for fact, days in dated if days.begins is not None]
        self.is_steady = len(self.days) == len(packs.dated)
        self.roots = nodes.roots  # by the days that count, in every zone alike

    def root(self, row: Row, on: date | None) -> Node:
        """Where to begin, for the days that count for this row."""
        asked: datetime = row["asked_at"]
        return self.nodes.root(self.packs.era(row, asked, self.zone or asked.tzinfo or UTC, on))


class Compiled:
    """Packs that apply together, ready to rule on rows one after the other.

    A row is one asked line as ``Facts.rows`` has it; it is ruled on as if it were asked alone.
    """

    def __init__(self, packs: Sequence[Pack], by: Combination) -> None:
        self.packs, self.by = ordered(packs, by), by
        self.asked: dict[tuple[str, Any, Any], Asked] = {}
        self.nodes: dict[tuple[str, Any], tuple[Together, Nodes]] = {}
        self.functions: dict[Any, Quick] = {}

    def ruling(self, row: Row, on: date | None = None) -> Ruling:
        """What ``decide`` says of this row alone. ``on`` overrides the day whose rules hold."""
        get = row.get
        key = (row["case.kind"], get("currency"), get("market"))
        asked = self.asked.get(key)
        if asked is None:
            asked = self._asked(key)
        if on is None and asked.is_steady:
            place = 0
            for fact, begins in asked.days:
                place = place * ERAS_MAX + bisect_right(begins, get(fact) or row["asked_at"])
            node = asked.roots.get(place)
            if node is None:
                node = asked.roots[place] = asked.root(row, None)
        else:
            node = asked.root(row, on)
        while (children := node.children) is not None:
            bits = 0
            for fact, assumed, marks in node.facts:
                bits |= marks[get(fact, assumed)]
            for test, fails, unknown in node.tests:
                truth = test(row)
                if truth is None:
                    bits |= unknown
                elif not truth:
                    bits |= fails
            bits &= node.care
            node = children.get(bits) or asked.nodes.next(node, bits)
        if node.quick is not None:
            found = node.quick.ask(row, get)
            return found if found.__class__ is Ruling else self._finish(key, asked, node, found, row)  # type: ignore[arg-type]
        if (
            asked.moves_units
            and (units := get("line.asked_quantity")) is not None
            and (left := get("line.units_left")) is not None
            and not 0 < units <= left
        ):
            return GUARDED
        return node.answer  # type: ignore[return-value]

    def _asked(self, key: tuple[str, Any, Any]) -> Asked:
        kind, currency, market = key
        made = self.nodes.get((kind, currency))
        if made is None:
            packs = Together(self.packs, kind, self.by)

            def make(rules: Sequence[Placed], unknown: frozenset[Slot]) -> Quick:
                return self._quick(kind, currency, rules, unknown)

            made = self.nodes[kind, currency] = (packs, Nodes(packs, make))
        found = self.asked[key] = Asked(*made, kind, zone_of(market or ""))
        return found

    def _quick(self, kind: str, currency: Any, rules: Sequence[Placed], unknown: frozenset[Slot]) -> Quick:
        """One function for all sets of rules in which the same decide."""
        which = deciding(rules, unknown)
        waits = bool(unknown) or any(entry.sound and not sure for _, entry, sure in rules)
        place = (kind, currency, waits, unknown, *((level, entry.at, sure) for level, entry, sure in which))
        found = self.functions.get(place)
        if found is None:
            if len(self.functions) >= FUNCTIONS_MAX:
                self.functions.clear()
            program = self._program(kind, currency, which)
            found = self.functions[place] = straight(program, unknown, waits=waits)
        return found

    def _finish(self, key: tuple[str, Any, Any], asked: Asked, node: Node, bits: int, row: Row) -> Ruling:
        """What the quick function leaves open: amounts that are unknown, or all of the rules."""
        place, get = 0, row.get
        while bits:
            quick = asked.nodes.where_unknown(node, place, bits)
            found = quick.ask(row, get)
            if found.__class__ is Ruling:
                return found
            place, bits = place << 8 | bits, found  # type: ignore[assignment]
        if node.general is None:
            node.general = general(self._program(key[0], key[1], asked.nodes.rules_of(node)))
        return node.general(row, get)

    def _program(self, kind: str, currency: Any, rules: Sequence[Placed]) -> Program:
        return settled_program(self.packs, self.by, {"case.kind": kind, "currency": currency}, rules)

    def program_of(self, settled: Mapping[str, Any], eras: Mapping[int, int]) -> Program:
        """What is left when these facts are settled, in these eras of the packs' rules."""
        kind = settled["case.kind"]
        entries = [entries_in(pack, kind, self.by, eras.get(at, 0)) for at, pack in enumerate(self.packs)]
        return program_of(self.packs, self.by, settled=settled, entries=entries)

    def edges(self, kind: str) -> tuple[tuple[int, list[date]], ...]:
        """Which packs have dated rules for a kind of case, and the days on which these change."""
        tables = enumerate(table_of(pack, kind, self.by) for pack in self.packs)
        return tuple((at, table.edges) for at, table in tables if table.edges)


def straight(program: Program, unknown: frozenset[Slot], *, waits: bool) -> Quick:
    """The straight function of a program of rules that decide; without one, one that answers nought."""
    written = Straight(program, unknown, waits=waits)
    text = written.write()
    if not text:
        return Quick(_nought, ())
    names = {"refuse": GUARDED, "Ruling": Ruling, "new": tuple.__new__, **written.source.constants}
    return Quick(_function(text, "decide", names), tuple(written.amounts))


def _nought(row: Row, get: Any) -> int:  # noqa: ARG001 - in the place of a function that asks
    return 0


def general(program: Program) -> Function:
    """The function of any program."""
    source = Source(program)
    text = source.write()
    rooms_text, constants = rooms_source(program)
    finish = Finish(program, _function(rooms_text, "rooms", constants))
    made: Function = _function(text, "decide", {"finish": finish.finish, "rank": finish.rank, **source.constants})
    return made


def _function(text: str, name: str, names: Mapping[str, Any]) -> Any:
    """Source made of nothing but numbers and literals of parsed data; what else it may name is given."""
    known: dict[str, Any] = {"__builtins__": {}, "min": min, "max": max, "rounded": round_whole, **names}
    exec(compile(text, f"<{name}>", "exec"), known)  # noqa: S102 - generated from parsed data, see source.py
    return known[name]


class Finish:
    """What follows when every pack has spoken: units, caps, what is asked for, the verdict."""

    def __init__(self, program: Program, rooms: Callable[[Any], list[int | None]]) -> None:
        self.program, self.rooms = program, rooms
        self.by, self.slots = program.by, program.slots
        self.rules: dict[int, Left] = {rule.number: rule for rule in program.rules}
        self.main = self.slots.index(self.by.slots[0]) if self.by.slots[0] in self.slots else -1
        self.moves_units = program.kind in MOVES_UNITS
        self.about_the_order = is_about_the_order(program.kind)
        caps = list(enumerate(self.by.caps))
        self.remedies = {
            (rule.number, i): tuple(
                (
                    tuple(at for at, cap in caps if remedy.kind in cap.of),
                    remedy.borne_by != "customer",
                    remedy.kind in MONEY_KINDS and remedy.borne_by != "customer",
                    remedy.amount is None,
                    remedy.kind in GIVEN_BACK,
                )
                for remedy in rule.remedies(slot)
            )
            for rule in program.rules
            for i, slot in enumerate(self.slots)
            if slot in rule.slots
        }
        self.ids = {rule.number: rule.entry.rule.id for rule in program.rules}
        self.allows = {rule.number for rule in program.rules if rule.effect == "allow"}
        self.denies = {rule.number for rule in program.rules if rule.effect == "deny"}

    def rank(self, number: int, slot: int, row: Row) -> int:
        """Where a rule stands among remedies of equal worth; less is preferred."""
        rule = self.rules[number]
        wanted = row.get("case.wants")  # what a pack assumes was not asked for by anybody
        return min((self.by.rank_of(r.kind, wanted) for r in rule.remedies(self.slots[slot])), default=0)

    def finish(
        self,
        row: Row,
        get: Any,
        given: Sequence[Given],
        denied: Sequence[Sequence[int]],
        waits: tuple[int, ...] | None,
        refers: bool | None,  # noqa: FBT001 - called by generated code
    ) -> Ruling:
        best = [(found[3], i, found) for i, found in given if found is not None]
        if (
            not self.about_the_order
            and (asked := get("line.asked_quantity")) is not None
            and (left := get("line.units_left")) is not None
            and not 0 < asked <= left
            and (self.moves_units or any(i == self.main for _, i, _ in best))
        ):
            return Ruling("deny", 0, (), "guard")
        refused = self._refused(row, best, denied) if denied else ("", False)
        asks = waits is not None and self._asks(row, waits, {i: found for _, i, found in best})
        if not best:
            verdict = "need_evidence" if asks else "refer" if refers else "deny"
            return Ruling(verdict, 0, (), refused[0] if verdict == "deny" else "")
        return self._given(get, best, refused, asks=asks)

    def _given(  # noqa: C901, PLR0912 - one walk a row: calls between its parts would cost more than all of it
        self, get: Any, best: list[tuple[int, int, Any]], refused: tuple[str, bool], *, asks: bool
    ) -> Ruling:
        if len(best) > 1:
            best.sort()
        rooms: list[int | None] | None = None
        total, kept, guarded, allowed = 0, False, False, False
        rulings = []
        for _, i, (number, _, minors, _) in best:
            sum_ = 0
            allowed = allowed or number in self.allows
            for (caps, counts, money, stays, back), minor in zip(self.remedies[number, i], minors, strict=True):
                if minor <= 0:
                    kept = kept or stays
                    continue
                if caps:
                    if rooms is None:
                        rooms = self.rooms(get)
                    asked = minor
                    for at in caps:
                        room = rooms[at]
                        if room is not None and room < asked:
                            asked = room
                    for at in caps:
                        if (room := rooms[at]) is not None:
                            rooms[at] = room - asked
                    if asked <= 0:
                        guarded = guarded or back
                        continue
                    minor = asked  # noqa: PLW2901 - the capped amount takes its place
                kept = True
                if counts:
                    sum_ += minor
                    if money:
                        total += minor
            rulings.append((i, (self.slots[i], self.ids[number], sum_)))
        if len(rulings) > 1:
            rulings.sort()
        told = refused[1] or guarded
        if not kept and not allowed and (asks or told):
            verdict = "need_evidence" if asks else "deny"
        else:
            verdict = "partly" if told else "grant"
        return Ruling(
            verdict, total, tuple([entry for _, entry in rulings]), refused[0] or ("guard" if guarded else "")
        )

    def _refused(self, row: Row, best: list[tuple[int, int, Any]], denied: Sequence[Sequence[int]]) -> tuple[str, bool]:
        """The rule that shuts the main loss out, and whether anything is refused beside what is granted."""
        granted = {i for _, i, _ in best}
        main, partial = "", False
        for i, states in enumerate(denied):
            if i in granted:
                continue
            number = next((-state for state in states if state < 0 and -state in self.denies), 0)
            if not number:
                continue
            if i == self.main:
                main, partial = self.ids[number], True
            elif not partial:
                partial = self._matters(self.rules[number], row)
        return main, partial

    def _matters(self, rule: Left, row: Row) -> bool:
        of = set(rule.entry.rule.deny.of) if rule.entry.rule.deny else set()
        return bool(of) and not (of == {"shipping_refund"} and row.get("line.shipping_share") == 0)

    def _asks(self, row: Row, waits: Sequence[int], best: Mapping[int, Any]) -> bool:
        """Whether what is unknown could add to what is granted."""
        return any(self._could_give_more(row, self.rules[number], best) for number in dict.fromkeys(waits))

    def _could_give_more(self, row: Row, rule: Left, best: Mapping[int, Any]) -> bool:
        for i, slot in enumerate(self.slots):
            if slot not in rule.slots:
                continue
            if i not in best:
                if rule.effect in GIVES or not best:
                    return True
                continue
            if rule.effect != "grant":
                continue
            may = self._value(row, rule, slot)
            if may is not None and may > best[i][1]:
                return True
        return False

    def _value(self, row: Row, rule: Left, slot: str) -> int | None:
        known = {**rule.pack.assume, **row}
        values = [worth(known) for worth in rule.entry.values.get(slot, ())]
        return None if None in values else sum(value or 0 for value in values)
