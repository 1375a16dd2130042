"""Keeping the deadline rows of a case equal to the waits it has; always computed from history."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from makegood.accounts import queries as accounts
from makegood.accounts.rules import MerchantSettings
from makegood.accounts.rules import Wait as SettledWait
from makegood.cases.models import Case
from makegood.cases.states import UNDECIDED, WAITS, DeadlineState, Party, Silence, Wait
from makegood.cases.waits import Axes, Pause, Waiting, apart_of, expected_waits
from makegood.kit import db
from makegood.kit.worktime import Due


def axes_of(case: Case, *, may_appeal: bool) -> Axes:
    return Axes(
        state=case.state,
        goods_state=case.goods_state,
        money_state=case.money_state,
        closed=case.closed_at is not None,
        marks=case.marks,
        may_appeal=may_appeal,
    )


RUNNING = """
select id, wait, starts_at, due_at, provisional, state from cases_deadline
 where case_id = %s and state in ('open', 'paused', 'passed') order by id
"""


def set_clocks(case: Case, rows: Sequence[dict[str, Any]], *, may_appeal: bool = False, at: datetime) -> None:
    """Open, move and end deadline rows so that they say what the history says; update who is waited for.

    ``rows``: what ``RUNNING`` gives for the case.
    Also writes ``waiting_on`` and ``due_at`` into the case object; the caller saves the case.
    """
    db.require_transaction()
    if case.merged_into_id is not None:
        _stand_still(case)
        return
    settings = accounts.settings_of_merchant()
    wanted = expected_waits(axes_of(case, may_appeal=may_appeal))
    open_rows = {row["wait"]: row for row in rows if row["state"] != DeadlineState.PASSED}
    # A deadline passes once: a wait that goes on after it is overdue, and gets another row only if its clock moved.
    passed = {(row["wait"], row["starts_at"], row["due_at"]) for row in rows if row["state"] == DeadlineState.PASSED}
    for wait, row in open_rows.items():
        if wait not in wanted or wanted[Wait(wait)].starts_at != row["starts_at"]:
            db.send(
                "update cases_deadline set state = %s, ended_at = %s where id = %s", [DeadlineState.MET, at, row["id"]]
            )
    nearest: tuple[datetime, str] | None = None
    for wait, waiting in wanted.items():
        due_at = _settle(case, settings, waiting, open_rows.get(wait), passed)
        if due_at is not None and (nearest is None or due_at < nearest[0]):
            nearest = (due_at, WAITS[wait][0])
    case.due_at = nearest[0] if nearest else None
    case.waiting_on = _waiting_on(case, nearest)


def _stand_still(case: Case) -> None:
    """A case that is part of another waits for nobody; its open rows stay, and tell their times again afterwards."""
    db.send(
        "update cases_deadline set state = %s, due_at = null where case_id = %s and state = %s",
        [DeadlineState.PAUSED, case.id, DeadlineState.OPEN],
    )
    case.due_at, case.waiting_on = None, Party.NOBODY


def _due(settings: MerchantSettings, waiting: Waiting, apart: Sequence[Pause]) -> Due | None:
    """When it is due. What a customer could not do while the case was part of another does not run out meanwhile."""
    if waiting.due_at is not None:
        return Due(waiting.due_at, provisional=False)
    due = settings.due(SettledWait(waiting.wait), waiting.starts_at, waiting.pauses)
    if WAITS[waiting.wait][0] != Party.CUSTOMER:
        return due
    pauses = waiting.pauses
    for start, end in apart:
        if due is not None and end is not None and start < due.at <= end:
            pauses = (*pauses, (start, end))
            due = settings.due(SettledWait(waiting.wait), waiting.starts_at, pauses)
    return due


def _settle(
    case: Case,
    settings: MerchantSettings,
    waiting: Waiting,
    row: dict[str, object] | None,
    passed: Collection[tuple[str, datetime, datetime]],
) -> datetime | None:
    """Make the one open row of this wait true; its due time, None while it is paused."""
    due = _due(settings, waiting, apart_of(case.marks))
    due_at = due.at if due else None
    provisional = due.provisional if due else False
    state = DeadlineState.OPEN if due else DeadlineState.PAUSED
    if row is not None and row["starts_at"] == waiting.starts_at:
        if (row["due_at"], row["provisional"], row["state"]) != (due_at, provisional, state):
            db.send(
                "update cases_deadline set due_at = %s, provisional = %s, state = %s where id = %s",
                [due_at, provisional, state, row["id"]],
            )
        return due_at
    if due_at is not None and (waiting.wait, waiting.starts_at, due_at) in passed:
        return due_at
    party, silence = WAITS[waiting.wait]
    if waiting.wait == Wait.MERCHANT_ANSWER and settings.auto_approve_on_silence:
        silence = Silence.AUTO_APPROVE
    db.send_rows(
        "cases_deadline",
        [
            {
                "case_id": case.id,
                "wait": waiting.wait,
                "party": party,
                "silence": silence,
                "starts_at": waiting.starts_at,
                "due_at": due_at,
                "provisional": provisional,
                "state": state,
            }
        ],
    )
    return due_at


def _waiting_on(case: Case, nearest: tuple[datetime, str] | None) -> str:
    """Who must act now. In an appeal window that is the customer: nobody else can still move the case."""
    if nearest is None:
        return Party.NOBODY
    if case.state in UNDECIDED:
        return Party.CUSTOMER if nearest[1] == Party.CUSTOMER else Party.MERCHANT
    return nearest[1]
