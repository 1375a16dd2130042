"""The books of an order: opened at the first after-sales request, then moved by cases and parcels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from makegood.customers import queries as customers
from makegood.kit import db
from makegood.kit.money import allocate
from makegood.ledger import commands as ledger
from makegood.ledger import queries as balances
from makegood.ledger.commands import Move
from makegood.ledger.states import POINT, UNIT, Book, Claims, Credit, Goods, MoneyAccount, Value
from makegood.orders.queries import OrderView, goods_position, paid_shares


def open_books(order: OrderView, *, at: datetime) -> None:
    """Enter what was sold, paid and sent, and what had come back before we were told. Happens once an order.

    The order's row must be locked by the caller.
    """
    db.require_transaction()
    if are_open(order.id):
        return
    moves = [*_goods(order), *_value(order), *_money(order), *_points(order)]
    ledger.enter(
        kind="order_opened",
        request_key=_key(order.id),
        moves=moves,
        at=at,
        order_id=order.id,
        cause=f"order:{order.number}",
    )
    methods = customers.methods_of(order.customer.id)
    open_credit([(method.id, method.opening_minor, method.currency) for method in methods], at=at)


def are_open(order_id: int) -> bool:
    """Whether after-sales of this order has begun."""
    return balances.is_posted(_key(order_id))


def _key(order_id: int) -> str:
    return f"open:{order_id}"


# Where the order says its units are, as accounts of the goods book.
_PLACES = {
    "to_ship": Goods.TO_SHIP,
    "in_transit": Goods.IN_TRANSIT,
    "refused": Goods.REFUSED,
    "delivered": Goods.DELIVERED,
    "returned": Goods.RESTOCKED,
    "lost": Goods.LOST,
    "cancelled": Goods.CANCELLED,
}


def _goods(order: OrderView) -> Iterable[Move]:
    """Units by where they are; those the source says were returned or cancelled are made good already."""
    positions = goods_position(order)
    for line in order.lines:
        place = positions[line.id]
        for name, account in _PLACES.items():
            yield Move(Book.GOODS, line.id, Goods.SOLD, account, UNIT, getattr(place, name))
        gone = line.returned_before + line.cancelled_before
        if order.state != "open":
            gone = line.quantity
        yield Move(Book.CLAIMS, line.id, Claims.SOLD, Claims.MADE_GOOD, UNIT, gone)
        yield Move(Book.CLAIMS, line.id, Claims.SOLD, Claims.OPEN, UNIT, line.quantity - gone)


def _value(order: OrderView) -> Iterable[Move]:
    """What was paid for each line; what had gone back before is taken off where it can be placed."""
    shares = paid_shares(order)
    before = sum(payment.refunded_before_minor for payment in order.payments)
    line_ids = list(shares)
    room = [shares[line_id] for line_id in line_ids] + [order.shipping_minor]
    gone = allocate(min(before, sum(room)), room) if sum(room) else [0] * len(room)
    for line_id, given in zip(line_ids, gone, strict=False):
        yield Move(Book.VALUE, line_id, Value.PAID, Value.LEFT, order.currency, shares[line_id] - given)
        yield Move(Book.VALUE, line_id, Value.PAID, Value.GIVEN, order.currency, given)
    yield Move(Book.SHIPPING, order.id, Value.PAID, Value.LEFT, order.currency, order.shipping_minor - gone[-1])
    yield Move(Book.SHIPPING, order.id, Value.PAID, Value.GIVEN, order.currency, gone[-1])


def _money(order: OrderView) -> Iterable[Move]:
    for payment in order.payments:
        left = payment.captured_minor - payment.refunded_before_minor
        yield Move(Book.MONEY, payment.id, MoneyAccount.CAPTURED, MoneyAccount.AVAILABLE, order.currency, left)
        yield Move(
            Book.MONEY,
            payment.id,
            MoneyAccount.CAPTURED,
            MoneyAccount.REFUNDED,
            order.currency,
            payment.refunded_before_minor,
        )


def _points(order: OrderView) -> Iterable[Move]:
    earned = int(order.attributes.get("points_earned", 0))
    yield Move(Book.POINTS, order.customer.id, Credit.ISSUED, Credit.BALANCE, POINT, earned)


def open_credit(methods: Iterable[tuple[int, int, str]], *, at: datetime) -> None:
    """Enter the opening balance of gift cards and store credit: (method id, minor units, currency). Once each."""
    for method_id, opening_minor, currency in methods:
        if opening_minor:
            ledger.enter(
                kind="credit_opened",
                request_key=f"open-credit:{method_id}",
                moves=[Move(Book.CREDIT, method_id, Credit.ISSUED, Credit.BALANCE, currency, opening_minor)],
                at=at,
                cause=f"method:{method_id}",
            )


@dataclass(frozen=True, slots=True)
class Taken:
    """Units taken from accounts for one line; ``short`` is how many could not be found."""

    moves: tuple[Move, ...]
    short: int


def take_units(line_id: int, quantity: int, *, sources: Sequence[str], target: str, held: Mapping[str, int]) -> Taken:
    """Moves of up to ``quantity`` units of a line into ``target``, emptying ``sources`` in their order. Pure."""
    moves = []
    left = quantity
    for source in sources:
        units = min(left, held.get(source, 0)) if source != target else 0
        if units:
            moves.append(Move(Book.GOODS, line_id, source, target, UNIT, units))
            left -= units
    return Taken(tuple(moves), left)


def move_goods(
    wanted: Iterable[tuple[int, int]],
    *,
    sources: Sequence[str],
    target: str,
    kind: str,
    request_key: str,
    order_id: int,
    cause: str,
    at: datetime,
    held: Mapping[int, Mapping[str, int]] | None = None,
) -> int:
    """Move (line id, units) from the first source accounts that hold them; how many units could not be found.

    ``held``: balances of the goods book, where the caller has just read them.
    """
    wanted = list(wanted)
    held = balances.balances(Book.GOODS, [line_id for line_id, _ in wanted]) if held is None else held
    moves: list[Move] = []
    short = 0
    for line_id, quantity in wanted:
        taken = take_units(line_id, quantity, sources=sources, target=target, held=held[line_id])
        moves += taken.moves
        short += taken.short
    ledger.enter(kind=kind, request_key=request_key, moves=moves, at=at, order_id=order_id, cause=cause)
    return short


def opening_units(order: OrderView, book: Book) -> dict[int, dict[str, int]]:
    """Units of the book by line id and account as ``open_books`` would enter them."""
    found: dict[int, dict[str, int]] = {line.id: {} for line in order.lines}
    for move in _goods(order):
        if move.book == book and move.amount:
            found[move.subject_id][move.target] = found[move.subject_id].get(move.target, 0) + move.amount
    return found
