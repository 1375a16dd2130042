"""Tokens and webhooks at the desk: for who manages the merchant, and for nobody else."""

from __future__ import annotations

import ipaddress
import re
from datetime import UTC, datetime

import pytest

from makegood.accounts import queries as accounts
from makegood.kit import outgoing
from makegood.webhooks import commands, queries
from tests.desk.working import Member
from tests.shop import OWNER, Bought, ask, sell
from tests.webhooks.receiving import Receiver, receiving

pytestmark = pytest.mark.usefixtures("merchant")


def text(answer: object) -> str:
    return answer.content.decode()  # type: ignore[attr-defined,no-any-return]


def test_an_owner_makes_a_token_sees_it_once_and_ends_it() -> None:
    owner = Member("owner")
    made = owner.post(
        "/tokens", {"do": "issue", "label": "shop", "role": "integration", "scopes": ["read"], "days": "30"}
    )
    [secret] = re.findall(r"mg_[0-9]+_[A-Za-z0-9_-]{40,}", text(made))
    order = sell(Bought(paid=100_00))
    bearing = {"Authorization": f"Bearer {secret}"}

    assert owner.client.get(f"/api/v1/orders/{order.number}", headers=bearing).status_code == 200
    seen = text(owner.get("/tokens"))
    assert secret not in seen
    assert "never" not in re.sub(r"<[^>]+>", "", seen.split("<tbody>")[1].split("</tbody>")[0])
    [token] = accounts.token_list()
    assert token.last_used_at is not None

    owner.post("/tokens", {"do": "revoke", "token": str(token.id)})

    assert owner.client.get(f"/api/v1/orders/{order.number}", headers=bearing).status_code == 401


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"label": "", "role": "integration", "scopes": ["read"]}, "label"),
        ({"label": "x", "role": "integration", "scopes": ["manage"]}, "scopes"),
        ({"label": "x", "role": "integration", "scopes": ["read"], "days": "0"}, "days"),
        ({"label": "x", "role": "integration", "scopes": ["read"], "customer": "nobody"}, "nobody"),
    ],
)
def test_a_form_that_does_not_fit_makes_no_token(form: dict[str, object], code: str) -> None:
    answered = Member("owner").post("/tokens", {"do": "issue", **form})

    assert answered.status_code in {404, 422}
    assert code in text(answered)
    assert accounts.token_list() == []


@pytest.mark.parametrize("role", ["agent", "reviewer", "manager"])
@pytest.mark.parametrize("path", ["/tokens", "/webhooks", "/webhooks/W-23456789"])
def test_others_are_refused(role: str, path: str) -> None:
    member = Member(role)

    assert member.get(path).status_code == 403
    assert member.post(path, {"do": "issue", "label": "x", "role": "owner", "scopes": ["read"]}).status_code == 403
    assert accounts.token_list() == []


def test_an_owner_adds_an_endpoint_tests_it_and_sees_what_came_of_it() -> None:
    owner = Member("owner")
    answered = owner.post(
        "/webhooks", {"url": "https://example.com/hook", "label": "shop", "events": ["case.approved"]}
    )
    [endpoint] = queries.endpoints(actor=OWNER)
    page = f"/webhooks/{endpoint.ref}"

    assert answered.status_code == 302
    assert queries.secret_of(endpoint.ref, actor=OWNER) not in text(owner.get(page))
    assert queries.secret_of(endpoint.ref, actor=OWNER) in text(owner.get(page + "?secret=1"))
    owner.post(page, {"do": "test"})
    [row] = queries.deliveries(endpoint.ref, actor=OWNER).rows
    assert row.kind == "test"
    assert "Not tried yet." in text(owner.get(f"{page}/deliveries/{row.id}"))
    assert owner.get(f"{page}/deliveries/999999999").status_code == 404


def test_a_failure_is_shown_with_its_answer_and_replayed(settings: object) -> None:
    settings.OUTGOING_NETWORKS = (ipaddress.ip_network("127.0.0.0/8"),)  # type: ignore[attr-defined]
    owner = Member("owner")
    with receiving() as receiver:
        endpoint = commands.add_endpoint(
            url=receiver.url, events=["case.case_filed"], actor=OWNER, at=datetime.now(UTC)
        )
        ask(sell(Bought(paid=100_00)), "return", "changed_mind")
        receiver.answer(410, X_Why="moved")
        _send()
        page = f"/webhooks/{endpoint.ref}"
        [row] = queries.deliveries(endpoint.ref, actor=OWNER).rows
        assert "gone for good" in text(owner.get(page))
        assert "X-Why: moved" in text(owner.get(f"{page}/deliveries/{row.id}"))

        receiver.answer(200)
        assert "not active" in text(owner.post(page, {"do": "replay", "delivery": str(row.id)}))
        owner.post(page, {"do": "resume"})
        owner.post(page, {"do": "replay", "delivery": str(row.id)})
        _send()
        assert queries.deliveries(endpoint.ref, actor=OWNER).rows[0].state == "delivered"
        owner.post(page, {"do": "replay", "since": "2020-01-01T00:00", "until": "2099-01-01T00:00", "again": "1"})
        _send()
        assert len(_got(receiver)) == 3
        assert owner.post(page, {"do": "replay", "since": "yesterday"}).status_code == 422
        owner.post(page, {"do": "change", "url": receiver.url, "label": "other", "events": []})
        assert queries.endpoint(endpoint.ref, actor=OWNER).events == ()
        owner.post(page, {"do": "remove"})
        assert queries.endpoints(actor=OWNER) == ()


def _send() -> None:
    while commands.send_due(datetime.now(UTC)):
        pass


def _got(receiver: Receiver) -> list[str]:
    return receiver.ids()


def test_an_address_inside_is_refused_on_the_form() -> None:
    answered = Member("owner").post("/webhooks", {"url": "http://127.0.0.1/"})

    assert answered.status_code == 422
    assert outgoing.AddressMalformed.message.partition("{value}")[2][:20] in text(answered)
