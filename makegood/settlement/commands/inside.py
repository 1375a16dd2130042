"""Payouts that are entries of our own ledger: store credit, coupons, points. One transaction, no network."""

from __future__ import annotations

from datetime import datetime

from makegood.accounts.actors import Actor
from makegood.cases.models import Case
from makegood.customers.models import SavedMethod
from makegood.kit import db, refs
from makegood.ledger import queries as balances
from makegood.ledger.commands import Move
from makegood.ledger.states import POINT, Book, Credit, MoneyAccount
from makegood.settlement import postings
from makegood.settlement.commands import settling
from makegood.settlement.commands.rows import Row
from makegood.settlement.models import Coupon
from makegood.settlement.rules import share_of_points
from makegood.settlement.states import PayoutState, Trouble

CREDIT_KINDS = frozenset({"gift_card", "store_credit"})


def execute(case: Case, row: Row, *, actor: Actor, at: datetime) -> None:
    """Give it now, in the caller's transaction; what cannot be given goes to a person."""
    besides = _moves(row, at=at)
    if besides is None:
        settling.hand_over(case, row, why=Trouble.RATE_MISSING, actor=actor, at=at, sources=[PayoutState.INTENDED])
        return
    settling.confirm(
        case,
        row,
        reference=f"{row['gateway']}:{row['ref']}",
        actor=actor,
        at=at,
        sources=[PayoutState.INTENDED],
        besides=besides,
    )


def _moves(row: Row, *, at: datetime) -> list[Move] | None:
    amount, currency, customer_id = row["amount_minor"], row["currency"], row["customer_id"]
    if row["gateway"] == "store_credit":
        method_id = credit_method(customer_id, row["to_method"], currency)
        return postings.credit_moves(method_id, currency, amount)
    if row["gateway"] == "coupon":
        coupon = Coupon.objects.create(
            customer_id=customer_id,
            code=refs.new_ref("G", length=10),
            amount_minor=amount,
            currency=currency,
            issued_at=at,
            payout_id=row["id"],
        )
        return postings.coupon_moves(coupon.id, currency, amount)
    points = amount if currency == POINT else _points_of_payment(row)
    return None if points is None else give_points(customer_id, points)


def give_points(customer_id: int, points: int) -> list[Move]:
    """Moves that give points, paying off what is owed first; the customer's points stay locked until commit."""
    return postings.grant_of_points(customer_id, points, owed=-_points(customer_id).get(Credit.OWED, 0))


def claw_points(customer_id: int, points: int) -> list[Move]:
    """Moves that take points back, as ``give_points``."""
    return postings.claw_of_points(customer_id, points, balance=_points(customer_id).get(Credit.BALANCE, 0))


def _points(customer_id: int) -> dict[str, int]:
    # Two orders of one customer share these balances: whoever reads them to decide, reads alone.
    db.send("select pg_advisory_xact_lock(hashtext('settlement.points'), %s::bigint::integer)", [customer_id % 2**31])
    return dict(balances.balances(Book.POINTS, [customer_id])[customer_id])


def _points_of_payment(row: Row) -> int | None:
    """Points to give back for a payment that was made in points; None where the order does not say how many it took.

    ``attributes["points_spent"]`` of the order, shared by what was refunded of that payment so far, exactly.
    """
    found = db.fetch_one(
        "select p.captured_minor, o.attributes -> 'points_spent' as points from orders_payment p"
        " join orders_order o on o.id = p.order_id where p.id = %s",
        [row["payment_id"]],
    )
    spent = db.read_json(found["points"]) if found else None
    if found is None or not isinstance(spent, int) or isinstance(spent, bool):
        return None
    before = balances.balances(Book.MONEY, [row["payment_id"]])[row["payment_id"]].get(MoneyAccount.REFUNDED, 0)
    after = before + row["amount_minor"]
    return share_of_points(spent, after, found["captured_minor"]) - share_of_points(
        spent, before, found["captured_minor"]
    )


def credit_method(customer_id: int, reference: str, currency: str) -> int:
    """The store credit or gift card to credit: the one named, else the customer's own, opened if need be."""
    if reference:
        named = SavedMethod.objects.filter(
            customer_id=customer_id, reference=reference, kind__in=CREDIT_KINDS, currency__in=["", currency]
        ).first()
        if named is not None:
            return int(named.id)
    method, _ = SavedMethod.objects.get_or_create(
        customer_id=customer_id,
        reference=f"store_credit-{currency}",
        defaults={"kind": "store_credit", "label": "", "currency": currency},
    )
    return int(method.id)
