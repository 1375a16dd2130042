"""Promises: a planned remedy is reserved in the ledger when approved, and given back when nothing comes of it.

Promising is not paying. What is promised can no longer be promised again; what is paid out, when and through
which gateway is settlement's matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from makegood.accounts.actors import Actor
from makegood.cases import history, reallocating
from makegood.cases.allocation import PaymentLeft, share_over_payments
from makegood.cases.commands import moving
from makegood.cases.models import Budget, Case
from makegood.cases.states import GoodsState, Kind, MoneyState, RemedyState
from makegood.kit import db, errors, jobs
from makegood.kit.money import Money, allocate
from makegood.ledger import commands as ledger
from makegood.ledger import queries as balances
from makegood.ledger.commands import Move
from makegood.ledger.states import POINT, Book, Claims, MoneyAccount, Value
from makegood.ledger.states import Budget as BudgetAccount
from makegood.orders.queries import OrderView
from makegood.policy.outcome import MONEY_KINDS

OF_WHAT_WAS_PAID = frozenset({"refund", "shipping_refund", "store_credit"})
FROM_A_BUDGET = frozenset({"damages", "goodwill", "coupon", "points", "return_freight"})
THINGS = frozenset({"replacement", "repair"})
# Given by saying it: what a person decides on a complaint, and done with being told.
SAID = frozenset({"apology", "correction"})
KINDS = OF_WHAT_WAS_PAID | FROM_A_BUDGET | THINGS | SAID
OBLIGATIONS = frozenset({"damages", "return_freight"})


class BudgetUnknown(errors.Unknown):
    code = "budget_unknown"
    message = "There is no open budget {value} in {currency}."


class BudgetExhausted(errors.Refused):
    code = "budget_exhausted"
    message = "The budget {value} has {left} left; {asked} is needed. A manager can add to it."


class RemedyMalformed(errors.Malformed):
    code = "remedy_malformed"
    message = "{field}: {value} is not a remedy that can be given ({rule})."


def plan_by_hand(item: Any, order: OrderView | None, *, currency: str, index: int) -> dict[str, Any]:
    """The remedy row of what a person wants to give. Raises RemedyMalformed, BudgetUnknown, AmountMalformed."""
    where = f"remedies[{index}]"
    if item.kind not in KINDS:
        raise RemedyMalformed(item.kind, field=f"{where}.kind", rule="|".join(sorted(KINDS)))
    lines = {line.number: line for line in order.lines} if order else {}
    if item.line and item.line not in lines:
        raise RemedyMalformed(item.line, field=f"{where}.line", rule="line_of_the_order")
    if item.kind in OF_WHAT_WAS_PAID and (order is None or (item.kind != "shipping_refund" and not item.line)):
        raise RemedyMalformed(item.kind, field=f"{where}.line", rule="names_a_line")
    asset = POINT if item.kind == "points" else currency
    minor = _points(item.amount, where) if asset == POINT else Money.parse(item.amount, currency, field=where).minor
    if minor == 0 and item.kind not in THINGS | SAID:
        raise RemedyMalformed(item.amount, field=f"{where}.amount", rule="more_than_zero")
    budget = find_budget(item.budget, purpose=_purpose(item.kind), asset=asset) if item.kind in FROM_A_BUDGET else None
    return {
        "kind": item.kind,
        "line_id": lines[item.line].id if item.line else None,
        "quantity": item.quantity,
        "amount_minor": minor,
        "currency": asset,
        "borne_by": "seller",
        "due_by": None,
        "after": item.after,
        "rule": "by-hand",
        "state": RemedyState.PLANNED,
        "budget_id": budget.id if budget else None,
    }


def _points(text: str, where: str) -> int:
    if not text.isdigit() or len(text) > 12:
        raise RemedyMalformed(text, field=f"{where}.amount", rule="whole_points")
    return int(text)


def _purpose(kind: str) -> str:
    return "obligation" if kind in OBLIGATIONS else "goodwill"


def find_budget(name: str, *, purpose: str, asset: str) -> Budget:
    """The named budget, or the oldest open one of the purpose. Raises BudgetUnknown."""
    found = Budget.objects.filter(asset=asset).order_by("id")
    found = found.filter(name=name) if name else found.filter(purpose=purpose)
    budget = found.first()
    if budget is None:
        raise BudgetUnknown(name or purpose, field="budget", rule="approved_budget", currency=asset)
    return budget


def planned_remedies(decision_id: int) -> list[dict[str, Any]]:
    return db.fetch(
        "select * from cases_remedy where decision_id = %s and state = 'planned' order by seq", [decision_id]
    )


def money_total(remedies: Iterable[Mapping[str, Any]], currency: str) -> Money:
    """What the merchant would pay, in the order's currency: the figure that approval limits look at."""
    return Money(
        sum(
            row["amount_minor"]
            for row in remedies
            if row["currency"] == currency and row["borne_by"] != "customer" and row["kind"] in MONEY_KINDS | {"coupon"}
        ),
        currency,
    )


