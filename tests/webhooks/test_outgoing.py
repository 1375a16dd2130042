"""Where a stranger's word may send us: public addresses, and what the operator allows; checked when connecting."""

from __future__ import annotations

import ipaddress
import socket
from typing import Any

import httpcore
import pytest
from django.test import override_settings

from makegood.kit import outgoing
from makegood.webhooks.states import EVENTS, PREFIX
from tests.house.test_reference_pages import recorded_events
from tests.webhooks.receiving import Receiver, receiving

INSIDE = [
    "127.0.0.1",
    "127.8.8.8",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",  # noqa: S104 - an address to refuse
    "224.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1",
    "fc00::1",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
]


@pytest.mark.parametrize("address", INSIDE)
def test_addresses_inside_are_refused(address: str) -> None:
    assert not outgoing.may_call(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "::ffff:8.8.8.8"])
def test_public_addresses_may_be_called(address: str) -> None:
    assert outgoing.may_call(ipaddress.ip_address(address))


def test_what_the_operator_allows_may_be_called() -> None:
    allowed = (ipaddress.ip_network("10.1.0.0/16"),)

    assert outgoing.may_call(ipaddress.ip_address("10.1.2.3"), allowed)
    assert not outgoing.may_call(ipaddress.ip_address("10.2.2.3"), allowed)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "[::1]", "[::ffff:7f00:1]"]
)
def test_no_spelling_of_this_machine_is_called(host: str) -> None:
    with receiving() as receiver, override_settings(OUTGOING_NETWORKS=()):
        with pytest.raises((outgoing.AddressRefused, outgoing.CallFailed)):
            outgoing.post(f"https://{host}:{receiver.port}/", b"{}", {})
        assert receiver.got == []


def test_a_name_that_answers_differently_a_moment_later_gains_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The name is asked once, and what was checked is connected to: a second answer is never used."""
    asked: list[str] = []
    answers = iter(["93.184.215.14", "127.0.0.1"])

    def resolve(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

    connected: list[str] = []

    def connect(_self: Any, host: str, _port: int, **_: Any) -> Any:
        connected.append(host)
        raise OSError("nobody there")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", connect)
    with pytest.raises(outgoing.CallFailed):
        outgoing.post("https://rebinding.example/", b"{}", {})

    assert (asked, connected) == (["rebinding.example"], ["93.184.215.14"])


def test_a_name_with_one_address_inside_is_refused_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    both = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 443)) for ip in ("93.184.215.14", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_more: both)

    with pytest.raises(outgoing.AddressRefused):
        outgoing.post("https://two-faces.example/", b"{}", {})


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ftp://example.com/",
        "http://example.com/",
        "https://user:password@example.com/",
        "https://example.com:22/",
        "https://example.com:99999/",
        "https:///nothing",
        "https://exa mple.com/",
        "https://example.com\\@127.0.0.1/",
        "https://example.com/#fragment",
        "https://example.com/" + "x" * 500,
        "javascript:alert(1)",
        "https://[::1",
    ],
)
def test_what_is_no_address_is_refused_before_it_is_kept(url: str) -> None:
    with override_settings(OUTGOING_NETWORKS=()), pytest.raises(outgoing.AddressMalformed):
        outgoing.check_url(url)


def test_without_tls_only_where_the_operator_says(receiver: Receiver) -> None:
    assert outgoing.check_url(receiver.url) == receiver.url
    assert outgoing.post(receiver.url, b"{}", {}).status == 204
    elsewhere = override_settings(OUTGOING_NETWORKS=(ipaddress.ip_network("10.0.0.0/8"),))
    with elsewhere, pytest.raises(outgoing.AddressRefused):
        outgoing.post(receiver.url, b"{}", {})


def test_every_event_of_a_case_can_be_chosen() -> None:
    assert {event.removeprefix(PREFIX) for event in EVENTS} == recorded_events()
