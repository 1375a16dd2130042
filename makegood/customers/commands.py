"""What is done to the records of people: recording, moving house, forgetting."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from makegood.customers.queries import CustomerUnknown
from makegood.customers.rules import normalize_contact
from makegood.kit import db, errors


class CustomerMalformed(errors.Malformed):
    code = "customer_malformed"
    message = "{field}: {value} is not acceptable ({rule})."


@db.command
def record_customer(
    *,
    reference: str,
    at: datetime,
    name: str = "",
    email: str = "",
    phone: str = "",
    language: str = "",
    address: Mapping[str, Any] | None = None,
    region: str = "",
) -> int:
    """Record a person under the merchant's own reference, or add what is new about a known one; the id.

    Empty fields say nothing and change nothing. ``region`` is the country of a phone number without country
    code. Raises CustomerMalformed, ContactMalformed.
    """
    if not 0 < len(reference.strip()) <= 120 or "\0" in reference:
        raise CustomerMalformed(reference, field="reference", rule="1 to 120 characters")
    if len(name) > 200 or "\0" in name:
        raise CustomerMalformed(name, field="name", rule="at most 200 characters")
    contacts = [
        (kind, normalize_contact(kind, text, region=region))
        for kind, text in (("email", email), ("phone", phone))
        if text
    ]
    [row] = db.fetch(
        """
        insert into customers_customer as c (reference, name, language, address, created_at)
        values (%s, %s, %s, %s::jsonb, %s)
            on conflict (merchant_id, reference) do update
           set name = coalesce(nullif(excluded.name, ''), c.name),
               language = coalesce(nullif(excluded.language, ''), c.language),
               address = case when excluded.address = '{}' then c.address else excluded.address end
        returning id
        """,
        [reference, name, language[:10], json.dumps(dict(address or {})), at],
    )
    for kind, value in contacts:
        db.execute(
            "insert into customers_contact (customer_id, kind, value) values (%s, %s, %s) on conflict do nothing",
            [row["id"], kind, value],
        )
    return int(row["id"])


def change_address(customer_id: int, address: Mapping[str, Any]) -> None:
    """Set where a person lives, inside the caller's transaction. Raises CustomerUnknown."""
    db.require_transaction()
    touched = db.execute(
        "update customers_customer set address = %s::jsonb where id = %s and erased_at is null",
        [json.dumps(dict(address)), customer_id],
    )
    if not touched:
        raise CustomerUnknown(customer_id, field="customer")


def add_contact(*, customer_id: int, kind: str, value: str) -> None:
    """Note, inside the caller's transaction, one more address of a person. Raises ContactMalformed."""
    db.require_transaction()
    db.execute(
        "insert into customers_contact (customer_id, kind, value) values (%s, %s, %s) on conflict do nothing",
        [customer_id, kind, normalize_contact(kind, value)],
    )


def mark_undeliverable(*, kind: str, value: str, why: str, at: datetime) -> None:
    """Note, inside the caller's transaction, that what is sent to this contact comes back, whoever is known by it."""
    db.require_transaction()
    db.execute(
        "update customers_contact set undeliverable_at = %s, undeliverable_why = %s where kind = %s and value = %s",
        [at, why[:200], kind, value],
    )


def mark_deliverable(*, kind: str, value: str) -> None:
    """Take the mark away, inside the caller's transaction: somebody wrote from there."""
    db.require_transaction()
    db.execute(
        "update customers_contact set undeliverable_at = null, undeliverable_why = ''"
        " where kind = %s and value = %s and undeliverable_at is not null",
        [kind, value],
    )


def forget_person(customer_id: int, *, at: datetime) -> None:
    """Erase what identifies a person from the records of people, inside the caller's transaction.

    Ids and the references of saved methods stay: money on its way to them still arrives, and the ledger knows
    only ids. Doing it again changes nothing. Use ``orders.erasure.erase_customer``, which also scrubs the orders.
    Raises CustomerUnknown.
    """
    db.require_transaction()
    if db.fetch_one("select id from customers_customer where id = %s for update", [customer_id]) is None:
        raise CustomerUnknown(customer_id, field="customer")
    db.execute(
        "delete from customers_onetimecode where subject in"
        " (select value from customers_contact where customer_id = %s)",
        [customer_id],
    )
    db.execute("delete from customers_contact where customer_id = %s", [customer_id])
    db.execute("update customers_savedmethod set label = '', source = '{}' where customer_id = %s", [customer_id])
    db.execute(
        "update customers_customer set reference = 'erased:' || id, name = '', address = '{}',"
        " erased_at = coalesce(erased_at, %s) where id = %s",
        [at, customer_id],
    )
