"""The tools in processes of their own: over standard input and output, and over HTTP behind bearer tokens."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.conf import settings
from django.db import connections
from httpx2 import AsyncClient
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client

from makegood.accounts import commands as accounts
from tests import postgres_for_tests
from tests.mcp.agents import talked
from tests.shop import NOON, OWNER, Bought, sell

ROOT = Path(__file__).resolve().parents[2]


def surroundings(data: Path) -> dict[str, str]:
    name = str(connections["default"].settings_dict["NAME"])
    return {
        **os.environ,
        "MAKEGOOD_DATABASE_URL": postgres_for_tests.server().dsn("app", name),
        "MAKEGOOD_DATA_DIR": str(data),
        "MAKEGOOD_SECRET_KEY": settings.SECRET_KEY,
        "LC_ALL": "C.UTF-8",
    }


def token(**about: Any) -> str:
    return accounts.issue_token(label="bot", scopes=["read"], actor=OWNER, at=NOON, **about)


def test_an_agent_that_starts_us_speaks_over_standard_streams(merchant: int, tmp_path: Path) -> None:
    order, other = sell(Bought(paid=100_00)), sell(Bought(paid=100_00))
    starting = StdioServerParameters(
        command=sys.executable,
        args=["-m", "makegood.cli", "mcp", "--customer", order.customer.reference],
        env={**surroundings(tmp_path), "MAKEGOOD_TOKEN": token()},
        cwd=ROOT,
    )

    async def talk() -> tuple[Any, Any]:
        async with Client(stdio_client(starting)) as client:
            return (
                await client.call_tool("show_order", {"order": order.number}),
                await client.call_tool("show_order", {"order": other.number}),
            )

    own, others = talked(talk)

    assert own.structured_content["order"] == order.number
    assert (others.is_error, others.structured_content["code"]) == (True, "order_unknown")


def test_without_a_token_nothing_is_served(merchant: int, tmp_path: Path) -> None:
    environment = {**surroundings(tmp_path), "MAKEGOOD_TOKEN": ""}

    ended = subprocess.run(
        [sys.executable, "-m", "makegood.cli", "mcp"], env=environment, capture_output=True, text=True, check=False
    )

    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("token_missing: ")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where a server process of this test's own listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "makegood.cli", "mcp", "--http", "--port", str(port)],
        env=surroundings(tmp_path_factory.mktemp("mcp")),
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}/mcp"
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(httpx.TransportError):
            if httpx.post(url, json={}).status_code == 401:
                break
        time.sleep(0.1)  # the process has no other way to say that it listens
    yield url
    process.terminate()
    process.wait(20)


@contextlib.asynccontextmanager
async def connected(url: str, secret: str, **headers: str) -> AsyncIterator[Client]:
    bearing = AsyncClient(headers={"Authorization": f"Bearer {secret}", **headers})
    async with bearing, Client(streamable_http_client(url, http_client=bearing)) as client:
        yield client


def test_over_http_a_token_opens_its_merchant_and_a_header_holds_it_to_a_customer(merchant: int, address: str) -> None:
    order, other = sell(Bought(paid=100_00)), sell(Bought(paid=100_00))
    secret = token()

    async def talk() -> list[Any]:
        async with connected(address, secret) as whole:
            seen = [await whole.call_tool("show_order", {"order": other.number})]
        named = {"Makegood-Customer": order.customer.reference, "Accept-Language": "zh-CN"}
        async with connected(address, secret, **named) as held:
            seen.append(await held.call_tool("show_order", {"order": order.number}))
            seen.append(await held.call_tool("show_order", {"order": other.number}))
        return seen

    whole, own, others = talked(talk)

    assert whole.structured_content["order"] == other.number
    assert own.structured_content["order"] == order.number
    assert others.structured_content["code"] == "order_unknown"
    assert others.structured_content["detail"].startswith("没有")


def test_over_http_nobody_gets_in_without_a_good_token(merchant: int, address: str) -> None:
    good = token()
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
    asks = {"Accept": "application/json, text/event-stream"}

    def post(**headers: str) -> tuple[int, str]:
        answered = httpx.post(address, json=call, headers={**asks, **headers})
        return answered.status_code, answered.json().get("code", "")

    assert post() == (401, "token_invalid")
    assert post(Authorization="Bearer mg_1_nonsense") == (401, "token_invalid")
    assert post(Authorization=f"Basic {good}") == (401, "token_invalid")
    assert post(Authorization=f"Bearer {good}", **{"Makegood-Customer": "nobody"}) == (404, "customer_unknown")
    rebound = httpx.post(
        address, json=call, headers={**asks, "Authorization": f"Bearer {good}", "Host": "evil.example"}
    )
    assert rebound.status_code == 421
