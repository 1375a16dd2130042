"""Cases drawn from a table itself: for each rule one in which it decides, and its neighbours at every edge."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from makegood.policy.check.reach import CLAIMANTS, Table, needs_of, told
from makegood.policy.check.realize import document_of
from makegood.policy.check.solve import Domains, narrowed
from makegood.policy.check.space import PRESENT, Space, operands_in
from makegood.policy.combination import Combination
from makegood.policy.formulas import currencies_in
from makegood.policy.packs import Pack
from makegood.policy.vocabulary import FACTS

MUCH = 9_999_999
MEMBERS_MAX = 12  # of longer lists (the members of a union) two stand for all


@dataclass(frozen=True, slots=True)
class Drawn:
    """One case: the rule it was drawn for, what was changed beside that rule's own case, and its facts."""

    rule: str
    kind: str
    change: str
    facts: Mapping[str, Any]


def drawn_cases(pack: Pack, by: Combination) -> Iterator[Drawn]:
    """The cases of a pack, always the same ones in the same order."""
    space = Space([pack])
    for kind in pack.by_kind:
        for claimant in CLAIMANTS:
            table = Table(pack, space, kind, claimant, by)
            for at in range(len(table.regions)):
                yield from _Rule(table, at).cases()


class _Rule:
    """The cases for one rule of a table."""

    def __init__(self, table: Table, at: int) -> None:
        self.table, self.at = table, at
        self.region = table.regions[at]
        self.pack, self.rule = self.region.pack, self.region.rule
        self.slots = sorted(table.slots[self.rule.id])

    def cases(self) -> Iterator[Drawn]:
        """One in which it decides, the first of its losses for which there is one; then its neighbours."""
        for slot in self.slots:
            found = self._beside_a_grant(slot) or self.table.deciding(self.at, slot)
            if found is not None:
                yield from self._around(slot, found)
                return

    def _beside_a_grant(self, slot: str) -> Domains | None:
        """What one rule refuses of a case is told where another loss is made good: there it shows."""
        for other in self.table.regions if self.rule.effect == "deny" else ():
            losses = self.table.slots[other.rule.id]
            if other.rule.effect != "grant" or not other.rule.sound or losses & self.table.slots[self.rule.id]:
                continue
            within = narrowed(self.table.start, other.sets)
            found = within and self.table.deciding(self.at, slot, also=needs_of(other), within=within)
            if found:
                return found
        return None

    def _drawn(self, change: str, case: Mapping[str, Any]) -> Drawn:
        return Drawn(self.rule.id, self.table.kind, change, document_of(case, self.pack, self.rule))

    def _around(self, slot: str, found: Domains) -> Iterator[Drawn]:
        case = told(found, self.table.start, self.region)
        yield self._drawn("", case)
        if any(remedy.amount is not None and currencies_in(remedy.amount) for remedy in self.rule.remedies):
            # So much that every written limit binds.
            yield self._drawn("much paid", {**case, "line.paid": MUCH})
        if any(remedy.after or (remedy.due and remedy.due.event == "goods_back") for remedy in self.rule.remedies):
            back = {**case, "case.goods_returned_at": case.get(f"@{self.pack.dated_by}", PRESENT)}
            yield self._drawn("goods back", back)
        for name, allowed in self.region.sets:
            if name == "case.claimant":
                continue
            own = {operand.value for fact, cell in self.rule.cells if fact == name for operand in operands_in(cell)}
            for value in _edges(self.table.start[name], allowed, own):
                if value != case.get(name):
                    yield self._drawn(f"{name} = {value}", self._moved(slot, found, case, name, value))
        for need in self.region.needs:
            without = {f"evidence.{evidence}": False for evidence in need}
            for evidence in need:
                yield self._drawn(f"evidence.{evidence} alone", {**case, **without, f"evidence.{evidence}": True})
            yield self._drawn(f"no {' or '.join(need)}", {**case, **without})

    def _moved(self, slot: str, found: Domains, case: Mapping[str, Any], name: str, value: Any) -> dict[str, Any]:
        """A case in which this test alone says whether the rule decides; where there is none, the nearest thing to it.

        First beside the rule's own case, then anywhere; a test that no such case exists for says nothing by itself.
        """
        for loss in (slot, *(other for other in self.slots if other != slot)):
            moved = self.table.swayed(self.at, loss, name, value, beside=found if loss == slot else None)
            if moved is not None:
                return told(moved, self.table.start, self.region)
        beside = {fact: was for fact, was in case.items() if not _same_moment(fact, name)}
        return {**beside, name: value}


def _same_moment(fact: str, other: str) -> bool:
    """Whether both count from one moment: told otherwise than the other, it would put that moment elsewhere."""
    return fact in FACTS and other in FACTS and FACTS[fact].since == FACTS[other].since != ""


def _edges(classes: frozenset[Any], allowed: frozenset[Any], own: set[Any]) -> list[Any]:
    """Values on both sides of where a test begins or ends to hold.

    Without an order all that hold, all by which it fails that the rule names itself, and two others.
    """
    known = [value for value in classes if value is not None]
    if not known or isinstance(known[0], bool | str):
        outside = sorted((value for value in known if value not in allowed), key=str)
        inside = sorted((value for value in known if value in allowed), key=str)
        others = [value for value in outside if value not in own][:2]
        return (inside if len(inside) <= MEMBERS_MAX else inside[:2]) + [v for v in outside if v in own] + others
    ordered = sorted(known)
    edges = []
    for one, other in itertools.pairwise(ordered):
        if (one in allowed) != (other in allowed):
            edges += [one, other]
    return sorted(set(edges))
