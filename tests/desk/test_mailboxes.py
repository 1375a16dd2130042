"""Mailboxes at the desk: connected against a real server, tried, changed without retyping a password, let go."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

import pytest
from django.test import override_settings

from makegood.conversations import queries
from makegood.conversations.commands.mailboxes import imap_account
from tests.conversations.servers import PASSWORD, Dovecot, dovecot, free_port
from tests.desk.working import Member

pytestmark = pytest.mark.usefixtures("merchant")

ADDRESS = "care@shop.example"


@pytest.fixture(scope="module")
def imap_server() -> Iterator[Dovecot]:
    with dovecot() as server:
        yield server


@pytest.fixture
def inside() -> Iterator[None]:
    with override_settings(OUTGOING_NETWORKS=(ipaddress.ip_network("127.0.0.0/8"),)):
        yield


def form(port: int, **more: str) -> dict[str, str]:
    return {
        "address": ADDRESS,
        "imap_host": "127.0.0.1",
        "imap_port": str(port),
        "imap_security": "none",
        "imap_user": "care",
        "imap_password": PASSWORD,
        "results_from": "mx.shop.example",
        **more,
    }


def text(answer: object) -> str:
    return answer.content.decode()  # type: ignore[attr-defined,no-any-return]


@pytest.mark.usefixtures("inside")
def test_an_owner_connects_one_and_is_told_that_it_works(imap_server: Dovecot) -> None:
    owner = Member("owner")

    assert owner.post("/mailboxes", form(imap_server.port)).status_code == 302
    seen = text(owner.get("/mailboxes"))

    assert f"{ADDRESS} works" in seen
    assert PASSWORD not in seen
    assert queries.mailbox(ADDRESS).results_from == "mx.shop.example"


@pytest.mark.usefixtures("inside")
def test_what_does_not_work_is_said_with_its_reason_and_kept_to_be_changed(imap_server: Dovecot) -> None:
    owner = Member("owner")
    owner.post("/mailboxes", form(imap_server.port, imap_password="wrong", smtp_host="127.0.0.1",
                                  smtp_port=str(free_port()), smtp_security="none"))  # fmt: skip
    seen = text(owner.get("/mailboxes"))
    assert "Reading does not work" in seen
    assert "Sending does not work" in seen

    owner.post("/mailboxes", form(imap_server.port))
    owner.post("/mailboxes", form(imap_server.port, imap_password="", name="Shop care"))

    changed = queries.mailbox(ADDRESS)
    assert (changed.name, imap_account(changed).password) == ("Shop care", PASSWORD)
    assert 'value="Shop care"' in text(owner.get(f"/mailboxes?change={ADDRESS}"))
    assert f"{ADDRESS} works" in text(_after(owner, {"do": "try", "mailbox": ADDRESS}))


def _after(member: Member, posted: dict[str, str]) -> object:
    member.post("/mailboxes", posted)
    return member.get("/mailboxes")


@pytest.mark.usefixtures("inside")
def test_it_is_let_go_and_its_password_forgotten(imap_server: Dovecot) -> None:
    owner = Member("owner")
    owner.post("/mailboxes", form(imap_server.port))

    owner.post("/mailboxes", {"do": "disconnect", "mailbox": ADDRESS})

    gone = queries.mailbox(ADDRESS)
    assert (gone.active, gone.sealed) == (False, "")
    assert "No mailbox is connected yet." in text(owner.get("/mailboxes")).replace("&#x27;", "'")


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"imap_host": ""}, "imap_host"),
        ({"imap_port": "99999"}, "imap.port"),
        ({"imap_port": "x"}, "imap.port"),
        ({"address": "nobody"}, "email"),
        ({"results_from": "a; b"}, "results_from"),
        ({"imap_host": "no-such-host.invalid"}, "imap_host"),
    ],
)
@pytest.mark.usefixtures("inside")
def test_bad_input_names_its_field_and_connects_nothing(changed: dict[str, str], field: str) -> None:
    answered = Member("owner").post("/mailboxes", form(993, **changed))

    assert answered.status_code == 422
    assert field in text(answered)
    assert queries.mailboxes() == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "10.1.2.3", "169.254.169.254", "[::1]"])
def test_nobody_looks_into_our_network_by_a_mailbox(host: str) -> None:
    answered = Member("owner").post("/mailboxes", form(993, imap_host=host.strip("[]")))

    assert answered.status_code == 409
    assert queries.mailboxes() == []


@pytest.mark.parametrize("role", ["agent", "reviewer", "manager"])
def test_others_are_refused(role: str) -> None:
    member = Member(role)

    assert member.get("/mailboxes").status_code == 403
    assert member.post("/mailboxes", form(993)).status_code == 403
