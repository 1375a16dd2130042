"""A gateway simulator process for one test or one session of tests."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from makegood.connectors.simulator.admin_client import AdminClient
from makegood.connectors.stripe.client import StripeGateway

STOP_SECONDS = 10


class GatewaySimulator:
    """``start`` chooses free ports; ``start`` after ``stop`` or ``kill`` takes the same ports and the same books.

    The process ends with this one, even if this one is killed: it watches its standard input.
    """

    def __init__(self, state: Path, *, synchronous: str = "off") -> None:
        self._state, self._synchronous = state, synchronous
        self._process: subprocess.Popen[bytes] | None = None
        self._port = self._admin_port = 0
        self.url = self.admin_url = self.api_key = ""
        self.admin: AdminClient

    def start(self) -> Self:
        if self._process is not None:
            raise RuntimeError("the simulator is already running")
        command = [sys.executable, "-m", "makegood.connectors.simulator", "--until-stdin-ends"]
        command += ["--state", str(self._state), "--synchronous", self._synchronous]
        command += ["--port", str(self._port), "--admin-port", str(self._admin_port)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the simulator did not start: exit code {self._process.wait(STOP_SECONDS)}")
        started = json.loads(line)
        self._port, self._admin_port = started["port"], started["admin_port"]
        self.url, self.admin_url, self.api_key = started["url"], started["admin_url"], started["api_key"]
        self.admin = AdminClient(self.admin_url, started["admin_token"])
        return self

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def stop(self) -> None:
        """Ask it to end, and see that it does."""
        self._end(kill=False)

    def kill(self) -> None:
        """As if the machine of the gateway fell over."""
        self._end(kill=True)

    def _end(self, *, kill: bool) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if kill:
            process.kill()
        else:
            process.terminate()
        try:
            process.wait(STOP_SECONDS)
        finally:
            process.kill()  # harmless for one that has ended
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()

    def gateway(self, *, connect_timeout: float = 2.0, read_timeout: float = 5.0) -> StripeGateway:
        """The real Stripe gateway, pointed here."""
        return StripeGateway(
            api_key=self.api_key, api_base=self.url, connect_timeout=connect_timeout, read_timeout=read_timeout
        )

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
