"""Nobody sees what is another's: every address of the house, asked by every kind of stranger, searched for canaries."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client, override_settings
from django.urls import URLPattern, URLResolver, get_resolver

from makegood.accounts import queries as accounts
from makegood.accounts.states import Role
from makegood.calls import commands as calls
from makegood.calls import queries as read_calls
from makegood.cases import commands as cases
from makegood.cases.models import Case
from makegood.cases.tracking import tracking_token
from makegood.config.api import api
from makegood.connectors.phone import own
from makegood.desk import action_views, mail_views
from makegood.kit import db, files, tenancy
from makegood.orders.queries import OrderView
from makegood.policy import commands as policies
from makegood.policy import trials
from makegood.portal import case_views
from makegood.webhooks import commands as webhooks
from makegood.webhooks import queries as read_webhooks
from tests.api_client import Caller, issue_token
from tests.conftest import open_merchant
from tests.conversations.mails import arrive, conversation_of, letter, open_mailbox
from tests.desk.working import Member
from tests.portal.visiting import Visitor
from tests.shop import AGENT, MANAGER, OWNER, Bought, ask, sell, settle


@pytest.fixture(autouse=True)
def _uploads(tmp_path: Path) -> Iterator[None]:
    with override_settings(UPLOADS_DIR=tmp_path):
        yield


@dataclass(frozen=True)
class Life:
    """What one merchant holds of one customer, with a word in every text that stands nowhere else."""

    merchant_id: int
    slug: str
    canary: str
    order: OrderView
    case: Case
    evidence_id: int
    webhook: str
    delivery_id: int
    conversation: str  # its ref; with a letter, a file and the mail as it came
    mail_id: int
    draft: str
    trial: str
    call: str  # its ref; with a transcript


def live(merchant_id: int) -> Life:
    """Sell, ask, write, decide and promise, the canary in every field that takes a text."""
    canary = f"canary{secrets.token_hex(6)}"
    at = datetime.now(UTC)
    with tenancy.acting_for(merchant_id):
        order = sell(
            Bought(2, 20_000, sku=f"{canary}-sku", product=f"{canary}-product"),
            customer=f"{canary}-customer",
            address={"city": f"{canary}-city"},
            position="not_shipped",
            at=at,
        )
        with db.atomically():
            db.execute("update customers_customer set name = %s where id = %s", [f"{canary}-name", order.customer.id])
        case = ask(order, "cancellation", "changed_mind", at=at, statement=f"{canary}-statement")
        kept = files.store(
            BytesIO(f"{canary}-content".encode()),
            declared_name=f"{canary}-file.txt",
            uploads=Path(settings.UPLOADS_DIR),
            owner=str(merchant_id),
        )
        evidence = cases.add_evidence(ref=case.ref, kind="receipt", file=kept, actor=AGENT, at=at)
        cases.add_message(ref=case.ref, body=f"{canary}-message", actor=AGENT, at=at)
        cases.open_budget(name=f"{canary}-budget", purpose="goodwill", asset="CNY", amount="1.00", actor=MANAGER, at=at)
        webhook = webhooks.add_endpoint(url=f"https://{canary}.example/", label=f"{canary}-hook", actor=OWNER, at=at)
        settle(case, at=at)
        [delivery, *_] = read_webhooks.deliveries(webhook.ref, actor=OWNER).rows
        slug = accounts.merchant().slug
        mail = arrive(
            open_mailbox(f"{canary}@shop.example"),
            letter(f"{canary}-letter", subject=f"{canary}-subject", files={f"{canary}.txt": b"a note"}),
        )
        talk = conversation_of(mail).ref
        draft = policies.start_draft(pack_id="house", actor=MANAGER, at=at)
        text = {"rules.0.text.en": f"{canary}-rule {{amount}}"}
        policies.change_cells(ref=draft, revision=1, cells=text, actor=MANAGER, at=at)
        trial = trials.start_trial(draft_ref=draft, decisions=0, actor=MANAGER, at=at)
        call = call_of(canary, at=at)
        return Life(
            merchant_id, slug, canary, order, case, evidence.id, webhook.ref, delivery.id, talk, mail.id, draft, trial,
            call,
        )  # fmt: skip


def call_of(canary: str, *, at: datetime) -> str:
    """A call whose every text holds the canary."""
    secret = f"{canary}-secret-of-a-line"
    calls.connect_line(source="own", secrets=[secret], actor=OWNER, at=at)
    body = json.dumps({
        "type": "call.transcript", "call": f"{canary}-call", "at": at.isoformat(), "from": f"{canary}-number",
        "agent": f"{canary}-agent", "turns": [{"text": f"{canary}-words"}],
    }).encode()  # fmt: skip
    calls.take_events(source="own", headers=own.sign(body, secret, event=canary, at=at), body=body, at=at)
    return read_calls.calls()[0].ref


@pytest.fixture
def theirs() -> Life:
    return live(open_merchant())


@pytest.fixture
def ours(merchant: int) -> Life:
    return live(merchant)


def addresses(patterns: list[Any] | None = None, prefix: str = "") -> Iterator[str]:
    """Every address of the house as a template; a new page is in it by itself."""
    for one in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(one, URLResolver):
            yield from addresses(one.url_patterns, prefix + str(one.pattern))
        elif isinstance(one, URLPattern):
            yield prefix + str(one.pattern)


PAGES = sorted(route for route in addresses() if not route.startswith("api/"))


def fill(route: str, life: Life, *, slug: str | None = None) -> list[str]:
    """The addresses of a template that name what is in this life, under its merchant's name or another's."""
    number = life.order.number
    about = {"orders": number, "parcels": f"P-{number}", "webhooks": life.webhook}
    named = about.get(route.removeprefix("api/v1/").split("/")[0], life.case.ref)
    hooks, mail, phone = "webhooks" in route, "/inbox" in route, "/calls" in route
    actions = (
        [*mail_views.ACTIONS] if mail else [*case_views.ACTIONS] if route.startswith("s/") else [*action_views.ACTIONS]
    )
    with tenancy.acting_for(life.merchant_id):
        token = tracking_token(life.case.ref)
    values = {
        "slug:slug": [slug or life.slug],
        "path:number": [number],
        "str:ref": [life.webhook if hooks else life.conversation if mail else life.call if phone else life.case.ref],
        "int:person": [str(life.order.customer.id)],
        "int:mail": [str(life.mail_id)],
        "int:number": [str(life.delivery_id if hooks else life.evidence_id)],
        "delivery": [str(life.delivery_id)],
        "slug:action": actions,
        "str:draft": [life.draft],
        "str:trial": [life.trial],
        "slug:pack": ["house"],
        "slug:table": ["at_risk", "load", "outcomes", "rules", "cases"],
        "slug:form": ["csv", "json"],
        "slug:situation": ["return"],
        "str:token": [token],
        "name": ["stripe"],
        "source": ["own"],
        "ref": [named],
        "token": [token],
    }
    found = [f"/{route}"]
    for name in re.findall(r"<([\w:]+)>", route):
        found = [address.replace(f"<{name}>", value) for address in found for value in values[name]]
    return found


def says(client: Client, address: str, *, method: str = "get", **headers: str) -> tuple[int, str]:
    """Status, headers and body of an answer, as text."""
    response: Any
    if method == "get":
        response = client.get(address, headers=headers)
    elif method == "post":
        response = client.post(address, {}, headers=headers)
    else:
        response = client.generic(method.upper(), address, headers=headers)
    body = b"".join(response.streaming_content) if response.streaming else response.content
    return response.status_code, f"{dict(response.headers)}\n{body.decode(errors='replace')}"


def is_theirs(route: str) -> bool:
    """Whether the address names something that belongs to somebody."""
    parts = ("<path:number>", "<str:ref>", "<int:number>", "<int:person>", "<int:mail>", "<str:draft>", "<str:trial>")
    return any(name in route for name in parts)


@pytest.mark.parametrize("who", ["anonymous", "another customer", "another merchant's customer"])
def test_row_44_no_page_of_the_portal_shows_a_stranger_what_is_not_theirs(ours: Life, theirs: Life, who: str) -> None:
    stranger = Visitor()
    if who != "anonymous":
        stranger.prove(sell())
    life = theirs if who == "another merchant's customer" else ours
    routes = [route for route in PAGES if route.startswith("s/") and is_theirs(route)]
    assert len(routes) >= 6

    for route in routes:
        # Under its own merchant's address, and under the address where the stranger is known.
        for address in {*fill(route, life), *fill(route, life, slug=ours.slug)}:
            for method in ("get", "post"):
                status, text = says(stranger.client, address, method=method)
                assert status in {302, 404, 405}, (method, address, status)
                assert life.canary not in text, (method, address)


@pytest.mark.parametrize("who", ["anonymous", "customer", "owner of another merchant"])
def test_row_44_no_page_of_the_desk_opens_to_who_does_not_work_there(ours: Life, theirs: Life, who: str) -> None:
    if who == "owner of another merchant":
        client = Member(Role.OWNER).client
    else:
        visitor = Visitor()
        if who == "customer":
            visitor.prove(ours.order)
        client = visitor.client
    life = theirs if who == "owner of another merchant" else ours
    routes = [
        route
        for route in PAGES
        if route.startswith("desk/<") and not route.endswith(("sign-in", "sign-out", "forgotten"))
    ]
    assert len(routes) >= 8

    for route in routes:
        under = {*fill(route, life), *(fill(route, life, slug=ours.slug) if is_theirs(route) else ())}
        for address in under:
            for method in ("get", "post"):
                status, text = says(client, address, method=method)
                assert status in {302, 404, 405}, (method, address, status)
                assert life.canary not in text, (method, address)


def api_routes() -> list[tuple[str, str]]:
    document = api.get_openapi_schema()
    return sorted((method, path) for path, methods in document["paths"].items() for method in methods)


def test_row_44_no_route_answers_without_a_token_but_the_signed_ones(ours: Life) -> None:
    client = Client(raise_request_exception=False)
    for method, path in api_routes():
        for address in fill(path.lstrip("/").replace("{", "<").replace("}", ">"), ours):
            if "/track/" in address or address.endswith("/receipt-keys"):  # public keys are for everybody
                continue
            status, text = says(client, address, method=method)
            assert status in {401, 403, 422}, (method, address, status)
            assert ours.canary not in text


def test_row_45_nothing_of_another_merchant_is_in_any_answer(ours: Life, theirs: Life) -> None:
    """Every address that can be read, by its own owner, staff and customer, with every search that could find more."""
    owner = Caller(issue_token(Role.OWNER))
    member, visitor = Member(Role.OWNER), Visitor()
    visitor.prove(ours.order)
    searches = [theirs.canary, theirs.order.number, theirs.case.ref, theirs.order.customer.contacts[0][1], "%"]
    seen = 0

    for method, path in api_routes():
        if method != "get":
            continue
        filters = ["", *(f"?{name}={value}" for name in ("search", "order") for value in searches)]
        for address in fill(path.lstrip("/").replace("{", "<").replace("}", ">"), ours):
            for query in filters:
                status, text = says(owner.client, address + query, **owner.headers)
                assert status in {200, 422}, (address, status, text)
                seen += ours.canary in text
                assert theirs.canary not in text.replace(query, ""), address
    for client, start in ((member.client, "desk/<"), (visitor.client, "s/")):
        for route in PAGES:
            if not route.startswith(start):
                continue
            for address in fill(route, ours):
                for query in ("", *(f"?q={value}&search={value}&order={value}" for value in searches)):
                    _, text = says(client, address + query)
                    seen += ours.canary in text
                    # What was searched for is shown in the box it was typed into; nothing of the row itself is.
                    found = set(re.findall(rf"{theirs.canary}-\w+", text))
                    assert found == set(), (address, query)
    assert seen > 20  # the canary is where it belongs, so its absence elsewhere means something


def test_row_45_what_another_merchant_kept_on_disk_is_not_found_under_its_number(ours: Life, theirs: Life) -> None:
    member = Member(Role.OWNER)

    for address in (
        f"/cases/{ours.case.ref}/files/{theirs.evidence_id}",
        f"/cases/{theirs.case.ref}/files/{theirs.evidence_id}",
    ):
        status, text = says(member.client, member.base + address)
        assert (status, theirs.canary in text) == (404, False)
    assert says(member.client, f"{member.base}/cases/{ours.case.ref}/files/{ours.evidence_id}")[0] == 200
