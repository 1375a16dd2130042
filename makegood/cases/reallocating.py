"""What a part return gives back where the order was sold on terms: the merchant's setting ``reallocation``.

The terms are kept with the order, ``attributes["terms"]``, frozen at the sale; amounts in minor units of its currency:

* ``discount_minor``: taken off the whole order because its goods came to at least ``threshold_minor``;
* ``threshold_minor``: 0 where the discount had no condition;
* ``shipping_waived_minor``: freight that was free because the goods came to at least ``shipping_threshold_minor``.

List prices come from the lines. Terms that do not explain what was paid are not used: nothing is invented.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from makegood.accounts import queries as accounts
from makegood.cases.allocation import Terms, refund_on_part_return
from makegood.cases.models import Case
from makegood.cases.states import Kind
from makegood.kit import db
from makegood.kit.money import Money, allocate
from makegood.ledger import queries as balances
from makegood.ledger.commands import Move
from makegood.ledger.states import Book, Claims, Value
from makegood.orders import rules as order_rules
from makegood.orders.queries import LineView, OrderView, paid_shares
from makegood.policy.reasons import find_reason

GIVING_BACK = frozenset({Kind.CANCELLATION, Kind.REFUSAL, Kind.RETURN})
_KEYS = ("discount_minor", "threshold_minor", "shipping_waived_minor", "shipping_threshold_minor")


def terms_of(order: OrderView) -> Terms | None:
    """The terms the order was sold on; None where it has none, or none that explain what was paid."""
    given = order.attributes.get("terms")
    if not isinstance(given, Mapping):
        return None
    figures = {key: given.get(key, 0) for key in _KEYS}
    if any(not isinstance(value, int) or value < 0 for value in figures.values()):
        return None
    paid = sum(paid_shares(order).values())
    for prices in (_before_order_discount(order), _by_unit_price(order)):
        if prices and sum(prices.values()) - figures["discount_minor"] == paid:
            return Terms(prices, **figures, units={line.number: line.quantity for line in order.lines})
    return None


def _before_order_discount(order: OrderView) -> dict[str, int]:
    gross = {
        line.number: order_rules.LineFigures(
            line.quantity, line.paid_minor, line.unit_minor, line.discount_minor
        ).gross()
        for line in order.lines
    }
    return {number: price for number, price in gross.items() if price is not None} if None not in gross.values() else {}


def _by_unit_price(order: OrderView) -> dict[str, int]:
    """Where the source shared the order's discount among the lines, only the unit price tells the list price."""
    if any(line.unit_minor is None for line in order.lines):
        return {}
    return {line.number: (line.unit_minor or 0) * line.quantity for line in order.lines}


def price_paid(case: Case, order: OrderView) -> dict[str, int]:
    """What comes back for the asked units, in minor units by line number; empty where the usual share does.

    Only where the customer gives goods back for reasons of their own; the whole is ``refund_on_part_return`` to the
    cent, shared among the asked lines by list price.
    """
    terms = terms_of(order)
    if terms is None or case.kind not in GIVING_BACK or not _own_choice(case):
        return {}
    asked, before = _asked_units(case), _given_back(case, order)
    returning, returned = {}, {}
    for line in order.lines:
        gone = min(before.get(line.id, 0), line.quantity)
        units = min(asked.get(line.id, 0), line.quantity - gone)
        returned[line.number] = _list_price(terms, line, 0, gone)
        if line.id in asked:
            returning[line.number] = _list_price(terms, line, gone, units)
    policy = accounts.settings_of_merchant().reallocation
    whole = refund_on_part_return(terms, returned_before=returned, returning=returning, policy=policy)
    weights = list(returning.values())
    parts = allocate(whole, weights) if any(weights) else [0] * len(weights)
    return dict(zip(returning, parts, strict=True))


def _own_choice(case: Case) -> bool:
    """Whether the customer's own reasons brought the goods back: as found, else as the reason itself says."""
    found = db.fetch(
        "select value from cases_finding where case_id = %s and fact = 'findings.fault' order by id desc limit 1",
        [case.id],
    )
    if found:
        return bool(db.read_json(found[0]["value"]) == "customer")
    return find_reason(case.kind, case.reason, claimant=case.claimant).fault == "customer"


