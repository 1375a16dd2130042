"""A person is forgotten while their money is on its way."""

from __future__ import annotations

from makegood.cases.erasure import erase_customer
from makegood.kit import db
from tests.gateway_simulator import GatewaySimulator
from tests.settlement.paying import (
    all_is_sound,
    approved,
    paid_out,
    refunded_here,
    refunded_there,
    sell_through,
    states,
    until_quiet,
)
from tests.shop import NOON


def test_row_55_a_refund_on_its_way_is_paid_though_its_person_is_forgotten_meanwhile(
    simulator: GatewaySimulator,
) -> None:
    order = sell_through(simulator)
    case = approved(order)
    simulator.admin.fault("drop_answer")
    paid_out(case)
    assert states(case) == ["unknown"]

    erase_customer(customer_id=order.customer.id, at=NOON)
    until_quiet(NOON)

    assert states(case) == ["confirmed"]
    assert refunded_there(simulator, order) == refunded_here(order) == 10_000
    assert all_is_sound()
    with db.atomically():
        left = str(db.fetch("select * from customers_customer where id = %s", [order.customer.id]))
        left += str(db.fetch("select * from customers_contact where customer_id = %s", [order.customer.id]))
    assert order.customer.name not in left
    assert order.customer.contacts[0][1] not in left


def test_row_55_a_refund_promised_and_not_yet_sent_is_sent_though_its_person_is_forgotten(
    simulator: GatewaySimulator,
) -> None:
    order = sell_through(simulator)
    case = approved(order)

    erase_customer(customer_id=order.customer.id, at=NOON)
    paid_out(case)

    assert states(case) == ["confirmed"]
    assert refunded_there(simulator, order) == 10_000
    assert all_is_sound()
