"""Stripe's refunds through the official library against the simulator: every fault, and what is then known."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier

import pytest

from makegood.connectors.gateways import (
    Accepted,
    AmountUnpayable,
    Confirmed,
    Declined,
    GatewayAnswer,
    GatewayUnreachable,
    RefundRequest,
    Unanswered,
)
from makegood.connectors.stripe.client import StripeGateway
from makegood.kit.money import Money
from tests.gateway_simulator import GatewaySimulator


def yuan(minor: int) -> Money:
    return Money(minor, "CNY")


def ask(payment: str, amount: Money, key: str = "payout-1") -> RefundRequest:
    return RefundRequest(key=key, payment_reference=payment, amount=amount, payout_ref="P-7KMP3QXR")


@pytest.mark.parametrize("intent", [False, True], ids=["charge", "payment intent"])
def test_a_refund_is_confirmed_and_found_by_its_key(
    simulator: GatewaySimulator, stripe_gateway: StripeGateway, *, intent: bool
) -> None:
    payment = simulator.admin.add_payment(5000, "cny", intent=intent)

    answer = stripe_gateway.refund(ask(payment, yuan(1200)))

    assert isinstance(answer, Confirmed)
    assert answer.amount == yuan(1200)
    assert simulator.admin.payment(payment)["refunded"] == 1200
    assert stripe_gateway.find("payout-1", payment, None) == answer
    assert stripe_gateway.find("payout-1", payment, answer.reference) == answer
    [refund] = simulator.admin.refunds()
    assert refund["idempotency_key"] == "payout-1"
    assert refund["metadata"]["makegood_payout"] == "P-7KMP3QXR"


def test_the_same_key_again_gives_the_same_answer_and_moves_nothing(
    simulator: GatewaySimulator, stripe_gateway: StripeGateway
) -> None:
    payment = simulator.admin.add_payment(5000, "cny")

    answers = [stripe_gateway.refund(ask(payment, yuan(1200))) for _ in range(3)]

    assert answers[0] == answers[1] == answers[2]
    assert len(simulator.admin.refunds()) == 1
    assert simulator.admin.counters()["replayed"] == 2


def test_the_same_key_for_another_amount_tells_what_really_went_out(
    simulator: GatewaySimulator, stripe_gateway: StripeGateway
) -> None:
    payment = simulator.admin.add_payment(5000, "cny")
    first = stripe_gateway.refund(ask(payment, yuan(1200)))

    assert stripe_gateway.refund(ask(payment, yuan(1300))) == first
    assert simulator.admin.counters()["mismatches"] == 1
    assert simulator.admin.payment(payment)["refunded"] == 1200


def test_eight_threads_with_one_key_make_one_refund(simulator: GatewaySimulator, stripe_gateway: StripeGateway) -> None:
    payment = simulator.admin.add_payment(5000, "cny")
    simulator.admin.fault("delay", ms=300, when="before")
    together = Barrier(8)

    def go(_: int) -> GatewayAnswer:
        together.wait()
        return stripe_gateway.refund(ask(payment, yuan(1200)))

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(go, range(8)))

    assert len(simulator.admin.refunds()) == 1
    confirmed = [answer for answer in answers if isinstance(answer, Confirmed)]
    in_the_works = [answer for answer in answers if isinstance(answer, Unanswered)]
    assert len(confirmed) >= 1
    assert len(in_the_works) == simulator.admin.counters()["conflicts"] >= 1
    assert len(confirmed) + len(in_the_works) == 8
    assert all("HTTP 409" in answer.why for answer in in_the_works)


def test_the_library_never_repeats_a_call_by_itself(simulator: GatewaySimulator, stripe_gateway: StripeGateway) -> None:
    payment = simulator.admin.add_payment(5000, "cny")
    simulator.admin.fault("unavailable", times=None)

    stripe_gateway.refund(ask(payment, yuan(1200)))

    assert simulator.admin.counters()["POST /v1/refunds"] == 1


def test_a_request_lost_on_the_way_is_paid_once_when_asked_again(
    simulator: GatewaySimulator, stripe_gateway: StripeGateway
) -> None:
    payment = simulator.admin.add_payment(5000, "cny")
    simulator.admin.fault("drop_request")

    assert isinstance(stripe_gateway.refund(ask(payment, yuan(1200))), Unanswered)
    assert stripe_gateway.find("payout-1", payment, None) is None
    assert isinstance(stripe_gateway.refund(ask(payment, yuan(1200))), Confirmed)
    assert len(simulator.admin.refunds()) == 1


@pytest.mark.parametrize("fault", ["drop_answer", "garbage_body", "status_500_after_doing"])
def test_an_answer_lost_after_the_money_moved_is_unanswered_until_looked_up(
    simulator: GatewaySimulator, stripe_gateway: StripeGateway, fault: str
) -> None:
    payment = simulator.admin.add_payment(5000, "cny")
    simulator.admin.fault(fault)

    assert isinstance(stripe_gateway.refund(ask(payment, yuan(1200))), Unanswered)

    found = stripe_gateway.find("payout-1", payment, None)
    assert isinstance(found, Confirmed)
    assert found.amount == yuan(1200)
    assert len(simulator.admin.refunds()) == 1


def test_a_slow_gateway_is_unanswered_after_the_read_timeout(simulator: GatewaySimulator) -> None:
    payment = simulator.admin.add_payment(5000, "cny")
    simulator.admin.fault("delay", ms=1500, when="after")
    hasty = simulator.gateway(read_timeout=0.3)

    answer = hasty.refund(ask(payment, yuan(1200)))

    assert isinstance(answer, Unanswered)
    assert "timed out" in answer.why
    assert isinstance(hasty.find("payout-1", payment, None), Confirmed)


def test_another_amount_or_currency_than_asked_is_told_as_the_gateway_said_it(
    simulator: GatewaySimulator, stripe_gateway: StripeGateway
) -> None:
    payment = simulator.admin.add_payment(5000, "cny")
    simulator.admin.fault("wrong_amount", amount=1100)
    other_amount = stripe_gateway.refund(ask(payment, yuan(1200), key="a"))
    simulator.admin.fault("wrong_currency", currency="usd")
    other_currency = stripe_gateway.refund(ask(payment, yuan(1200), key="b"))

    assert isinstance(other_amount, Confirmed)
    assert other_amount.amount == yuan(1100)
    assert isinstance(other_currency, Confirmed)
    assert other_currency.amount == Money(1200, "USD")


def test_a_decline_moves_nothing_and_stays_declined(simulator: GatewaySimulator, stripe_gateway: StripeGateway) -> None:
    payment = simulator.admin.add_payment(5000, "cny")
    simulator.admin.fault("decline", code="expired_or_canceled_card")

    answers = [stripe_gateway.refund(ask(payment, yuan(1200))) for _ in range(2)]

    assert [answer.code for answer in answers if isinstance(answer, Declined)] == ["expired_or_canceled_card"] * 2
    assert simulator.admin.refunds() == []


def test_more_than_is_left_is_declined(simulator: GatewaySimulator, stripe_gateway: StripeGateway) -> None:
    payment = simulator.admin.add_payment(5000, "cny")
    stripe_gateway.refund(ask(payment, yuan(4000), key="a"))

    too_much = stripe_gateway.refund(ask(payment, yuan(1001), key="b"))
    rest = stripe_gateway.refund(ask(payment, yuan(1000), key="c"))
    nothing_left = stripe_gateway.refund(ask(payment, yuan(1), key="d"))

    assert isinstance(too_much, Declined)
    assert too_much.code == "amount_too_large"
    assert isinstance(rest, Confirmed)
    assert isinstance(nothing_left, Declined)
    assert nothing_left.code == "charge_already_refunded"
    assert simulator.admin.payment(payment)["refunded"] == 5000


def test_eight_refunds_race_for_one_payment_and_the_gateway_keeps_its_cap(
    simulator: GatewaySimulator, stripe_gateway: StripeGateway
) -> None:
    payment = simulator.admin.add_payment(5000, "cny")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: stripe_gateway.refund(ask(payment, yuan(2000), key=f"k{n}")), range(8)))

    assert sum(isinstance(answer, Confirmed) for answer in answers) == 2
    assert sum(isinstance(answer, Declined) for answer in answers) == 6
    assert simulator.admin.payment(payment)["refunded"] == 4000


def test_a_disputed_payment_is_not_refunded(simulator: GatewaySimulator, stripe_gateway: StripeGateway) -> None:
    payment = simulator.admin.add_payment(5000, "cny")
    simulator.admin.open_dispute(payment)

    answer = stripe_gateway.refund(ask(payment, yuan(1200)))

    assert isinstance(answer, Declined)
    assert answer.code == "charge_disputed"


def test_an_unknown_payment_is_declined_when_paying_and_in_doubt_when_looking(stripe_gateway: StripeGateway) -> None:
    answer = stripe_gateway.refund(ask("ch_nobody", yuan(1200)))

    assert isinstance(answer, Declined)
    assert answer.code == "resource_missing"
    assert isinstance(stripe_gateway.find("payout-1", "ch_nobody", None), Unanswered)


def test_a_wrong_api_key_is_no_refusal_of_the_refund(simulator: GatewaySimulator) -> None:
    payment = simulator.admin.add_payment(5000, "cny")
    stranger = StripeGateway(api_key="sk_test_wrong", api_base=simulator.url)

    assert isinstance(stranger.refund(ask(payment, yuan(1200))), Unanswered)
    assert isinstance(stranger.find("payout-1", payment, None), Unanswered)


@pytest.mark.parametrize(("fault", "end"), [("accept_then_fail", Declined), ("accept_then_succeed", Confirmed)])
def test_accepted_is_not_yet_paid(
    simulator: GatewaySimulator, stripe_gateway: StripeGateway, fault: str, end: type
) -> None:
    payment = simulator.admin.add_payment(5000, "cny")
    simulator.admin.fault(fault)

    answer = stripe_gateway.refund(ask(payment, yuan(1200)))
    assert isinstance(answer, Accepted)
    assert answer.amount == yuan(1200)

    simulator.admin.settle()
    found = stripe_gateway.find("payout-1", payment, answer.reference)
    assert isinstance(found, end)
    assert simulator.admin.payment(payment)["refunded"] == (1200 if end is Confirmed else 0)
    # The key still remembers the first answer: repeating the request is no way to learn the outcome.
    assert stripe_gateway.refund(ask(payment, yuan(1200))) == answer


@pytest.mark.parametrize("how", ["refuse", "503"])
def test_a_gateway_that_is_down_leaves_everything_in_doubt_and_nothing_done(
    simulator: GatewaySimulator, stripe_gateway: StripeGateway, how: str
) -> None:
    payment = simulator.admin.add_payment(5000, "cny")
    simulator.admin.down(how)

    assert isinstance(stripe_gateway.refund(ask(payment, yuan(1200))), Unanswered)
    assert isinstance(stripe_gateway.find("payout-1", payment, None), Unanswered)
    with pytest.raises(GatewayUnreachable):
        list(stripe_gateway.list_refunds(datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)))

    simulator.admin.up()
    assert isinstance(stripe_gateway.refund(ask(payment, yuan(1200))), Confirmed)
    assert len(simulator.admin.refunds()) == 1


def test_yen_have_no_decimals_and_dinars_three(simulator: GatewaySimulator, stripe_gateway: StripeGateway) -> None:
    yen = simulator.admin.add_payment(500, "jpy")
    dinars = simulator.admin.add_payment(12_340, "kwd")

    in_yen = stripe_gateway.refund(ask(yen, Money.parse("120", "JPY"), key="a"))
    in_dinars = stripe_gateway.refund(ask(dinars, Money.parse("1.230", "KWD"), key="b"))
    uneven = stripe_gateway.refund(ask(dinars, Money.parse("1.234", "KWD"), key="c"))

    assert isinstance(in_yen, Confirmed)
    assert in_yen.amount == Money.parse("120", "JPY")
    assert isinstance(in_dinars, Confirmed)
    assert in_dinars.amount == Money.parse("1.230", "KWD")
    assert isinstance(uneven, Declined)
    assert uneven.code == "gateway_amount_unpayable"
    assert [refund["amount"] for refund in simulator.admin.refunds()] == [120, 1230]
    with pytest.raises(AmountUnpayable, match="multiple_of_10"):
        stripe_gateway.check_amount(Money.parse("1.234", "KWD"))


def test_the_books_survive_a_gateway_that_is_killed(simulator_process: GatewaySimulator) -> None:
    simulator_process.admin.reset()
    payment = simulator_process.admin.add_payment(5000, "cny")
    gateway = simulator_process.gateway()
    paid = gateway.refund(ask(payment, yuan(1200)))

    simulator_process.kill()
    assert isinstance(gateway.refund(ask(payment, yuan(1200))), Unanswered)
    simulator_process.start()

    assert gateway.refund(ask(payment, yuan(1200))) == paid
    assert len(simulator_process.admin.refunds()) == 1
