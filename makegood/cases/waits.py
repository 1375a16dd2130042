"""Which waits a case has at a moment, derived from its state and marks. Pure: no clock, no database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from makegood.cases.states import UNDECIDED, WAITS, GoodsState, MoneyState, Party, Silence, State, Status, Wait

Pause = tuple[datetime, datetime | None]


@dataclass(frozen=True, slots=True)
class Waiting:
    """Someone is waited for since ``starts_at``; the clock stood still during ``pauses``.

    ``due_at`` where the time itself was promised; else the merchant's settings tell how long.
    """

    wait: Wait
    starts_at: datetime
    pauses: tuple[Pause, ...] = ()
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Axes:
    """Where a case stands, and when what happened."""

    state: str
    goods_state: str
    money_state: str
    closed: bool
    marks: Mapping[str, Any]
    may_appeal: bool = False  # something was refused, told, and rounds are left
    inspects: bool = True  # whether received goods are inspected before money is released

    def mark(self, *kinds: str) -> datetime | None:
        """When the latest of these events happened."""
        times = [datetime.fromisoformat(self.marks[kind]) for kind in kinds if kind in self.marks]
        return max(times, default=None)

    def pauses(self) -> tuple[Pause, ...]:
        return tuple(
            (datetime.fromisoformat(start), datetime.fromisoformat(end) if end else None)
            for start, end in self.marks.get("pauses", [])
        )


_GOODS_WAITS: dict[str, tuple[Wait, tuple[str, ...]]] = {
    GoodsState.RECALLING: (Wait.CARRIER_RECALL, ("recall_requested",)),
    GoodsState.AUTHORISED: (Wait.CUSTOMER_SHIP_BACK, ("return_authorised",)),
    GoodsState.COMING_BACK: (Wait.CARRIER_RETURN, ("goods_coming_back",)),
    GoodsState.RECEIVED: (Wait.MERCHANT_INSPECT, ("goods_received",)),
}


def expected_waits(axes: Axes) -> dict[Wait, Waiting]:
    """Every wait the case has; at most one of a kind."""
    if axes.closed:
        return {}
    found: list[Waiting] = []
    pauses = axes.pauses()
    if axes.state in UNDECIDED:
        started = axes.mark("case_filed", "case_reopened")
        if started:
            since = tuple(pause for pause in pauses if pause[1] is None or pause[1] > started)
            found.append(Waiting(Wait.MERCHANT_ANSWER, started, since))
        if pauses and pauses[-1][1] is None:
            found.append(Waiting(Wait.CUSTOMER_EVIDENCE, pauses[-1][0]))
    if axes.goods_state in _GOODS_WAITS:
        wait, kinds = _GOODS_WAITS[GoodsState(axes.goods_state)]
        if since_goods := axes.mark(*kinds):
            found.append(Waiting(wait, since_goods))
    if axes.money_state == MoneyState.PROMISED and (released := axes.mark("remedies_released")):
        found.append(Waiting(Wait.MERCHANT_PAY, released))
    due, paid = axes.mark("difference_due"), axes.mark("difference_paid")
    if due and (paid is None or paid < due):
        found.append(Waiting(Wait.CUSTOMER_PAY, due))
    if axes.state == State.APPEALED and (filed := axes.mark("appeal_filed")):
        found.append(Waiting(Wait.REVIEWER_ANSWER, filed))
    elif axes.state in {State.APPROVED, State.DENIED} and axes.may_appeal:
        told = axes.mark("approved", "denied", "appeal_decided")
        if told:
            found.append(Waiting(Wait.APPEAL_WINDOW, told))
    found += _asked_of_people(axes)
    return {waiting.wait: waiting for waiting in found}


def _asked_of_people(axes: Axes) -> list[Waiting]:
    """A statement asked of the other side of a complaint, and a call that was promised."""
    found: list[Waiting] = []
    asked, given = axes.mark("statement_asked"), axes.mark("statement_given")
    if asked and axes.state in UNDECIDED and (given is None or given < asked):
        found.append(Waiting(Wait.STAFF_STATEMENT, asked))
    if promised := call_back_open(axes.marks):
        found.append(promised)
    return found


def apart_of(marks: Mapping[str, Any]) -> tuple[Pause, ...]:
    """When the case was part of another, and was taken out again."""
    return tuple((datetime.fromisoformat(start), datetime.fromisoformat(end)) for start, end in marks.get("apart", []))


def call_back_open(marks: Mapping[str, Any]) -> Waiting | None:
    """The call that was promised last and has not been made."""
    promised, made = marks.get("call_back_promised"), marks.get("call_back_made")
    if promised is None or (made is not None and datetime.fromisoformat(made) >= datetime.fromisoformat(promised)):
        return None
    due_at = datetime.fromisoformat(marks["call_back_due"])
    return Waiting(Wait.CALL_BACK, datetime.fromisoformat(promised), due_at=due_at)


def status_of(*, state: str, goods_state: str, money_state: str, waiting_on: str, closed: bool) -> Status:  # noqa: PLR0911 - one line a status
    """The one coarse status a customer sees."""
    if state == State.APPEALED:
        return Status.UNDER_APPEAL
    if state == State.DENIED:
        return Status.DENIED
    if state in {State.WITHDRAWN, State.LAPSED}:
        return Status.CLOSED
    if state in UNDECIDED:
        return Status.WITH_YOU if waiting_on == Party.CUSTOMER else Status.WITH_US
    if goods_state == GoodsState.AUTHORISED:
        return Status.WITH_YOU
    if goods_state in {GoodsState.RECALLING, GoodsState.COMING_BACK}:
        return Status.ON_THE_WAY
    if money_state in {MoneyState.PROMISED, MoneyState.TROUBLED}:
        return Status.PAYING
    if money_state == MoneyState.HELD:
        return Status.WITH_US
    return Status.DONE if closed or money_state in {MoneyState.PAID, MoneyState.NONE} else Status.WITH_US


def silence_of(wait: str, *, configured: Mapping[str, str]) -> Silence:
    """What silence means for a wait: the merchant's choice where the table allows one, else the table's."""
    default = WAITS[wait][1]
    if wait == Wait.MERCHANT_ANSWER and configured.get(wait) == Silence.AUTO_APPROVE:
        return Silence.AUTO_APPROVE
    return default
