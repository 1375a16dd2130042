"""Chargebacks: what the card network took of a payment, where it came from, and how it ended.

What was taken counts against the same cap as refunds (I2): first what was free, then what was promised and not yet
sent, whose payouts a person then holds. What goes beyond had been paid out already: it stands in ``beyond`` against
``~loss``, never in ``charged_back``, so that the cap holds and the loss is seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog

from makegood.accounts.actors import Actor
from makegood.cases import books, history
from makegood.kit import db
from makegood.kit.money import Money
from makegood.ledger import commands as ledger
from makegood.ledger import queries as balances
from makegood.ledger.commands import Move
from makegood.ledger.states import Book, MoneyAccount, Value
from makegood.orders import queries as orders
from makegood.settlement.commands import intending, rows, settling
from makegood.settlement.commands.rows import Row
from makegood.settlement.models import Dispute
from makegood.settlement.states import DisputeState, NoticeTrouble, PayoutState, Trouble

log = structlog.get_logger()
BANK = Actor("gateway", label="dispute")


@dataclass(frozen=True, slots=True)
class Told:
    """What a gateway said about a dispute."""

    gateway: str
    reference: str
    payment_names: tuple[str, ...]
    amount: Money
    at: datetime


def payment_named(gateway: str, names: tuple[str, ...]) -> Row | None:
    """The payment that the gateway knows by one of these names, with its order locked; None: not known here."""
    db.require_transaction()
    found = db.fetch_one(
        "select p.id, p.order_id, o.currency from orders_payment p join orders_order o on o.id = p.order_id"
        " where p.gateway = %s and p.gateway_reference = any(%s) order by p.id limit 1",
        [gateway, [name for name in names if name]],
    )
    if found is not None:
        db.send("select 1 from orders_order where id = %s for update", [found["order_id"]])
    return found


def open_dispute(told: Told, *, at: datetime) -> str:
    """Book a chargeback, once; a word of NoticeTrouble where a person must look, else empty."""
    payment = payment_named(told.gateway, told.payment_names)
    if payment is None:
        return NoticeTrouble.UNKNOWN_PAYMENT
    if payment["currency"] != told.amount.currency:
        return NoticeTrouble.UNCLEAR
    dispute, made = Dispute.objects.get_or_create(
        gateway=told.gateway,
        reference=told.reference,
        defaults={
            "payment_id": payment["id"],
            "amount_minor": told.amount.minor,
            "currency": told.amount.currency,
            "state": DisputeState.OPENED,
            "opened_at": told.at,
        },
    )
    if not made:
        return ""  # told again, or its end was told first
    books.open_books(orders.order_view(payment["order_id"]), at=at)  # the first that happens to many an order
    taken = _take(payment, told.amount.minor, at=at)
    Dispute.objects.filter(id=dispute.id).update(taken=taken)
    _post(dispute, payment, taken, kind="charged_back", back=False, at=at)
    if taken["beyond"]:
        log.error("charged_back_beyond_what_was_left", dispute=told.reference, minor=taken["beyond"])
        return NoticeTrouble.LOSS
    return ""


def end_dispute(told: Told, *, won: bool, at: datetime) -> str:
    """The chargeback ended: won money returns to where it was taken from; lost money stays away."""
    payment = payment_named(told.gateway, told.payment_names)
    if payment is None:
        return NoticeTrouble.UNKNOWN_PAYMENT
    state = DisputeState.WON if won else DisputeState.LOST
    dispute = Dispute.objects.filter(gateway=told.gateway, reference=told.reference).first()
    if dispute is None:
        if not won:
            trouble = open_dispute(told, at=at)
            Dispute.objects.filter(gateway=told.gateway, reference=told.reference).update(state=state, ended_at=told.at)
            return trouble
        Dispute.objects.create(
            gateway=told.gateway,
            reference=told.reference,
            payment_id=payment["id"],
            amount_minor=told.amount.minor,
            currency=told.amount.currency,
            state=state,
            opened_at=told.at,
            ended_at=told.at,
        )
        return ""
    if dispute.state != DisputeState.OPENED:
        return "" if dispute.state == state else NoticeTrouble.UNCLEAR
    Dispute.objects.filter(id=dispute.id).update(state=state, ended_at=told.at)
    if won:
        _post(dispute, payment, dispute.taken, kind="charge_back_won", back=True, at=at)
        _let_go(dispute.taken, at=at)
    return ""


def _take(payment: Row, amount: int, *, at: datetime) -> dict[str, Any]:
    """Where the amount is taken from; payouts it is taken from are held."""
    for found in db.fetch(
        "select distinct r.case_id from cases_remedy r join cases_remedyshare s on s.remedy_id = r.id"
        " where s.payment_id = %s and r.state = 'released' order by r.case_id",
        [payment["id"]],
    ):
        # So that what is released and has no payout yet has one that can be held.
        intending.intend_for(history.lock_case_by_id(found["case_id"]), at=at)
    held = balances.balances(Book.MONEY, [payment["id"]])[payment["id"]]
    available = min(amount, held.get(MoneyAccount.AVAILABLE, 0))
    left = amount - available
    payouts: dict[str, int] = {}
    for row in _unsent(payment["id"]):
        case = history.lock_case_by_id(row["case_id"])
        if settling.hand_over(case, row, why=Trouble.DISPUTED, actor=BANK, at=at, sources=[PayoutState.INTENDED]):
            part = min(left, row["amount_minor"])
            left -= part
            payouts[str(row["id"])] = part
    return {"available": available, "payouts": payouts, "beyond": left}


def _unsent(payment_id: int) -> list[Row]:
    found = db.fetch(
        "select p.id from settlement_payout p join cases_remedyshare s on s.id = p.share_id"
        " where s.payment_id = %s and p.state = 'intended' order by p.case_id, p.id",
        [payment_id],
    )
    return [rows.payout_row(row["id"]) for row in found]


def _post(dispute: Dispute, payment: Row, taken: Mapping[str, Any], *, kind: str, back: bool, at: datetime) -> None:
    promised = sum(taken["payouts"].values())
    sides = [
        (MoneyAccount.AVAILABLE, MoneyAccount.CHARGED_BACK, taken["available"]),
        (MoneyAccount.PROMISED, MoneyAccount.CHARGED_BACK, promised),
        (MoneyAccount.LOSS, MoneyAccount.BEYOND, taken["beyond"]),
    ]
    moves = [Move(Book.MONEY, payment["id"], source, target, dispute.currency, n) for source, target, n in sides]
    ledger.enter(
        kind=kind,
        request_key=f"dispute:{dispute.id}:{kind}",
        moves=[move.reversed() for move in moves] if back else moves,
        at=at,
        order_id=payment["order_id"],
        cause=f"dispute:{dispute.reference}"[:80],
    )


def _let_go(taken: Mapping[str, Any], *, at: datetime) -> None:
    """Payouts that only the dispute held go on."""
    for payout_id in taken["payouts"]:
        row = rows.payout_row(int(payout_id))
        case = history.lock_case_by_id(row["case_id"])
        if row["trouble"] == Trouble.DISPUTED and rows.move(
            row["id"], sources=[PayoutState.PERSON], to=PayoutState.INTENDED, trouble="", next_try_at=at
        ):
            rows.note(row["id"], "dispute_won", actor=BANK.key, at=at)
            settling.tell_case(case, row["remedy_id"], actor=BANK, at=at)


def taken_from(payout_id: int) -> int:
    """Minor units of a payout's promise that an open or lost dispute took."""
    found = db.fetch_one(
        "select coalesce(sum((taken -> 'payouts' ->> %s)::bigint), 0)::bigint as minor from settlement_dispute"
        " where state in ('opened', 'lost') and taken -> 'payouts' ? %s",
        [str(payout_id), str(payout_id)],
    )
    return int(found["minor"]) if found else 0


def held_by_dispute(payout_id: int) -> bool:
    """Whether a dispute holds the payout: it is not to be paid another way while part of its promise is gone."""
    return taken_from(payout_id) > 0


def moves_of_giving_up(row: Row, taken: int) -> list[Move]:
    """The promise freed. What a dispute took was given to the customer by the bank: it counts as given."""
    rest = rows.promise_of(row, amount=row["amount_minor"] - taken).given_up()
    if not taken:
        return rest
    book, subject = (
        (Book.SHIPPING, row["order_id"]) if row["kind"] == "shipping_refund" else (Book.VALUE, row["line_id"])
    )
    return [*rest, Move(book, subject, Value.PROMISED, Value.GIVEN, row["currency"], taken)]
