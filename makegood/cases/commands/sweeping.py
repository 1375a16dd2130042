"""When deadlines pass: silence has its declared consequence, carried out once, late if need be."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import structlog

from makegood.accounts.actors import Actor
from makegood.cases import history
from makegood.cases.commands import approving, goods, moving, promising
from makegood.cases.models import Case
from makegood.cases.states import UNDECIDED, GoodsState, Silence, State
from makegood.kit import db, errors
from makegood.orders import queries as orders
from makegood.orders.queries import OrderView

CLOCK = Actor.system("clock")
log = structlog.get_logger()


def sweep_deadlines(*, at: datetime, limit: int = 200) -> int:
    """Carry out what passed deadlines mean, each in a transaction of its own; how many there were."""
    with db.atomically():
        due = db.fetch(
            "select id from cases_deadline where state = 'open' and due_at <= %s order by due_at limit %s", [at, limit]
        )
    for row in due:
        let_deadline_pass(deadline_id=row["id"], at=at)
    return len(due)


@db.command
def let_deadline_pass(*, deadline_id: int, at: datetime) -> bool:
    """Carry out the consequence of one deadline; False where it was met, moved or carried out meanwhile."""
    row = db.fetch_one(
        "select d.case_id, c.order_id from cases_deadline d join cases_case c on c.id = d.case_id where d.id = %s",
        [deadline_id],
    )
    if row is None:
        return False
    case = history.lock_case_by_id(row["case_id"])
    deadline = db.fetch_one(
        "update cases_deadline set state = 'passed', ended_at = %s"
        " where id = %s and state = 'open' and due_at <= %s returning *",
        [at, deadline_id, at],
    )
    if deadline is None:
        return False
    history.record(
        case,
        "deadline_passed",
        actor=CLOCK.key,
        at=at,
        wait=deadline["wait"],
        party=deadline["party"],
        due_at=deadline["due_at"].isoformat(),
        silence=deadline["silence"],
    )
    history.save(case)  # the savepoint may be undone, and this must not
    try:
        with db.savepoint():
            _CONSEQUENCES[deadline["silence"]](case, deadline, at)
    except errors.DomainError as refusal:
        # What silence was to bring is not possible any more: a person looks at it.
        fresh = history.lock_case_by_id(case.id)
        log.warning("silence_refused", case=fresh.ref, silence=deadline["silence"], code=refusal.code)
        case = fresh
        _escalate(case, deadline, at)
    moving.finish(case, actor=CLOCK, at=at)
    return True


def _escalate(case: Case, deadline: dict[str, Any], at: datetime) -> None:
    case.escalated = True
    history.record(case, "escalated", actor=CLOCK.key, at=at, wait=deadline["wait"])


def _auto_approve(case: Case, deadline: dict[str, Any], at: datetime) -> None:
    if case.state in {State.RECEIVED, State.VERIFYING}:
        from makegood.cases.commands.deciding import propose  # noqa: PLC0415 - deciding knows approving

        propose(case, _order_of(case), actor=CLOCK, at=at)
    if case.state == State.PLANNED:
        approving.approve_in_transaction(case, _order_of(case), actor=CLOCK, at=at)
    if case.state != State.APPROVED:  # something is missing, or a second person is needed
        _escalate(case, deadline, at)


def _order_of(case: Case) -> OrderView | None:
    return orders.order_view(case.order_id) if case.order_id else None


def _auto_refund(case: Case, _: dict[str, Any], at: datetime) -> None:
    rows = moving.case_lines(case)
    received: dict[str, int] = {}
    for row in rows:
        received[row["number"]] = received.get(row["number"], 0) + row["received"]
    found = [goods.Inspected(line=number, accepted=units) for number, units in received.items()]
    goods.inspect_in_transaction(case, found, actor=CLOCK, at=at)


def _recall_missed(case: Case, _: dict[str, Any], at: datetime) -> None:
    goods.recall_missed(case, actor=CLOCK, at=at)


def _close(case: Case, deadline: dict[str, Any], at: datetime) -> None:
    """The customer did not bring what was needed, or did not send the goods: nothing more is owed; may be reopened."""
    undecided = case.state in UNDECIDED
    moving.move(case, to=State.LAPSED)
    history.record(case, "lapsed", actor=CLOCK.key, at=at, wait=deadline["wait"])
    if undecided:
        goods.call_off_recall(case, at=at)
        moving.release_units(case, at=at)
    else:
        promising.take_back(case, why="lapsed", at=at)
    case.goods_state = GoodsState.NONE


def _treat_as_lost(case: Case, deadline: dict[str, Any], at: datetime) -> None:
    goods.goods_lost(case, actor=CLOCK, at=at)
    _escalate(case, deadline, at)


def _appeal_lapses(case: Case, _: dict[str, Any], at: datetime) -> None:
    history.record(case, "appeal_window_passed", actor=CLOCK.key, at=at)


_CONSEQUENCES: dict[str, Callable[[Case, dict[str, Any], datetime], None]] = {
    Silence.ESCALATE: _escalate,
    Silence.AUTO_APPROVE: _auto_approve,
    Silence.AUTO_REFUND: _auto_refund,
    Silence.RECALL_MISSED: _recall_missed,
    Silence.CLOSE: _close,
    Silence.TREAT_AS_LOST: _treat_as_lost,
    Silence.APPEAL_LAPSES: _appeal_lapses,
}
