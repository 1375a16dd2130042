"""What gateways tell us: kept once, believed only when signed, and then only a reason to look."""

from __future__ import annotations

import pytest

from makegood.settlement import commands as settlement
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
from tests.settlement.telling import listening, notices, read_all
from tests.shop import MANAGER, NOON


def test_row_09_the_same_webhook_eight_times_at_once_is_answered_each_time_and_kept_once(
    simulator: GatewaySimulator,
) -> None:
    order = sell_through(simulator)
    case = approved(order)
    simulator.admin.fault("accept_then_succeed")
    paid_out(case)
    simulator.admin.settle()

    with listening(simulator):
        told = simulator.admin.deliver(times=8, parallel=8)

    assert {each["status"] for each in told} == {200}
    assert len({each["event"] for each in told}) * 8 == len(told)
    assert len(notices()) == len({notice["event_id"] for notice in notices()})
    assert set(read_all(NOON)) == {""}
    assert states(case) == ["confirmed"]
    assert refunded_there(simulator, order) == refunded_here(order) == 10_000
    assert all_is_sound()


def test_row_10_a_webhook_before_our_own_commit_gives_the_same_end(simulator: GatewaySimulator) -> None:
    order = sell_through(simulator)
    case = approved(order)
    with listening(simulator):
        simulator.admin.fault("webhook_first")
        paid_out(case)
        simulator.admin.deliver()

    assert notices()
    read_all(NOON)
    assert states(case) == ["confirmed"]
    assert refunded_there(simulator, order) == refunded_here(order) == 10_000
    assert all_is_sound()


def test_row_10_a_webhook_read_while_the_request_is_in_flight_confirms_and_the_late_answer_changes_nothing(
    simulator: GatewaySimulator,
) -> None:
    order = sell_through(simulator)
    case = approved(order)
    simulator.admin.fault("drop_answer")
    paid_out(case)
    with listening(simulator):
        simulator.admin.deliver()
    read_all(NOON)
    assert states(case) == ["confirmed"]

    until_quiet(NOON)

    assert (states(case), len(simulator.admin.refunds())) == (["confirmed"], 1)
    assert all_is_sound()


@pytest.mark.parametrize("how", [{"forged": "secret"}, {"forged": "body"}, {"forged": "unsigned"}, {"stale": True}])
def test_row_48_a_forged_or_stale_webhook_is_refused_and_nothing_is_kept(
    simulator: GatewaySimulator, how: dict[str, object]
) -> None:
    order = sell_through(simulator)
    paid_out(approved(order))
    with listening(simulator):
        told = simulator.admin.deliver(type="refund.created", **how)

    assert {each["status"] for each in told} == {401}
    assert notices() == []


def test_accepted_and_refused_later_the_promise_stands_and_a_person_chooses_another_way(
    simulator: GatewaySimulator,
) -> None:
    order = sell_through(simulator)
    case = approved(order)
    simulator.admin.fault("accept_then_fail")
    [payout] = paid_out(case)
    assert payout["state"] == "accepted"
    simulator.admin.settle()

    with listening(simulator):
        simulator.admin.deliver(order="reversed")
    read_all(NOON)

    assert [(row["state"], row["trouble"]) for row in payouts(case)] == [("refused", "declined")]
    assert (money(order), fresh(case).money_state) == ([{"promised": 10_000}], "troubled")
    settlement.pay_otherwise(ref=payout["ref"], gateway="manual", actor=MANAGER, at=NOON)
    [_, by_hand] = payouts(case)
    assert (by_hand["state"], fresh(case).money_state) == ("accepted", "promised")
    settlement.confirm_payout(ref=by_hand["ref"], reference="BANK-1", actor=MANAGER, at=NOON)
    assert (money(order), fresh(case).money_state) == ([{"refunded": 10_000}], "paid")
    assert all_is_sound()


def test_paid_and_failed_weeks_later_is_posted_back_and_paid_again_under_a_new_key(
    simulator: GatewaySimulator,
) -> None:
    order = sell_through(simulator)
    case = approved(order)
    [payout] = paid_out(case)
    assert fresh(case).closed_at is not None
    simulator.admin.turn_refund(payout["gateway_reference"], "failed")

    with listening(simulator):
        simulator.admin.deliver(order="shuffled", seed=3)
    read_all(NOON)

    assert states(case) == ["reversed"]
    assert money(order) == [{"promised": 10_000}]
    assert (fresh(case).money_state, fresh(case).closed_at) == ("troubled", None)
    settlement.pay_otherwise(ref=payout["ref"], gateway="stripe", actor=MANAGER, at=later(NOON, days=1))
    assert states(case) == ["void", "confirmed"]
    assert refunded_there(simulator, order) == refunded_here(order) == 10_000
    assert all_is_sound()


def test_a_refund_made_on_the_gateways_own_pages_is_kept_for_a_person(simulator: GatewaySimulator) -> None:
    sell_through(simulator)
    charge = simulator.admin.ledger()["payments"][0]["id"]
    simulator.gateway()._client.v1.refunds.create({"charge": charge, "amount": 100})

    with listening(simulator):
        simulator.admin.deliver()

    assert set(read_all(NOON)) == {"made_elsewhere"}


def test_a_message_that_could_not_be_read_while_the_gateway_was_down_is_read_later(
    simulator: GatewaySimulator,
) -> None:
    order = sell_through(simulator)
    case = approved(order)
    [payout] = paid_out(case)
    simulator.admin.turn_refund(payout["gateway_reference"], "failed")
    with listening(simulator):
        simulator.admin.deliver(type="refund.failed")
        simulator.admin.down()
        read_all(NOON)
        simulator.admin.up()
    assert (states(case), [n["applied_at"] for n in notices()]) == (["confirmed"], [None])

    with listening(simulator):
        settlement.sweep_notices(later(notices()[0]["received_at"], minutes=2))

    assert states(case) == ["reversed"]
