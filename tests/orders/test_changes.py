"""What a case changes in an order, and how a person is forgotten."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from makegood.connectors.records import CatalogRecord, PaymentRecord
from makegood.customers import queries as people
from makegood.kit import db
from makegood.ledger import commands as ledger
from makegood.ledger import queries as books
from makegood.orders import commands, queries, staging
from makegood.orders.erasure import erase_in_orders
from tests.conftest import NOON
from tests.orders.shop import lamp, order

pytestmark = pytest.mark.usefixtures("merchant")


@db.command
def erase_customer(*, customer_id: int, at: datetime) -> int:
    return erase_in_orders(customer_id, at=at)


def sold() -> queries.OrderView:
    commands.record_orders([order(lines=[lamp(product="LAMP")], parcels=[])], at=NOON)
    items = [
        CatalogRecord("LAMP-2", "LAMP", "Tall lamp", 6000, "CNY", available=True, options={"height": "tall"}),
        CatalogRecord("LAMP-3", "LAMP", "Gone lamp", 6000, "CNY", available=False),
        CatalogRecord("LAMP-4", "LAMP", "Dollar lamp", 6000, "USD", available=True),
        CatalogRecord("CHAIR-1", "CHAIR", "Chair", 6000, "CNY", available=True),
        CatalogRecord("LAMP-1", "LAMP", "Desk lamp", 5000, "CNY", available=True),
    ]
    with db.atomically():
        staging.store_catalogue(items)
    return queries.order_by_number("A-1")


def change(sku: str, quantity: int = 1) -> list[commands.NewLine]:
    with db.atomically():
        order_id = commands.lock_order_by_number("A-1").id
        line_id = queries.order_view(order_id).lines[0].id
        return commands.change_items(order_id, [commands.Replacement(line_id, quantity, sku)])


def test_a_replacement_is_a_new_line_and_the_sold_one_stays() -> None:
    before = sold()

    [new] = change("LAMP-2")

    old_line, new_line = queries.order_by_number("A-1").lines
    assert old_line == before.lines[0]
    assert (new_line.id, new_line.number, new_line.sku, new_line.quantity) == (new.id, "1+1", "LAMP-2", 1)
    assert (new_line.paid_minor, new.replaces_line_id, new_line.options) == (6000, old_line.id, {"height": "tall"})
    assert queries.paid_shares(queries.order_by_number("A-1")) == {old_line.id: 10000, new_line.id: 6000}


@pytest.mark.parametrize(
    ("sku", "quantity", "rule"),
    [
        ("CHAIR-1", 1, "same product"),
        ("LAMP-1", 1, "another item"),
        ("LAMP-3", 1, "available"),
        ("LAMP-4", 1, "sold in CNY"),
        ("LAMP-2", 3, "1 to 2"),
        ("LAMP-2", 0, "1 to 2"),
    ],
)
def test_an_item_that_may_not_take_the_place_is_refused(sku: str, quantity: int, rule: str) -> None:
    sold()

    with pytest.raises(commands.ItemNotExchangeable) as refused:
        change(sku, quantity)

    assert refused.value.rule == rule
    assert len(queries.order_by_number("A-1").lines) == 1


def test_an_item_nobody_has_is_unknown() -> None:
    sold()

    with pytest.raises(commands.CatalogItemUnknown):
        change("NOTHING")


def test_an_address_changed_by_a_case_outlives_an_import() -> None:
    view = sold()
    with db.atomically():
        commands.lock_order(view.id)
        commands.change_address(view.id, {"city": "Suzhou"})

    commands.record_orders([order(lines=[lamp(product="LAMP")], parcels=[], fulfilled_by="platform")], at=NOON)

    after = queries.order_by_number("A-1")
    assert (after.address, after.remarks, after.fulfilled_by) == ({"city": "Suzhou"}, ("address_changed",), "platform")


def test_helpers_insist_on_their_callers_transaction() -> None:
    view = sold()

    for call in (
        lambda: commands.lock_order(view.id),
        lambda: commands.change_address(view.id, {}),
        lambda: commands.change_items(view.id, []),
    ):
        with pytest.raises(db.NotInTransaction):
            call()


def test_locking_an_unknown_order_is_refused() -> None:
    with pytest.raises(queries.OrderUnknown), db.atomically():
        commands.lock_order(10**12)
    with pytest.raises(queries.OrderUnknown), db.atomically():
        commands.lock_order_by_number("nope")


def test_a_parcel_of_after_sales_joins_the_order() -> None:
    view = sold()
    with db.atomically():
        commands.lock_order(view.id)
        first = commands.add_parcel(view.id, reference="BACK-1", contents={view.lines[0].id: 1}, direction="back")
        again = commands.add_parcel(view.id, reference="BACK-1", contents={view.lines[0].id: 1}, direction="back")

    [parcel] = queries.order_by_number("A-1").parcels
    assert first == again == parcel.id
    assert (parcel.direction, parcel.position, parcel.contents) == ("back", "not_shipped", {view.lines[0].id: 1})
    [position] = queries.goods_position(queries.order_by_number("A-1")).values()
    assert position.to_ship == 2


def every_word_of(customer_id: int) -> str:
    tables = (
        "select * from customers_customer where id = %s",
        "select * from customers_contact where customer_id = %s",
        "select * from customers_savedmethod where customer_id = %s",
        "select * from orders_order where customer_id = %s",
    )
    with db.atomically():
        return " ".join(str(db.fetch(table, [customer_id])) for table in tables)


PERSONAL = ("李梅", "mei@example.com", "13800138000", "Hangzhou", "Lake Road", "4242")


def test_a_person_is_forgotten_while_money_is_still_on_its_way() -> None:
    view = sold()
    [payment] = view.payments
    moves = [
        ledger.Move("money", payment.id, "~captured", "available", "CNY", 11200),
        ledger.Move("money", payment.id, "available", "promised", "CNY", 5000),
    ]
    with db.atomically():
        ledger.post(kind="promise", request_key="p", moves=moves, at=NOON, order_id=view.id)
    assert all(word in every_word_of(view.customer.id) for word in PERSONAL)

    assert erase_customer(customer_id=view.customer.id, at=NOON) == 1

    left = every_word_of(view.customer.id)
    assert [word for word in PERSONAL if word in left] == []
    pay = [ledger.Move("money", payment.id, "promised", "refunded", "CNY", 5000)]
    with db.atomically():
        ledger.post(kind="paid", request_key="q", moves=pay, at=NOON, order_id=view.id)
    assert books.faults() == []
    after = queries.order_by_number("A-1")
    assert after.payments == view.payments
    assert after.customer.erased
    assert people.methods_of(view.customer.id)[0].reference == "card-9"


@pytest.mark.parametrize("told", [{}, {"fulfilled_by": "platform"}])
def test_an_old_file_does_not_bring_a_forgotten_person_back(told: dict[str, Any]) -> None:
    commands.record_orders([order()], at=NOON)
    customer_id = queries.order_by_number("A-1").customer.id
    erase_customer(customer_id=customer_id, at=NOON)
    erase_customer(customer_id=customer_id, at=NOON)

    commands.record_orders([order(**told)], at=NOON)

    view = queries.order_by_number("A-1")
    assert view.customer.id == customer_id
    left = every_word_of(customer_id)
    assert [word for word in PERSONAL if word in left] == []


def test_forgetting_an_unknown_person_is_refused() -> None:
    with pytest.raises(people.CustomerUnknown):
        erase_customer(customer_id=10**12, at=NOON)


def test_a_saved_method_is_tied_to_its_payment_by_the_payments_reference() -> None:
    commands.record_orders([order(payments=[PaymentRecord("other", "card", 1)])], at=NOON)

    assert queries.order_by_number("A-1").payments[0].method_reference == ""
