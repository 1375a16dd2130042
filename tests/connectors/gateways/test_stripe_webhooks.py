"""Stripe's webhooks as delivered over HTTP: authentic ones are read, all others are refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

from makegood.connectors.gateways import (
    GatewayEvent,
    GatewayEventKind,
    RefundRequest,
    WebhookForged,
    WebhookMalformed,
    WebhookStale,
)
from makegood.connectors.stripe.client import StripeGateway
from makegood.connectors.stripe.webhook import sign, verify
from makegood.kit.money import Money
from tests.connectors.gateways.webhook_catcher import Caught, WebhookCatcher
from tests.gateway_simulator import GatewaySimulator

SECRET = "whsec_now"
NOON = datetime(2026, 11, 16, 12, 0, tzinfo=UTC)
REFUND = {"id": "re_1", "object": "refund", "amount": 1200, "currency": "cny", "status": "succeeded", "created": 1}
DISPUTE = {"id": "dp_1", "object": "dispute", "amount": 5000, "currency": "cny", "charge": "ch_1", "created": 1}


@pytest.fixture
def catcher(simulator: GatewaySimulator) -> Iterator[WebhookCatcher]:
    with WebhookCatcher() as running:
        simulator.admin.configure_webhooks(running.url, SECRET)
        yield running
        simulator.admin.reset()


def read(
    gateway: StripeGateway, simulator: GatewaySimulator, caught: Caught, secrets: tuple[str, ...] = (SECRET,)
) -> GatewayEvent:
    at = datetime.fromtimestamp(simulator.admin.now(), UTC)
    [event] = gateway.read_webhook(caught.headers, caught.body, secrets=secrets, at=at)
    return event


def pay(simulator: GatewaySimulator, gateway: StripeGateway, key: str = "payout-1") -> str:
    payment = simulator.admin.add_payment(5000, "cny", intent=True)
    gateway.refund(RefundRequest(key, payment, Money(1200, "CNY"), "P-1"))
    return payment


def stripe_event(kind: str, thing: object, **data: object) -> dict[str, Any]:
    return {"id": "evt_1", "object": "event", "type": kind, "created": 1, "data": {"object": thing, **data}}


def read_signed(event: object) -> GatewayEvent:
    body = json.dumps(event).encode()
    gateway = StripeGateway(api_key="sk_test_unused")
    [found] = gateway.read_webhook({"Stripe-Signature": sign(body, SECRET, NOON)}, body, secrets=[SECRET], at=NOON)
    return found


def test_a_refund_tells_of_itself_with_the_payouts_key(
    simulator: GatewaySimulator, stripe_gateway: StripeGateway, catcher: WebhookCatcher
) -> None:
    payment = pay(simulator, stripe_gateway)
    simulator.admin.deliver(type="refund.created")

    event = read(stripe_gateway, simulator, catcher.caught[0])

    assert event.kind is GatewayEventKind.REFUND_SUCCEEDED
    assert event.payout_key == "payout-1"
    assert event.amount == Money(1200, "CNY")
    assert event.payment_reference == payment
    assert event.payment_names == (payment, simulator.admin.payment(payment)["id"])
    assert event.reference == simulator.admin.refunds()[0]["id"]


@pytest.mark.parametrize(
    ("fault", "end"), [("accept_then_succeed", "refund_succeeded"), ("accept_then_fail", "refund_failed")]
)
def test_a_pending_refund_tells_its_end_later(
    simulator: GatewaySimulator, stripe_gateway: StripeGateway, catcher: WebhookCatcher, fault: str, end: str
) -> None:
    simulator.admin.fault(fault)
    pay(simulator, stripe_gateway)
    simulator.admin.settle()

    simulator.admin.deliver(order="reversed")
    events = [read(stripe_gateway, simulator, caught) for caught in catcher.caught]

    assert {event.kind.value for event in events} == {"refund_updated", end, "ignored"}
    assert [event.kind.value for event in events[-2:]] == ["ignored", "refund_updated"]  # the oldest come last
    assert len({event.event_id for event in events}) == len(events)


def test_a_success_may_fail_weeks_later(
    simulator: GatewaySimulator, stripe_gateway: StripeGateway, catcher: WebhookCatcher
) -> None:
    payment = pay(simulator, stripe_gateway)
    simulator.admin.deliver()
    simulator.admin.advance(hours=24 * 20)
    simulator.admin.turn_refund(simulator.admin.refunds()[0]["id"], "failed")

    simulator.admin.deliver(type="refund.failed")

    assert read(stripe_gateway, simulator, catcher.caught[-1]).kind is GatewayEventKind.REFUND_FAILED
    assert simulator.admin.payment(payment)["refunded"] == 0


def test_the_same_event_twice_and_at_once_keeps_its_id(
    simulator: GatewaySimulator, stripe_gateway: StripeGateway, catcher: WebhookCatcher
) -> None:
    pay(simulator, stripe_gateway)

    sent = simulator.admin.deliver(type="refund.created", times=8, parallel=8)

    assert [each["status"] for each in sent] == [200] * 8
    assert len({read(stripe_gateway, simulator, caught).event_id for caught in catcher.caught}) == 1


def test_an_event_is_delivered_by_itself_until_it_is_taken(
    simulator: GatewaySimulator, stripe_gateway: StripeGateway, catcher: WebhookCatcher
) -> None:
    catcher.answers = [500, 503]
    simulator.admin.configure_webhooks(catcher.url, SECRET, auto=True)

    pay(simulator, stripe_gateway)
    caught = catcher.wait_for(4)

    types = [json.loads(each.body)["type"] for each in caught]
    assert sorted(types) == ["charge.refunded", "charge.refunded", "refund.created", "refund.created"]


def test_the_event_may_be_here_before_the_answer(
    simulator: GatewaySimulator, stripe_gateway: StripeGateway, catcher: WebhookCatcher
) -> None:
    simulator.admin.fault("webhook_first")
    simulator.admin.fault("drop_answer")  # not reached: the first fault that fits is the only one

    pay(simulator, stripe_gateway)

    assert any(json.loads(each.body)["type"] == "refund.created" for each in catcher.caught)


@pytest.mark.parametrize("forged", ["secret", "body", "unsigned"])
def test_a_forged_webhook_is_refused(
    simulator: GatewaySimulator, stripe_gateway: StripeGateway, catcher: WebhookCatcher, forged: str
) -> None:
    pay(simulator, stripe_gateway)
    simulator.admin.deliver(type="refund.created", forged=forged)

    with pytest.raises(WebhookForged) as refused:
        read(stripe_gateway, simulator, catcher.caught[0])
    assert refused.value.code == "webhook_forged"


def test_a_stale_webhook_is_refused(
    simulator: GatewaySimulator, stripe_gateway: StripeGateway, catcher: WebhookCatcher
) -> None:
    pay(simulator, stripe_gateway)
    simulator.admin.deliver(type="refund.created", stale=True)

    with pytest.raises(WebhookStale) as refused:
        read(stripe_gateway, simulator, catcher.caught[0])
    assert refused.value.code == "webhook_stale"


def test_both_secrets_are_good_while_one_replaces_the_other(
    simulator: GatewaySimulator, stripe_gateway: StripeGateway, catcher: WebhookCatcher
) -> None:
    pay(simulator, stripe_gateway)
    simulator.admin.deliver(type="refund.created")
    caught = catcher.caught[0]

    assert read(stripe_gateway, simulator, caught, ("whsec_next", SECRET)).payout_key == "payout-1"
    assert read(stripe_gateway, simulator, caught, (SECRET, "whsec_next")).payout_key == "payout-1"
    for without in (("whsec_next",), ("",), ()):
        with pytest.raises(WebhookForged):
            read(stripe_gateway, simulator, caught, without)


def test_signatures_agree_with_the_official_library(
    simulator: GatewaySimulator, stripe_gateway: StripeGateway, catcher: WebhookCatcher
) -> None:
    pay(simulator, stripe_gateway)
    simulator.admin.deliver(type="refund.created")
    caught = catcher.caught[0]
    stripe.WebhookSignature.verify_header(caught.body, caught.headers["Stripe-Signature"], SECRET, tolerance=300)

    theirs = stripe.WebhookSignature.generate_signature_header("{}", SECRET, timestamp=int(NOON.timestamp()))
    verify({"stripe-signature": theirs}, b"{}", secrets=[SECRET], at=NOON)


@pytest.mark.parametrize(("seconds", "good"), [(0, True), (300, True), (-300, True), (301, False), (-301, False)])
def test_five_minutes_either_way_are_tolerated(seconds: int, *, good: bool) -> None:
    header = {"Stripe-Signature": sign(b"{}", SECRET, NOON)}
    at = NOON + timedelta(seconds=seconds)
    if good:
        verify(header, b"{}", secrets=[SECRET], at=at)
    else:
        with pytest.raises(WebhookStale):
            verify(header, b"{}", secrets=[SECRET], at=at)


@pytest.mark.parametrize(
    "header",
    ["", "t=1", "v1=00", "t=１,v1=00", "t=-1,v1=00", "t=1,t=2,v1=00", "t=1,v1=é", "t=99999999999999,v1=0", "t=1,v0=00"],
)
def test_a_header_that_is_no_signature_is_forged(header: str) -> None:
    with pytest.raises(WebhookForged):
        verify({"Stripe-Signature": header}, b"{}", secrets=[SECRET], at=NOON)


@given(st.binary(min_size=1, max_size=200), st.data())
def test_no_byte_of_the_body_can_be_changed(body: bytes, data: st.DataObject) -> None:
    header = {"Stripe-Signature": sign(body, SECRET, NOON)}
    verify(header, body, secrets=[SECRET], at=NOON)
    place = data.draw(st.integers(0, len(body) - 1))
    other = bytes([body[place] ^ data.draw(st.integers(1, 255))])

    with pytest.raises(WebhookForged):
        verify(header, body[:place] + other + body[place + 1 :], secrets=[SECRET], at=NOON)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"null", b"[]", b"1", b"\xff\xfe", b"[" * 100_000, b'{"object": "event", "id": 1}']
)
def test_a_signed_body_that_is_no_event_is_malformed(body: bytes) -> None:
    header = {"Stripe-Signature": sign(body, SECRET, NOON)}
    with pytest.raises(WebhookMalformed):
        StripeGateway(api_key="sk_test_unused").read_webhook(header, body, secrets=[SECRET], at=NOON)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
)


@given(st.sampled_from([*REFUND]), JSON, st.sampled_from(["refund.updated", "charge.dispute.closed"]))
def test_whatever_stands_in_a_field_is_read_or_malformed(field: str, value: object, kind: str) -> None:
    thing = (REFUND if kind == "refund.updated" else DISPUTE) | {field: value}
    try:
        event = read_signed(stripe_event(kind, thing))
    except WebhookMalformed:
        assert field in ("id", "object", "amount", "currency", "created")
        return
    assert event.amount is None or type(event.amount.minor) is int


@pytest.mark.parametrize("missing", ["id", "amount", "currency", "created"])
def test_a_refund_event_without_its_facts_is_malformed(missing: str) -> None:
    thing = {name: value for name, value in REFUND.items() if name != missing}
    with pytest.raises(WebhookMalformed):
        read_signed(stripe_event("refund.updated", thing))


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("succeeded", "refund_succeeded"),
        ("pending", "refund_updated"),
        ("requires_action", "refund_updated"),
        ("failed", "refund_failed"),
        ("canceled", "refund_failed"),
        ("something_new", "unclear"),
    ],
)
@pytest.mark.parametrize("name", ["refund.updated", "charge.refund.updated", "refund.created", "refund.failed"])
def test_a_refund_event_says_what_the_status_says(name: str, status: str, kind: str) -> None:
    assert read_signed(stripe_event(name, {**REFUND, "status": status})).kind == kind


@pytest.mark.parametrize(
    ("name", "status", "before", "kind"),
    [
        ("charge.dispute.created", "needs_response", {}, "dispute_opened"),
        ("charge.dispute.created", "warning_needs_response", {}, "ignored"),
        ("charge.dispute.updated", "needs_response", {"status": "warning_needs_response"}, "dispute_opened"),
        ("charge.dispute.updated", "under_review", {"status": "needs_response"}, "ignored"),
        ("charge.dispute.closed", "won", {}, "dispute_won"),
        ("charge.dispute.closed", "lost", {}, "dispute_lost"),
        ("charge.dispute.closed", "warning_closed", {}, "ignored"),
        ("charge.dispute.closed", "prevented", {}, "unclear"),
        ("charge.dispute.funds_withdrawn", "needs_response", {}, "ignored"),
    ],
)
def test_a_dispute_counts_from_when_it_takes_money(name: str, status: str, before: dict[str, str], kind: str) -> None:
    event = read_signed(stripe_event(name, {**DISPUTE, "status": status}, previous_attributes=before))

    assert event.kind == kind
    assert event.reference == "dp_1"
    assert event.payment_reference == "ch_1"
    assert event.amount == Money(5000, "CNY")


def test_disputes_are_told_over_http(
    simulator: GatewaySimulator, stripe_gateway: StripeGateway, catcher: WebhookCatcher
) -> None:
    payment = simulator.admin.add_payment(5000, "cny")
    dispute = simulator.admin.open_dispute(payment, amount=3000)
    assert simulator.admin.payment(payment)["disputed"] == 3000
    simulator.admin.turn_dispute(dispute["id"], "won")
    assert simulator.admin.payment(payment)["disputed"] == 0

    simulator.admin.deliver()
    events = [read(stripe_gateway, simulator, caught) for caught in catcher.caught]

    assert [event.kind.value for event in events] == ["dispute_opened", "dispute_won"]
    assert events[0].amount == Money(3000, "CNY")


def test_an_amount_that_is_no_money_here_is_for_a_person() -> None:
    event = read_signed(stripe_event("refund.updated", {**REFUND, "amount": 150, "currency": "isk"}))

    assert event.kind is GatewayEventKind.UNCLEAR
    assert event.amount is None
    assert "150 isk" in event.detail


def test_events_about_other_things_are_ignored() -> None:
    event = read_signed(stripe_event("customer.created", {"id": "cus_1"}))

    assert (event.kind, event.event_id, event.detail) == (GatewayEventKind.IGNORED, "evt_1", "customer.created")
