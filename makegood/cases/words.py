"""How cases are said to people: names of states, sentences of the history, decisions explained."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from makegood.cases import states
from makegood.cases.queries import DecisionView
from makegood.kit.pages.language import text_language
from makegood.policy import queries as policies
from makegood.policy.quote import replay
from makegood.policy.reasons import TREE
from makegood.policy.registry import PackHashUnknown
from makegood.policy.vocabulary import EVIDENCE

_CHOICES = {
    "Kind": states.Kind,
    "State": states.State,
    "GoodsState": states.GoodsState,
    "MoneyState": states.MoneyState,
    "Party": states.Party,
    "Wait": states.Wait,
    "Silence": states.Silence,
    "RemedyState": states.RemedyState,
    "Status": states.Status,
    "BulkAction": states.BulkAction,
    "BulkState": states.BulkState,
}

VERDICTS = {
    "grant": _("granted"),
    "partly": _("granted in part"),
    "deny": _("denied"),
    "need_evidence": _("more is needed"),
    "refer": _("a person decides"),
}

REMEDIES = {
    "refund": _("Refund"),
    "shipping_refund": _("Shipping refund"),
    "return_freight": _("Return freight"),
    "replacement": _("Replacement"),
    "repair": _("Repair"),
    "coupon": _("Coupon"),
    "points": _("Points"),
    "store_credit": _("Store credit"),
    "damages": _("Damages"),
    "goodwill": _("Goodwill"),
    "apology": _("Apology"),
    "correction": _("Correction"),
}

OUTCOMES = {"upheld": _("decision upheld"), "partly": _("won in part"), "granted": _("won")}

EVENTS = {
    "case_filed": _("Request received"),
    "evidence_asked": _("More evidence was asked for"),
    "evidence_brought": _("Evidence was added"),
    "finding_recorded": _("Something was verified"),
    "decided": _("A decision was proposed"),
    "decided_by_hand": _("A person decided"),
    "replacement_sent": _("The replacement is on its way"),
    "approved_first": _("A first person approved"),
    "appeal_reviewed_first": _("A first reviewer would grant the appeal"),
    "approved": _("Approved"),
    "denied": _("Denied"),
    "recall_requested": _("The carrier was asked to stop the parcel"),
    "recall_intercepted": _("The parcel was stopped and is coming back"),
    "recall_missed": _("The parcel could not be stopped"),
    "recall_called_off": _("The recall was called off"),
    "return_authorised": _("The goods may be sent back"),
    "goods_coming_back": _("The goods are on their way back"),
    "goods_received": _("The goods arrived"),
    "goods_inspected": _("The goods were inspected"),
    "goods_rejected": _("Goods were not accepted"),
    "goods_lost": _("The goods were lost on the way"),
    "remedies_released": _("Payment was started"),
    "remedy_paid": _("Paid"),
    "payment_troubled": _("A payment needs a person"),
    "payment_resumed": _("The payment goes on"),
    "appeal_filed": _("Appeal filed"),
    "appeal_decided": _("Appeal decided"),
    "appeal_window_passed": _("The time to appeal has passed"),
    "withdrawn": _("Withdrawn"),
    "lapsed": _("Closed because nothing came"),
    "case_reopened": _("Reopened"),
    "closed": _("Closed"),
    "assigned": _("Assigned"),
    "snoozed": _("It was put off"),
    "tagged": _("Tags changed"),
    "message_written": _("A message was written"),
    "note_written": _("An internal note was written"),
    "case_merged": _("Became part of another case"),
    "case_unmerged": _("Is a case of its own again"),
    "case_taken_in": _("Another case became part of it"),
    "case_given_back": _("A part became a case of its own again"),
    "messages_came_back": _("What was written to it meanwhile came back"),
    "conversation_attached": _("Letters were added to the case"),
    "mail_bounced": _("A mail to the customer came back"),
    "escalated": _("A manager took over"),
    "deadline_passed": _("A deadline passed"),
    "call_noted": _("A telephone call was noted"),
    "call_back_promised": _("A call was promised"),
    "call_back_made": _("The promised call was made"),
    "recording_heard": _("A recording or transcript was opened"),
    "promise_missed": _("A promised time was missed"),
    "statement_asked": _("The other side was asked for a statement"),
    "statement_given": _("The other side gave a statement"),
    "units_unaccounted": _("Fewer units arrived than were expected"),
    "items_changed": _("Items of the order were changed"),
    "address_changed": _("The address was changed"),
    "payment_changed": _("The way of payment was changed"),
}


REFUSALS = {
    "above_limit": _("It is above what you may approve: a manager must."),
    "own_decision": _("You decided it beyond the policy: another person must approve."),
    "not_enough_paid": _("Less of what was paid is left than this would give back."),
    "budget_unknown": _("No budget is open for it: a manager opens one."),
    "budget_exhausted": _("The budget does not cover it: a manager can add to it."),
    "not_allowed": _("Your role may not approve."),
}

# Why another case is probably about the same.
LIKENESS = {
    "same_order": _("same order"),
    "no_order": _("about no order"),
    "same_line": _("same item"),
    "same_reason": _("same reason"),
    "same_problem": _("same problem"),
    "same_kind": _("same kind of request"),
    "same_days": _("within three days"),
    "same_weeks": _("within two weeks"),
}

RESULTS = {"holds": _("holds"), "fails": _("does not hold"), "unknown": _("not known yet")}

CHANNELS = {
    "phone": _("by phone"),
    "mail": _("by mail"),
    "chat": _("by chat"),
    "desk": _("in person"),
    "portal": _("on the portal"),
    "api": _("by API"),
    "import": _("by import"),
    "carrier": _("from the carrier"),
}


def said(value: str, kind: str) -> str:
    """The name of a state in the reader's language: ``said("approved", "State")``."""
    try:
        return str(_CHOICES[kind](value).label)
    except ValueError:
        return value


