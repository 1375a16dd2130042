"""What stands behind a stored decision: decided again from its facts and policy, and explained."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from makegood.accounts import queries as accounts
from makegood.cases.queries import CaseView, DecisionView, RemedyView
from makegood.cases.receipts import public_keys
from makegood.kit import errors
from makegood.kit.money import Money
from makegood.policy import queries as policies
from makegood.policy.explain import Explanation, explain
from makegood.policy.explain.paper import pdf_of
from makegood.policy.explain.said import BEARERS, REMEDIES, Teller
from makegood.policy.explain.shapes import AmountSaid, DueSaid
from makegood.policy.facts import Facts
from makegood.policy.outcome import Outcome
from makegood.policy.quote import decide_again
from makegood.policy.registry import PackHashUnknown, Registry


class ExplanationGone(errors.Unknown):
    code = "explanation_gone"
    message = "A policy pack that this decision was made with is no longer on file here."


@dataclass(frozen=True, slots=True)
class Behind:
    """``told`` is what the policy says, explained; for a decision by hand what the person granted.

    ``outcome`` is None where a person decided, or where a pack of the time is gone.
    """

    told: Explanation
    outcome: Outcome | None

    @property
    def trace(self) -> list[dict[str, Any]]:
        """Every rule that was tried, with the result of each condition."""
        return [row for row in self.outcome.trace() if "cells" in row] if self.outcome else []

    def amount_of(self, kind: str, line: str, rule: str) -> AmountSaid | None:
        """The explained remedy that a promised one came from; one for the whole order may be spread over lines."""
        mine = [one for one in self.told.amounts if (one.kind, one.rule) == (kind, rule)]
        return next((one for one in mine if (one.line or "") == line), mine[0] if mine else None)


def behind(decision: DecisionView, lang: str, *, registry: Registry | None = None) -> Behind | None:
    """Everything behind a decision, in one language; None where a pack it was made with is no longer in the folder.

    ``registry`` where it is read already.
    """
    if decision.by_hand:
        return Behind(_by_hand(decision, lang), None)
    try:
        known = registry or policies.registry_of_merchant()
        outcome = decide_again(decision.facts, decision.outcome["policy"], registry=known)
    except PackHashUnknown:
        return None
    return Behind(explain(outcome, lang), outcome)


def required(decision: DecisionView, lang: str) -> Behind:
    """The same; raises ExplanationGone where a pack of the decision is no longer in the folder."""
    found = behind(decision, lang)
    if found is None:
        raise ExplanationGone(field="policy", rule="a pack of the decision is gone")
    return found


def behind_outcome(outcome: Outcome, lang: str) -> Behind:
    """The same of an outcome that is not stored yet."""
    return Behind(explain(outcome, lang), outcome)


def paper_of(case: CaseView, decision: DecisionView, told: Explanation, *, lang: str) -> bytes:
    """The PDF of a decision, with a cover that names order, case, decision, dates, packs and the receipt's key.

    Raises PaperUnavailable.
    """
    merchant = accounts.merchant()
    zone = ZoneInfo(merchant.time_zone)
    tell = Teller(Facts.from_json(decision.facts), lang)
    cover = {
        "merchant": merchant.name(lang),
        "order": case.order_number,
        "case": case.ref,
        "asked": _moment(case.opened_at, tell, zone),
        "decided": _moment(decision.decided_at, tell, zone),
        "told": _moment(decision.communicated_at, tell, zone) if decision.communicated_at else "",
        "why": decision.why if decision.by_hand else "",
    }
    return pdf_of(told, cover, at=decision.communicated_at or decision.decided_at, key=public_keys()[0].base64)


def _moment(at: datetime, tell: Teller, zone: tzinfo) -> str:
    return f"{tell.moment_in(at, zone)} ({zone})"


def _by_hand(decision: DecisionView, lang: str) -> Explanation:
    """A person decided beyond the policy: what was granted and who bears it; the reasons are the person's."""
    tell = Teller(Facts.from_json(decision.facts), lang)
    total = Money(decision.total_minor, decision.currency or tell.currency)
    headline = (
        tell.pick(
            f"由人工决定，您应得 {tell.money(total.minor)}。",
            f"A person decided: you are owed {tell.money(total.minor)}.",
        )
        if decision.verdict != "deny"
        else tell.pick("由人工决定，未同意。", "A person decided: it is not granted.")
    )
    return Explanation(
        lang=lang,
        verdict=decision.verdict,
        headline=headline,
        total=total.as_json(),
        total_said=tell.money(total.minor),
        amounts=tuple(_hand_amount(one, tell) for one in decision.remedies),
        refused=(),
        needs=(),
        referred=(),
        claw_back=(),
        assumed=(),
        notes=(),
        appeal=None,
        packs=(),
        combination={},
        zone=str(tell.zone),
        prose=(headline, *([decision.why] if decision.why else [])),
    )


def _hand_amount(one: RemedyView, tell: Teller) -> AmountSaid:
    name, bearer = tell.in_table(REMEDIES, one.kind), tell.in_table(BEARERS, one.borne_by)
    said = str(one.amount_minor) if one.currency == "POINT" else tell.money(one.amount_minor)
    due = (
        DueSaid(one.due_by, tell.due(one.due_by), "", "", "", provisional=False, promised_by="", cites=())
        if one.due_by
        else None
    )
    return AmountSaid(
        kind=one.kind, name=name, line=one.line or None, quantity=one.quantity,
        amount=str(one.amount_minor) if one.currency == "POINT" else Money(one.amount_minor, one.currency).amount(),
        said=said, amount_open=False, borne_by=one.borne_by, bearer=bearer, rule=one.rule, pack="", level="", day="",
        cites=(), text="", facts=(), working=(), choice=None, due=due, waits_for="",
        prose=tell.pick(f"{name}：{said}，由{bearer}承担。", f"{name}: {said}, borne by {bearer}."),
    )  # fmt: skip
