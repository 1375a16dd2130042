"""tmp."""

from __future__ import annotations

from dataclasses import dataclass

from makegood.kit import db, errors


class CustomerUnknown(errors.Unknown):
    code = "customer_unknown"
    message = "There is no customer {value}."


@dataclass(frozen=True, slots=True)
class CustomerView:
    id: int
    reference: str


@dataclass(frozen=True, slots=True)
class MethodView:
    id: int
    reference: str
    kind: str
    label: str
    opening_minor: int
    currency: str


@db.query
def customer_view(customer_id: int) -> CustomerView:
    row = db.fetch_one("select id, reference from customers_customer where id = %s", [customer_id])
    if row is None:
        raise CustomerUnknown(customer_id, field="customer")
    return CustomerView(**row)


@db.query
def methods_of(customer_id: int) -> list[MethodView]:
    return [
        MethodView(**r)
        for r in db.fetch(
            "select id, reference, kind, label, opening_minor, currency from customers_savedmethod"
            " where customer_id = %s order by id",
            [customer_id],
        )
    ]
