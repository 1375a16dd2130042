"""kill -9 at every step boundary of a payout: run on until nothing moves, then money moved once and the books agree."""

from __future__ import annotations

import pytest

from makegood.cases.models import Case
from makegood.orders.queries import OrderView
from makegood.settlement import commands as settlement
from makegood.settlement.commands import intending
from tests.gateway_simulator import GatewaySimulator
from tests.settlement.dying import Mother
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
from tests.settlement.telling import listening, notices
from tests.shop import MANAGER, NOON


def test_row_01_killed_after_our_commit_and_before_the_call_it_goes_out_once(
    simulator: GatewaySimulator, merchant: int, mother: Mother
) -> None:
    order = sell_through(simulator)
    case = approved(order)
    mother.dies("pay_out", merchant, case.id, at=NOON, fail_at="after_sending_commit")
    assert (states(case), simulator.admin.refunds()) == (["sending"], [])

    until_quiet(NOON)

    assert len(simulator.admin.refunds()) == 1
    _all_is_paid(simulator, order, case)


def test_row_02_killed_after_the_gateway_paid_and_before_our_commit_it_is_found_and_not_paid_again(
    simulator: GatewaySimulator, merchant: int, mother: Mother
) -> None:
    order = sell_through(simulator)
    case = approved(order)
    mother.dies("pay_out", merchant, case.id, at=NOON, fail_at="after_gateway_answer")
    assert (states(case), len(simulator.admin.refunds())) == (["sending"], 1)

    until_quiet(NOON)

    assert len(simulator.admin.refunds()) == 1
    _all_is_paid(simulator, order, case)


@pytest.mark.parametrize(
    ("fail_at", "left", "held"),
    [
        ("before_intended_commit", [], {"promised": 10_000}),
        ("before_sending_commit", [], {"promised": 10_000}),
        ("before_confirmed_commit", ["sending"], {"promised": 10_000}),
        ("before_answer_commit", ["sending"], {"promised": 10_000}),
    ],
)
def test_row_03_killed_inside_a_transaction_nothing_of_it_happened(
    simulator: GatewaySimulator, merchant: int, mother: Mother, fail_at: str, left: list[str], held: dict[str, int]
) -> None:
    order = sell_through(simulator)
    case = approved(order)

    mother.dies("pay_out", merchant, case.id, at=NOON, fail_at=fail_at)

    assert (states(case), money(order)) == (left, [held])
    paid_out(case)  # the job that was rescued
    until_quiet(NOON)
    assert len(simulator.admin.refunds()) == 1
    _all_is_paid(simulator, order, case)


@pytest.mark.parametrize("fail_at", ["after_intended_commit", "after_answer_commit"])
def test_row_30_killed_between_transactions_running_it_again_is_harmless(
    simulator: GatewaySimulator, merchant: int, mother: Mother, fail_at: str
) -> None:
    order = sell_through(simulator)
    case = approved(order)
    mother.dies("pay_out", merchant, case.id, at=NOON, fail_at=fail_at)

    paid_out(case)
    paid_out(case)
    until_quiet(NOON)

    assert len(simulator.admin.refunds()) == 1
    _all_is_paid(simulator, order, case)


def test_killed_while_the_sweep_takes_a_payout_for_sending_it_is_taken_again(
    simulator: GatewaySimulator, merchant: int, mother: Mother
) -> None:
    order = sell_through(simulator)
    case = approved(order)
    intending.intend_payouts(case_id=case.id, at=NOON)
    mother.dies("sweep", merchant, 0, at=later(NOON, minutes=5), fail_at="before_sending_commit")
    assert (states(case), simulator.admin.refunds()) == (["intended"], [])

    until_quiet(later(NOON, minutes=5))

    assert len(simulator.admin.refunds()) == 1
    _all_is_paid(simulator, order, case)


def test_killed_while_looking_up_another_look_ends_it(
    simulator: GatewaySimulator, merchant: int, mother: Mother
) -> None:
    order = sell_through(simulator)
    case = approved(order)
    simulator.admin.fault("drop_answer")
    paid_out(case)
    mother.dies("sweep", merchant, 0, at=later(NOON, minutes=5), fail_at="after_look_up")

    until_quiet(later(NOON, minutes=5))

    _all_is_paid(simulator, order, case)


def test_killed_while_reading_a_webhook_it_is_read_again(
    simulator: GatewaySimulator, merchant: int, mother: Mother
) -> None:
    order = sell_through(simulator)
    case = approved(order)
    simulator.admin.fault("accept_then_succeed")
    paid_out(case)
    simulator.admin.settle()
    with listening(simulator):
        simulator.admin.deliver()
    mother.dies("read_notice", merchant, notices()[0]["id"], at=NOON, fail_at="before_confirmed_commit")
    assert states(case) == ["accepted"]

    until_quiet(NOON, hours=30)

    _all_is_paid(simulator, order, case)


def test_row_31_a_job_that_never_comes_back_is_overtaken_by_the_sweep_of_payouts(simulator: GatewaySimulator) -> None:
    order = sell_through(simulator)
    case = approved(order)
    intending.intend_payouts(case_id=case.id, at=NOON)
    assert states(case) == ["intended"]

    until_quiet(NOON, hours=1)

    _all_is_paid(simulator, order, case)


def test_a_gateway_that_is_down_for_a_day_loses_nothing_and_work_resumes_by_itself(
    simulator: GatewaySimulator,
) -> None:
    order = sell_through(simulator)
    case = approved(order)
    simulator.admin.down()
    paid_out(case)
    back = until_quiet(NOON, hours=26)
    assert states(case) == ["unknown"]
    simulator.admin.up()

    until_quiet(back, hours=2)

    assert payouts(case)[0]["attempts"] <= 3
    _all_is_paid(simulator, order, case)


def test_a_gateway_that_stays_silent_for_days_is_given_to_a_person_who_asks_again(simulator: GatewaySimulator) -> None:
    order = sell_through(simulator)
    case = approved(order)
    simulator.admin.down()
    paid_out(case)
    back = until_quiet(NOON, hours=80)
    [payout] = payouts(case)
    assert (payout["state"], payout["trouble"]) == ("person", "silent_too_long")
    simulator.admin.up()

    settlement.look_again(ref=payout["ref"], actor=MANAGER, at=back)

    _all_is_paid(simulator, order, case)


def _all_is_paid(simulator: GatewaySimulator, order: OrderView, case: Case) -> None:
    assert states(case) == ["confirmed"]
    assert refunded_there(simulator, order) == refunded_here(order) == 10_000
    assert fresh(case).money_state == "paid"
    assert all_is_sound()
