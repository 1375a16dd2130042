"""Chargebacks count against the same cap as refunds, and never let money out twice without somebody seeing it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connections

from makegood.kit import db, tenancy
from makegood.ledger import commands as ledger
from makegood.ledger.commands import Move
from makegood.orders.queries import OrderView
from makegood.settlement import commands as settlement
from makegood.settlement import queries
from makegood.settlement.commands import intending
from makegood.settlement.commands.persons import PayoutNotWaiting
from tests.gateway_simulator import GatewaySimulator
from tests.settlement.paying import (
    all_is_sound,
    approved,
    fresh,
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
from tests.shop import MANAGER, NOON, Bought


def charge_of(order: OrderView) -> str:
    with db.atomically():
        row = db.fetch_one("select gateway_reference as charge from orders_payment where order_id = %s", [order.id])
    assert row is not None
    return str(row["charge"])


def tell(simulator: GatewaySimulator, **how: object) -> list[str]:
    with listening(simulator):
        simulator.admin.deliver(**how)
    return read_all(NOON)


def test_a_chargeback_takes_what_is_free_and_a_won_one_gives_it_back(simulator: GatewaySimulator) -> None:
    order = sell_through(simulator, Bought(2, 10_000))
    paid_out(approved(order, ("1", 1)))

    dispute = simulator.admin.open_dispute(charge_of(order), amount=5_000)
    tell(simulator)
    assert money(order) == [{"refunded": 5_000, "charged_back": 5_000}]
    simulator.admin.turn_dispute(dispute["id"], "won")
    tell(simulator)

    assert money(order) == [{"refunded": 5_000, "available": 5_000}]
    assert all_is_sound()


def test_a_chargeback_takes_promises_not_yet_sent_holds_them_and_lets_them_go_when_won(
    simulator: GatewaySimulator,
) -> None:
    order = sell_through(simulator)
    case = approved(order)
    dispute = simulator.admin.open_dispute(charge_of(order))

    assert set(tell(simulator)) == {""}

    assert money(order) == [{"charged_back": 10_000}]
    assert [(row["state"], row["trouble"]) for row in payouts(case)] == [("person", "disputed")]
    paid_out(case)
    until_quiet(NOON)
    assert simulator.admin.refunds() == []
    with pytest.raises(PayoutNotWaiting):
        settlement.pay_otherwise(ref=payouts(case)[0]["ref"], gateway="manual", actor=MANAGER, at=NOON)
    assert all_is_sound()

    simulator.admin.turn_dispute(dispute["id"], "won")
    tell(simulator)
    assert (money(order), fresh(case).money_state) == ([{"promised": 10_000}], "promised")
    until_quiet(NOON)
    assert states(case) == ["confirmed"]
    assert refunded_there(simulator, order) == refunded_here(order) == 10_000
    assert all_is_sound()


def test_a_lost_chargeback_ends_the_promise_it_took_as_given_by_the_bank(simulator: GatewaySimulator) -> None:
    order = sell_through(simulator)
    case = approved(order)
    dispute = simulator.admin.open_dispute(charge_of(order))
    tell(simulator)
    simulator.admin.turn_dispute(dispute["id"], "lost")
    tell(simulator)

    [payout] = payouts(case)
    settlement.give_up_payout(ref=payout["ref"], because="charged_back", actor=MANAGER, at=NOON)

    assert (states(case), money(order)) == (["void"], [{"charged_back": 10_000}])
    assert fresh(case).money_state == "none"
    assert all_is_sound()


def test_a_chargeback_after_the_refund_is_a_loss_beyond_the_cap_that_a_person_sees(
    simulator: GatewaySimulator,
) -> None:
    order = sell_through(simulator)
    paid_out(approved(order))
    simulator.admin.open_dispute(charge_of(order), amount=10_000)

    assert "loss" in tell(simulator)

    assert money(order) == [{"refunded": 10_000, "beyond": 10_000}]
    assert [notice.trouble for notice in queries.notices_for_person()] == ["loss"]
    assert all_is_sound()


def test_the_end_of_a_dispute_told_before_its_beginning_takes_nothing(simulator: GatewaySimulator) -> None:
    order = sell_through(simulator)
    dispute = simulator.admin.open_dispute(charge_of(order))
    simulator.admin.turn_dispute(dispute["id"], "won")

    assert set(tell(simulator, order="reversed", times=2)) == {""}

    assert len(notices()) == 2
    assert money(order) == [{}]
    assert all_is_sound()


def test_a_chargeback_of_an_order_nobody_had_asked_about_opens_its_books(simulator: GatewaySimulator) -> None:
    order = sell_through(simulator)
    simulator.admin.open_dispute(charge_of(order), amount=4_000)

    assert tell(simulator) == [""]

    assert money(order) == [{"available": 6_000, "charged_back": 4_000}]
    assert all_is_sound()


def test_a_dispute_of_a_payment_nobody_knows_is_kept_for_a_person(simulator: GatewaySimulator) -> None:
    stranger = simulator.admin.add_payment(900, "CNY")
    simulator.admin.open_dispute(stranger)

    assert tell(simulator) == ["unknown_payment"]
    [notice] = queries.notices_for_person()
    settlement.dismiss_notice(notice_id=notice.id, actor=MANAGER, at=NOON)
    assert queries.notices_for_person() == []


def test_row_17_no_raw_sql_of_the_application_gets_past_the_cap(simulator: GatewaySimulator) -> None:
    order = sell_through(simulator)
    paid_out(approved(order))
    payment = order.payments[0].id
    move = Move("money", payment, "available", "refunded", "CNY", 1)
    with pytest.raises(ledger.Overdrawn), db.atomically():
        ledger.post(kind="refund_paid", request_key="once more", moves=[move], at=NOON)
    with pytest.raises(Exception, match="permission denied"), db.atomically():
        db.execute("update ledger_account set balance = 100 where book = 'money' and subject_id = %s", [payment])
    assert money(order) == [{"refunded": 10_000}]


def in_threads(merchant: int, *works: object) -> list[object]:
    """Run all at once for the merchant; what each gave or raised."""
    gate = threading.Barrier(len(works))

    def run(work: object) -> object:
        try:
            with tenancy.acting_for(merchant):
                gate.wait()
                return work()  # type: ignore[operator]
        except Exception as problem:  # noqa: BLE001 - the test looks at it
            return problem
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


def test_race_of_eight_workers_on_one_payout_sends_it_once(simulator: GatewaySimulator, merchant: int) -> None:
    order = sell_through(simulator)
    case = approved(order)
    simulator.admin.fault("delay", times=None, seconds=0.1)

    told = in_threads(merchant, *[lambda: settlement.pay_out(case_id=case.id, at=NOON)] * 8)

    assert told == [None] * 8
    assert simulator.admin.counters()["POST /v1/refunds"] == 1
    assert (states(case), payouts(case)[0]["attempts"]) == (["confirmed"], 1)
    assert all_is_sound()


def test_race_of_eight_sweeps_on_one_unknown_payout_ends_once(simulator: GatewaySimulator, merchant: int) -> None:
    order = sell_through(simulator)
    case = approved(order)
    simulator.admin.fault("drop_request")
    paid_out(case)
    soon = NOON.replace(hour=5)

    in_threads(merchant, *[lambda: settlement.sweep_payouts(soon)] * 8)
    until_quiet(soon)

    assert (states(case), len(simulator.admin.refunds())) == (["confirmed"], 1)
    assert all_is_sound()


@pytest.mark.parametrize("turn", range(3))
def test_race_of_paying_and_a_chargeback_never_breaks_the_cap(
    simulator: GatewaySimulator, merchant: int, turn: int
) -> None:
    order = sell_through(simulator)
    case = approved(order)
    intending.intend_payouts(case_id=case.id, at=NOON)
    simulator.admin.open_dispute(charge_of(order))
    with listening(simulator):
        simulator.admin.deliver()

    in_threads(merchant, lambda: settlement.pay_out(case_id=case.id, at=NOON), lambda: read_all(NOON))
    until_quiet(NOON)

    assert simulator.admin.refunds() == []  # the gateway refuses, or we did not ask
    assert payouts(case)[0]["state"] in {"person", "refused"}
    held = money(order)[0]
    assert held.get("promised", 0) + held.get("charged_back", 0) == 10_000
    assert all_is_sound()


def test_race_of_paying_and_giving_up_one_wins(simulator: GatewaySimulator, merchant: int) -> None:
    order = sell_through(simulator)
    case = approved(order)
    intending.intend_payouts(case_id=case.id, at=NOON)
    [payout] = payouts(case)

    in_threads(
        merchant,
        lambda: settlement.pay_out(case_id=case.id, at=NOON),
        lambda: settlement.give_up_payout(ref=payout["ref"], because="renounced", actor=MANAGER, at=NOON),
    )
    # Where the database was too busy for the answer, the next turn looks up what became of the request.
    settlement.pay_out(case_id=case.id, at=NOON + timedelta(hours=1))

    expected = {"confirmed": [{"refunded": 10_000}], "void": [{"available": 10_000}]}
    [state] = states(case)
    assert money(order) == expected[state]
    assert refunded_there(simulator, order) == refunded_here(order)
    assert all_is_sound()


def test_race_of_two_people_paying_another_way_makes_one_new_payout(simulator: GatewaySimulator, merchant: int) -> None:
    order = sell_through(simulator)
    case = approved(order)
    simulator.admin.fault("decline")
    [payout] = paid_out(case)

    told = in_threads(
        merchant,
        *[lambda: settlement.pay_otherwise(ref=payout["ref"], gateway="manual", actor=MANAGER, at=NOON)] * 2,
    )

    assert sorted(isinstance(each, PayoutNotWaiting) for each in told) == [False, True]
    assert states(case) == ["void", "accepted"]


def test_race_of_the_same_message_read_by_eight_workers_posts_once(simulator: GatewaySimulator, merchant: int) -> None:
    order = sell_through(simulator)
    case = approved(order)
    [payout] = paid_out(case)
    simulator.admin.turn_refund(payout["gateway_reference"], "failed")
    with listening(simulator):
        simulator.admin.deliver()
    ids = [notice["id"] for notice in notices()]

    def read_them() -> None:
        for each in ids:
            settlement.read_notice(each, at=NOON)

    in_threads(merchant, *[read_them] * 8)

    assert (states(case), money(order)) == (["reversed"], [{"promised": 10_000}])
    assert all_is_sound()
