"""A case through HTTP, from filing to a promise; and that no token sees what is not its merchant's."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from makegood.accounts.states import Role
from makegood.cases.tracking import tracking_token
from makegood.config.api import api
from makegood.kit import tenancy
from makegood.webhooks import commands as webhooks
from tests.api_client import OWNER, Caller, issue_token, problem
from tests.conftest import open_merchant
from tests.shop import Bought, ask, sell


@pytest.fixture
def manager(merchant: int) -> Caller:
    return Caller(issue_token(Role.MANAGER))


def file_case(caller: Caller, **change: Any) -> Any:
    order = sell(Bought(2, 20_000), position="not_shipped", at=datetime.now(UTC))
    body = {"kind": "cancellation", "reason": "changed_mind", "order": order.number}
    return caller.post("/cases", body | {"lines": [{"line": "1", "quantity": 1}]} | change)


def test_a_case_goes_from_filing_to_a_promise(manager: Caller) -> None:
    filed = file_case(manager, statement="买错了")
    assert filed.status_code == 201, filed.content
    ref = filed.json()["ref"]

    preview = manager.post(f"/cases/{ref}/preview", key=None)
    assert preview.status_code == 200, preview.content
    assert preview.json()["postings"]
    decided = manager.post(f"/cases/{ref}/decide")
    assert decided.json()["state"] == "planned", decided.content
    approved = manager.post(f"/cases/{ref}/approve")

    assert (approved.json()["state"], approved.json()["money_state"]) == ("approved", "promised")
    shown = manager.get(f"/cases/{ref}").json()
    assert shown["decisions"][0]["total"] == {"currency": "CNY", "amount": "100.00"}
    assert shown["messages"][0]["body"] == "买错了"
    kinds = [event["kind"] for event in manager.get(f"/cases/{ref}/timeline").json()["data"]]
    assert kinds[0] == "case_filed"
    assert "approved" in kinds


def test_a_complaint_without_an_order_names_its_customer(manager: Caller) -> None:
    order, other = sell(), sell()
    body = {"kind": "complaint", "reason": "rude", "statement": "Nobody listened."}
    problem(manager.post("/cases", body), 422, "order_needed")
    problem(manager.post("/cases", body | {"customer": "nobody"}), 404, "customer_unknown")
    theirs = {"customer": other.customer.reference, "order": order.number}
    problem(manager.post("/cases", body | theirs), 404, "order_unknown")

    filed = manager.post("/cases", body | {"customer": order.customer.reference})

    assert filed.status_code == 201, filed.content
    shown = manager.get(f"/cases/{filed.json()['ref']}").json()
    assert (shown["order"], shown["customer_name"]) == ("", order.customer.name)


def test_an_approval_sent_twice_promises_once(manager: Caller) -> None:
    ref = file_case(manager).json()["ref"]
    manager.post(f"/cases/{ref}/decide")

    first = manager.post(f"/cases/{ref}/approve", key="a-1")
    again = manager.post(f"/cases/{ref}/approve", key="a-1")
    another = manager.post(f"/cases/{ref}/approve", key="a-2")

    assert first.json() == again.json()
    problem(another, 409, "move_not_allowed")
    assert len(manager.get(f"/cases/{ref}").json()["decisions"][0]["remedies"]) == 1


def test_a_picture_is_taken_as_evidence_and_a_retry_of_it_is_one(manager: Caller) -> None:
    ref = file_case(manager).json()["ref"]
    picture = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(picture, "PNG")

    def send(key: str) -> Any:
        return manager.client.post(
            f"/api/v1/cases/{ref}/evidence",
            {"kind": "photo", "line": "1", "file": SimpleUploadedFile("破损.png", picture.getvalue(), "image/png")},
            headers=manager.headers | {"Idempotency-Key": key},
        )

    first, again = send("e-1"), send("e-1")

    assert first.status_code == 201, first.content
    assert first.json() == again.json()
    assert first.json()["media_type"] == "image/png"
    assert len(manager.get(f"/cases/{ref}").json()["evidence"]) == 1


def test_a_script_called_a_picture_is_refused(manager: Caller) -> None:
    ref = file_case(manager).json()["ref"]

    response = manager.client.post(
        f"/api/v1/cases/{ref}/evidence",
        {"kind": "photo", "file": SimpleUploadedFile("x.png", b"<svg onload=alert(1)>", "image/png")},
        headers=manager.headers | {"Idempotency-Key": "e-2"},
    )

    assert response.status_code == 422
    assert response.headers["Content-Type"] == "application/problem+json"


def test_more_than_is_left_is_refused_by_name(manager: Caller) -> None:
    document = problem(file_case(manager, lines=[{"line": "1", "quantity": 3}]), 409, "quantity_too_large")

    assert document["errors"][0]["pointer"].startswith("/lines")
    assert document["errors"][0]["value"] == "3"


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"kind": "wish"}, 422, "kind_unknown"),
        ({"reason": "bored"}, 422, None),
        ({"order": "nobody"}, 404, "order_unknown"),
        ({"lines": []}, 422, None),
        ({"lines": [{"line": "9", "quantity": 1}]}, 422, None),
        ({"lines": [{"line": "1", "quantity": 0}]}, 422, "request_malformed"),
        ({"state": "approved"}, 422, "request_malformed"),
    ],
)
def test_a_case_that_cannot_be_filed_says_why(
    manager: Caller, change: dict[str, Any], status: int, code: str | None
) -> None:
    response = file_case(manager, **change)

    problem(response, response.status_code, code or response.json()["code"])
    assert response.status_code in {status, 404}


def test_the_list_is_turned_page_by_page_without_gap_or_repeat(manager: Caller) -> None:
    refs = [file_case(manager).json()["ref"] for _ in range(5)]

    for sort in ("newest", "due"):
        seen: list[str] = []
        cursor = ""
        while True:
            page = manager.get(f"/cases?sort={sort}&limit=2&cursor={cursor}").json()
            seen += [row["ref"] for row in page["data"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        assert sorted(seen) == sorted(refs)
    problem(manager.get("/cases?cursor=x"), 422, "cursor_malformed")
    problem(manager.get("/cases?limit=0"), 422, "request_malformed")
    problem(manager.get("/cases?limit=1000"), 422, "request_malformed")


def test_a_link_shows_progress_and_nothing_personal(manager: Caller, merchant: int) -> None:
    order = sell(position="not_shipped", at=datetime.now(UTC))
    case = ask(order, "cancellation", "changed_mind", at=datetime.now(UTC))
    token = tracking_token(case.ref)

    with tenancy.acting_for_nobody():
        seen = Caller(None).get(f"/track/{token}")
        problem(Caller(None).get(f"/track/{token[:-1]}x"), 404, "case_unknown")
    assert seen.json()["ref"] == case.ref
    assert order.number not in seen.content.decode()
    assert "王芳" not in seen.content.decode()


ROLES_OF_ROUTE: dict[str, set[Role]] = {
    "decide": {Role.AGENT, Role.REVIEWER, Role.MANAGER, Role.OWNER},
    "approve": {Role.AGENT, Role.REVIEWER, Role.MANAGER, Role.OWNER},
    "review": {Role.REVIEWER, Role.MANAGER, Role.OWNER},
    "withdraw": set(Role),
}


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("route", ROLES_OF_ROUTE)
def test_each_route_lets_in_the_roles_it_is_for(merchant: int, role: Role, route: str) -> None:
    body = {"outcome": "upheld", "why": "x"} if route == "review" else {}

    response = Caller(issue_token(role)).post(f"/cases/C-NOBODY/{route}", body)

    expected = (404, "case_unknown") if role in ROLES_OF_ROUTE[route] else (403, "not_allowed")
    problem(response, *expected)


def every_route() -> list[tuple[str, str]]:
    document = api.get_openapi_schema()
    return sorted((method, path) for path, methods in document["paths"].items() for method in methods)


BODIES: dict[str, Callable[[], Any]] = {
    "findings": lambda: {"fact": "findings.fault", "value": "seller", "how": "seen"},
    "appeal": lambda: {"grounds": "x"},
    "review": lambda: {"outcome": "upheld", "why": "x"},
    "messages": lambda: {"body": "x"},
    "merge": lambda: {"into": "C-NOBODY"},
    "replay": lambda: {"delivery": 1},
    "events": lambda: {"kind": "delivered", "happened_at": "2026-11-16T04:00:00Z"},
}


@pytest.mark.parametrize(("method", "path"), [route for route in every_route() if "{ref}" in route[1]])
def test_another_merchants_references_are_answered_like_unknown_ones(merchant: int, method: str, path: str) -> None:
    order = sell(position="not_shipped", at=datetime.now(UTC))
    case = ask(order, "cancellation", "changed_mind", at=datetime.now(UTC), statement="canary-7f3a")
    webhook = webhooks.add_endpoint(
        url="https://receiver.example/", label="canary-7f3a", actor=OWNER, at=datetime.now(UTC)
    )
    named = {"cases": case.ref, "orders": order.number, "parcels": f"P-{order.number}", "webhooks": webhook.ref}
    known = named[path.split("/")[3]]
    with tenancy.acting_for(open_merchant()):
        stranger = Caller(issue_token(Role.OWNER))

    def ask_for(ref: str) -> Any:
        address = path.removeprefix("/api/v1").replace("{ref}", ref).replace("{delivery}", "1")
        if method == "get":
            return stranger.get(address)
        if method != "post":
            return stranger.send(method.upper(), address, {"label": "x"})
        last = path.rsplit("/", 1)[-1]
        if last == "evidence":
            return stranger.client.post(
                f"/api/v1{address}",
                {"kind": "photo", "file": SimpleUploadedFile("a.txt", b"text")},
                headers=stranger.headers | {"Idempotency-Key": f"k-{ref}"},
            )
        return stranger.post(address, BODIES[last]() if last in BODIES else {})

    theirs, nobodys = ask_for(known), ask_for("C-NOBODY")

    assert theirs.status_code == nobodys.status_code == 404, theirs.content
    same = ("code", "title", "status", "type")
    assert [theirs.json()[name] for name in same] == [nobodys.json()[name] for name in same]
    assert "canary-7f3a" not in theirs.content.decode()


def test_every_route_needs_a_token_but_the_link_and_what_is_signed(merchant: int) -> None:
    document = api.get_openapi_schema()
    open_routes = {
        path for path, methods in document["paths"].items() for one in methods.values() if not one.get("security")
    }

    assert open_routes == {
        "/api/v1/track/{token}",
        "/api/v1/gateways/{name}/webhook",
        "/api/v1/calls/{source}/events",
        "/api/v1/receipt-keys",
    }
