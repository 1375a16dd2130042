"""What all commands on a case share: moving along an axis, reserving units, closing, saving."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from makegood.accounts import queries as accounts
from makegood.accounts.actors import Actor
from makegood.cases import clocks, history, waits
from makegood.cases.models import Case
from makegood.cases.states import (
    MOVES,
    RESERVING_CLAIMS,
    RESERVING_KINDS,
    UNDECIDED,
    GoodsState,
    Kind,
    MoneyState,
    State,
)
from makegood.kit import db, errors
from makegood.ledger import commands as ledger
from makegood.ledger.commands import Move
from makegood.ledger.states import UNIT, Book, Claims

AXES = ("state", "goods_state", "money_state", "waiting_on", "due_at", "escalated", "closed_at")


class MoveNotAllowed(errors.Refused):
    code = "move_not_allowed"
    message = "This case is {value}; it cannot become {wanted}."


class CaseClosed(errors.Refused):
    code = "case_closed"
    message = "This case is closed. It can be reopened."


def move(case: Case, *, to: State) -> None:
    """Change the decision axis in memory; the only place that may. Raises MoveNotAllowed."""
    if to not in MOVES[State(case.state)]:
        raise MoveNotAllowed(case.state, field="state", rule="one_step_at_a_time", wanted=str(to))
    case.state = to


def require_open(case: Case) -> None:
    """Raises CaseClosed."""
    if case.closed_at is not None:
        raise CaseClosed(case.ref, field="case", rule="open_case")


def reserves_units(kind: str, reason: str) -> bool:
    """Whether such a case takes the units it is about, so that no other case can ask for them meanwhile."""
    return kind in RESERVING_KINDS or (kind == Kind.CLAIM and reason in RESERVING_CLAIMS)


def case_lines(case: Case) -> list[dict[str, Any]]:
    """Lines of the case with their counts, in the order of the order's lines."""
    return db.fetch(
        "select cl.id, cl.line_id, cl.quantity, cl.wanted_sku, cl.received, cl.accepted, cl.rejected,"
        " l.number, l.sku from cases_caseline cl join orders_line l on l.id = cl.line_id"
        " where cl.case_id = %s order by cl.id",
        [case.id],
    )


def units_of(case: Case) -> dict[int, int]:
    """Units asked by line id; the same line may be asked twice with different wishes."""
    return units_in(case_lines(case))


def units_in(lines: Iterable[Mapping[str, Any]]) -> dict[int, int]:
    """As ``units_of``, of the case's lines."""
    units: dict[int, int] = {}
    for row in lines:
        units[row["line_id"]] = units.get(row["line_id"], 0) + row["quantity"]
    return units


def shift_claims(
    case: Case, units: Iterable[tuple[int, int]], *, source: Claims, target: Claims, why: str, at: datetime
) -> None:
    """Move units of the claims book for this case. Raises ledger.Overdrawn."""
    ledger.enter(
        kind=f"claims_{why}",
        request_key=f"case:{case.id}:{why}:{case.event_seq}",
        moves=[Move(Book.CLAIMS, line_id, source, target, UNIT, quantity) for line_id, quantity in units],
        at=at,
        order_id=case.order_id,
        cause=case.ref,
    )


def release_units(case: Case, *, at: datetime) -> None:
    """Give back the units the case still holds: nothing came of it."""
    if case.order_id is None or not reserves_units(case.kind, case.reason):
        return
    held = db.fetch(
        "select line_id, sum(quantity - made_good)::bigint as units from cases_caseline where case_id = %s"
        " group by line_id having sum(quantity - made_good) > 0",
        [case.id],
    )
    shift_claims(
        case,
        [(row["line_id"], row["units"]) for row in held],
        source=Claims.ASKED,
        target=Claims.OPEN,
        why="let_go",
        at=at,
    )


def finish(case: Case, *, actor: Actor, at: datetime) -> None:
    """Close the case when nothing is left to do on any axis; set clocks and save all axes."""
    decided, deadlines = db.fetch_each((_APPEAL_TERMS, [case.id]), (clocks.RUNNING, [case.id]))
    may_appeal = _may_appeal(case, decided)
    settled = (
        case.state not in UNDECIDED | {State.APPEALED}
        and case.goods_state not in {
            GoodsState.RECALLING, GoodsState.AUTHORISED, GoodsState.COMING_BACK, GoodsState.RECEIVED
        }
        and case.money_state in {MoneyState.NONE, MoneyState.PAID}
        and waits.call_back_open(case.marks) is None
    )  # fmt: skip
    if settled and not may_appeal and case.closed_at is None:
        case.closed_at = at
        history.record(case, "closed", actor=actor.key, at=at)
    clocks.set_clocks(case, deadlines, may_appeal=may_appeal, at=at)
    history.save(case, *AXES)


_APPEAL_TERMS = """
select d.verdict, d.communicated_at, (select count(*) from cases_appeal a where a.case_id = d.case_id) as rounds
  from cases_decision d where d.case_id = %s and not d.superseded
"""


def appeal_is_open(case: Case) -> bool:
    """Whether the customer may still challenge what was decided."""
    return _may_appeal(case, db.fetch(_APPEAL_TERMS, [case.id]))


def _may_appeal(case: Case, decided: list[dict[str, Any]]) -> bool:
    if case.state not in {State.APPROVED, State.DENIED} or "appeal_window_passed" in case.marks:
        return False
    in_force = db.only(decided)
    if in_force is None or in_force["communicated_at"] is None or in_force["verdict"] == "grant":
        return False
    return int(in_force["rounds"]) < accounts.settings_of_merchant().appeal_rounds_max
