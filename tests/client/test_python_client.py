"""The typed client against the running API, and the text of it against the OpenAPI document."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.test import override_settings
from makegood_client import Makegood, Problem
from makegood_client.api import CaseIn
from PIL import Image

from makegood.accounts.states import Role
from makegood.config.api import api
from makegood.config.python_client import FILE, client_text
from tests.api_client import issue_token
from tests.browser.live import site
from tests.shop import Bought, sell

pytestmark = pytest.mark.usefixtures("merchant")


def test_the_client_is_what_the_document_says() -> None:
    assert FILE.read_text() == client_text(api.get_openapi_schema()), "run: make client"


def test_every_operation_is_a_method() -> None:
    document = api.get_openapi_schema()
    names = {operation["operationId"] for methods in document["paths"].values() for operation in methods.values()}

    assert {name for name in names if not callable(getattr(Makegood, name, None))} == set()


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Makegood]:
    with site() as address, override_settings(UPLOADS_DIR=tmp_path), Makegood(address, issue_token(Role.OWNER)) as made:
        yield made


def wish(order: str) -> CaseIn:
    return {"kind": "return", "reason": "damaged", "order": order, "lines": [{"line": "1", "quantity": 1}]}


def test_a_case_from_its_filing_to_its_approval(shop: Makegood) -> None:
    order = sell(Bought(paid=100_00))
    picture = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(picture, "PNG")

    case = shop.file_case(wish(order.number))
    shop.add_evidence(case["ref"], file=("broken.png", picture.getvalue()), kind="photo")
    shop.decide_case(case["ref"])
    [decision] = shop.show_case(case["ref"])["decisions"]
    approved = shop.approve_case(case["ref"], {"decision": decision["id"]})

    assert decision["total"] == {"currency": "CNY", "amount": "100.00"}
    assert approved["state"] == "approved"
    assert shop.show_timeline(case["ref"])["data"][0]["kind"] == "case_filed"
    assert shop.show_order(order.number)["number"] == order.number


def test_the_same_key_does_it_once(shop: Makegood) -> None:
    order = sell(Bought(quantity=2, paid=100_00))

    first, again = (shop.file_case(wish(order.number), idempotency_key="one-key") for _ in range(2))

    assert first["ref"] == again["ref"]


def test_a_list_goes_on_page_by_page(shop: Makegood) -> None:
    filed = {shop.file_case(wish(sell(Bought(paid=100_00)).number))["ref"] for _ in range(3)}

    assert {row["ref"] for row in shop.iter_list_cases(limit=1)} == filed


def test_a_refusal_is_a_problem_with_its_code(shop: Makegood) -> None:
    with pytest.raises(Problem) as refused:
        shop.show_case("C-23456789/../x")

    assert (refused.value.status, refused.value.code) == (404, refused.value.document["code"])
    with pytest.raises(Problem) as unknown:
        shop.show_case("C-23456789")
    assert unknown.value.code == "case_unknown"
    assert unknown.value.errors[0]["value"] == "C-23456789"
    assert unknown.value.request_id


def test_without_a_body_in_the_answer_nothing_comes_back(shop: Makegood) -> None:
    endpoint = shop.add_webhook({"url": "https://example.com/hook"})

    assert shop.remove_webhook(endpoint["ref"]) is None  # type: ignore[func-returns-value]
    assert shop.list_webhooks() == {"data": []}


def test_a_lost_answer_is_asked_for_again_under_the_same_key(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    answers: Iterator[Any] = iter(
        [httpx.ReadError("gone"), httpx.Response(503, headers={"Retry-After": "1"}), httpx.Response(201, json={})]
    )

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["Idempotency-Key"])
        given = next(answers)
        if isinstance(given, Exception):
            raise given
        assert isinstance(given, httpx.Response)
        return given

    waits: list[float] = []
    monkeypatch.setattr("makegood_client.calling.time.sleep", waits.append)
    with Makegood("https://shop.example", "mg_1_x", transport=httpx.MockTransport(answer)) as shop:
        shop.file_case(wish("1"))

    assert len(seen) == 3
    assert len(set(seen)) == 1
    assert waits[1] >= 1.0
