"""Python source for rules that are known to hold: nothing is left but amounts, caps and the answer.

Where packs give unlike things for one loss, what is decided depends on amounts: of such rules there is no straight
source. Where nothing is left to give while a rule waits, the function answers nought: the general one, made by
``source``, knows what to say then.
"""

from __future__ import annotations

from typing import Any

from makegood.policy.engines.nodes import Slot
from makegood.policy.engines.program import GIVES, Left, Program
from makegood.policy.engines.source import MOVES_UNITS, Source, is_about_the_order
from makegood.policy.formulas import Formula, Operation
from makegood.policy.outcome import MONEY_KINDS
from makegood.policy.packs import Remedy
from makegood.policy.table import GIVEN_BACK
from makegood.policy.vocabulary.common import WANTS

Place = tuple[int, str]  # a pack and a loss


class Straight:
    """The straight source of rules that hold and decide something; ``write`` gives "" where there is none.

    ``unknown``: slots whose amount is unknown, so that they wait. ``waits``: whether any rule waits at all.
    """

    def __init__(self, program: Program, unknown: frozenset[Slot], *, waits: bool) -> None:
        self.program, self.by, self.unknown, self.waits = program, program.by, unknown, waits
        self.source = Source(program)
        self.lines: list[str] = []
        self.decided: dict[Place, Left] = {}
        self.capped: set[int] = set()
        self.amounts: list[frozenset[Slot]] = []

    def write(self) -> str:
        best = self._best() if self._decide() else None
        if not best:
            return ""
        order = sorted(best, key=lambda slot: (best[slot][0].number, self.by.slots.index(slot)))
        self.lines.append("    k = 0")
        amounts = {slot: self._amounts(best[slot], slot) for slot in order}
        self.lines.append("    if k: return k")
        self._guard(best)
        self.lines.append("    total = 0; kept = guarded = False")
        for slot in order:
            self._take(best[slot][0], slot, amounts[slot])
        self._answer({slot: giving[0] for slot, giving in best.items()})
        return "def decide(row, get):\n" + "\n".join([*self.source.loads, *self.lines]) + "\n"

    def _decide(self) -> bool:
        """Which rule decides which loss in which pack; False where that depends on amounts."""
        waiting: dict[Place, list[Left]] = {}
        for rule in self.program.rules:
            for slot in rule.slots:
                place = (rule.at, slot)
                if place in self.decided:
                    continue
                if rule.never_sure or self._is_unknown(rule, slot):
                    waiting.setdefault(place, []).append(rule)
                elif rule.effect not in GIVES or place not in waiting:
                    self.decided[place] = rule
                elif any(self._is_unknown(one, slot) or one.effect not in GIVES for one in waiting[place]):
                    # Nothing is sure while they wait: it gives only what is less than nothing.
                    if any(remedy.amount and may_be_negative(remedy.amount) for remedy in rule.remedies(slot)):
                        return False
                elif all(self._worth(one, slot) == self._worth(rule, slot) for one in waiting[place]):
                    self.decided[place] = rule  # it gives no more than what is sure
                else:
                    return False
        return True

    def _is_unknown(self, rule: Left, slot: str) -> bool:
        return (rule.at, rule.entry.at, slot) in self.unknown

    def _best(self) -> dict[str, list[Left]] | None:
        """Of each loss the rules that give, the first of them most; None where amounts decide."""
        found: dict[str, list[Left]] = {}
        for slot in self.by.slots:
            giving = [
                rule
                for at in range(len(self.program.packs))
                if (rule := self.decided.get((at, slot))) and rule.effect in GIVES
            ]
            if not giving:
                continue
            first = giving[0]
            for other in giving[1:]:
                if self._worth(other, slot) != self._worth(first, slot) or self._is_preferred(other, first, slot):
                    return None
            found[slot] = giving
        return found

    def _worth(self, rule: Left, slot: str) -> list[str]:
        """Its worth as it is written: the same words are the same amount."""
        return sorted(
            self._written(rule, remedy)
            for remedy in rule.remedies(slot)
            if remedy.borne_by != "customer" or remedy.amount is not None
        )

    def _written(self, rule: Left, remedy: Remedy) -> str:
        counts = "" if remedy.borne_by != "customer" else "of the customer: "
        if fact := self.by.worth.get(remedy.kind):
            # Not the same as an amount of this fact: where it is unknown this is worth nothing, and that waits.
            return f"{counts}{self.source.variable(fact, rule.pack.assume)} or 0"
        return f"{counts}{self.source.amount(rule, remedy)}"

    def _is_preferred(self, one: Left, other: Left, slot: str) -> bool:
        def rank(rule: Left, wanted: str | None) -> int:
            return min((self.by.rank_of(remedy.kind, wanted) for remedy in rule.remedies(slot)), default=0)

        return any(rank(one, wanted) < rank(other, wanted) for wanted in (None, *WANTS))

    def _amounts(self, giving: list[Left], slot: str) -> list[str]:
        """Names of the amounts of its remedies; empty for one that has none."""
        rule, names = giving[0], []
        for at, remedy in enumerate(rule.remedies(slot)):
            if remedy.amount is None:
                names.append("")
                continue
            name = f"m{self.by.slots.index(slot)}_{at}"
            amount = self.source.amount(rule, remedy)
            self.lines.append(f"    {name} = {amount}")
            if self.by.worth.get(remedy.kind):
                self.lines.append(f"    if {name} is None: {name} = 0")
            elif amount.endswith(" else None") or amount.startswith("K"):
                self.lines.append(f"    if {name} is None: k |= {2 << len(self.amounts)}")
            names.append(name)
        self.amounts.append(frozenset((one.at, one.entry.at, slot) for one in giving))
        return names

    def _guard(self, best: dict[str, Any]) -> None:
        kind = self.program.kind
        if not is_about_the_order(kind) and (kind in MOVES_UNITS or self.by.slots[0] in best):
            self.lines.append("    asked = get('line.asked_quantity'); left = get('line.units_left')")
            self.lines.append("    if asked is not None and left is not None and not 0 < asked <= left: return refuse")

    def _take(self, rule: Left, slot: str, names: list[str]) -> None:
        sum_ = f"sum{self.by.slots.index(slot)}"
        self.lines.append(f"    {sum_} = 0")
        for remedy, name in zip(rule.remedies(slot), names, strict=True):
            if not name:
                self.lines.append("    kept = True")
                continue
            caps = [i for i, cap in enumerate(self.by.caps) if remedy.kind in cap.of]
            for i in caps:
                self._room(i)
            self.lines.append(f"    if {name} > 0:")
            self.lines += [f"        if c{i} is not None and c{i} < {name}: {name} = c{i}" for i in caps]
            self.lines += [f"        if c{i} is not None: c{i} -= {name}" for i in caps]
            self.lines.append(f"        if {name} > 0:")
            counts = remedy.borne_by != "customer"
            counted = [f"{sum_} += {name}"] if counts else []
            counted += [f"total += {name}"] if counts and remedy.kind in MONEY_KINDS else []
            self.lines.append(f"            {'; '.join(['kept = True', *counted])}")
            if remedy.kind in GIVEN_BACK and caps:
                self.lines.append("        else: guarded = True")

    def _room(self, at: int) -> None:
        if at in self.capped:
            return
        self.capped.add(at)
        self.lines += self.source.room(at)

    def _answer(self, best: dict[str, Left]) -> None:
        main, told = "", "guarded"
        for slot in self.program.slots:
            if slot in best:
                continue
            packs = reversed(range(len(self.program.packs)))
            shutting = (self.decided.get((at, slot)) for at in packs)
            rule = next((rule for rule in shutting if rule and rule.effect == "deny"), None)
            if rule is None:
                continue
            of = set(rule.entry.rule.deny.of) if rule.entry.rule.deny else set()
            if slot == self.by.slots[0]:
                main, told = rule.entry.rule.id, "True"
            elif of == {"shipping_refund"} and told != "True":
                told = "guarded or get('line.shipping_share') != 0"
            elif of:
                told = "True"
        given = "".join(
            f"({slot!r}, {best[slot].entry.rule.id!r}, sum{self.by.slots.index(slot)}), "
            for slot in self.by.slots
            if slot in best
        )
        refused = repr(main) if main else "('guard' if guarded else '')"
        verdict = "'partly'" if told == "True" else f"('partly' if {told} else 'grant')"
        if not any(rule.effect == "allow" for rule in best.values()):
            nothing = "return 0"
            if not self.waits:
                denied = "'deny'" if told == "True" else f"('deny' if {told} else 'grant')"
                nothing = f"return new(Ruling, ({denied}, total, ({given}), {refused}))"
            self.lines.append(f"    if not kept: {nothing}")
        self.lines.append(f"    return new(Ruling, ({verdict}, total, ({given}), {refused}))")


def may_be_negative(formula: Formula) -> bool:
    """Whether anything is taken away in it: facts and written amounts are never below nothing."""
    return isinstance(formula, Operation) and (formula.sign == "-" or any(map(may_be_negative, formula.parts)))
