"""What settlement tells a case about its money, and the budgets for what goes beyond what was paid."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from makegood.accounts.actors import Actor, require
from makegood.accounts.states import May
from makegood.cases import history
from makegood.cases.commands import moving, promising, replacing
from makegood.cases.models import Budget, Case
from makegood.cases.states import MoneyState, RemedyState
from makegood.kit import db, errors
from makegood.kit.money import Money
from makegood.ledger import commands as ledger
from makegood.ledger.commands import Move
from makegood.ledger.states import POINT, Book
from makegood.ledger.states import Budget as BudgetAccount


class BudgetMalformed(errors.Malformed):
    code = "budget_malformed"
    message = "{field}: {value} cannot be a budget's ({rule})."


class BudgetTaken(errors.Refused):
    code = "budget_taken"
    message = "There is a budget {value} already."


@dataclass(frozen=True, slots=True)
class ReleasedRemedy:
    """A remedy that may be paid now, with the case and order it belongs to, both locked."""

    case: Case
    remedy: dict[str, Any]


def lock_remedy(remedy_id: int) -> ReleasedRemedy:
    """The remedy with its order and case locked, for the length of the caller's transaction."""
    case, [remedies] = history.lock_case_where(
        "id = (select case_id from cases_remedy where id = %s)",
        remedy_id,
        ("select * from cases_remedy where id = %s", [remedy_id]),
    )
    return ReleasedRemedy(case, remedies[0])


def remedy_paid(
    case: Case, remedy_id: int, *, actor: Actor, at: datetime, troubled: bool = False, reference: str = ""
) -> None:
    """All payouts of a remedy are confirmed. The case is locked by the caller, who has posted the ledger.

    ``troubled``: another payout of the case still waits for a person. ``reference``: of a thing, its parcel's number.
    """
    [remedy] = db.fetch(
        "update cases_remedy set state = %s where id = %s returning id, kind, line_id, quantity",
        [RemedyState.PAID, remedy_id],
    )
    if remedy["kind"] == "replacement":
        replacing.enter_replacement(case, remedy, parcel=reference, actor=actor, at=at)
    history.record(case, "remedy_paid", actor=actor.key, at=at, remedy=remedy_id)
    _fold_money(case, troubled=troubled)
    moving.finish(case, actor=actor, at=at)


def remedy_given_up(
    case: Case, remedy_id: int, *, why: str, partly_paid: bool, actor: Actor, at: datetime, troubled: bool = False
) -> None:
    """What was left of a promise was freed by a person: the customer renounced, or got the money another way."""
    state = RemedyState.PAID if partly_paid else RemedyState.VOID
    db.send("update cases_remedy set state = %s where id = %s", [state, remedy_id])
    history.record(case, "remedy_given_up", actor=actor.key, at=at, remedy=remedy_id, why=why)
    _fold_money(case, troubled=troubled)
    moving.finish(case, actor=actor, at=at)


def remedy_troubled(case: Case, remedy_id: int, *, why: str, actor: Actor, at: datetime) -> None:
    """A payout needs a person. The promise stands; the case says so and is escalated."""
    history.record(case, "payment_troubled", actor=actor.key, at=at, remedy=remedy_id, why=why)
    case.money_state = MoneyState.TROUBLED
    case.escalated = True
    case.closed_at = None
    moving.finish(case, actor=actor, at=at)


def remedy_unpaid(case: Case, remedy_id: int, *, why: str, actor: Actor, at: datetime) -> None:
    """What counted as paid was taken back by the gateway: the remedy is to be paid again, by a person's decision."""
    db.send("update cases_remedy set state = %s where id = %s", [RemedyState.RELEASED, remedy_id])
    remedy_troubled(case, remedy_id, why=why, actor=actor, at=at)


def payment_resumed(case: Case, *, actor: Actor, at: datetime, troubled: bool = False) -> None:
    """A person has sorted the trouble out; payouts are under way again. ``troubled``: another one still waits."""
    history.record(case, "payment_resumed", actor=actor.key, at=at)
    _fold_money(case, troubled=troubled)
    moving.finish(case, actor=actor, at=at)


def _fold_money(case: Case, *, troubled: bool = False) -> None:
    """The money axis from the remedies' states; ``troubled`` where a payout waits for a person."""
    row = db.fetch_one(
        "select count(*) filter (where state = 'released') as released,"
        " count(*) filter (where state = 'promised') as promised,"
        " count(*) filter (where state = 'paid') as paid from cases_remedy where case_id = %s",
        [case.id],
    )
    assert row is not None  # noqa: S101 - count(*) always gives a row
    if troubled:
        case.money_state = MoneyState.TROUBLED
    elif row["released"]:
        case.money_state = MoneyState.PROMISED
    elif row["promised"]:
        case.money_state = MoneyState.HELD
    else:
        case.money_state = MoneyState.PAID if row["paid"] else MoneyState.NONE


def note_case_money(case: Case) -> None:
    """Recompute the money axis of a locked case; the caller saves it."""
    _fold_money(case)


@db.command
def open_budget(
    *, name: str, purpose: str, asset: str, amount: str, actor: Actor, at: datetime, ends_at: datetime | None = None
) -> Budget:
    """Approve money above what was paid: ``purpose`` is goodwill or obligation (damages owed by law or promise).

    Raises NotAllowed, BudgetMalformed, BudgetTaken, AmountMalformed, CurrencyUnknown.
    """
    require(actor, May.GOODWILL)
    if purpose not in {"goodwill", "obligation"}:
        raise BudgetMalformed(purpose, field="purpose", rule="goodwill|obligation")
    if Budget.objects.filter(name=name).exists():
        raise BudgetTaken(name, field="name", rule="one_name_one_budget")
    budget = Budget.objects.create(
        name=name, purpose=purpose, asset=asset, opened_by=actor.key, opened_at=at, ends_at=ends_at
    )
    _add(budget, amount, key=f"budget:{budget.id}:opened", actor=actor, at=at)
    return budget


@db.command
def top_up_budget(*, name: str, amount: str, request_key: str, actor: Actor, at: datetime) -> Budget:
    """Approve more for an open budget; the same request key adds once."""
    require(actor, May.GOODWILL)
    budget = Budget.objects.select_for_update().filter(name=name).first()
    if budget is None:
        raise promising.BudgetUnknown(name, field="budget", rule="approved_budget", currency="")
    _add(budget, amount, key=f"budget:{budget.id}:{request_key}", actor=actor, at=at)
    return budget


def _add(budget: Budget, amount: str, *, key: str, actor: Actor, at: datetime) -> None:
    minor = int(amount) if budget.asset == POINT else Money.parse(amount, budget.asset).minor
    ledger.enter(
        kind="budget_approved",
        request_key=key,
        moves=[Move(Book.BUDGET, budget.id, BudgetAccount.APPROVED, BudgetAccount.AVAILABLE, budget.asset, minor)],
        at=at,
        cause=actor.key,
    )
