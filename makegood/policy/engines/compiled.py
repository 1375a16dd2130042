"""Compiled Python: for each program one function of a row, made when first needed; no trace, the same Ruling."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from makegood.policy.arithmetic import round_whole
from makegood.policy.clock import zone_of
from makegood.policy.combination import Combination
from makegood.policy.engines.program import GIVES, Left, Program, entries_in, ordered, program_of
from makegood.policy.engines.ruling import Ruling
from makegood.policy.engines.source import MOVES_UNITS, Source, is_about_the_order, rooms_source
from makegood.policy.outcome import MONEY_KINDS
from makegood.policy.packs import Pack
from makegood.policy.table import GIVEN_BACK, Row, table_of

PROGRAMS_MAX = 4096
Given = tuple[int, tuple[int, int, tuple[int, ...], int] | None]  # slot; rule, worth, minors, place in the order
Function = Callable[[Row, Any], Ruling]


class Compiled:
    """Packs that apply together, ready to rule on rows one after the other.

    A row is one asked line as ``Facts.rows`` has it; it is ruled on as if it were asked alone.
    """

    def __init__(self, packs: Sequence[Pack], by: Combination) -> None:
        self.packs, self.by = ordered(packs, by), by
        self.functions: dict[tuple[Any, ...], Function] = {}
        self.dated: dict[str, tuple[tuple[int, list[date], datetime], ...]] = {}

    def ruling(self, row: Row, on: date | None = None) -> Ruling:
        """What ``decide`` says of this row alone. ``on`` overrides the day whose rules hold."""
        get = row.get
        kind = row["case.kind"]
        dated = self.dated.get(kind)
        if dated is None:
            dated = self.dated[kind] = self.edges(kind)
        eras = tuple([self._era(at, edges, last, row, on) for at, edges, last in dated]) if dated else ()
        key = (
            kind, row["case.claimant"], get("case.reason"), get("currency"), get("market"), get("platform"), eras
        )  # fmt: skip
        function = self.functions.get(key)
        if function is None:
            function = self._function(key)
        return function(row, get)

    def program(self, key: tuple[Any, ...]) -> Program:
        """``key`` is kind, claimant, reason, currency, market, platform and the eras of the packs that have any."""
        kind, claimant, reason, currency, market, platform, eras = key
        settled = {"case.kind": kind, "case.claimant": claimant, "case.reason": reason, "currency": currency}
        settled |= {"market": market, "platform": platform}
        return self.program_of(settled, dict(zip([at for at, _, _ in self.edges(kind)], eras, strict=True)))

    def program_of(self, settled: Mapping[str, Any], eras: Mapping[int, int]) -> Program:
        """What is left when these facts are settled, in these eras of the packs' rules."""
        kind = settled["case.kind"]
        entries = [entries_in(pack, kind, self.by, eras.get(at, 0)) for at, pack in enumerate(self.packs)]
        return program_of(self.packs, self.by, settled=settled, entries=entries)

    def edges(self, kind: str) -> tuple[tuple[int, list[date], datetime], ...]:
        found = []
        for at, pack in enumerate(self.packs):
            if edges := table_of(pack, kind, self.by).edges:
                # Two days later it is later everywhere; nearer than that the market's own clock is asked.
                last = datetime.combine(edges[-1], time(), tzinfo=UTC) + timedelta(days=2)
                found.append((at, edges, last))
        return tuple(found)

    def _era(self, at: int, edges: list[date], last: datetime, row: Row, on: date | None) -> int:
        if on is not None:
            return bisect_right(edges, on)
        moment: datetime = row.get(self.packs[at].dated_by) or row["asked_at"]
        if moment >= last:
            return len(edges)
        zone = zone_of(row.get("market", "")) or row["asked_at"].tzinfo or UTC
        return bisect_right(edges, moment.astimezone(zone).date())

    def _function(self, key: tuple[Any, ...]) -> Function:
        if len(self.functions) >= PROGRAMS_MAX:
            self.functions.clear()
        self.functions[key] = function = compiled(self.program(key))
        return function


def compiled(program: Program) -> Function:
    """The function of one program. Its source holds nothing but numbers and literals of parsed data."""
    source = Source(program)
    text = source.write()
    rooms_text, constants = rooms_source(program)
    rooms: dict[str, Any] = {"__builtins__": {}, "min": min, "max": max, **constants}
    exec(compile(rooms_text, "<caps>", "exec"), rooms)  # noqa: S102 - generated from parsed data, see source.py
    finish = Finish(program, rooms["rooms"])
    names: dict[str, Any] = {
        "__builtins__": {}, "min": min, "max": max, "rounded": round_whole, "finish": finish.finish,
        "rank": finish.rank, **source.constants,
    }  # fmt: skip
    exec(compile(text, "<rules>", "exec"), names)  # noqa: S102 - same
    return names["decide"]  # type: ignore[no-any-return]


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
