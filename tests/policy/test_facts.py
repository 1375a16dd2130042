"""Facts are read strictly, kept exactly, and counted in the market's time zone."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makegood.kit.errors import Malformed
from makegood.kit.money import allocate
from makegood.policy.clock import Span, zone_of
from makegood.policy.derive import share_of_units
from makegood.policy.facts import FactNameUnknown, Facts
from makegood.policy.reference import facts_page
from tests.policy.cases import a_case


def rows(**sections: Any) -> Any:
    return Facts.from_json(a_case(**sections)).rows


@pytest.mark.parametrize(
    ("delivered", "asked", "days"),
    [
        ("2026-11-06T23:59:59+08:00", "2026-11-07T00:00:00+08:00", 1),
        ("2026-11-07T00:00:00+08:00", "2026-11-07T23:59:59+08:00", 0),
        ("2026-11-07T00:00:00+08:00", "2026-11-14T23:59:59+08:00", 7),
        ("2026-11-07T00:00:00+08:00", "2026-11-15T00:00:00+08:00", 8),
        # The same moments written from elsewhere: the market's clock counts, not the writer's.
        ("2026-11-06T16:00:00+00:00", "2026-11-14T15:59:59+00:00", 7),
        ("2026-11-06T16:00:00+00:00", "2026-11-14T16:00:00+00:00", 8),
        ("2028-02-22T12:00:00+08:00", "2028-02-29T12:00:00+08:00", 7),
        ("2028-02-22T12:00:00+08:00", "2028-03-01T12:00:00+08:00", 8),
    ],
)
def test_days_start_the_day_after_sign_off(delivered: str, asked: str, days: int) -> None:
    [row] = rows(order={"delivered_at": delivered}, asked_at=asked)
    assert row["days_since_delivery"] == days


@pytest.mark.parametrize(("asked", "days"), [("2026-03-29T23:59:00+02:00", 1), ("2026-03-30T00:00:00+02:00", 2)])
def test_a_day_of_twenty_three_hours_is_one_day(asked: str, days: int) -> None:
    [row] = rows(market="DE", currency="EUR", order={"delivered_at": "2026-03-28T23:59:00+01:00"}, asked_at=asked)
    assert row["days_since_delivery"] == days


def test_a_due_time_keeps_the_wall_clock_over_the_change_to_summer_time() -> None:
    zone = zone_of("DE")
    assert zone is not None
    start = datetime(2026, 3, 28, 10, 0, tzinfo=zone)
    assert Span.parse("1d").after(start, zone).isoformat() == "2026-03-29T10:00:00+02:00"
    assert Span.parse("24h").after(start, zone).isoformat() == "2026-03-29T11:00:00+02:00"
    assert Span.parse("1bd").after(start, zone).isoformat() == "2026-03-30T10:00:00+02:00"


def test_a_market_with_several_zones_and_an_unknown_market_are_told_apart() -> None:
    assert str(zone_of("US")) == "America/New_York"
    assert str(zone_of("FR")) == "Europe/Paris"
    assert zone_of("XX") is None


@given(total=st.integers(0, 10**6), quantity=st.integers(1, 40), data=st.data())
def test_shares_of_units_are_those_of_the_one_rule_of_sharing(total: int, quantity: int, data: Any) -> None:
    start = data.draw(st.integers(0, quantity))
    count = data.draw(st.integers(0, quantity - start))
    assert share_of_units(total, quantity, start, count) == sum(allocate(total, [1] * quantity)[start : start + count])


@given(paid=st.integers(0, 10**6), shipping=st.integers(0, 10**5), quantity=st.integers(1, 9))
def test_unit_after_unit_gives_back_exactly_what_was_paid(paid: int, shipping: int, quantity: int) -> None:
    price = share = 0
    for back in range(quantity):
        line = {"id": "1", "quantity": quantity, "paid": f"{paid / 100:.2f}", "units_given_back": back}
        order = {"lines": [line, {"id": "2", "quantity": 1, "paid": "7.77"}], "shipping_paid": f"{shipping / 100:.2f}"}
        facts = Facts.from_json(a_case(order=order, case={"kind": "return", "lines": [{"id": "1", "quantity": 1}]}))
        price += facts.rows[0]["line.price_paid"]
        share += facts.rows[0]["line.shipping_share"]
    assert price == paid
    assert share == allocate(shipping, [paid, 777])[0]


@pytest.mark.parametrize(
    ("sections", "state"),
    [
        ({"parcel": {"position": "not_shipped"}}, "pending"),
        ({"parcel": {"position": "at_door"}}, "shipped"),
        ({"order": {"delivered_at": "2026-11-01T00:00:00+08:00"}}, "delivered"),
        ({"order": {"delivered_at": "2026-11-01T00:00:00+08:00"}, "parcel": {"position": "back"}}, "delivered"),
        ({"order": {"delivered_at": "2026-11-15T00:00:00+08:00"}}, None),
        ({"order": {"state": "processed"}, "parcel": {"position": "not_shipped"}}, "processed"),
        ({"order": {"shipped_at": "2026-11-01T00:00:00+08:00"}}, None),
        ({}, None),
    ],
)
def test_the_state_of_the_order_is_known_only_where_something_shows_it(sections: Any, state: str | None) -> None:
    assert rows(**sections)[0].get("order.state") == state


def test_a_finding_overrules_the_fault_that_the_reason_suggests() -> None:
    assert rows()[0]["fault"] == "customer"
    assert rows(findings={"fault": "carrier"})[0]["fault"] == "carrier"


def test_evidence_is_true_when_brought_false_when_said_absent_and_else_unknown() -> None:
    [row] = rows(evidence=[{"kind": "photo", "of": "1"}, {"kind": "receipt", "absent": True}])
    assert (row["evidence.photo"], row["evidence.receipt"], row.get("evidence.report")) == (True, False, None)


@pytest.mark.parametrize(
    ("sections", "field", "rule"),
    [
        ({"currency": "ZZZ"}, "currency", "ISO 4217"),
        ({"market": "china"}, "market", "ISO 3166"),
        ({"asked_at": "2026-11-14T10:00:00"}, "asked_at", "offset"),
        ({"asked_at": "yesterday"}, "asked_at", "ISO 8601"),
        ({"asked_at": "9999-12-31T23:59:59+00:00"}, "asked_at", "year"),
        ({"order": {"shipping_paid": 12.5}}, "order.shipping_paid", "text"),
        ({"order": {"shipping_paid": "NaN"}}, "order.shipping_paid", "finite"),
        ({"order": {"shipping_paid": "-1.00"}}, "order.shipping_paid", "not_negative"),
        ({"order": {"shipping_paid": "1.001"}}, "order.shipping_paid", "decimals"),
        ({"order": {"shipping_paid": "1e30"}}, "order.shipping_paid", "10^15"),
        ({"order": {"free_shipping": "no"}}, "order.free_shipping", "true or false"),
        ({"order": {"fulfilled_by": "nobody"}}, "order.fulfilled_by", "one of seller, platform"),
        ({"order": {"lines": [{"id": "1"}, {"id": "1"}]}}, "order.lines", "once"),
        ({"order": {"lines": [{"quantity": 1}]}}, "order.lines[0].id", "must be given"),
        ({"order": {"lines": [{"id": "1", "quantity": -1}]}}, "order.lines[0].quantity", "whole number"),
        ({"order": {"lines": [{"id": "1", "quantity": True}]}}, "order.lines[0].quantity", "whole number"),
        ({"order": {"ordered_at": "2026-12-01T00:00:00+08:00"}}, "order.ordered_at", "not after"),
        ({"case": {"reason": "bored"}}, "case.reason", "one of changed_mind"),
        ({"case": {"lines": [{"id": "9"}]}}, "case.lines", "a line of the order"),
        ({"case": {"lines": [{"id": "1", "quantity": 3}]}}, "case.lines", "no more units"),
        ({"case": {"lines": [{"id": "1", "quantity": 0}]}}, "case.lines[0].quantity", "at least 1"),
        ({"evidence": [{"kind": "rumour"}]}, "evidence[0].kind", "one of photo"),
        ({"evidence": [{"kind": "photo", "of": "9"}]}, "evidence[0].of", "a line of the order"),
        ({"evidence": "photo"}, "evidence", "list"),
    ],
)
def test_what_cannot_be_read_names_field_value_and_rule(sections: Any, field: str, rule: str) -> None:
    with pytest.raises(Malformed) as caught:
        Facts.from_json(a_case(**sections))
    assert caught.value.field == field
    assert rule in caught.value.rule
    assert caught.value.code
    assert field in caught.value.sentence()


@pytest.mark.parametrize(
    ("sections", "field", "nearest"),
    [
        ({"order": {"deliverd_at": "x"}}, "order.deliverd_at", "delivered_at"),
        ({"parcels": {}}, "parcels", "parcel"),
        ({"case": {"raeson": "late"}}, "case.raeson", "reason"),
        ({"findings": {"faults": "none"}}, "findings.faults", "fault"),
        ({"order": {"lines": [{"id": "1", "price_payed": "1"}]}}, "order.lines[0].price_payed", "price_paid"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest_one(sections: Any, field: str, nearest: str) -> None:
    with pytest.raises(FactNameUnknown) as caught:
        Facts.from_json(a_case(**sections))
    assert caught.value.field == field
    assert caught.value.rule == f"The nearest known name is {nearest}."


@pytest.mark.parametrize("document", [None, [], "facts", {"case": {}}, {"currency": "CNY", "case": {}}])
def test_what_is_no_document_of_facts_is_refused(document: Any) -> None:
    with pytest.raises(Malformed):
        Facts.from_json(document)


def test_null_means_left_out() -> None:
    assert Facts.from_json(a_case(order={"shipped_at": None}, parcel=None)) == Facts.from_json(a_case())


def test_facts_survive_their_own_spelling() -> None:
    facts = Facts.from_json(a_case(order={"shipped_at": datetime(2026, 1, 1, tzinfo=UTC).isoformat()}))
    assert Facts.from_json(facts.as_json()) == facts
    assert Facts.from_json(facts.as_json()).canonical() == facts.canonical()


def test_the_reference_page_is_what_the_code_says() -> None:
    page = Path(__file__).resolve().parents[2] / "docs" / "reference" / "facts.md"
    assert page.read_text(encoding="utf-8") == facts_page(), "run python -m makegood.policy.reference"
