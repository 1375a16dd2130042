"""Every failure is a problem document with a stable code, in the reader's language, soon."""

from __future__ import annotations

import json
import time
from typing import Any
from unittest import mock

import pytest
from django.db import OperationalError

from makegood.accounts.states import May, Role
from makegood.kit import tenancy
from tests.api_client import Caller, issue_token, problem
from tests.conftest import open_merchant

FACTS: dict[str, Any] = {
    "market": "CN",
    "platform": "own-store",
    "currency": "CNY",
    "asked_at": "2026-11-14T10:00:00+08:00",
    "order": {"delivered_at": "2026-11-12T10:00:00+08:00", "lines": [{"id": "1", "quantity": 1, "paid": "10.00"}]},
    "case": {"kind": "return", "reason": "changed_mind", "lines": [{"id": "1", "quantity": 1}]},
}


@pytest.fixture
def caller(merchant: int) -> Caller:
    return Caller(issue_token())


def test_a_quote_is_answered(caller: Caller) -> None:
    response = caller.post("/quotes", FACTS)

    assert response.status_code == 200, response.content
    assert response.json()["total"]["currency"] == "CNY"


def test_a_domain_error_names_field_value_and_rule(caller: Caller) -> None:
    document = problem(caller.post("/quotes", FACTS | {"currency": "XXQ"}), 422, "currency_unknown")

    [part] = document["errors"]
    assert (part["pointer"], part["value"], part["rule"]) == ("/currency", "XXQ", "ISO 4217")
    assert document["type"] == "urn:makegood:problem:currency_unknown"
    assert document["request_id"]


def test_a_body_of_the_wrong_shape_points_at_the_place(caller: Caller) -> None:
    document = problem(caller.post("/quotes", []), 422, "request_malformed")

    assert document["errors"][0]["in"] == "body"


def test_a_query_of_the_wrong_shape_points_at_the_place(caller: Caller) -> None:
    document = problem(caller.post("/quotes?on=yesterday", FACTS), 422, "request_malformed")

    [part] = document["errors"]
    assert (part["in"], part["pointer"], part["value"]) == ("query", "/on", "yesterday")


def test_the_words_follow_the_reader_and_the_code_does_not(merchant: int) -> None:
    token = issue_token()
    english = problem(Caller(token, language="en").get("/nowhere"), 404, "address_unknown")
    chinese = problem(Caller(token, language="zh-CN,zh;q=0.9").get("/nowhere"), 404, "address_unknown")

    assert english["title"] == "Not found"
    assert chinese["title"] == "未找到"
    assert english["type"] == chinese["type"]


@pytest.mark.parametrize(
    ("raw", "rule"),
    [
        (b"{", "EOF"),
        (b"[" * 100_000, "recursion"),
        (b'{"a":' * 100_000, "recursion"),
        (b'{"a": NaN}', "expected"),
        (b'{"a": ' + b"9" * 100_000 + b"}", "number"),
        (b'{"a": "\\u0000"}', "NUL"),
        (b'{"a": "\\ud800"}', "hex escape"),
        (b"\xff\xfe", "expected"),
        ("[1]".encode("utf-16"), "expected"),
    ],
)
def test_a_hostile_document_is_refused_at_once(caller: Caller, raw: bytes, rule: str) -> None:
    started = time.process_time()
    document = problem(caller.post("/quotes", raw), 422, "json_malformed")

    assert rule in document["detail"]
    assert time.process_time() - started < 0.1


def test_a_title_of_ten_megabytes_is_refused_before_it_is_read(caller: Caller) -> None:
    raw = json.dumps({"title": "x" * 10_000_000}).encode()

    started = time.process_time()
    problem(caller.post("/quotes", raw), 413, "body_too_large")

    assert time.process_time() - started < 0.1


def test_what_is_not_json_is_not_guessed(caller: Caller) -> None:
    response = caller.client.post(
        "/api/v1/quotes", data=b"<xml/>", content_type="application/xml", headers=caller.headers
    )

    problem(response, 415, "media_unsupported")


def test_another_method_is_told_which_ones_there_are(caller: Caller) -> None:
    response = caller.get("/quotes")

    problem(response, 405, "method_not_allowed")
    assert response.headers["Allow"] == "POST"


def test_a_nul_in_an_address_is_an_address_there_is_not(caller: Caller) -> None:
    problem(caller.get("/nowhere/%00"), 404, "address_unknown")
    problem(caller.post("/quotes?lang=%00", FACTS), 404, "address_unknown")


def test_a_defect_tells_a_number_and_nothing_else(caller: Caller) -> None:
    with mock.patch("makegood.policy.quote.quote", side_effect=RuntimeError("secret detail")):
        response = caller.post("/quotes", FACTS)

    document = problem(response, 500, "internal_error")
    assert document["request_id"] in document["detail"]
    assert "secret detail" not in response.content.decode()


def test_a_lost_database_is_told_as_such(caller: Caller) -> None:
    with mock.patch("makegood.accounts.queries.actor_of_token", side_effect=OperationalError("gone")):
        response = caller.post("/quotes", FACTS)

    problem(response, 503, "temporarily_unavailable")
    assert response.headers["Retry-After"] == "1"


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer nonsense", "Basic YTpi", "Bearer mg_1_x", "Bearer mg_x_1"]
)
def test_without_a_token_that_is_known_there_is_no_way_in(merchant: int, header: str | None) -> None:
    caller = Caller(None)
    if header is not None:
        caller.headers["Authorization"] = header

    response = caller.post("/quotes", FACTS)

    problem(response, 401, "token_invalid")
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_token_sent_under_another_merchants_number_opens_nothing(merchant: int) -> None:
    token = issue_token()
    other = open_merchant()

    problem(Caller(f"mg_{other}_{token.split('_', 2)[2]}").post("/quotes", FACTS), 401, "token_invalid")


def test_nobody_is_in_sight_after_a_request(merchant: int) -> None:
    token = issue_token()
    with tenancy.acting_for_nobody():
        assert Caller(token).post("/quotes", FACTS).status_code == 200
        assert tenancy.current_merchant_id() is None


def test_a_token_without_the_scope_is_known_and_may_not(merchant: int) -> None:
    caller = Caller(issue_token(Role.INTEGRATION, [May.WRITE_ORDERS]))

    document = problem(caller.post("/quotes", FACTS), 403, "not_allowed")

    assert document["errors"][0]["rule"] == "read"


def test_answers_carry_a_number_and_are_not_kept(caller: Caller) -> None:
    response = caller.post("/quotes", FACTS, **{"X-Request-Id": "shop-20261116-1"})

    assert response.headers["X-Request-Id"] == "shop-20261116-1"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    forged = caller.post("/quotes", FACTS, **{"X-Request-Id": "a b" + "x" * 80})
    assert len(forged.headers["X-Request-Id"]) == 32
