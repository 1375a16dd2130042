"""Looking up what became of a key: however long ago, whatever the gateway forgot, and across all refunds."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from makegood.connectors.gateways import (
    Confirmed,
    RefundRequest,
    RefundStatus,
    Unanswered,
)
from makegood.connectors.stripe.client import StripeGateway
from makegood.kit.money import Money
from tests.gateway_simulator import GatewaySimulator


def yuan(minor: int) -> Money:
    return Money(minor, "CNY")


def ask(payment: str, amount: Money, key: str = "payout-1") -> RefundRequest:
    return RefundRequest(key=key, payment_reference=payment, amount=amount, payout_ref="P-7KMP3QXR")


def test_a_request_still_being_worked_on_is_not_found_yet_and_safe_to_repeat(simulator: GatewaySimulator) -> None:
    payment = simulator.admin.add_payment(5000, "cny")
    simulator.admin.fault("delay", ms=1000, when="before")
    hasty = simulator.gateway(read_timeout=0.3)
    assert isinstance(hasty.refund(ask(payment, yuan(1200))), Unanswered)

    assert hasty.find("payout-1", payment, None) is None
    again = hasty.refund(ask(payment, yuan(1200)))
    assert isinstance(again, Unanswered)
    assert "HTTP 409" in again.why

    give_up = time.monotonic() + 10
    while (found := hasty.find("payout-1", payment, None)) is None and time.monotonic() < give_up:
        time.sleep(0.05)  # asks the gateway again, as settlement does
    assert isinstance(found, Confirmed)
    assert hasty.refund(ask(payment, yuan(1200))) == found
    assert len(simulator.admin.refunds()) == 1


@pytest.mark.parametrize(
    ("fault", "moved"), [("status_500_before", False), ("status_500_after_doing", True)], ids=["undone", "done"]
)
def test_a_remembered_500_comes_back_for_ever_and_the_look_up_decides(
    simulator: GatewaySimulator, stripe_gateway: StripeGateway, fault: str, *, moved: bool
) -> None:
    payment = simulator.admin.add_payment(5000, "cny")
    simulator.admin.fault(fault)

    answers = [stripe_gateway.refund(ask(payment, yuan(1200))) for _ in range(3)]

    assert all(isinstance(answer, Unanswered) and "HTTP 500" in answer.why for answer in answers)
    assert simulator.admin.counters()["replayed"] == 2
    found = stripe_gateway.find("payout-1", payment, None)
    assert isinstance(found, Confirmed) if moved else found is None
    assert simulator.admin.payment(payment)["refunded"] == (1200 if moved else 0)


def test_a_forgotten_key_is_still_found_on_the_refund_itself(
    simulator: GatewaySimulator, stripe_gateway: StripeGateway
) -> None:
    payment = simulator.admin.add_payment(5000, "cny")
    paid = stripe_gateway.refund(ask(payment, yuan(1200)))
    simulator.admin.advance(hours=25)
    assert simulator.admin.prune_keys(hours=24) == 1

    assert stripe_gateway.find("payout-1", payment, None) == paid


def test_already_refunded_by_a_forgotten_key_of_ours_is_no_refusal(
    simulator: GatewaySimulator, stripe_gateway: StripeGateway
) -> None:
    payment = simulator.admin.add_payment(5000, "cny")
    paid = stripe_gateway.refund(ask(payment, yuan(5000)))
    simulator.admin.advance(hours=25)
    simulator.admin.prune_keys(hours=24)

    assert stripe_gateway.refund(ask(payment, yuan(5000))) == paid
    assert len(simulator.admin.refunds()) == 1


def test_a_refusal_is_in_doubt_while_the_books_cannot_be_read(
    simulator: GatewaySimulator, stripe_gateway: StripeGateway
) -> None:
    payment = simulator.admin.add_payment(5000, "cny")
    simulator.admin.fault("decline")
    simulator.admin.fault("unavailable", on="GET /v1/refunds")

    assert isinstance(stripe_gateway.refund(ask(payment, yuan(1200))), Unanswered)
    assert stripe_gateway.find("payout-1", payment, None) is None


def test_two_living_refunds_under_one_key_are_for_a_person(
    simulator: GatewaySimulator, stripe_gateway: StripeGateway
) -> None:
    payment = simulator.admin.add_payment(5000, "cny")
    stripe_gateway.refund(ask(payment, yuan(1200)))
    simulator.admin.prune_keys(hours=0)
    stripe_gateway.refund(ask(payment, yuan(1200)))

    found = stripe_gateway.find("payout-1", payment, None)

    assert isinstance(found, Unanswered)
    assert "several refunds carry this key" in found.why


def test_the_refund_is_found_behind_many_others(simulator: GatewaySimulator, stripe_gateway: StripeGateway) -> None:
    payment = simulator.admin.add_payment(500_000, "cny")
    wanted = stripe_gateway.refund(ask(payment, yuan(7), key="the-first"))
    for number in range(120):
        stripe_gateway.refund(ask(payment, yuan(1), key=f"other-{number}"))

    assert stripe_gateway.find("the-first", payment, None) == wanted
    assert simulator.admin.counters()["GET /v1/refunds"] == 2


def test_a_reference_of_another_payout_does_not_answer_for_this_one(
    simulator: GatewaySimulator, stripe_gateway: StripeGateway
) -> None:
    payment = simulator.admin.add_payment(5000, "cny")
    other = stripe_gateway.refund(ask(payment, yuan(1200), key="other"))
    assert isinstance(other, Confirmed)

    assert stripe_gateway.find("payout-1", payment, other.reference) is None
    assert stripe_gateway.find("payout-1", payment, "re_unknown") is None


def test_a_really_smaller_refund_is_seen_by_the_look_up_too(
    simulator: GatewaySimulator, stripe_gateway: StripeGateway
) -> None:
    payment = simulator.admin.add_payment(5000, "cny")
    simulator.admin.fault("wrong_amount", amount=1100, really=True)
    stripe_gateway.refund(ask(payment, yuan(1200)))

    found = stripe_gateway.find("payout-1", payment, None)

    assert isinstance(found, Confirmed)
    assert found.amount == yuan(1100)
    assert simulator.admin.payment(payment)["refunded"] == 1100


def test_reconciliation_sees_every_refund_of_the_time_also_those_of_others(
    simulator: GatewaySimulator, stripe_gateway: StripeGateway
) -> None:
    payment = simulator.admin.add_payment(500_000, "cny", intent=True)
    for number in range(105):
        stripe_gateway.refund(ask(payment, yuan(number + 1), key=f"k{number}"))
    stripe_gateway._client.v1.refunds.create({"payment_intent": payment, "amount": 9})
    now = datetime.fromtimestamp(simulator.admin.now(), UTC)

    seen = list(stripe_gateway.list_refunds(now - timedelta(hours=1), now + timedelta(hours=1)))

    assert [refund.payout_key for refund in seen] == [None] + [f"k{number}" for number in reversed(range(105))]
    assert seen[-1].amount == yuan(1)
    assert seen[-1].payment_names[0] == payment
    assert {refund.status for refund in seen} == {RefundStatus.SUCCEEDED}
    assert list(stripe_gateway.list_refunds(now - timedelta(hours=2), now - timedelta(hours=1))) == []
