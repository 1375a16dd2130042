"""The receipt of a decision on a case: what was known and decided, under which policy; signed, and about no person."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings

from makegood.accounts import queries as accounts
from makegood.cases.queries import CaseView, DecisionView
from makegood.kit import errors
from makegood.kit.money import Money
from makegood.kit.signing import PublicKey, signing_keys
from makegood.policy import queries as policies
from makegood.policy import receipt
from makegood.policy.packs import Pack
from makegood.policy.registry import shipped_registry


class DecisionUnknown(errors.Unknown):
    code = "decision_unknown"
    message = "This case has no decision of that round."


def decision_of(case: CaseView, *, round_: int | None = None, told: bool = False) -> DecisionView:
    """The decision in force, or that of a round; ``told``: only one the customer was told. Raises DecisionUnknown."""
    found = [one for one in case.decisions if one.communicated_at is not None or not told]
    found = [one for one in found if round_ is None or one.round == round_]
    if not found:
        raise DecisionUnknown(round_, field="round", rule="a decision of the case")
    return found[-1]


def receipt_of(case: CaseView, decision: DecisionView, *, at: datetime) -> dict[str, Any]:
    """Issue it anew; the same decision always carries the same facts and outcome."""
    return receipt.issue(
        facts=decision.facts,
        outcome=decision.outcome,
        about=_about(case, decision),
        at=at,
        key=signing_keys(settings.DATA_DIR)[0],
        packs=_own_packs(decision),
    )


def _own_packs(decision: DecisionView) -> list[Pack]:
    """The merchant's own packs by which it was decided, whatever was published or taken back since."""
    shipped, known = shipped_registry().by_hash, policies.registry_of_merchant().by_hash
    named = [pack["hash"] for pack in decision.outcome.get("policy", {}).get("packs", [])]
    return [known[one] for one in named if one in known and one not in shipped]


def public_keys() -> list[PublicKey]:
    """Those that receipts of this installation are or were signed with, the one in use first."""
    return [key.public for key in signing_keys(settings.DATA_DIR)]


def _about(case: CaseView, decision: DecisionView) -> dict[str, Any]:
    """What the receipt is about. Where a person decided beyond the policy, what was granted stands here, with why."""
    return {
        "kind": "case",
        "merchant": accounts.merchant().slug,
        "case": case.ref,
        "order": case.order_number,
        "round": decision.round,
        "decided_at": decision.decided_at.isoformat(),
        "told_at": decision.communicated_at.isoformat() if decision.communicated_at else None,
        "by_hand": decision.by_hand,
        "verdict": decision.verdict,
        "total": Money(decision.total_minor, decision.currency).as_json() if decision.currency else None,
        "granted": [
            {
                "kind": one.kind,
                "line": one.line or None,
                "quantity": one.quantity,
                "amount": str(one.amount_minor)
                if one.currency == "POINT"
                else Money(one.amount_minor, one.currency).amount(),
                "currency": one.currency,
                "borne_by": one.borne_by,
                "rule": one.rule,
            }
            for one in decision.remedies
        ],
    }
