"""Where a case stands for its customer: done, now with who must act by when, next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from makegood.cases.queries import CaseView, DeadlineView
from makegood.cases.states import UNDECIDED, GoodsState, Kind, MoneyState, State, Wait
from makegood.cases.tracking import PUBLIC_EVENTS


@dataclass(frozen=True, slots=True)
class Done:
    kind: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Progress:
    """``now`` are the open waits, nearest first; ``next`` are steps still to come, in plain words."""

    done: tuple[Done, ...]
    now: tuple[DeadlineView, ...]
    next: tuple[str | Promise, ...]


# What a customer is told of a wait: who does what. Silence is said by its own name.
NOW: dict[str, str | Promise] = {
    Wait.MERCHANT_ANSWER: _("We look at your request and decide."),
    Wait.CUSTOMER_EVIDENCE: _("We need something from you: see below."),
    Wait.CARRIER_RECALL: _("The carrier tries to stop the parcel."),
    Wait.CUSTOMER_SHIP_BACK: _("Please send the goods back and tell us the tracking number."),
    Wait.CARRIER_RETURN: _("The goods are on their way to us."),
    Wait.MERCHANT_INSPECT: _("We look at the goods that came back."),
    Wait.MERCHANT_PAY: _("Your payment is on its way."),
    Wait.APPEAL_WINDOW: _("If you disagree you can appeal with something new."),
    Wait.REVIEWER_ANSWER: _("A second person, who did not decide before, looks at your appeal."),
}

# When the customer is silent, or we are: what then happens to the customer.
SILENCE: dict[str, str | Promise] = {
    "escalate": _("If we stay silent, a manager takes over."),
    "auto_approve": _("If we stay silent, what was proposed counts as approved."),
    "auto_refund": _("If we stay silent, the goods count as accepted and you are paid."),
    "recall_missed": _("If the carrier stays silent, the parcel counts as not stopped; you can refuse or return it."),
    "close": _("If nothing comes from you, the request is closed. You can reopen it."),
    "treat_as_lost": _("If nothing arrives, the goods count as lost on the way and a person decides."),
    "appeal_lapses": _("If you do nothing, the decision becomes final."),
}


def progress_of(case: CaseView) -> Progress:
    """The timeline of a case."""
    done = tuple(Done(e.kind, e.happened_at) for e in case.events if e.kind in PUBLIC_EVENTS)
    now = sorted(case.open_deadlines, key=lambda d: (d.due_at is None, d.due_at or d.starts_at))
    return Progress(done, tuple(now), () if case.closed_at else tuple(_still_to_come(case)))


def _still_to_come(case: CaseView) -> list[str | Promise]:
    steps: list[str | Promise] = []
    goods_travel = case.kind in {Kind.RETURN, Kind.EXCHANGE}
    if case.state in UNDECIDED or case.state == State.APPEALED:
        steps.append(_("You are told the decision, with reasons"))
        if goods_travel and case.goods_state == GoodsState.NONE:
            steps.append(_("You send the goods back"))
    if case.goods_state == GoodsState.AUTHORISED or case.goods_state in {GoodsState.COMING_BACK, GoodsState.RECALLING}:
        steps.append(_("The goods arrive and are looked at"))
    if case.money_state == MoneyState.HELD or (
        case.state in UNDECIDED and case.kind not in {Kind.COMPLAINT, Kind.SUGGESTION}
    ):
        steps.append(_("You are paid what was decided"))
    return steps
