"""Orders and carriers' reports through HTTP."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from makegood.accounts.states import Role
from tests.api_client import Caller, issue_token, problem

_numbers = itertools.count(1)


def yuan(amount: str, currency: str = "CNY") -> dict[str, str]:
    return {"currency": currency, "amount": amount}


def order(**change: Any) -> dict[str, Any]:
    number = f"A-{next(_numbers)}"
    ago = (datetime.now(UTC) - timedelta(days=2)).isoformat()
    return {
        "number": number,
        "currency": "CNY",
        "ordered_at": ago,
        "market": "CN",
        "customer": {"reference": f"c-{number}", "name": "王芳", "email": "fang@example.com"},
        "lines": [{"number": "1", "sku": "LAMP-1", "title": "灯", "quantity": 2, "paid": yuan("200.00")}],
        "payments": [{"reference": "p1", "method": "card", "captured": yuan("200.00"), "captured_at": ago}],
        "parcels": [{"reference": f"P-{number}", "lines": {"1": 2}, "carrier": "SF"}],
    } | change


@pytest.fixture
def caller(merchant: int) -> Caller:
    return Caller(issue_token(Role.INTEGRATION))


def test_an_order_brought_in_can_be_looked_up(caller: Caller) -> None:
    sent = order()

    stored = caller.post("/orders", {"orders": [sent]})

    assert stored.status_code == 200, stored.content
    assert stored.json() == {"created": [sent["number"]], "updated": [], "unchanged": [], "refused": []}
    shown = caller.get(f"/orders/{sent['number']}").json()
    assert shown["paid"] == yuan("200.00")
    assert [line["quantity"] for line in shown["lines"]] == [2]
    assert "fang@example.com" not in str(shown)


def test_the_same_order_again_changes_nothing(caller: Caller) -> None:
    sent = order()
    caller.post("/orders", {"orders": [sent]})

    assert caller.post("/orders", {"orders": [sent]}).json()["unchanged"] == [sent["number"]]


def test_a_retry_with_its_key_gets_the_first_answer_again(caller: Caller) -> None:
    sent = {"orders": [order()]}

    first = caller.post("/orders", sent, key="k-1")
    again = caller.post("/orders", sent, key="k-1")
    other = caller.post("/orders", {"orders": [order()]}, key="k-1")

    assert first.json() == again.json()
    assert ("Idempotent-Replayed" in first.headers, again.headers["Idempotent-Replayed"]) == (False, "true")
    problem(other, 422, "idempotency_key_reused")


def test_a_write_without_a_key_is_refused(caller: Caller) -> None:
    problem(caller.post("/orders", {"orders": [order()]}, key=None), 400, "idempotency_key_missing")
    problem(caller.post("/orders", {"orders": [order()]}, key="k" * 256), 400, "idempotency_key_missing")


def test_one_bad_order_does_not_keep_the_others_out(caller: Caller) -> None:
    good, bad = order(), order(ordered_at="2199-01-01T00:00:00Z")

    stored = caller.post("/orders", {"orders": [good, bad]}).json()

    assert stored["created"] == [good["number"]]
    [refused] = stored["refused"]
    assert (refused["index"], refused["number"]) == (1, bad["number"])
    assert refused["pointer"].startswith("/orders/1/")
    problem(caller.get(f"/orders/{bad['number']}"), 404, "order_unknown")


def test_where_every_order_is_refused_the_answer_is_a_problem(caller: Caller) -> None:
    document = problem(
        caller.post("/orders", {"orders": [order(ordered_at="2199-01-01T00:00:00Z")]}), 422, "orders_refused"
    )

    [part] = document["errors"]
    assert part["pointer"] == "/orders/0/ordered_at"


@pytest.mark.parametrize(
    ("line", "code", "pointer"),
    [
        ({"paid": yuan("1.234")}, "amount_malformed", "/orders/0/lines/0/paid"),
        ({"paid": yuan("1.00", "USD")}, "currency_mismatch", "/orders/0/lines/0/paid"),
        ({"paid": yuan("NaN")}, "request_malformed", "/orders/0/lines/0/paid/amount"),
        ({"paid": yuan("-1.00")}, "request_malformed", "/orders/0/lines/0/paid/amount"),
        ({"paid": yuan("1" + "0" * 30)}, "request_malformed", "/orders/0/lines/0/paid/amount"),
        ({"paid": 200}, "request_malformed", "/orders/0/lines/0/paid"),
        ({"quantity": -1}, "request_malformed", "/orders/0/lines/0/quantity"),
        ({"quantity": 1.5}, "request_malformed", "/orders/0/lines/0/quantity"),
        ({"quantity": 10**30}, "request_malformed", "/orders/0/lines/0/quantity"),
        ({"merchant_id": 1}, "request_malformed", "/orders/0/lines/0/merchant_id"),
    ],
)
def test_what_a_line_says_wrong_is_named(caller: Caller, line: dict[str, Any], code: str, pointer: str) -> None:
    sent = order()
    sent["lines"][0] |= line

    document = problem(caller.post("/orders", {"orders": [sent]}), 422, code)

    assert [part["pointer"] for part in document["errors"]] == [pointer]
    problem(caller.get(f"/orders/{sent['number']}"), 404, "order_unknown")


def test_a_report_of_the_carrier_moves_the_parcel_once(caller: Caller) -> None:
    sent = order()
    caller.post("/orders", {"orders": [sent]})
    parcel = sent["parcels"][0]["reference"]
    report = {"kind": "delivered", "happened_at": (datetime.now(UTC) - timedelta(hours=1)).isoformat()}

    first = caller.post(f"/parcels/{parcel}/events", report).json()
    again = caller.post(f"/parcels/{parcel}/events", report).json()

    assert first["parcels"] == [{"order": sent["number"], "position": "with_customer", "again": False}]
    assert again["parcels"][0]["again"]
    problem(caller.post("/parcels/nobody/events", report), 404, "parcel_unknown")
    problem(caller.post(f"/parcels/{parcel}/events", report | {"kind": "eaten"}), 422, "request_malformed")


def test_who_may_only_read_brings_nothing_in(merchant: int) -> None:
    problem(Caller(issue_token(Role.AGENT)).post("/orders", {"orders": [order()]}), 403, "not_allowed")
