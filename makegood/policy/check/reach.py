"""Proofs about one pack: every rule can decide, no two rules contradict each other, and where no rule speaks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from makegood.policy.check.axioms import axioms_of, fitted
from makegood.policy.check.finding import Finding, finding
from makegood.policy.check.solve import Clause, Domains, narrowed, solve, witness
from makegood.policy.check.space import SOMETHING_ELSE, Literal, Region, Space
from makegood.policy.combination import Combination
from makegood.policy.packs import Pack, Rule
from makegood.policy.reasons import reasons_of

CLAIMANTS = ("customer", "seller")


def slots_of(rule: Rule, by: Combination) -> frozenset[str]:
    """The losses a rule speaks about: it decides those that no earlier rule decided."""
    if rule.effect == "grant":
        return frozenset(by.slot_by_kind[remedy.kind] for remedy in rule.remedies)
    if rule.effect == "deny" and rule.deny is not None and rule.deny.of:
        return frozenset(by.slot_by_kind[kind] for kind in rule.deny.of)
    return frozenset(by.slots[:1]) if rule.effect == "allow" else frozenset(by.slots)


class Table:
    """The rules of a pack for one kind of case and one claimant, as regions, highest priority first."""

    def __init__(self, pack: Pack, space: Space, kind: str, claimant: str, by: Combination) -> None:
        self.pack, self.by, self.kind = pack, by, kind
        self.space = space
        self.start = kind_domains(space, kind, claimant)
        self.axioms = axioms_of(space)
        regions = [space.region(pack, rule) for rule in pack.rules_for(kind)]
        self.regions = [region for region in regions if narrowed(self.start, region.sets) is not None]
        self.slots = {region.rule.id: slots_of(region.rule, by) for region in self.regions}
        self._clauses: dict[tuple[int, str], list[Clause]] = {}

    def deciding(
        self, at: int, slot: str, also: Sequence[Clause] = (), within: Domains | None = None
    ) -> Domains | None:
        """A case in which the rule at this place decides the loss; None where there is none."""
        domains = narrowed(within or self.start, self.regions[at].sets)
        return None if domains is None else solve(domains, [*self._left_to(at, slot), *also])

    def swayed(self, at: int, slot: str, name: str, value: Any, *, beside: Domains | None = None) -> Domains | None:
        """A case where all of the rule holds but for what it says of ``name``, which is ``value``; it would decide.

        Looked for among the cases ``beside`` first. Where there is none, the rule decides the same whatever it says
        of this value.
        """
        others = [(fact, allowed) for fact, allowed in self.regions[at].sets if fact != name]
        for start in (beside, self.start):
            domains = narrowed({**start, name: frozenset({value})}, others) if start else None
            if domains is not None and (found := solve(domains, self._left_to(at, slot))) is not None:
                return found
        return None

    def _left_to(self, at: int, slot: str) -> list[Clause]:
        """That its evidence is there, no earlier rule decides the loss, and the case is one that can be."""
        if (at, slot) not in self._clauses:
            earlier = [r for r in self.regions[:at] if r.rule.sound and slot in self.slots[r.rule.id]]
            blockers = [region.fails() for region in earlier]
            self._clauses[at, slot] = [*needs_of(self.regions[at]), *blockers, *self.axioms]
        return self._clauses[at, slot]


def kind_domains(space: Space, kind: str, claimant: str) -> Domains:
    """All classes, with the reasons of this kind and the party who asks."""
    domains = dict(space.classes)
    codes = {reason.code for reason in reasons_of(kind, claimant=claimant)}
    if "case.reason" in domains:
        domains["case.reason"] = frozenset(c for c in domains["case.reason"] if c in codes or c == SOMETHING_ELSE)
    domains["case.claimant"] = frozenset({claimant})
    domains["case.kind"] = frozenset({kind})
    return domains


def needs_of(region: Region) -> list[Clause]:
    """Each need of evidence as a clause: one of its kinds is there."""
    return [[Literal(((f"evidence.{kind}", frozenset({True})),)) for kind in need] for need in region.needs]


def told(case: Domains, start: Domains, *regions: Region) -> dict[str, Any]:
    """Of a case the facts that matter: those that the given rules test, and those by which other rules fail."""
    names = {name for region in regions for name, _ in region.sets} | {"case.kind", "case.claimant"}
    names |= {f"evidence.{kind}" for region in regions for need in region.needs for kind in need}
    names |= {name for name, values in case.items() if values != start[name]}
    found = {name: value for name, value in witness(case).items() if name in names}
    return fitted(found, start)


def check_reach(pack: Pack, by: Combination) -> Iterator[Finding]:
    """Unreachable rules and conflicting overlaps are errors; cases without a rule are notes."""
    space = Space([pack])
    reached: set[str] = set()
    for kind in pack.by_kind:
        for claimant in CLAIMANTS:
            table = Table(pack, space, kind, claimant, by)
            for at, region in enumerate(table.regions):
                if any(table.deciding(at, slot) is not None for slot in table.slots[region.rule.id]):
                    reached.add(region.rule.id)
            yield from _conflicts(table)
            yield from _gaps(table)
    for rule in pack.rules:
        if rule.id not in reached:
            said = (
                "can never decide: earlier rules cover all of its cases",
                "永远不会作出决定：它的所有情形都已由前面的规则决定",
            )
            yield finding("error", "unreachable", pack, rule, said)


def _conflicts(table: Table) -> Iterator[Finding]:
    """Two rules of one priority that hold at once and differ: only their order in the file would choose."""
    for at, region in enumerate(table.regions):
        for before in range(at):
            earlier = table.regions[before]
            if earlier.rule.priority != region.rule.priority or not (earlier.rule.sound and region.rule.sound):
                continue
            for slot in sorted(table.slots[region.rule.id] & table.slots[earlier.rule.id]):
                if _effect(region.rule, slot, table.by) == _effect(earlier.rule, slot, table.by):
                    continue
                within = narrowed(table.start, earlier.sets)
                first = next(i for i, r in enumerate(table.regions) if r.rule.priority == region.rule.priority)
                case = within and _both(table, first, region, within, slot, needs_of(earlier))
                if case:
                    text = (
                        f"holds together with {earlier.rule.id} of the same priority and says otherwise of {slot}",
                        f"与优先级相同的 {earlier.rule.id} 同时成立，而对 {slot} 的结论不同",
                    )
                    yield finding(
                        "error", "conflict", table.pack, region.rule, text, told(case, table.start, region, earlier)
                    )
                    break


def _both(
    table: Table, first: int, region: Region, within: Domains, slot: str, also: Sequence[Clause]
) -> Domains | None:
    """A case where the region holds within the domains and no rule of a higher priority decides the loss."""
    domains = narrowed(within, region.sets)
    if domains is None:
        return None
    higher = [r.fails() for r in table.regions[:first] if r.rule.sound and slot in table.slots[r.rule.id]]
    return solve(domains, [*needs_of(region), *also, *higher, *table.axioms])


def _effect(rule: Rule, slot: str, by: Combination) -> object:
    given = [(r.kind, r.written, r.borne_by, r.after) for r in rule.remedies if by.slot_by_kind[r.kind] == slot]
    return rule.effect, given, rule.deny and rule.deny.reason_code


def _gaps(table: Table) -> Iterator[Finding]:
    """For each reason one case in which no rule of the pack holds: there the nearest miss is told as a refusal."""
    if not table.regions:
        return
    for reason in sorted(table.start.get("case.reason", frozenset())):
        domains = narrowed(table.start, {"case.reason": frozenset({reason})} | dict(table.space.scope(table.pack)))
        named = [r for r in table.regions if reason in dict(r.sets).get("case.reason", frozenset({reason}))]
        if domains is None or not named or reason == SOMETHING_ELSE:
            continue
        case = solve(domains, [*(region.fails() for region in table.regions), *table.axioms])
        if case:
            text = (
                f"{table.kind}, {reason}: no rule holds in some cases; the nearest miss refuses them",
                f"{table.kind}、{reason}：有些情形没有规则成立，按最接近的规则告知不同意",
            )
            yield finding("note", "gap", table.pack, None, text, _short(case, named))


def _short(case: Domains, named: Sequence[Region]) -> dict[str, Any]:
    """Only the facts by which the rules for this reason fail in the case."""
    values = witness(case)
    failing = {
        name
        for region in named
        for name, allowed in region.sets
        if values[name] not in allowed and name not in {"case.reason", "case.claimant"}
    }
    return {name: value for name, value in values.items() if name in failing or name == "case.reason"}
