"""Forget a person: in the records of people and in the orders, at once. The ledger holds ids and amounts only."""

from __future__ import annotations

from datetime import datetime

from makegood.customers.commands import forget_person
from makegood.kit import db


def erase_in_orders(customer_id: int, *, at: datetime) -> int:
    """Erase what identifies a person from the records of people and the orders; how many orders were scrubbed.

    Inside the caller's transaction; ``cases.erasure.erase_customer`` is the whole. Figures, gateway references and
    ids stay, so that promised money is still paid and the ledger still proves itself. The digests of source records
    stay: importing an old file again does not bring the person back. Raises CustomerUnknown.
    """
    db.require_transaction()
    # Locks as everywhere: orders first.
    orders = db.fetch("select id from orders_order where customer_id = %s order by number for update", [customer_id])
    forget_person(customer_id, at=at)
    return db.execute(
        "update orders_order set address = '{}', source = '[]' where id = any(%s)",
        [[row["id"] for row in orders]],
    )
