"""The program as people start it: a process of its own over a data folder of its own."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

PROGRAM = Path(sys.executable).with_name("makegood")


@pytest.fixture(scope="session")
def data_dir() -> Iterator[Path]:
    """A data folder at a short path that the database's user may enter, empty at first."""
    with tempfile.TemporaryDirectory(prefix="makegood-cli-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder) / "data"


Run = Callable[..., "subprocess.CompletedProcess[str]"]


def surroundings(data_dir: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MAKEGOOD_", "DJANGO_"))}
    return kept | {"MAKEGOOD_DATA_DIR": str(data_dir), "LANG": "en_US.UTF-8", "LC_ALL": "C.UTF-8"}


@pytest.fixture
def makegood(data_dir: Path) -> Run:
    """Run ``makegood …`` to its end."""

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(PROGRAM), *arguments],
            env=surroundings(data_dir) | environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    return run


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Serving:
    """A running ``makegood serve``."""

    def __init__(self, data_dir: Path, *arguments: str, port: int | None = None) -> None:
        self.port = port or free_port()
        self.log = data_dir.parent / f"serve-{self.port}.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [str(PROGRAM), "serve", "--port", str(self.port), *arguments],
                env=surroundings(data_dir),
                stdout=subprocess.PIPE,
                stderr=log,
            )

    def get(self, path: str) -> tuple[int, Any]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refused:
            return refused.code, json.load(refused)

    def wait_until_ready(self) -> None:
        until = time.monotonic() + 90
        while time.monotonic() < until:
            assert self.process.poll() is None, self.log.read_text()
            with suppress(OSError):
                if self.get("/readyz")[0] == 200:
                    return
            time.sleep(0.1)
        raise AssertionError(self.log.read_text())

    def stop(self, number: int) -> int:
        self.process.send_signal(number)
        return self.process.wait(40)

    def answers(self) -> bool:
        with suppress(OSError):
            self.get("/healthz")
            return True
        return False
