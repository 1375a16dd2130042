"""The floor (I6): no platform or merchant rule gives less than the law's rule on the same facts.

Proved for every pair of rules over all classes of facts: where both decide the same loss, the amounts are compared
by algebra. A decision takes the better of the two anyway; a rule found here tells people less than what they are owed.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from makegood.policy.check.finding import Finding, finding
from makegood.policy.check.reach import CLAIMANTS, Table, needs_of, told
from makegood.policy.check.solve import Domains, narrowed, solve
from makegood.policy.check.space import Space
from makegood.policy.check.worth import is_never_less, smaller_somewhere, worth_of
from makegood.policy.combination import Combination
from makegood.policy.formulas import Number
from makegood.policy.packs import Pack, Rule

NOTHING = Number("0", Fraction(0))


def check_floor(law: Pack, other: Pack, by: Combination) -> Iterator[Finding]:
    """Every rule of ``other`` that gives less than ``law`` in some case, with that case."""
    space = Space([law, other])
    if not _meet(space, law, other):
        return
    currency = next(iter(space.currencies), "")
    for kind in other.by_kind:
        for claimant in CLAIMANTS:
            above = Table(law, space, kind, claimant, by)
            below = Table(other, space, kind, claimant, by)
            for at, region in enumerate(below.regions):
                if region.rule.sound and region.rule.effect in {"grant", "deny"}:
                    yield from _compared(above, below, at, currency)


def _meet(space: Space, law: Pack, other: Pack) -> bool:
    domains = narrowed(dict(space.classes), space.scope(law))
    return domains is not None and narrowed(domains, space.scope(other)) is not None


def _compared(above: Table, below: Table, at: int, currency: str) -> Iterator[Finding]:
    region = below.regions[at]
    for slot in sorted(below.slots[region.rule.id]):
        for over, granted in enumerate(above.regions):
            rule = granted.rule
            if not rule.sound or rule.effect != "grant" or slot not in above.slots[rule.id]:
                continue
            less = _is_less(rule, region.rule, slot, above.by, currency)
            if less is None:
                continue
            case = _together(above, below, over, at, slot)
            if case is not None:
                text = (
                    f"{less[0]} than {rule.id} of {above.pack.id} for {slot}, on the same facts",
                    f"事实相同时，对 {slot} {less[1]}（比较：{above.pack.id} 的 {rule.id}）",
                )
                yield finding(
                    "error", "below_the_law", below.pack, region.rule, text, told(case, below.start, region, granted)
                )
                return  # one case is enough


def _is_less(law: Rule, rule: Rule, slot: str, by: Combination, currency: str) -> tuple[str, str] | None:
    """How it is less, in words of both languages; None where it is proved not to be."""
    owed = worth_of(law, slot, by)
    if rule.effect == "deny":
        nothing = ("gives nothing, which is less", "什么都不给，低于法律")
        return None if is_never_less(NOTHING, owed) else nothing
    given = worth_of(rule, slot, by)
    if is_never_less(given, owed):
        return None
    amounts = smaller_somewhere(given, owed, currency)
    if amounts is None:
        return "is not proved to give as much", "不能证明不低于法律"
    told_amounts = ", ".join(f"{name} = {value}" for name, value in amounts.items())
    return f"gives less (in minor units: {told_amounts})", f"给得比法律少（以最小货币单位计：{told_amounts}）"


def _together(above: Table, below: Table, over: int, at: int, slot: str) -> Domains | None:
    """A case in which the law's rule decides the loss for the law, and the other for its pack."""
    law_region = above.regions[over]
    domains = narrowed(above.start, law_region.sets)
    if domains is None or (domains := narrowed(domains, below.regions[at].sets)) is None:
        return None
    blockers = [
        earlier.fails()
        for table, place in ((above, over), (below, at))
        for earlier in table.regions[:place]
        if earlier.rule.sound and slot in table.slots[earlier.rule.id]
    ]
    needs = [clause for region in (law_region, below.regions[at]) for clause in needs_of(region)]
    return solve(domains, [*needs, *blockers, *above.axioms])
