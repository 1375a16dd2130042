"""HTTP on loopback for the gateway and its admin face; standard library only."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from makegood.connectors.simulator.admin_api import Admin
from makegood.connectors.simulator.faults import Faults
from makegood.connectors.simulator.gate import CutOff, Gate
from makegood.connectors.simulator.ledger import Ledger, new_id
from makegood.connectors.simulator.webhooks import Webhooks
from makegood.connectors.simulator.wire import Reply

HOST = "127.0.0.1"
BODY_MAX = 1_000_000
Answer = Callable[[str, str, str, Mapping[str, str], bytes], Reply]


class _Headers(dict[str, str]):
    """Header names in the spelling this simulator asks for, however the client wrote them."""

    def __init__(self, items: Iterable[tuple[str, str]]) -> None:
        super().__init__((name.title(), value) for name, value in items)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256
    allow_reuse_address = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client which went away is an everyday thing here, anything else is told."""
        del request
        problem = sys.exc_info()[1]
        if not isinstance(problem, ConnectionError | TimeoutError):
            sys.stderr.write(f"simulator: {client_address}: {problem!r}\n")


class Listener:
    """One port; ``open`` after ``close`` takes the same port again."""

    def __init__(self, port: int, answer: Answer) -> None:
        self._handler = _handler(answer)
        self._server: _Server | None = None
        self.port = port
        self.open()

    def open(self) -> None:
        if self._server is None:
            self._server = _Server((HOST, self.port), self._handler)
            self.port = self._server.server_address[1]
            threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        """From now on connections are refused."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


class Simulator:
    """The whole gateway: books, gate, webhooks, admin face, two ports."""

    def __init__(
        self, *, state: str, port: int, admin_port: int, admin_token: str, api_key: str, synchronous: str
    ) -> None:
        self._ledger = Ledger(state, synchronous)
        faults, webhooks = Faults(), Webhooks(self._ledger)
        gate = Gate(self._ledger, faults, webhooks, api_key)
        self._gate = Listener(port, gate.answer)
        admin = Admin(self._ledger, faults, webhooks, gate, admin_token, self._set_listening)
        self._admin = Listener(admin_port, admin.answer)
        self.port, self.admin_port = self._gate.port, self._admin.port

    def _set_listening(self, listening: bool) -> None:  # noqa: FBT001 - a switch is what it is
        if listening:
            self._gate.open()
        else:
            self._gate.close()

    def close(self) -> None:
        self._gate.close()
        self._admin.close()
        self._ledger.close()


def _handler(answer: Answer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        timeout = 120

        def do_GET(self) -> None:
            self._do(b"")

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "0")
            if not length.isdigit() or int(length) > BODY_MAX:
                self.close_connection = True
                self._write(Reply(413, b"{}"))
                return
            self._do(self.rfile.read(int(length)))

        def _do(self, body: bytes) -> None:
            path, _, query = self.path.partition("?")
            try:
                self._write(answer(self.command, path, query, _Headers(self.headers.items()), body))
            except CutOff:
                self._hang_up()

        def _write(self, reply: Reply) -> None:
            # One send for head and body, else every answer waits for the client's delayed acknowledgement.
            lines = [
                f"HTTP/1.1 {reply.status} {self.responses.get(reply.status, ('',))[0]}",
                "Content-Type: application/json",
                f"Content-Length: {len(reply.body)}",
                f"Request-Id: {new_id('req')}",
                "Stripe-Version: 2026-10-28",
                *(f"{name}: {value}" for name, value in reply.headers.items()),
                *(["Connection: close"] if self.close_connection else []),
            ]
            body = reply.body[: len(reply.body) // 2] if reply.cut else reply.body
            self.wfile.write("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)
            if reply.cut:
                self._hang_up()

        def _hang_up(self) -> None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
            """Counters tell what was called; a log line per call would only slow it."""

    return Handler
