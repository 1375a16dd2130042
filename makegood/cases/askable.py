"""What may still be asked for on an order: units left of each line, and where they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from makegood.cases import books
from makegood.cases.facts import ALONG, POSITIONS
from makegood.kit import db
from makegood.ledger import queries as balances
from makegood.ledger.states import Book, Claims
from makegood.orders.queries import LineView, OrderView


@dataclass(frozen=True, slots=True)
class AskableLine:
    """A line with its units: ``left`` may be asked for, ``asked`` are in open cases, ``made_good`` are settled.

    ``places`` says how many units are where, in the policy's words: not_shipped, in_transit, with_customer, …
    """

    line: LineView
    left: int
    asked: int
    made_good: int
    places: Mapping[str, int]


@db.query
def askable_lines(order: OrderView) -> tuple[AskableLine, ...]:
    """Every line of the order. Before the first request the books are closed; then the order itself tells."""
    ids = [line.id for line in order.lines]
    claims, goods = balances.balances(Book.CLAIMS, ids), balances.balances(Book.GOODS, ids)
    if not claims:
        claims, goods = books.opening_units(order, Book.CLAIMS), books.opening_units(order, Book.GOODS)
    return tuple(
        AskableLine(
            line,
            left=claims.get(line.id, {}).get(Claims.OPEN, 0),
            asked=claims.get(line.id, {}).get(Claims.ASKED, 0),
            made_good=claims.get(line.id, {}).get(Claims.MADE_GOOD, 0),
            places=_places(goods.get(line.id, {})),
        )
        for line in order.lines
    )


def _places(accounts: Mapping[str, int]) -> dict[str, int]:
    places: dict[str, int] = {}
    for account, units in accounts.items():
        if units > 0 and account in POSITIONS:
            place = POSITIONS[account]
            places[place] = places.get(place, 0) + units
    return {place: places[place] for place in ALONG if place in places}
