"""What the fast back ends answer: the decision on one asked line without its trace, its words and its due dates."""

from __future__ import annotations

from typing import NamedTuple

from makegood.policy.outcome import MONEY_KINDS, Outcome
from makegood.policy.table import slots_of

GUARDED = {"already_given_back", "already_refunded"}


class Ruling(NamedTuple):
    """The decision on one line asked alone.

    ``given``: for each loss that is made good, in the order of the combination, the rule that decides it and what its
    remedies come to after the caps, in minor units (things and what the customer bears count nothing). ``total`` is
    the money among it. ``refused``: the rule that shuts the main loss out, ``guard`` where units or money were given
    back already, else empty. Which rule came nearest, what to ask for and by when it is due the interpreter tells.
    """

    verdict: str
    total: int
    given: tuple[tuple[str, str, int], ...]  # loss, rule, minor
    refused: str = ""


def ruling_of(outcome: Outcome) -> Ruling:
    """The same out of the interpreter's answer on one line."""
    by = outcome.combination
    sums: dict[tuple[str, str], int] = {(choice.loss, choice.chosen.rule.id): 0 for choice in outcome.choices}
    total = 0
    for remedy in outcome.remedies:
        if remedy.borne_by != "customer":
            sums[by.slot_by_kind[remedy.kind], remedy.tried.rule.id] += remedy.minor
            total += remedy.minor if remedy.kind in MONEY_KINDS else 0
    given = sorted(sums.items(), key=lambda item: by.slots.index(item[0][0]))
    return Ruling(
        outcome.verdict,
        total,
        tuple((loss, rule, minor) for (loss, rule), minor in given),
        _refused(outcome, {loss for loss, _ in sums}),
    )


def _refused(outcome: Outcome, granted: set[str]) -> str:
    by, told = outcome.combination, {refusal.rule for refusal in outcome.refused}
    if by.slots[0] not in granted:
        for pack in reversed(outcome.packs):
            for rule in pack.rules:
                if rule.id in told and rule.effect == "deny" and by.slots[0] in slots_of(rule, by):
                    return rule.id
    return "guard" if any(refusal.reason_code in GUARDED for refusal in outcome.refused) else ""