def promise(case: Case, order: OrderView | None, remedies: list[dict[str, Any]], *, actor: Actor, at: datetime) -> None:
    """Reserve every remedy in the ledger; release those that wait for nothing and leave the job that pays them.

    Raises NotEnoughPaid, BudgetUnknown, BudgetExhausted, ledger.Overdrawn.
    """
    held = released = False
    for remedy in remedies:
        if remedy["borne_by"] == "customer":
            db.send("update cases_remedy set state = 'void' where id = %s", [remedy["id"]])
            continue
        if remedy["kind"] in SAID:
            db.send("update cases_remedy set state = 'paid', released_at = %s where id = %s", [at, remedy["id"]])
            continue
        reserve(case, order, remedy, at=at)
        waits = remedy["after"] == "goods_back" and case.goods_state not in {GoodsState.ACCEPTED, GoodsState.LOST}
        state = RemedyState.PROMISED if waits else RemedyState.RELEASED
        db.send(
            "update cases_remedy set state = %s, released_at = %s, budget_id = %s where id = %s",
            [state, None if waits else at, remedy.get("budget_id"), remedy["id"]],
        )
        held, released = held or waits, released or not waits
    if released:
        release_job(case, actor=actor, at=at)
    elif held:
        case.money_state = MoneyState.HELD


def release_job(case: Case, *, actor: Actor, at: datetime) -> None:
    """Say that remedies may be paid now, and leave the job that makes payouts of them."""
    case.money_state = MoneyState.PROMISED
    history.record(case, "remedies_released", actor=actor.key, at=at)
    jobs.leave("settlement.pay_out", queue="payout", case_id=case.id)


def reserve(case: Case, order: OrderView | None, remedy: dict[str, Any], *, at: datetime) -> None:
    """Post the promise of one remedy."""
    amount = remedy["amount_minor"]
    moves: list[Move] = []
    if remedy["kind"] in OF_WHAT_WAS_PAID and amount and order is not None:
        make_room(case, order, remedy, at=at)
        moves = [_from_value(remedy, order), *_from_payments(case, remedy, order)]
    elif remedy["kind"] in FROM_A_BUDGET and amount:
        moves = [_from_budget(remedy)]
    ledger.enter(
        kind=f"{remedy['kind']}_promised",
        request_key=f"remedy:{remedy['id']}:promised",
        moves=moves,
        at=at,
        order_id=case.order_id,
        cause=case.ref,
    )


def make_room(case: Case, order: OrderView, remedy: Mapping[str, Any], *, at: datetime) -> None:
    """Where the order's terms bring a line more than was paid for it, enter that first."""
    if remedy["kind"] != "shipping_refund" and "terms" in order.attributes:
        ledger.enter(
            kind="value_reallocated",
            request_key=f"remedy:{remedy['id']}:reallocated",
            moves=reallocating.make_room(order, remedy["line_id"], remedy["amount_minor"]),
            at=at,
            order_id=order.id,
            cause=case.ref,
        )


def _from_value(remedy: Mapping[str, Any], order: OrderView) -> Move:
    if remedy["kind"] == "shipping_refund":
        return Move(Book.SHIPPING, order.id, Value.LEFT, Value.PROMISED, order.currency, remedy["amount_minor"])
    return Move(Book.VALUE, remedy["line_id"], Value.LEFT, Value.PROMISED, order.currency, remedy["amount_minor"])


