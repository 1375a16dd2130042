"""The demo's payment provider: the strict gateway simulator as a process beside, spoken to over real HTTP."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from makegood.accounts.actors import Actor
from makegood.connectors.simulator.admin_client import AdminClient
from makegood.settlement import commands as settlement

NAME = "stripe"
STOP_SECONDS = 10
_WEBHOOK_SECRET = "whsec_dusk_and_dawn_demo"  # noqa: S105 - between two processes of one demo


class GatewayDidNotStart(RuntimeError):
    """The simulator ended before it was ready: its own words are on stderr."""


class DemoGateway:
    """Runs while it is entered, and ends with the process that entered it, however that ends.

    Its books are kept in ``folder`` from start to start, so a payment of yesterday can be refunded today.
    """

    def __init__(self, folder: Path) -> None:
        self._books = folder / "demo-gateway.sqlite"
        self._process: subprocess.Popen[bytes] | None = None
        self._url = self._api_key = ""
        self._admin: AdminClient | None = None

    def __enter__(self) -> Self:
        self._books.parent.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "makegood.connectors.simulator", "--until-stdin-ends"]
        # In a session of its own: Ctrl-C is for us, and we end it after the worker.
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            [*command, "--state", str(self._books)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        line = self._process.stdout.readline() if self._process.stdout else b""
        if not line:
            raise GatewayDidNotStart(f"exit code {self._process.wait(STOP_SECONDS)}")
        started = json.loads(line)
        self._url, self._api_key = started["url"], started["api_key"]
        self._admin = AdminClient(started["admin_url"], started["admin_token"])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        finally:
            process.kill()  # harmless for one that has ended
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()

    def connect(self, *, at: datetime) -> None:
        """Tell the merchant in sight where this process listens today."""
        settlement.connect_gateway(
            name=NAME,
            settings={"api_key": self._api_key, "api_base": self._url},
            webhook_secrets=[_WEBHOOK_SECRET],
            actor=Actor.system("demo"),
            at=at,
        )

    def take(self, minor: int, currency: str) -> str:
        """A customer pays by card; the reference of the payment. ``minor`` is what the gateway can express."""
        if self._admin is None:
            raise RuntimeError("enter it first")
        return self._admin.add_payment(minor, currency.lower(), intent=True)
