"""What a request asks for: units of lines of one order, no more than are left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from makegood.cases.states import KINDS_WITHOUT_ORDER, Kind
from makegood.kit import db, errors
from makegood.ledger import queries as balances
from makegood.ledger.states import Book, Claims
from makegood.orders.queries import LineView, OrderView


class LineUnknown(errors.Malformed):
    code = "line_unknown"
    message = "{field}: the order has no line {value}."


class QuantityTooLarge(errors.Refused):
    code = "quantity_too_large"
    message = "{field}: {value} units are asked, {left} are left on line {line}."


class QuantityMalformed(errors.Malformed):
    code = "quantity_malformed"
    message = "{field}: {value} is not a number of units ({rule})."


class LinesMissing(errors.Malformed):
    code = "lines_missing"
    message = "{field}: name the lines and units this is about."


@dataclass(frozen=True, slots=True)
class Asked:
    """Units of a line asked for; ``wanted_sku`` where another item is wanted instead."""

    line: str  # number of the order line
    quantity: int
    wanted_sku: str = ""


def check_lines(order: OrderView, kind: str, asked: Sequence[Asked]) -> list[tuple[LineView, Asked]]:
    """The lines named, each with what is asked of it; the same wish named twice adds up.

    Raises LineUnknown, QuantityMalformed, LinesMissing.
    """
    by_number = {line.number: line for line in order.lines}
    found: dict[tuple[str, str], tuple[LineView, Asked]] = {}
    for i, item in enumerate(asked):
        if item.line not in by_number:
            raise LineUnknown(item.line, field=f"lines[{i}].line", rule="line_of_the_order")
        if item.quantity < 1 or item.quantity > 10**9:
            raise QuantityMalformed(item.quantity, field=f"lines[{i}].quantity", rule="between_1_and_what_is_left")
        wish = (item.line, item.wanted_sku)
        units = item.quantity + (found[wish][1].quantity if wish in found else 0)
        found[wish] = (by_number[item.line], Asked(item.line, units, item.wanted_sku))
    if not found and kind not in KINDS_WITHOUT_ORDER | {Kind.CHANGE, Kind.CLAIM}:
        raise LinesMissing(field="lines", rule="at_least_one_line")
    return list(found.values())


def check_left(units: Mapping[int, int]) -> None:
    """Raises QuantityTooLarge where more units of a line are asked than may still be asked for."""
    left = balances.balances(Book.CLAIMS, units)
    for line_id, asked in units.items():
        still = left[line_id].get(Claims.OPEN, 0)
        if asked > still:
            row = db.fetch_one("select number from orders_line where id = %s", [line_id])
            raise QuantityTooLarge(
                asked,
                field="lines.quantity",
                rule="at_most_what_is_left",
                left=still,
                line=row["number"] if row else "",
            )