def _asked_units(case: Case) -> dict[int, int]:
    rows = db.fetch(
        "select line_id, sum(quantity)::bigint as units from cases_caseline where case_id = %s group by line_id",
        [case.id],
    )
    return {row["line_id"]: row["units"] for row in rows}


def _given_back(case: Case, order: OrderView) -> dict[int, int]:
    """Units the customer no longer has, by line id: given back before we were told, or by other cases.

    A unit refunded whole on a claim counts; one that was replaced does not: its likeness stays with the customer.
    """
    rows = db.fetch(
        """
        select cl.line_id, sum(cl.made_good)::bigint as units
          from cases_caseline cl join cases_case c on c.id = cl.case_id
         where c.order_id = %s and c.id <> %s
           and (c.kind in ('cancellation', 'refusal', 'return')
                or exists (select 1 from cases_remedy r where r.case_id = c.id and r.line_id = cl.line_id
                              and r.kind = 'refund' and r.state in ('promised', 'released', 'paid')))
         group by cl.line_id
        """,
        [order.id, case.id],
    )
    units = {line.id: line.returned_before + line.cancelled_before for line in order.lines}
    for row in rows:
        units[row["line_id"]] = units.get(row["line_id"], 0) + row["units"]
    return units


def _list_price(terms: Terms, line: LineView, first: int, count: int) -> int:
    return order_rules.amount_of_units(terms.goods_minor[line.number], line.quantity, first=first, count=count)


def state_prices(case: Case, order: OrderView, lines: Sequence[dict[str, Any]]) -> None:
    """Write ``price_paid`` into the facts of the asked lines.

    Re-evaluating one line may leave more for another than was paid for that one: then ``paid`` says so too, and the
    share of the freight stays what it was.
    """
    prices = price_paid(case, order)
    if not prices:
        return
    by_number = {line.number: line for line in order.lines}
    weights = list(paid_shares(order).values())
    freight = allocate(order.shipping_minor, weights) if any(weights) else [0] * len(weights)
    of_line = dict(zip([line.number for line in order.lines], freight, strict=True))
    asked = _asked_units(case)
    for facts in lines:
        number = facts["id"]
        if number not in prices or "paid" not in facts:
            continue
        line = by_number[number]
        facts["price_paid"] = Money(prices[number], order.currency).amount()
        least = prices[number] + Money.parse(facts["refunded_before"], order.currency).minor
        if Money.parse(facts["paid"], order.currency).minor < least:
            facts["paid"] = Money(least, order.currency).amount()
        gone = min(facts["units_given_back"], line.quantity)
        count = min(asked[line.id], line.quantity - gone)
        share = order_rules.amount_of_units(of_line[number], line.quantity, first=gone, count=count)
        facts["shipping_share"] = Money(share, order.currency).amount()


def is_current(case: Case, order: OrderView, stated: str) -> bool:
    """Whether the prices of a decision's facts still hold: another return of the order may have come between."""
    lines = json.loads(stated).get("order", {}).get("lines", [])
    told = {line["id"]: line["price_paid"] for line in lines if "price_paid" in line}
    return told == {number: Money(minor, order.currency).amount() for number, minor in price_paid(case, order).items()}


def make_room(order: OrderView, line_id: int, amount: int) -> list[Move]:
    """Moves that let a refund of ``amount`` come out of a line of which less is left than it now brings.

    What the order was sold for stays; its distribution over the lines follows the terms. Lines of which nothing is
    kept give first.
    """
    ids = [line.id for line in order.lines]
    left = {one: held.get(Value.LEFT, 0) for one, held in balances.balances(Book.VALUE, ids).items()}
    short = amount - left.get(line_id, 0)
    if short <= 0 or terms_of(order) is None:
        return []
    claims = balances.balances(Book.CLAIMS, ids)
    kept = {one: claims[one].get(Claims.OPEN, 0) + claims[one].get(Claims.ASKED, 0) for one in ids}
    moves = []
    for donor in sorted(
        (one for one in ids if one != line_id), key=lambda one: (kept[one] > 0, -left.get(one, 0), one)
    ):
        part = min(short, left.get(donor, 0))
        if part > 0:
            moves += [
                Move(Book.VALUE, donor, Value.LEFT, Value.PAID, order.currency, part),
                Move(Book.VALUE, line_id, Value.PAID, Value.LEFT, order.currency, part),
            ]
            short -= part
    return moves