def event_said(kind: str) -> str:
    """What happened, in a few words."""
    return gettext(EVENTS[kind]) if kind in EVENTS else kind.replace("_", " ")


METHODS = {
    "card": _("card"),
    "wallet": _("wallet"),
    "gift_card": _("gift card"),
    "store_credit": _("store credit"),
    "bank": _("bank account"),
    "cod": _("cash on delivery"),
    "points": _("points"),
    "coupon": _("coupon"),
}


def in_table(table: Mapping[str, str], value: str) -> str:
    return gettext(table[value]) if value in table else value


def reason_said(kind: str, code: str) -> str:
    """A leaf of the reason tree in the reader's language."""
    return next((leaf.label(text_language()) for leaf in TREE.get(kind, ()) if leaf.code == code), code)


def evidence_said(kind: str) -> str:
    """A kind of evidence in the reader's language."""
    names = EVIDENCE.get(kind)
    return names[0 if text_language() == "zh-Hans" else 1] if names else kind


@dataclass(frozen=True, slots=True)
class RemedySaid:
    """One remedy for people: what, how much, why, and what became of it."""

    kind: str
    line: str
    quantity: int | None
    amount_minor: int
    currency: str
    borne_by: str
    due_by: datetime | None
    after: str
    rule: str
    state: str
    text: str = ""
    cites: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Explained:
    """A decision in the reader's language. ``refused`` and ``needed`` are parts of the quote document."""

    decision: DecisionView
    remedies: tuple[RemedySaid, ...]
    refused: tuple[Mapping[str, Any], ...] = ()
    needed: tuple[Mapping[str, Any], ...] = ()
    referred: tuple[Mapping[str, Any], ...] = ()
    appeal: Mapping[str, Any] = field(default_factory=dict)
    packs: tuple[Mapping[str, Any], ...] = ()


def explain(decision: DecisionView) -> Explained:
    """The decision with the policy's own sentences; a person's decision speaks for itself in ``why``."""
    outcome = outcome_said(decision)
    texts: dict[tuple[str, str, str], Mapping[str, Any]] = {}
    if not decision.by_hand:
        texts = {(one["kind"], one["line"] or "", one["rule"]): one for one in outcome["remedies"]}
    remedies = tuple(
        RemedySaid(
            remedy.kind,
            remedy.line,
            remedy.quantity,
            remedy.amount_minor,
            remedy.currency,
            remedy.borne_by,
            remedy.due_by,
            remedy.after,
            remedy.rule,
            remedy.state,
            text=texts.get((remedy.kind, remedy.line, remedy.rule), {}).get("text", ""),
            cites=tuple(texts.get((remedy.kind, remedy.line, remedy.rule), {}).get("cites", ())),
        )
        for remedy in decision.remedies
    )
    if decision.by_hand:
        return Explained(decision, remedies)
    return Explained(
        decision,
        remedies,
        refused=tuple(outcome["refused"]),
        needed=tuple(outcome["evidence_needed"]),
        referred=tuple(outcome.get("referred", ())),
        appeal=outcome["appeal"] or {},
        packs=tuple(outcome["policy"]["packs"]),
    )


def outcome_said(decision: DecisionView) -> Mapping[str, Any]:
    """The stored outcome, or the same decision replayed in the reader's language.

    Where the pack of the time is no longer in the folder, the stored words stand.
    """
    stored, wanted = decision.outcome, text_language()
    if stored["policy"].get("lang", "en") == wanted:
        return stored
    try:
        told: Mapping[str, Any] = json.loads(
            replay(json.dumps(decision.facts), stored["policy"], lang=wanted, registry=policies.registry_of_merchant())
        )
    except PackHashUnknown:
        return stored
    return told
