"""Gateways by name, and the one where a person is the gateway."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from makegood.connectors.gateways import Accepted, Gateway, RefundRequest, WebhookForged
from makegood.connectors.registry import GatewaySettingsMalformed, GatewayUnknown, gateway
from makegood.kit.money import Money

NOON = datetime(2026, 11, 16, 12, 0, tzinfo=UTC)


def test_a_name_becomes_a_gateway() -> None:
    built: list[Gateway] = [gateway("manual", {}), gateway("stripe", {"api_key": "sk_test_x", "read_timeout": 3.0})]
    assert [each.name for each in built] == ["manual", "stripe"]


def test_an_unknown_name_and_wrong_settings_are_told() -> None:
    with pytest.raises(GatewayUnknown, match="no gateway paypall"):
        gateway("paypall", {})
    with pytest.raises(GatewaySettingsMalformed, match="api_key"):
        gateway("stripe", {})
    with pytest.raises(GatewaySettingsMalformed, match="api_kee"):
        gateway("stripe", {"api_key": "sk_test_x", "api_kee": "y"})


def test_a_person_confirms_what_the_manual_gateway_accepts() -> None:
    manual = gateway("manual", {})
    request = RefundRequest("payout-1", "cash", Money.parse("1.234", "KWD"), "P-1")

    manual.check_amount(request.amount)
    answers = {manual.refund(request), manual.refund(request)}

    assert answers == {Accepted("manual:payout-1", request.amount)}
    assert manual.find("payout-1", "cash", None) is None
    assert list(manual.list_refunds(NOON, NOON)) == []
    with pytest.raises(WebhookForged):
        manual.read_webhook({}, b"{}", secrets=["whsec_x"], at=NOON)


@pytest.mark.parametrize("key", ["", "x" * 256, "键", "a\nb"])
def test_a_key_no_gateway_could_carry_is_a_mistake_of_ours(key: str) -> None:
    with pytest.raises(ValueError, match="payout key"):
        RefundRequest(key, "ch_1", Money(1, "CNY"), "P-1")


@pytest.mark.parametrize("minor", [0, -1])
def test_nothing_is_not_refunded(minor: int) -> None:
    with pytest.raises(ValueError, match="more than nothing"):
        RefundRequest("k", "ch_1", Money(minor, "CNY"), "P-1")