def _from_payments(case: Case, remedy: Mapping[str, Any], order: OrderView) -> list[Move]:
    """Share a refund over the order's payments and write the shares down. Raises NotEnoughPaid."""
    held = balances.balances(Book.MONEY, [payment.id for payment in order.payments])
    left = [PaymentLeft(payment.id, held[payment.id].get(MoneyAccount.AVAILABLE, 0)) for payment in order.payments]
    shares = share_over_payments(remedy["amount_minor"], left)
    to_method = case.details.get("method", "") if case.details.get("refund_to_method") else ""
    db.send_rows(
        "cases_remedyshare",
        [
            {"remedy_id": remedy["id"], "payment_id": payment_id, "amount_minor": part, "to_method": to_method}
            for payment_id, part in shares.items()
        ],
    )
    return [
        Move(Book.MONEY, payment_id, MoneyAccount.AVAILABLE, MoneyAccount.PROMISED, order.currency, part)
        for payment_id, part in shares.items()
    ]


def _from_budget(remedy: dict[str, Any]) -> Move:
    if remedy["budget_id"] is None:
        budget = find_budget("", purpose=_purpose(remedy["kind"]), asset=remedy["currency"])
        remedy["budget_id"] = budget.id
    left = balances.balances(Book.BUDGET, [remedy["budget_id"]])[remedy["budget_id"]].get(BudgetAccount.AVAILABLE, 0)
    if remedy["amount_minor"] > left:
        raise BudgetExhausted(
            remedy["budget_id"],
            field="budget",
            rule="approved_before_it_is_spent",
            left=left,
            asked=remedy["amount_minor"],
        )
    return Move(
        Book.BUDGET,
        remedy["budget_id"],
        BudgetAccount.AVAILABLE,
        BudgetAccount.PROMISED,
        remedy["currency"],
        remedy["amount_minor"],
    )


def take_back(case: Case, *, why: str, at: datetime) -> None:
    """Void the remedies that still wait for their condition, and free everything reserved for them."""
    waiting = db.fetch("select * from cases_remedy where case_id = %s and state = 'promised' order by seq", [case.id])
    for remedy in waiting:
        shrink(case, remedy, keep=0, of=1, at=at, why=why)
    if waiting:
        db.send("update cases_remedy set state = 'void' where case_id = %s and state = 'promised'", [case.id])
        unmake_good(case, at=at)
    left = db.fetch_one(
        "select count(*) filter (where state = 'released') as released, count(*) filter (where state = 'paid') as paid"
        " from cases_remedy where case_id = %s",
        [case.id],
    )
    if left and not left["released"]:
        case.money_state = MoneyState.PAID if left["paid"] else MoneyState.NONE


def shrink(
    case: Case, remedy: Mapping[str, Any], *, keep: int, of: int, at: datetime, why: str = "goods_rejected"
) -> None:
    """Keep ``keep`` of ``of`` parts of a promise that is not released yet, and free the rest; sums stay exact."""
    kept = allocate(remedy["amount_minor"], [keep, of - keep])[0]
    freed = remedy["amount_minor"] - kept
    shares = db.fetch(
        "select id, payment_id, amount_minor from cases_remedyshare where remedy_id = %s order by id", [remedy["id"]]
    )
    parts = allocate(kept, [share["amount_minor"] for share in shares]) if shares else []
    moves = [_to_source(case, remedy, freed)] if freed and remedy["kind"] in OF_WHAT_WAS_PAID | FROM_A_BUDGET else []
    for share, part in zip(shares, parts, strict=True):
        moves.append(
            Move(
                Book.MONEY,
                share["payment_id"],
                MoneyAccount.PROMISED,
                MoneyAccount.AVAILABLE,
                remedy["currency"],
                share["amount_minor"] - part,
            )
        )
        if part:
            db.send("update cases_remedyshare set amount_minor = %s where id = %s", [part, share["id"]])
        else:
            db.send("delete from cases_remedyshare where id = %s", [share["id"]])
    db.send("update cases_remedy set amount_minor = %s where id = %s", [kept, remedy["id"]])
    ledger.enter(
        kind=f"{remedy['kind']}_{why}",
        request_key=f"remedy:{remedy['id']}:{why}",
        moves=moves,
        at=at,
        order_id=case.order_id,
        cause=case.ref,
    )


