"""The end of a payout: its promise becomes paid, or paid becomes promised again; ledger and case in one transaction.

Everybody here has the order and the case locked (``money.lock_remedy``), in that order, then moves the payout, then
posts: order, case, payout, ledger.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from makegood.accounts.actors import Actor
from makegood.cases.commands import money
from makegood.cases.models import Case
from makegood.cases.states import MoneyState
from makegood.kit import db
from makegood.kit.failpoints import failpoint
from makegood.ledger import commands as ledger
from makegood.ledger.commands import Move
from makegood.settlement.commands import rows
from makegood.settlement.commands.rows import Row
from makegood.settlement.states import OPEN, PayoutState


def confirm(
    case: Case,
    row: Row,
    *,
    reference: str,
    actor: Actor,
    at: datetime,
    sources: Sequence[str] = OPEN,
    besides: Sequence[Move] = (),
) -> bool:
    """The money went out: post it, and tell the case when the whole remedy is paid. False: somebody was first."""
    moved = rows.move(
        row["id"],
        sources=sources,
        to=PayoutState.CONFIRMED,
        gateway_reference=reference,
        trouble="",
        settled_at=at,
        next_try_at=None,
        confirmed_by=actor.key,
        looks=0,
    )
    if not moved:
        return False
    ledger.enter(
        kind=f"{row['kind']}_paid",
        request_key=f"payout:{row['id']}:paid:{row['round']}",
        moves=[*rows.promise_of(row).paid(), *besides],
        at=at,
        order_id=row["order_id"],
        cause=row["ref"],
    )
    rows.note(row["id"], "confirmed", actor=actor.key, at=at, reference=reference)
    failpoint("before_confirmed_commit")
    tell_case(case, row["remedy_id"], actor=actor, at=at, reference=reference)
    return True


def tell_case(case: Case, remedy_id: int, *, actor: Actor, at: datetime, reference: str = "") -> None:
    """Fold the payouts of a remedy into the remedy and the case; ``reference`` is that of the payout just confirmed."""
    left = db.fetch_one(
        "select count(*) filter (where remedy_id = %s and state not in ('void', 'confirmed')) as waiting,"
        " count(*) filter (where remedy_id = %s and state = 'confirmed') as paid,"
        " count(*) filter (where state in ('person', 'refused', 'reversed')) > 0 as troubled"
        " from settlement_payout where case_id = %s",
        [remedy_id, remedy_id, case.id],
    )
    assert left is not None  # noqa: S101 - count(*) always gives a row
    troubled = left["troubled"]
    if left["paid"] and not left["waiting"]:
        money.remedy_paid(case, remedy_id, actor=actor, at=at, troubled=troubled, reference=reference)
    elif case.money_state == MoneyState.TROUBLED and not troubled:
        money.payment_resumed(case, actor=actor, at=at)


def reverse(case: Case, row: Row, *, why: str, actor: Actor, at: datetime) -> bool:
    """The gateway took back what counted as paid: posted back to promised; a person decides how to pay again."""
    moved = rows.move(
        row["id"],
        sources=[PayoutState.CONFIRMED],
        to=PayoutState.REVERSED,
        trouble=why,
        round=row["round"] + 1,
        next_try_at=None,
        settled_at=None,
    )
    if not moved:
        return False
    ledger.enter(
        kind=f"{row['kind']}_taken_back",
        request_key=f"payout:{row['id']}:back:{row['round']}",
        moves=rows.promise_of(row).taken_back(),
        at=at,
        order_id=row["order_id"],
        cause=row["ref"],
    )
    rows.note(row["id"], "reversed", actor=actor.key, at=at, why=why)
    money.remedy_unpaid(case, row["remedy_id"], why=why, actor=actor, at=at)
    return True


def hand_over(
    case: Case,
    row: Row,
    *,
    why: str,
    actor: Actor,
    at: datetime,
    sources: Sequence[str],
    to: str = PayoutState.PERSON,
    reference: str = "",
) -> bool:
    """A person must look: the promise stands, the case says so."""
    moved = rows.move(
        row["id"],
        sources=sources,
        to=to,
        trouble=why,
        next_try_at=None,
        gateway_reference=reference or row["gateway_reference"],
    )
    if moved:
        rows.note(row["id"], str(to), actor=actor.key, at=at, why=why, reference=reference)
        money.remedy_troubled(case, row["remedy_id"], why=why, actor=actor, at=at)
    return moved
