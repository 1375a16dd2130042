"""Calls to addresses that others gave us: only to where a stranger's word may send us, and bounded in time and size.

The host is resolved once and connected to by the address that was checked, so that a name which answers differently a
moment later (DNS rebinding) gains nothing. Redirects are not followed.
"""

from __future__ import annotations

import ipaddress
import re
import socket
import ssl
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlsplit

import httpcore
from django.conf import settings

from makegood.kit import errors

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

URL_LENGTH_MAX = 500
TIMEOUT_S = 15.0
HEAD_BYTES = 2_000
_HOST = re.compile(r"[A-Za-z0-9.:\[\]_-]{1,253}")
# Addresses that carry an IPv4 address inside them, and so lead wherever that leads.
_WRAPPERS = tuple(ipaddress.ip_network(text) for text in ("::/96", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16"))


class AddressMalformed(errors.Malformed):
    code = "outgoing_address_malformed"
    message = "{field}: {value} is not an address that can be called ({rule})."


class AddressRefused(errors.Refused):
    """Raised when a call is made: the name led to an address inside our own network."""

    code = "outgoing_address_refused"
    message = "{value} leads to an address that may not be called ({rule})."


class CallFailed(errors.Refused):
    """No answer: ``rule`` says in a word why (timeout, connection, tls, dns, protocol)."""

    code = "outgoing_call_failed"
    message = "{value} did not answer ({rule})."


@dataclass(frozen=True, slots=True)
class Answered:
    """The head of an answer: status, headers, and the first bytes of its body as text."""

    status: int
    headers: Mapping[str, str]
    body: str


def allowed_networks() -> tuple[Network, ...]:
    """What the operator lets be called inside the own network."""
    networks: tuple[Network, ...] = settings.OUTGOING_NETWORKS
    return networks


def may_call(address: Address, allowed: Iterable[Network] = ()) -> bool:
    """Whether a stranger's word may send us there: public addresses, and what the operator allows."""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if any(address in network for network in allowed if network.version == address.version):
        return True
    if isinstance(address, ipaddress.IPv6Address) and any(address in network for network in _WRAPPERS):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def check_url(url: str, *, field: str = "url") -> str:
    """The address as it will be called; where its host leads is checked when it is called. Raises AddressMalformed."""
    url = url.strip()
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise AddressMalformed(url, field=field, rule="https_address") from None
    fits = (
        0 < len(url) <= URL_LENGTH_MAX
        and url.isascii()
        and url.isprintable()
        and " " not in url
        and "\\" not in url
        and bool(parts.hostname)
        and _HOST.fullmatch(parts.netloc.rpartition("@")[2]) is not None
        and "@" not in parts.netloc
        and not parts.fragment
    )
    if not fits:
        raise AddressMalformed(url, field=field, rule="https_address_without_password_or_fragment")
    if parts.scheme != "https" and not (parts.scheme == "http" and allowed_networks()):
        raise AddressMalformed(url, field=field, rule="https")
    if port is not None and not (port in {80, 443} or 1024 <= port <= 65535):
        raise AddressMalformed(url, field=field, rule="port_443_80_or_from_1024")
    return url


def check_host(host: str, *, field: str) -> None:
    """Refuse a server's name that leads into our own network. Looks it up: never inside a transaction.

    Raises AddressMalformed, where nothing is known by that name, and AddressRefused.
    """
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise AddressMalformed(host, field=field, rule="a_host_that_can_be_found") from None
    if not all(may_call(one, allowed_networks()) for one in _addresses(found)):
        raise AddressRefused(host, field=field, rule="public_address")


def post(url: str, body: bytes, headers: Mapping[str, str], *, timeout_s: float = TIMEOUT_S) -> Answered:
    """Send and read the head of the answer, all within ``timeout_s``; never inside a transaction.

    Raises AddressRefused, CallFailed.
    """
    with _asked("POST", url, headers, timeout_s=timeout_s, body=body) as response:
        return Answered(
            response.status,
            {name.decode("latin-1"): value.decode("latin-1") for name, value in response.headers},
            _head_of(response),
        )


def read_whole(url: str, headers: Mapping[str, str], *, bytes_max: int, timeout_s: float = 60.0) -> bytes:
    """What lies at an address, whole; never inside a transaction. Raises AddressRefused, CallFailed."""
    with _asked("GET", url, headers, timeout_s=timeout_s) as response:
        if response.status != 200:
            raise CallFailed(urlsplit(url).netloc, rule=f"status_{response.status}")
        data = b""
        for chunk in response.iter_stream():
            data += chunk
            if len(data) > bytes_max:
                raise CallFailed(urlsplit(url).netloc, rule="too_large")
        return data


@contextmanager
def _asked(
    method: str, url: str, headers: Mapping[str, str], *, timeout_s: float, body: bytes = b""
) -> Iterator[httpcore.Response]:
    guard = _Guard(time.monotonic() + timeout_s, allowed_networks(), plain=urlsplit(url).scheme == "http")
    told = urlsplit(url).netloc
    try:
        with (
            httpcore.ConnectionPool(network_backend=guard, ssl_context=ssl.create_default_context()) as pool,
            pool.stream(method, url, headers=list(headers.items()), content=body) as response,
        ):
            yield response
    except (httpcore.TimeoutException, TimeoutError) as late:
        raise CallFailed(told, rule="timeout") from late
    except socket.gaierror as unknown:
        raise CallFailed(told, rule="dns") from unknown
    except ssl.SSLError as insecure:
        raise CallFailed(told, rule="tls") from insecure
    except (httpcore.NetworkError, OSError) as lost:
        raise CallFailed(told, rule="tls" if "certificate" in str(lost).lower() else "connection") from lost
    except (httpcore.ProtocolError, httpcore.UnsupportedProtocol) as odd:
        raise CallFailed(told, rule="protocol") from odd


def _head_of(response: httpcore.Response) -> str:
    head = b""
    for chunk in response.iter_stream():
        head += chunk
        if len(head) >= HEAD_BYTES:
            break
    return head[:HEAD_BYTES].decode("utf-8", "replace").replace("\0", "")


class _Guard(httpcore.NetworkBackend):
    """Connects to checked addresses alone, and lets nothing take longer than the deadline."""

    def __init__(self, deadline: float, allowed: tuple[Network, ...], *, plain: bool) -> None:
        self.deadline = deadline
        self.allowed = allowed
        self.plain = plain
        self.inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = _addresses(found)
        # Every one of them: a name that leads to a public and a private address is up to something. Without TLS
        # only where the operator said so.
        for address in addresses:
            if not may_call(address, self.allowed) or (self.plain and not _inside(address, self.allowed)):
                raise AddressRefused(host, field="url", rule="public_address")
        stream = self.inner.connect_tcp(str(addresses[0]), port, timeout=_left(self.deadline, 5.0))
        return _Bounded(stream, self.deadline)


def _addresses(found: Iterable[tuple[Any, ...]]) -> list[Address]:
    return [ipaddress.ip_address(cast("str", one[4][0]).partition("%")[0]) for one in found]


def _inside(address: Address, allowed: Iterable[Network]) -> bool:
    return any(address in network for network in allowed if network.version == address.version)


def _left(deadline: float, most: float = TIMEOUT_S) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("deadline")
    return min(left, most)


class _Bounded(httpcore.NetworkStream):
    """A stream whose every step has only what is left of the time: dripping bytes do not hold us."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: float) -> None:
        self.inner = inner
        self.deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self.inner.read(max_bytes, timeout=_left(self.deadline))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.inner.write(buffer, timeout=_left(self.deadline))

    def close(self) -> None:
        self.inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        secured = self.inner.start_tls(ssl_context, server_hostname=server_hostname, timeout=_left(self.deadline))
        return _Bounded(secured, self.deadline)

    def get_extra_info(self, info: str) -> Any:
        return self.inner.get_extra_info(info)
