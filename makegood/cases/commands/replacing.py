"""A replacement that was sent is a line of the order like any other: its units can be asked about in their turn."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from makegood.accounts.actors import Actor
from makegood.cases import facts, history
from makegood.cases.commands import moving
from makegood.cases.models import Case
from makegood.kit import jobs
from makegood.ledger import commands as ledger
from makegood.ledger import queries as balances
from makegood.ledger.commands import Move
from makegood.ledger.states import UNIT, Book, Claims, Goods, Value
from makegood.orders import commands as order_commands
from makegood.orders import queries as orders
from makegood.orders.states import Position


def enter_replacement(case: Case, remedy: Mapping[str, Any], *, parcel: str, actor: Actor, at: datetime) -> None:
    """The units sent become a line of their own, under way in ``parcel``; what is left of the payment stands for them.

    The replaced units were made good before and stay so. The order and the case are locked by the caller. Happens once
    a remedy; a replacement that names no line replaces nothing that could be counted.
    """
    key = f"remedy:{remedy['id']}:replaced"
    if case.order_id is None or remedy["line_id"] is None or balances.is_posted(key):
        return
    order = orders.order_view(case.order_id)
    old = next(line for line in order.lines if line.id == remedy["line_id"])
    units = remedy["quantity"] or moving.units_of(case).get(old.id) or 1
    held = balances.balances_of({Book.VALUE: [old.id], Book.CLAIMS: [old.id]})
    value = min(facts.paid_for(old, units), held[Book.VALUE][old.id].get(Value.LEFT, 0))
    # A case that took no units (a complaint) has not made them good yet.
    open_units = 0 if moving.reserves_units(case.kind, case.reason) else held[Book.CLAIMS][old.id].get(Claims.OPEN, 0)
    new = order_commands.send_again(order.id, old.id, quantity=units, paid_minor=value)
    ledger.enter(
        kind="replacement_sent",
        request_key=key,
        moves=[
            Move(Book.VALUE, old.id, Value.LEFT, Value.GIVEN, order.currency, value),
            Move(Book.VALUE, new.id, Value.PAID, Value.LEFT, order.currency, value),
            Move(Book.GOODS, new.id, Goods.SOLD, Goods.IN_TRANSIT, UNIT, units),
            Move(Book.CLAIMS, new.id, Claims.SOLD, Claims.OPEN, UNIT, units),
            Move(Book.CLAIMS, old.id, Claims.OPEN, Claims.MADE_GOOD, UNIT, min(units, open_units)),
        ],
        at=at,
        order_id=order.id,
        cause=case.ref,
    )
    if parcel:
        parcel_id = order_commands.add_parcel(
            order.id, reference=parcel[:120], contents={new.id: units}, position=Position.IN_TRANSIT
        )
        jobs.leave("cases.follow_parcel", parcel_id=parcel_id)
    history.record(
        case, "replacement_sent", actor=actor.key, at=at, line=new.number, instead_of=old.number, units=units
    )
