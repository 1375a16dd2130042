"""Which ledger moves a payout makes when it is paid, taken back or given up."""

from __future__ import annotations

from dataclasses import dataclass

from makegood.cases.commands.promising import FROM_A_BUDGET, OF_WHAT_WAS_PAID
from makegood.ledger.commands import Move
from makegood.ledger.states import POINT, Book, Coupon, Credit, MoneyAccount, Value
from makegood.ledger.states import Budget as BudgetAccount


@dataclass(frozen=True, slots=True)
class Promise:
    """What was reserved for a payout: the remedy's kind and the subjects of its books; ``amount`` in ``asset``."""

    kind: str
    amount: int
    asset: str
    order_id: int | None
    line_id: int | None
    payment_id: int | None
    budget_id: int | None

    def between(self, value: tuple[str, str], money: tuple[str, str], budget: tuple[str, str]) -> list[Move]:
        """Moves between the named accounts of the books this kind of remedy uses; none for things."""
        if not self.amount:
            return []
        if self.kind in FROM_A_BUDGET:
            return [Move(Book.BUDGET, self.budget_id or 0, *budget, self.asset, self.amount)]
        if self.kind not in OF_WHAT_WAS_PAID:
            return []
        moves = [Move(Book.MONEY, self.payment_id or 0, *money, self.asset, self.amount)]
        if self.kind == "shipping_refund":
            moves.append(Move(Book.SHIPPING, self.order_id or 0, *value, self.asset, self.amount))
        elif self.line_id is not None:
            moves.append(Move(Book.VALUE, self.line_id, *value, self.asset, self.amount))
        # A refund without a line gives back what a changed order no longer costs: the value of its lines was
        # moved when they were changed.
        return moves

    def paid(self) -> list[Move]:
        """Promised becomes given."""
        return self.between(
            (Value.PROMISED, Value.GIVEN),
            (MoneyAccount.PROMISED, MoneyAccount.REFUNDED),
            (BudgetAccount.PROMISED, BudgetAccount.SPENT),
        )

    def taken_back(self) -> list[Move]:
        """Given becomes promised again."""
        return [move.reversed() for move in self.paid()]

    def given_up(self) -> list[Move]:
        """The promise returns to where it was reserved from."""
        return self.between(
            (Value.PROMISED, Value.LEFT),
            (MoneyAccount.PROMISED, MoneyAccount.AVAILABLE),
            (BudgetAccount.PROMISED, BudgetAccount.AVAILABLE),
        )


def credit_moves(method_id: int, currency: str, amount: int) -> list[Move]:
    return [Move(Book.CREDIT, method_id, Credit.ISSUED, Credit.BALANCE, currency, amount)]


def coupon_moves(coupon_id: int, currency: str, amount: int) -> list[Move]:
    return [Move(Book.COUPON, coupon_id, Coupon.ISSUED, Coupon.LIVE, currency, amount)]


def grant_of_points(customer_id: int, points: int, *, owed: int) -> list[Move]:
    """Points given: what is owed is settled first."""
    settled = min(points, owed)
    return _some(
        Move(Book.POINTS, customer_id, Credit.ISSUED, Credit.OWED, POINT, settled),
        Move(Book.POINTS, customer_id, Credit.ISSUED, Credit.BALANCE, POINT, points - settled),
    )


def claw_of_points(customer_id: int, points: int, *, balance: int) -> list[Move]:
    """Points taken back: from the balance first; what was spent already is owed."""
    taken = min(points, balance)
    return _some(
        Move(Book.POINTS, customer_id, Credit.BALANCE, Credit.ISSUED, POINT, taken),
        Move(Book.POINTS, customer_id, Credit.OWED, Credit.ISSUED, POINT, points - taken),
    )


def _some(*moves: Move) -> list[Move]:
    return [move for move in moves if move.amount]
