"""What the letters of a conversation propose to the agent who makes a case of it; the agent decides."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from makegood.cases.duplicates import Duplicate, already_asked
from makegood.conversations.queries import ConversationView, conversation_view
from makegood.conversations.triage.reading import Reading, read
from makegood.kit import errors
from makegood.orders.queries import OrderRow


def reading_of(found: ConversationView) -> Reading | None:
    """All that people wrote to us in it, read together; None where nobody wrote."""
    written = [one.body for one in found.messages if one.direction == "in" and not one.automatic and one.body.strip()]
    return read("\n".join([found.subject, *written])) if written else None


def reading_for(ref: str) -> Reading | None:
    """By reference; a conversation that does not exist proposes nothing, and filing with it says so."""
    if not ref:
        return None
    try:
        return reading_of(conversation_view(ref))
    except errors.Unknown:
        return None


def alike_to(
    found: ConversationView, reading: Reading | None, orders: Iterable[OrderRow], *, at: datetime
) -> tuple[Duplicate, ...]:
    """Cases of the sender that the letters are probably about: where they name one order, or there is only one."""
    if reading is None or reading.case is None or found.customer_id is None:
        return ()
    every = list(orders)
    named = [one for one in every if one.number in reading.order_numbers] or every
    if len(named) != 1:
        return ()
    kind, reason = reading.case
    return already_asked(customer_id=found.customer_id, order_id=named[0].id, kind=kind, reason=reason, at=at)
