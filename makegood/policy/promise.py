"""A verdict already told never gets worse for the asker: what a new answer takes away from an old one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from makegood.policy.outcome import MONEY_KINDS


def taken_away(told: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """What ``new`` no longer gives of ``told`` (both quote documents); empty where nothing got worse.

    Money counts as one sum, so that it may move between lines and kinds but never become less.
    Things, coupons and points count by kind and units, sums by kind where the kind is not money.
    """
    lost = []
    if told["total"]["currency"] != new["total"]["currency"]:
        return ["currency"]
    if Decimal(new["total"]["amount"]) < Decimal(told["total"]["amount"]):
        lost.append("total")
    before, after = _things(told), _things(new)
    lost += sorted(kind for kind, count in before.items() if after[kind] < count)
    if told["verdict"] in {"grant", "partly"} and new["verdict"] not in {"grant", "partly"}:
        lost.append("verdict")
    return lost


def _things(answer: Mapping[str, Any]) -> Counter[str]:
    """Units of each thing, and the sum of each kind of remedy that is neither thing nor money."""
    found: Counter[str] = Counter()
    for remedy in answer["remedies"]:
        if remedy["kind"] in MONEY_KINDS or remedy["borne_by"] == "customer":
            continue
        found[remedy["kind"]] += remedy["quantity"] or 1
        minor = int(Decimal(remedy["amount"]).scaleb(4))
        if minor:
            found[f"{remedy['kind']} amount"] += minor
    return found
