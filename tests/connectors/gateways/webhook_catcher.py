"""An address that webhooks are delivered to, and what it caught."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


@dataclass(frozen=True)
class Caught:
    headers: dict[str, str]
    body: bytes


class WebhookCatcher:
    """Answers with ``answers`` in turn, then 200."""

    def __init__(self) -> None:
        self.caught: list[Caught] = []
        self.answers: list[int] = []
        self.arrived = threading.Condition()
        catcher = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with catcher.arrived:
                    catcher.caught.append(Caught(dict(self.headers.items()), body))
                    status = catcher.answers.pop(0) if catcher.answers else 200
                    catcher.arrived.notify_all()
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
                """Tests look at what was caught."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/webhook"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def wait_for(self, count: int, seconds: float = 10) -> list[Caught]:
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.caught) >= count, seconds), f"caught {len(self.caught)}"
            return list(self.caught)
