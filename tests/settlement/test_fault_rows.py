"""Rows 4 to 8 of the fault table: whatever happens at the gateway, money moves once and the books agree."""

from __future__ import annotations

from makegood.settlement import commands as settlement
from makegood.settlement.rules import SENDS_MAX
from tests.gateway_simulator import GatewaySimulator
from tests.settlement.paying import (
    all_is_sound,
    approved,
    fresh,
    later,
    money,
    paid_out,
    payouts,
    refunded_here,
    refunded_there,
    sell_through,
    states,
    until_quiet,
)
from tests.shop import MANAGER, NOON


def test_a_refund_over_two_payments_is_paid_once_and_the_books_agree(simulator: GatewaySimulator) -> None:
    order = sell_through(simulator, parts=2)
    case = approved(order)

    paid_out(case)
    paid_out(case)

    assert states(case) == ["confirmed", "confirmed"]
    assert money(order) == [{"refunded": 5_000}, {"refunded": 5_000}]
    assert refunded_there(simulator, order) == refunded_here(order) == 10_000
    assert (fresh(case).money_state, fresh(case).closed_at is not None) == ("paid", True)
    assert all_is_sound()


def test_row_04_an_answer_lost_after_success_is_unknown_and_a_look_up_confirms_it(simulator: GatewaySimulator) -> None:
    order = sell_through(simulator)
    case = approved(order)
    simulator.admin.fault("drop_answer")

    paid_out(case)
    assert states(case) == ["unknown"]
    assert fresh(case).money_state == "promised"  # never "failed, try again"
    assert money(order) == [{"promised": 10_000}]
    until_quiet(NOON)

    assert states(case) == ["confirmed"]
    assert len(simulator.admin.refunds()) == 1
    assert refunded_there(simulator, order) == refunded_here(order) == 10_000
    assert all_is_sound()


def test_row_05_a_request_that_never_arrived_is_sent_again_under_the_same_key_and_paid_once(
    simulator: GatewaySimulator,
) -> None:
    order = sell_through(simulator)
    case = approved(order)
    simulator.admin.fault("drop_request", times=2)
    key = str(paid_out(case)[0]["key"])

    until_quiet(NOON)

    assert states(case) == ["confirmed"]
    assert [row["idempotency_key"] for row in simulator.admin.refunds()] == [key]
    assert all_is_sound()


def test_row_06_a_500_that_the_gateway_remembers_ends_with_a_person_who_voids_it_and_pays_anew(
    simulator: GatewaySimulator,
) -> None:
    order = sell_through(simulator)
    case = approved(order)
    simulator.admin.fault("status_500_before")

    [sent] = paid_out(case)
    until_quiet(NOON, hours=6)

    [payout] = payouts(case)
    assert (payout["state"], payout["trouble"]) == ("person", "takes_nothing")
    assert payout["attempts"] == SENDS_MAX  # no endless loop
    assert fresh(case).money_state == "troubled"
    assert money(order) == [{"promised": 10_000}]

    settlement.pay_otherwise(ref=payout["ref"], gateway="stripe", actor=MANAGER, at=later(NOON, hours=7))
    until_quiet(later(NOON, hours=7))

    assert states(case) == ["void", "confirmed"]
    assert payouts(case)[1]["key"] != sent["key"]
    assert refunded_there(simulator, order) == refunded_here(order) == 10_000
    assert fresh(case).money_state == "paid"
    assert all_is_sound()


def test_row_06_a_500_after_doing_is_found_by_the_look_up(simulator: GatewaySimulator) -> None:
    order = sell_through(simulator)
    case = approved(order)
    simulator.admin.fault("status_500_after_doing")

    paid_out(case)
    until_quiet(NOON)

    assert states(case) == ["confirmed"]
    assert refunded_there(simulator, order) == refunded_here(order) == 10_000


def test_row_07_a_key_the_gateway_has_forgotten_is_looked_up_before_anything_is_sent_again(
    simulator: GatewaySimulator,
) -> None:
    order = sell_through(simulator)
    case = approved(order)
    simulator.admin.fault("drop_answer")
    paid_out(case)
    simulator.admin.advance(hours=25)
    assert simulator.admin.prune_keys() == 1
    before = simulator.admin.counters().get("POST /v1/refunds", 0)

    until_quiet(later(NOON, hours=25))

    assert states(case) == ["confirmed"]
    assert simulator.admin.counters().get("POST /v1/refunds", 0) == before
    assert refunded_there(simulator, order) == refunded_here(order) == 10_000


def test_row_08_another_amount_stops_everything_and_leaves_the_cap_alone(simulator: GatewaySimulator) -> None:
    order = sell_through(simulator)
    case = approved(order)
    simulator.admin.fault("wrong_amount", amount=9_000)

    paid_out(case)
    until_quiet(NOON)

    [payout] = payouts(case)
    assert (payout["state"], payout["trouble"]) == ("person", "amount_differs")
    assert (fresh(case).money_state, fresh(case).escalated) == ("troubled", True)
    assert money(order) == [{"promised": 10_000}]


def test_row_08_another_currency_stops_everything(simulator: GatewaySimulator) -> None:
    order = sell_through(simulator)
    case = approved(order)
    simulator.admin.fault("wrong_currency", currency="usd")

    paid_out(case)

    assert [row["trouble"] for row in payouts(case)] == ["amount_differs"]
    assert money(order) == [{"promised": 10_000}]
