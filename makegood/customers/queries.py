"""Reading people: by contact, with their addresses and ways to pay."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from makegood.customers.rules import ContactMalformed, guess_kind, normalize_contact
from makegood.kit import db, errors


class CustomerUnknown(errors.Unknown):
    code = "customer_unknown"
    message = "There is no customer {value}."


class CustomerAmbiguous(errors.Refused):
    code = "customer_ambiguous"
    message = "Several customers are known as {value}: {references}. Name one by reference."


@dataclass(frozen=True, slots=True)
class CustomerRow:
    """A person; ``contacts`` as (kind, value), both normalised."""

    id: int
    reference: str
    name: str
    language: str
    address: Mapping[str, Any]
    contacts: tuple[tuple[str, str], ...]
    erased: bool


@dataclass(frozen=True, slots=True)
class MethodRow:
    """A saved way to pay or be paid; ``opening_minor`` is the balance when we were told of it."""

    id: int
    reference: str
    kind: str
    label: str
    source: Mapping[str, Any]
    opening_minor: int
    currency: str


_COLUMNS = """
select c.id, c.reference, c.name, c.language, c.address, c.erased_at is not null as erased,
       (select coalesce(jsonb_agg(jsonb_build_array(k.kind, k.value) order by k.id), '[]')
          from customers_contact k where k.customer_id = c.id) as contacts
  from customers_customer c
"""


@db.query
def customer_by_id(customer_id: int) -> CustomerRow:
    """Raises CustomerUnknown, for another merchant's too."""
    rows = db.fetch(_COLUMNS + "where c.id = %s", [customer_id])
    if not rows:
        raise CustomerUnknown(customer_id, field="customer")
    return _customer(rows[0])


@db.query
def customer_by_reference(reference: str) -> CustomerRow:
    """The person the source knows by this id. Raises CustomerUnknown."""
    rows = db.fetch(_COLUMNS + "where c.reference = %s", [reference.replace("\0", "")])
    if not rows:
        raise CustomerUnknown(reference, field="customer")
    return _customer(rows[0])


@db.query
def customers_by_contact(kind: str, value: str, *, region: str = "") -> tuple[CustomerRow, ...]:
    """Everybody known by this e-mail address or phone, last recorded first: a family may share one.

    ``region`` is the country in which a number without country code is read. Raises ContactMalformed.
    """
    contact = normalize_contact(kind, value, region=region)
    rows = db.fetch(
        _COLUMNS
        + "where c.id in (select customer_id from customers_contact where kind = %s and value = %s) order by c.id desc",
        [kind, contact],
    )
    return tuple(_customer(row) for row in rows)


@db.query
def customer_by_contact(kind: str, value: str, *, region: str = "") -> CustomerRow:
    """The person last recorded with this contact. Raises CustomerUnknown, ContactMalformed."""
    found = customers_by_contact(kind, value, region=region)
    if not found:
        raise CustomerUnknown(value, field=kind)
    return found[0]


@db.query
def methods_of(customer_id: int) -> tuple[MethodRow, ...]:
    """The saved ways to pay of a person, oldest first."""
    rows = db.fetch(
        "select id, reference, kind, label, source, opening_minor, currency from customers_savedmethod"
        " where customer_id = %s order by id",
        [customer_id],
    )
    return tuple(MethodRow(**{**row, "source": json.loads(row["source"])}) for row in rows)


def _customer(row: dict[str, Any]) -> CustomerRow:
    contacts = tuple((kind, value) for kind, value in json.loads(row["contacts"]))
    return CustomerRow(**{**row, "address": json.loads(row["address"]), "contacts": contacts})


def the_customer(told: str, *, region: str) -> CustomerRow:
    """The customer of that reference, or the only one known by that mail address or telephone number.

    ``region`` completes a number written without its country. Raises CustomerUnknown, CustomerAmbiguous.
    """
    try:
        return customer_by_reference(told)
    except CustomerUnknown:
        pass
    try:
        known = customers_by_contact(guess_kind(told), told, region=region)
    except ContactMalformed:
        known = ()
    if not known:
        raise CustomerUnknown(told, field="customer", rule="reference_or_contact")
    if len(known) > 1:
        names = ", ".join(one.reference for one in known)
        raise CustomerAmbiguous(told, field="customer", rule="one_customer", references=names)
    return known[0]


@db.query
def customers_named(name: str, *, limit: int = 200) -> tuple[int, ...]:
    """Ids of people whose name begins so, as it is written."""
    begins = name.strip().replace("\0", "")
    if not begins:
        return ()
    rows = db.fetch(
        "select id from customers_customer where name >= %s and name < %s order by name limit %s",
        [begins, begins + "\U0010ffff", limit],
    )
    return tuple(row["id"] for row in rows)
