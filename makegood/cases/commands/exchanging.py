"""Exchanges: once the old goods are accepted, the price difference is settled and the new goods take their place."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from makegood.accounts.actors import Actor, require
from makegood.accounts.states import May
from makegood.cases import facts, history
from makegood.cases.commands import changing, moving, promising
from makegood.cases.models import Case
from makegood.cases.states import Kind, RemedyState
from makegood.kit import db, errors
from makegood.kit.money import Money
from makegood.ledger import commands as ledger
from makegood.ledger import queries as balances
from makegood.ledger.commands import Move
from makegood.ledger.states import UNIT, Book, Claims, Goods, MoneyAccount, Value
from makegood.orders import commands as order_commands
from makegood.orders import queries as orders
from makegood.orders.catalog import catalog_items
from makegood.orders.queries import OrderView


class NoDifferenceDue(errors.Refused):
    code = "no_difference_due"
    message = "No price difference is due on this case."


def settle_exchange(case: Case, *, actor: Actor, at: datetime) -> bool:
    """Take or ask for the difference and put the new items on the order; True when remedies may be released.

    A difference to be paid comes from the gift card or store credit chosen, where it covers it; otherwise the
    customer is asked, and ``record_difference`` goes on from there. An item that can no longer be sent goes to a
    person.
    """
    if case.kind != Kind.EXCHANGE or case.order_id is None:
        return True
    order = orders.order_view(case.order_id)
    rows = _accepted(case)
    try:
        with db.savepoint():
            difference = _difference(order, rows)
            if difference > 0 and not _pays_itself(case, order, difference, at=at):
                history.record(
                    case,
                    "difference_due",
                    actor=actor.key,
                    at=at,
                    amount=Money(difference, order.currency).as_json(),
                )
                return False
            _replace(case, order, rows, at=at)
    except errors.DomainError as refusal:
        case.event_seq, case.event_hash, case.marks = _end_of_history(case)
        history.record(case, "exchange_blocked", actor=actor.key, at=at, code=refusal.code)
        case.escalated = True
        return False
    return True


def _end_of_history(case: Case) -> tuple[int, str, dict[str, Any]]:
    """Where the history ended before the savepoint that was taken back."""
    fresh = Case.objects.get(id=case.id)
    return fresh.event_seq, fresh.event_hash, fresh.marks


def _accepted(case: Case) -> list[dict[str, Any]]:
    """Lines of the case with another item wanted, counted in units that inspection accepted."""
    return [
        {**row, "quantity": row["accepted"]} for row in moving.case_lines(case) if row["wanted_sku"] and row["accepted"]
    ]


def _difference(order: OrderView, rows: list[dict[str, Any]]) -> int:
    return facts.price_difference(order, rows, catalog_items([row["wanted_sku"] for row in rows]))


def _pays_itself(case: Case, order: OrderView, difference: int, *, at: datetime) -> bool:
    """Whether the way of payment chosen is ours to draw on, and covers it."""
    if not case.details.get("method"):
        return False
    method = changing.chosen_method(case, order)
    if method.kind not in {"gift_card", "store_credit"}:
        return False
    try:
        with db.savepoint():
            changing.take_payment(case, order, method, difference, at=at)
    except ledger.Overdrawn:
        return False
    return True


def _replace(case: Case, order: OrderView, rows: list[dict[str, Any]], *, at: datetime) -> None:
    """The new items become lines of the order, to be sent; what was paid for the old ones is spent on them."""
    new_lines = order_commands.change_items(
        order.id, [order_commands.Replacement(row["line_id"], row["quantity"], row["wanted_sku"]) for row in rows]
    )
    left = balances.balances(Book.VALUE, [row["line_id"] for row in rows])
    moves: list[Move] = []
    for row, new in zip(rows, new_lines, strict=True):
        line = next(line for line in order.lines if line.id == row["line_id"])
        spent = min(facts.paid_for(line, row["quantity"]), left[line.id].get(Value.LEFT, 0))
        moves += [
            Move(Book.VALUE, line.id, Value.LEFT, Value.GIVEN, order.currency, spent),
            Move(Book.GOODS, new.id, Goods.SOLD, Goods.TO_SHIP, UNIT, new.quantity),
            Move(Book.CLAIMS, new.id, Claims.SOLD, Claims.OPEN, UNIT, new.quantity),
            Move(Book.VALUE, new.id, Value.PAID, Value.LEFT, order.currency, new.paid_minor),
        ]
    ledger.enter(
        kind="items_exchanged",
        request_key=f"case:{case.id}:exchanged",
        moves=moves,
        at=at,
        order_id=order.id,
        cause=case.ref,
    )


@db.command
def record_difference(*, ref: str, reference: str, actor: Actor, at: datetime) -> Case:
    """A person confirms that the customer paid the price difference; the new goods may be sent.

    ``reference`` names the payment outside. Raises NotAllowed, NoDifferenceDue, CaseUnknown.
    """
    require(actor, May.CONFIRM_PAYOUT)
    case = history.lock_case(ref, actor)
    due, paid = case.marks.get("difference_due"), case.marks.get("difference_paid")
    if case.order_id is None or due is None or (paid is not None and paid >= due):
        raise NoDifferenceDue(ref, field="case", rule="difference_due")
    order = orders.order_view(case.order_id)
    rows = _accepted(case)
    amount = _difference(order, rows)
    payment_id = order_commands.add_payment(
        order.id,
        reference=f"{case.ref}-{reference}"[:120],
        method="unknown",
        method_reference="",
        captured_minor=amount,
        captured_at=at,
    )
    ledger.enter(
        kind="payment_taken",
        request_key=f"case:{case.id}:taken",
        moves=[Move(Book.MONEY, payment_id, MoneyAccount.CAPTURED, MoneyAccount.AVAILABLE, order.currency, amount)],
        at=at,
        order_id=order.id,
        cause=case.ref,
    )
    history.record(case, "difference_paid", actor=actor.key, at=at, reference=reference)
    _replace(case, order, rows, at=at)
    db.send(
        "update cases_remedy set state = %s, released_at = %s where case_id = %s and state = 'promised'",
        [RemedyState.RELEASED, at, case.id],
    )
    promising.release_job(case, actor=actor, at=at)
    moving.finish(case, actor=actor, at=at)
    return case