def _to_source(case: Case, remedy: Mapping[str, Any], amount: int) -> Move:
    """The promise of ``amount`` given back to where it was reserved from."""
    if remedy["kind"] == "shipping_refund":
        return Move(Book.SHIPPING, case.order_id or 0, Value.PROMISED, Value.LEFT, remedy["currency"], amount)
    if remedy["kind"] in OF_WHAT_WAS_PAID:
        return Move(Book.VALUE, remedy["line_id"], Value.PROMISED, Value.LEFT, remedy["currency"], amount)
    return Move(
        Book.BUDGET,
        remedy["budget_id"],
        BudgetAccount.PROMISED,
        BudgetAccount.AVAILABLE,
        remedy["currency"],
        amount,
    )


def unmake_good(case: Case, *, at: datetime, units: Mapping[int, int] | None = None) -> None:
    """Units whose remedy was taken back may be asked for again: those given by line id, else all of the case."""
    rows = db.fetch(
        "select id, line_id, made_good from cases_caseline where case_id = %s and made_good > 0 order by id", [case.id]
    )
    left = dict(units) if units is not None else None
    freed: dict[int, int] = {}
    for row in rows:
        take = row["made_good"] if left is None else min(row["made_good"], left.get(row["line_id"], 0))
        if left is not None:
            left[row["line_id"]] = left.get(row["line_id"], 0) - take
        db.send("update cases_caseline set made_good = made_good - %s where id = %s", [take, row["id"]])
        freed[row["line_id"]] = freed.get(row["line_id"], 0) + take
    moving.shift_claims(case, freed.items(), source=Claims.MADE_GOOD, target=Claims.OPEN, why="made_open", at=at)


def settle_units(case: Case, remedies: Iterable[Mapping[str, Any]], *, source: Claims, at: datetime) -> None:
    """Say for each asked unit whether it is made good now, or may be asked for again.

    A unit is made good by another thing in its place, by going back, or by a refund of all that is left for it.
    """
    lines = moving.case_lines(case)
    units = moving.units_in(lines)
    held = balances.balances_of({Book.VALUE: units, Book.CLAIMS: units})
    value, claims = held[Book.VALUE], held[Book.CLAIMS]
    good: dict[int, int] = {}
    for remedy in remedies:
        line_id = remedy["line_id"]
        if line_id not in units or remedy["borne_by"] == "customer":
            continue
        asked = min(remedy["quantity"] or units[line_id], units[line_id])
        # Value was reserved before: what was left for these units is what is left plus this promise.
        left = value[line_id].get(Value.LEFT, 0) + remedy["amount_minor"]
        owned = claims[line_id].get(Claims.OPEN, 0) + claims[line_id].get(Claims.ASKED, 0)
        whole = remedy["kind"] == "refund" and remedy["amount_minor"] * max(owned, 1) >= left * asked
        goes_back = case.kind in {Kind.CANCELLATION, Kind.REFUSAL, Kind.RETURN, Kind.EXCHANGE}
        if remedy["kind"] in THINGS or goes_back or whole:
            good[line_id] = max(good.get(line_id, 0), asked)
    made = [(line_id, n) for line_id, n in good.items() if n]
    moving.shift_claims(case, made, source=source, target=Claims.MADE_GOOD, why="made_good", at=at)
    for line_id, n in made:
        _note_made_good([row for row in lines if row["line_id"] == line_id], n)
    if source == Claims.ASKED:
        rest = [(line_id, asked - good.get(line_id, 0)) for line_id, asked in units.items()]
        moving.shift_claims(
            case,
            [(line_id, n) for line_id, n in rest if n > 0],
            source=Claims.ASKED,
            target=Claims.OPEN,
            why="not_granted",
            at=at,
        )


def _note_made_good(rows: Iterable[Mapping[str, Any]], units: int) -> None:
    """Spread the count over the case's rows of one line, first rows first."""
    for row in rows:
        take = min(units, row["quantity"])
        db.send("update cases_caseline set made_good = %s where id = %s", [take, row["id"]])
        units -= take
