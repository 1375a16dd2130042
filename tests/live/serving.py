"""Real web processes over the test's database, and readers of their streams."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import httpx
from django.conf import settings
from django.db import connections
from django.test import Client

ROOT = Path(__file__).resolve().parents[2]


def until(is_so: Callable[[], object], what: str, *, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)  # the pace of asking again, within the deadline above


@contextmanager
def web(*, workers: int = 1, **more: str) -> Iterator[str]:
    """The address of a web server as an operator runs it."""
    place = connections["default"].settings_dict
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **os.environ,
        "MAKEGOOD_DATABASE_URL": f"postgresql:///{quote(str(place['NAME']))}?"
        + urlencode({"host": place["HOST"], "user": place["USER"]}),
        "MAKEGOOD_SECRET_KEY": settings.SECRET_KEY,
        "MAKEGOOD_LOG_LEVEL": "WARNING",
        **more,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "makegood.cli", "web", str(port), "--workers", str(workers)], cwd=ROOT, env=environment
    )
    address = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        with suppress(httpx.HTTPError):
            return httpx.get(f"{address}/healthz", timeout=2).status_code == 200
        return False

    try:
        until(answers, "the web server did not start", seconds=60)
        yield address
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def cookies(client: Client) -> dict[str, str]:
    """What a browser that signed in holds."""
    return {name: morsel.value for name, morsel in client.cookies.items()}


class Reader:
    """An EventSource: reads in a thread, remembers its place, and can be cut off and come back."""

    def __init__(self, url: str, client: Client, *, since: str = "") -> None:
        self.url, self.jar, self.since = url, cookies(client), since
        self.told: list[dict[str, Any]] = []
        self.blocks = 0
        self.status = 0
        self.ended = False
        self._open: httpx.Response | None = None
        self._thread: threading.Thread | None = None

    def connect(self, url: str = "") -> Reader:
        self.url = url or self.url
        self.blocks, self.ended = 0, False
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        until(lambda: self.blocks or self.ended, "the stream said nothing")
        return self

    def cut(self) -> None:
        """The network goes away."""
        assert self._open is not None
        assert self._thread is not None
        stream = self._open.extensions["network_stream"]
        with suppress(OSError):
            stream.get_extra_info("socket").shutdown(socket.SHUT_RDWR)
        self._thread.join(10)

    def _read(self) -> None:
        head = {"Last-Event-ID": self.since} if self.since else {}
        lines: dict[str, str] = {}
        with (
            suppress(httpx.HTTPError),
            httpx.Client(cookies=self.jar, timeout=60) as client,
            client.stream("GET", self.url, headers=head) as answer,
        ):
            self._open, self.status = answer, answer.status_code
            for line in answer.iter_lines():
                if line:
                    name, _, value = line.partition(": ")
                    lines[name] = value
                    continue
                if "id" in lines:
                    self.since = lines["id"]
                    self.told += json.loads(lines.get("data", "[]"))
                    self.blocks += 1
                lines = {}
        self.ended = True

    def numbers(self) -> list[int]:
        return [one["n"] for one in self.told if "n" in one]
