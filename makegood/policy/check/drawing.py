"""Cases drawn from a table itself: for each rule one in which it decides, and its neighbours at every edge."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from makegood.policy.check.reach import CLAIMANTS, Table, told
from makegood.policy.check.realize import document_of
from makegood.policy.check.solve import Domains
from makegood.policy.check.space import PRESENT, Region, Space, operands_in
from makegood.policy.combination import Combination
from makegood.policy.packs import Pack
from makegood.policy.vocabulary import FACTS

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
            for at, region in enumerate(table.regions):
                case = _case_of(table, at)
                if case is not None:
                    yield from _around(pack, region, kind, case, table.start)


def _case_of(table: Table, at: int) -> dict[str, Any] | None:
    """A case in which the rule decides; the first of its losses for which there is one."""
    region = table.regions[at]
    for slot in sorted(table.slots[region.rule.id]):
        found = table.deciding(at, slot)
        if found is not None:
            return told(found, table.start, region)
    return None


def _around(pack: Pack, region: Region, kind: str, case: dict[str, Any], start: Domains) -> Iterator[Drawn]:
    yield Drawn(region.rule.id, kind, "", document_of(case, pack))
    if any(remedy.after or (remedy.due and remedy.due.event == "goods_back") for remedy in region.rule.remedies):
        back = {**case, "case.goods_returned_at": case.get(f"@{pack.dated_by}", PRESENT)}
        yield Drawn(region.rule.id, kind, "goods back", document_of(back, pack))
    for name, allowed in region.sets:
        if name == "case.claimant":
            continue
        own = {operand.value for fact, cell in region.rule.cells if fact == name for operand in operands_in(cell)}
        for value in _edges(start[name], allowed, own):
            if value != case.get(name):
                beside = {fact: was for fact, was in case.items() if not _same_moment(fact, name)}
                yield Drawn(region.rule.id, kind, f"{name} = {value}", document_of({**beside, name: value}, pack))
    for need in region.needs:
        without = {f"evidence.{evidence}": False for evidence in need}
        for evidence in need:
            alone = {**case, **without, f"evidence.{evidence}": True}
            yield Drawn(region.rule.id, kind, f"evidence.{evidence} alone", document_of(alone, pack))
        yield Drawn(region.rule.id, kind, f"no {' or '.join(need)}", document_of({**case, **without}, pack))


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
