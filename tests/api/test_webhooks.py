"""Webhooks over the JSON API, the whole life of an endpoint."""

from __future__ import annotations

import pytest

from makegood.accounts.states import Role
from tests.api_client import Caller, issue_token

pytestmark = pytest.mark.usefixtures("merchant")


def test_an_endpoint_from_its_naming_to_its_end() -> None:
    owner = Caller(issue_token(Role.OWNER))
    added = owner.post("/webhooks", {"url": "https://example.com/hook", "events": ["case.approved"]})
    assert added.status_code == 201
    ref = added.json()["ref"]
    secret = owner.get(f"/webhooks/{ref}/secret").json()["secret"]
    assert secret.startswith("whsec_")
    assert secret not in added.content.decode()

    assert owner.post(f"/webhooks/{ref}/deliveries/test").status_code == 202
    [delivery] = owner.get(f"/webhooks/{ref}/deliveries").json()["data"]
    assert delivery["kind"] == "test"
    assert owner.get(f"/webhooks/{ref}/deliveries/{delivery['id']}").json() == {"data": []}
    assert owner.post(f"/webhooks/{ref}/deliveries/replay", {"delivery": delivery["id"]}).json() == {"deliveries": 1}
    assert owner.post(f"/webhooks/{ref}/pause").json()["state"] == "paused"
    assert owner.post(f"/webhooks/{ref}/deliveries/test").json()["code"] == "webhook_not_active"
    assert owner.post(f"/webhooks/{ref}/resume").json()["state"] == "active"
    owner.post(f"/webhooks/{ref}/secret", {"previous_hours": 1})
    assert owner.get(f"/webhooks/{ref}/secret").json()["secret"] != secret
    assert owner.send("PATCH", f"/webhooks/{ref}", {"events": []}).json()["events"] == []
    assert owner.send("DELETE", f"/webhooks/{ref}").status_code == 204
    assert owner.get("/webhooks").json() == {"data": []}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"url": "https://example.com/", "events": ["case.nothing"]}, "webhook_event_unknown"),
        ({"url": "http://example.com/"}, "outgoing_address_malformed"),
        ({"url": "https://u:p@example.com/"}, "outgoing_address_malformed"),
    ],
)
def test_what_cannot_be_used_is_refused(body: dict[str, object], code: str) -> None:
    answered = Caller(issue_token(Role.OWNER)).post("/webhooks", body)

    assert (answered.status_code, answered.json()["code"]) == (422, code)


def test_others_may_not() -> None:
    assert Caller(issue_token(Role.MANAGER)).get("/webhooks").status_code == 403
