"""Money of orders that were changed before they were sent: paid back where the customer chose."""

from __future__ import annotations

import pytest

from makegood.connectors.records import CatalogRecord
from makegood.customers.queries import methods_of
from makegood.kit import db
from makegood.ledger import queries as ledger
from makegood.ledger.states import Book
from makegood.orders.staging import store_catalogue
from makegood.settlement import commands as settlement
from tests.shop import NOON, Bought, again, ask, sell, settle

pytestmark = pytest.mark.usefixtures("merchant")


def test_a_cheaper_item_gives_the_difference_to_the_gift_card_at_once() -> None:
    with db.atomically():
        store_catalogue([CatalogRecord("LAMP-9", "LAMP", "Lamp", 8_000, "CNY", available=True)])
    order = sell(Bought(1, 10_000), position="not_shipped")
    with db.atomically():
        card = db.insert(
            "customers_savedmethod",
            [
                {
                    "customer_id": order.customer.id,
                    "reference": "gift-1",
                    "kind": "gift_card",
                    "label": "",
                    "source": "{}",
                    "opening_minor": 500,
                    "currency": "CNY",
                }
            ],
        )[0]
    assert [method.id for method in methods_of(order.customer.id)] == [card]

    case = settle(ask(order, "change", "items", ("1", 1, "LAMP-9"), details={"method": "gift-1"}))
    settlement.pay_out(case_id=case.id, at=NOON)

    assert again(case).money_state == "paid"
    assert ledger.balances(Book.CREDIT, [card])[card]["balance"] == 500 + 2_000
    [payment] = order.payments
    assert ledger.balances(Book.MONEY, [payment.id])[payment.id]["refunded"] == 2_000
    assert ledger.faults() == []
