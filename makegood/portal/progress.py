"""Where a case stands for its customer: done, now with who must act by when, next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from makegood.cases.queries import CaseView, DeadlineView
from makegood.cases.states import UNDECIDED, GoodsState, Kind, MoneyState, State
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
