"""One pack on one line: which rules hold, which do not, which cannot be known yet, and what that leaves granted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from makegood.policy.cells import both
from makegood.policy.combination import Combination
from makegood.policy.formulas import evaluate, rounded
from makegood.policy.packs import Pack, Remedy, Rule

Row = Mapping[str, Any]

GIVEN_BACK = frozenset({"refund", "store_credit"})  # only what was paid can be given back
NOTHING_SURE = -1


@dataclass(frozen=True, slots=True)
class Tried:
    """A rule tried on a row, and whether all of it holds. Cells and needs are looked at again when they are told."""

    pack: Pack
    rule: Rule
    row: Row
    result: bool | None
    by: Combination
    assumed: frozenset[str] = frozenset()  # facts that hold only because the pack assumes them where unknown

    @property
    def cells(self) -> tuple[bool | None, ...]:
        """The truth value of each cell."""
        return tuple(cell.holds(self.row.get(fact), self.row) for fact, cell in self.rule.cells)

    @property
    def needs(self) -> tuple[bool | None, ...]:
        """The truth value of each need of evidence."""
        return tuple(_is_met(need, self.row) for need in self.rule.evidence)

    def unknown_facts(self) -> list[str]:
        return [fact for (fact, _), value in zip(self.rule.cells, self.cells, strict=True) if value is None]

    def unmet_needs(self) -> list[tuple[str, ...]]:
        return [need for need, value in zip(self.rule.evidence, self.needs, strict=True) if value is None]

    def slots(self) -> list[str]:
        """The slots this rule speaks about, in their fixed order."""
        slot_of = self.by.slot_by_kind
        if self.rule.effect == "grant":
            named = {slot_of[remedy.kind] for remedy in self.rule.remedies}
        elif self.rule.effect == "deny" and self.rule.deny is not None and self.rule.deny.of:
            named = {slot_of[kind] for kind in self.rule.deny.of}
        else:
            named = {self.by.slots[0]} if self.rule.effect == "allow" else set(self.by.slots)
        return [slot for slot in self.by.slots if slot in named]

    def remedies_in(self, slot: str) -> list[Remedy]:
        return [remedy for remedy in self.rule.remedies if self.by.slot_by_kind[remedy.kind] == slot]

    def rank(self, slot: str) -> int:
        """Where it stands among remedies of equal worth; less is preferred. What a pack assumes is nobody's wish."""
        wanted = None if "case.wants" in self.assumed else self.row.get("case.wants")
        return min((self.by.rank_of(remedy.kind, wanted) for remedy in self.remedies_in(slot)), default=0)

    def value(self, slot: str) -> int | None:
        """What the slot is worth to the asker in minor units; None when an amount cannot be known yet."""
        worth = 0
        for remedy in self.remedies_in(slot):
            amount = amount_of(remedy, self.row)
            if fact := self.by.worth.get(remedy.kind):
                amount = self.row.get(fact, 0)
            if amount is None:
                return None
            worth += amount if remedy.borne_by != "customer" else 0
        return worth


@dataclass(slots=True)
class Verdict:
    """What one pack says about one row. ``granted`` maps each slot to the rule that decides it."""

    pack: Pack
    granted: dict[str, Tried] = field(default_factory=dict)
    denied: dict[str, Tried] = field(default_factory=dict)
    waiting: list[Tried] = field(default_factory=list)
    referred: list[Tried] = field(default_factory=list)
    tried: list[Tried] = field(default_factory=list)


def amount_of(remedy: Remedy, row: Row) -> int | None:
    """Minor units, rounded as declared; None when a fact of the formula is unknown."""
    if remedy.amount is None:
        return 0
    exact = evaluate(remedy.amount, row)
    if exact is None or (exact > 0 and remedy.kind in GIVEN_BACK and not is_paid_known(row)):
        return None
    return rounded(exact, remedy.rounding)


def is_paid_known(row: Row) -> bool:
    """Whether anything shows what was paid: without it nothing can be given back."""
    return "line.price_paid" in row or "order.paid" in row


def try_rule(pack: Pack, rule: Rule, row: Row, by: Combination, assumed: frozenset[str] = frozenset()) -> Tried:
    result: bool | None = True
    for fact, cell in rule.cells:
        value = cell.holds(row.get(fact), row)
        if value is False:
            return Tried(pack, rule, row, value, by, assumed)
        if value is None:
            result = None
    for need in rule.evidence:
        result = both(result, _is_met(need, row))
    return Tried(pack, rule, row, result, by, assumed)


def _is_met(need: tuple[str, ...], row: Row) -> bool | None:
    """Kleene's "or" over the kinds of evidence that meet it: true wins, then unknown."""
    values = [row.get(f"evidence.{kind}") for kind in need]
    return True if True in values else None if None in values else False


def judge(pack: Pack, given: Row, day: date, by: Combination) -> Verdict:
    """Try the rules of this kind of case from the highest priority down.

    A slot is decided by the first rule that holds. A rule that may yet hold keeps the slot from any lower rule that
    gives more than it would give itself: what is sure is granted, the rest waits for the missing fact.
    """
    assumed = frozenset(pack.assume.keys() - given.keys())
    row = {**pack.assume, **given} if assumed else given
    verdict = Verdict(pack)
    sure_up_to: dict[str, int] = {}
    for rule in pack.rules_for(row["case.kind"]):
        if not rule.holds_on(day):
            continue
        tried = try_rule(pack, rule, row, by, assumed)
        verdict.tried.append(tried)
        if tried.result is False:
            continue
        still_open = [slot for slot in tried.slots() if slot not in verdict.granted and slot not in verdict.denied]
        if not still_open:
            continue
        if not rule.sound:
            # An unverified rule never decides by itself; a person looks where nothing sound decides.
            verdict.referred += [tried] if tried.result else []
        elif tried.result is None:
            _wait(verdict, tried, still_open, sure_up_to)
        else:
            _settle(verdict, tried, still_open, sure_up_to)
    return verdict


def _wait(verdict: Verdict, tried: Tried, slots: list[str], sure_up_to: dict[str, int]) -> None:
    verdict.waiting.append(tried)
    for slot in slots:
        may_give = tried.value(slot) if tried.rule.effect in {"grant", "allow"} else NOTHING_SURE
        floor = NOTHING_SURE if may_give is None else may_give
        sure_up_to[slot] = min(sure_up_to.get(slot, floor), floor)


def _settle(verdict: Verdict, tried: Tried, slots: list[str], sure_up_to: dict[str, int]) -> None:
    if tried.rule.effect == "refer":
        verdict.referred.append(tried)
    if tried.rule.effect in {"refer", "deny"}:
        verdict.denied.update(dict.fromkeys(slots, tried))
        return
    for slot in slots:
        worth = tried.value(slot)
        if worth is None:
            # The rule holds but its amount is not known: it waits like a rule that may yet hold.
            _wait(verdict, tried, [slot], sure_up_to)
        elif slot not in sure_up_to or worth <= sure_up_to[slot]:
            verdict.granted[slot] = tried
