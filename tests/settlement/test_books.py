"""Payouts against the gateway's own books; payouts held after a restore and in a copied database; sealed secrets."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings

from makegood.accounts import commands as accounts_commands
from makegood.accounts import environment
from makegood.accounts import queries as accounts
from makegood.accounts.actors import NotAllowed
from makegood.cases.models import Case
from makegood.connectors.gateways import Confirmed, GatewayUnreachable, RefundRequest
from makegood.connectors.registry import GatewaySettingsMalformed
from makegood.kit import tenancy
from makegood.kit.money import Money
from makegood.orders.queries import OrderView, order_view
from makegood.settlement import commands as settlement
from makegood.settlement import gateways, queries, reconciling, releasing, vault
from makegood.settlement.commands.connecting import GatewayAccountMalformed
from makegood.settlement.commands.persons import PayoutMayHaveMoved, PayoutNotWaiting
from makegood.settlement.rules import payout_key
from tests.conftest import open_merchant
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
from tests.shop import AGENT, MANAGER, NOON, OWNER, Bought, sell


def compare(simulator: GatewaySimulator, **how: Any) -> list[str]:
    """Kinds of differences; the simulator's clock is the real one, our test's time is not."""
    now = datetime.fromtimestamp(simulator.admin.now(), UTC)
    [found] = reconciling.reconcile(since=now - timedelta(days=30), until=now + timedelta(days=1), at=now, **how)
    return [each.kind for each in found.differences]


def test_books_that_agree_have_no_differences(simulator: GatewaySimulator) -> None:
    paid_out(approved(sell_through(simulator, parts=2)))

    assert compare(simulator) == []


def test_a_refund_on_the_gateways_own_pages_is_found(simulator: GatewaySimulator) -> None:
    order = sell_through(simulator)
    charge = simulator.admin.ledger()["payments"][0]["id"]
    simulator.gateway()._client.v1.refunds.create({"charge": charge, "amount": 100})

    assert (compare(simulator), money(order)) == (["made_elsewhere"], [{}])


def test_a_payout_confirmed_by_mistake_is_missing_there(simulator: GatewaySimulator) -> None:
    case = approved(sell_through(simulator))
    simulator.admin.fault("decline")
    [payout] = paid_out(case)
    assert (payout["state"], fresh(case).money_state) == ("refused", "troubled")
    settlement.confirm_payout(ref=payout["ref"], reference="re_wishful", actor=MANAGER, at=NOON)

    assert compare(simulator) == ["missing_there"]


def test_what_the_gateway_took_back_unseen_differs_and_is_mended_by_looking(simulator: GatewaySimulator) -> None:
    order = sell_through(simulator)
    case = approved(order)
    [payout] = paid_out(case)
    simulator.admin.turn_refund(payout["gateway_reference"], "failed")

    assert compare(simulator) == ["state_differs"]
    assert compare(simulator, mend=True) == []
    assert (states(case), money(order)) == (["reversed"], [{"promised": 10_000}])
    assert all_is_sound()


def test_another_amount_in_the_gateways_books_is_found(simulator: GatewaySimulator) -> None:
    simulator.admin.fault("wrong_amount", amount=9_000, really=True)
    case = approved(sell_through(simulator))
    [payout] = paid_out(case)

    assert compare(simulator) == ["amount_differs"]
    with pytest.raises(PayoutMayHaveMoved):
        settlement.pay_otherwise(ref=payout["ref"], gateway="manual", actor=MANAGER, at=NOON)
    with pytest.raises(PayoutMayHaveMoved):
        settlement.give_up_payout(ref=payout["ref"], because="renounced", actor=MANAGER, at=NOON)


def test_a_gateway_that_does_not_answer_is_no_difference_but_a_refusal(simulator: GatewaySimulator) -> None:
    simulator.admin.down()
    try:
        with pytest.raises(GatewayUnreachable):
            compare(simulator)
    finally:
        simulator.admin.up()


def test_row_56_after_a_restore_nothing_is_sent_until_the_books_were_compared(
    simulator: GatewaySimulator, merchant: int
) -> None:
    order = sell_through(simulator)
    case = approved(order)
    key = paid_by_an_earlier_life(simulator, case, order)
    environment.hold_payouts(because="restored from a backup")
    simulator.admin.advance(hours=30)
    simulator.admin.prune_keys()
    much_later = later(NOON, hours=30)

    unpaid_order = sell_through(simulator)
    unpaid = approved(unpaid_order)
    settlement.pay_out(case_id=case.id, at=much_later)
    settlement.pay_out(case_id=unpaid.id, at=much_later)
    until_quiet(much_later)
    assert (states(case), states(unpaid)) == (["confirmed"], ["unknown"])  # looked up, and nothing sent
    assert queries.health().held_because == "restored from a backup"
    assert simulator.admin.counters()["POST /v1/refunds"] == 1

    now = datetime.fromtimestamp(simulator.admin.now(), UTC)
    compared = releasing.reconcile_merchants(
        since=now - timedelta(days=3), until=now + timedelta(days=1), at=now, merchant=slug(), mend=True
    )
    assert [difference.kind for _, each in compared for difference in each.differences] == []
    assert releasing.release_payouts(compared)
    until_quiet(later(much_later, days=1))

    assert (states(case), states(unpaid)) == (["confirmed"], ["confirmed"])
    assert str(payouts(case)[0]["key"]) == key
    assert simulator.admin.counters()["POST /v1/refunds"] == 2
    assert refunded_there(simulator, unpaid_order) == refunded_here(unpaid_order) == 10_000
    assert refunded_there(simulator, order) == refunded_here(order) == 10_000
    assert all_is_sound()


def test_row_56_books_that_differ_are_not_released_unless_a_person_accepts(simulator: GatewaySimulator) -> None:
    sell_through(simulator)
    charge = simulator.admin.ledger()["payments"][0]["id"]
    simulator.gateway()._client.v1.refunds.create({"charge": charge, "amount": 100})
    environment.hold_payouts(because="restored from a backup")
    now = datetime.fromtimestamp(simulator.admin.now(), UTC)
    compared = releasing.reconcile_merchants(
        since=now - timedelta(days=3), until=now + timedelta(days=1), at=now, merchant=slug()
    )

    with pytest.raises(releasing.BooksDiffer):
        releasing.release_payouts(compared)
    assert environment.payouts_held()
    releasing.release_payouts(compared, accept=True)
    assert not environment.payouts_held()


def test_row_57_a_copied_database_started_elsewhere_pays_nobody(
    simulator: GatewaySimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = sell_through(simulator)
    case = approved(order)
    monkeypatch.setattr(settings, "ENVIRONMENT", str(uuid.uuid4()))

    paid_out(case)
    until_quiet(NOON)

    assert (states(case), simulator.admin.refunds()) == (["intended"], [])
    assert queries.health().held_because == environment.FOREIGN


def test_payouts_inside_are_held_too(merchant: int) -> None:
    environment.hold_payouts(because="restored")
    case = approved(sell(position="not_shipped"))
    assert [row["state"] for row in paid_out(case)] == ["intended"]

    environment.release_payouts()
    until_quiet(NOON, hours=1)

    assert states(case) == ["accepted"]


def test_secrets_are_sealed_at_rest_and_open_only_with_this_installations_key(
    simulator: GatewaySimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = gateways.account("stripe")
    assert account is not None
    assert simulator.api_key not in account.digest
    assert gateways.connection_to("stripe") is gateways.connection_to("stripe")

    monkeypatch.setattr(settings, "SECRET_KEY", "another")
    with pytest.raises(vault.SecretsSealedElsewhere):
        vault.unseal(account.sealed, gateway="stripe")


def test_connecting_needs_the_owner_and_settings_the_gateway_can_use(merchant: int) -> None:
    good = {"api_key": "sk_test_x"}
    with pytest.raises(NotAllowed):
        settlement.connect_gateway(name="stripe", settings=good, actor=AGENT, at=NOON)
    with pytest.raises(GatewaySettingsMalformed):
        settlement.connect_gateway(name="stripe", settings={}, actor=OWNER, at=NOON)
    with pytest.raises(GatewayAccountMalformed):
        settlement.connect_gateway(name="manual", settings={}, actor=OWNER, at=NOON)
    with pytest.raises(GatewayAccountMalformed):
        settlement.connect_gateway(name="stripe", settings=good, webhook_secrets=["x"], actor=OWNER, at=NOON)


def test_the_account_of_another_merchant_is_never_used(simulator: GatewaySimulator) -> None:
    with tenancy.acting_for(open_merchant()), pytest.raises(gateways.GatewayNotConnected):
        gateways.connection_to("stripe")


def test_a_payout_through_a_gateway_that_is_not_connected_waits_for_a_person(merchant: int) -> None:
    case = approved(sell(position="not_shipped", gateway="stripe"))
    [payout] = paid_out(case)

    assert (payout["state"], payout["trouble"], fresh(case).money_state) == ("person", "not_connected", "troubled")


def test_an_amount_the_gateway_cannot_express_goes_to_a_person_unrounded(simulator: GatewaySimulator) -> None:
    limits = {"agent": {"KWD": 10**6}}
    accounts_commands.change_settings(settings={"approval_limits": limits}, actor=OWNER, at=NOON)
    case = approved(sell_through(simulator, Bought(1, 1_234), currency="KWD"))
    [payout] = paid_out(case)

    assert (payout["state"], payout["trouble"]) == ("person", "unpayable")


def test_only_what_surely_did_not_move_is_paid_another_way(simulator: GatewaySimulator) -> None:
    case = approved(sell_through(simulator))
    [payout] = paid_out(case)

    with pytest.raises(PayoutNotWaiting):
        settlement.pay_otherwise(ref=payout["ref"], gateway="manual", actor=MANAGER, at=NOON)


def slug() -> str:
    return accounts.merchant().slug


def paid_by_an_earlier_life(simulator: GatewaySimulator, case: Case, order: OrderView) -> str:
    """Send at the gateway what the deployment sent before the backup of it was put back; the key it used."""
    [payment] = order_view(order.id).payments
    key = payout_key(merchant=slug(), case=case.ref, round_=1, seq=1, payment=payment.reference, nth=0)
    answer = simulator.gateway().refund(
        RefundRequest(
            key=str(key),
            payment_reference=payment.gateway_reference,
            amount=Money(payment.captured_minor, order.currency),
            payout_ref="P-FORGOTTEN",
        )
    )
    assert isinstance(answer, Confirmed)
    return str(key)
