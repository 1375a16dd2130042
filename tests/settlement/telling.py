"""Gateway messages in tests: delivered over real HTTP to the application in its own threads, then read."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, connections

from makegood.accounts import queries as accounts
from makegood.kit import db
from makegood.settlement import commands as settlement
from tests.gateway_simulator import GatewaySimulator
from tests.settlement.paying import WEBHOOK_SECRET


class _Threaded(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            connections.close_all()


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the parent's name
        """Nobody reads it."""


def tell_merchant(simulator: GatewaySimulator, port: int) -> None:
    """Let the simulator send its messages to the application for the merchant in sight."""
    slug = accounts.merchant().slug
    url = f"http://127.0.0.1:{port}/api/v1/gateways/stripe/webhook?merchant={slug}"
    simulator.admin.configure_webhooks(url, WEBHOOK_SECRET, auto=False)


@contextmanager
def answering() -> Iterator[int]:
    """The application answers over HTTP in its own threads; its port."""
    with make_server("127.0.0.1", 0, get_wsgi_application(), server_class=_Threaded, handler_class=_Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()
            close_old_connections()


@contextmanager
def listening(simulator: GatewaySimulator) -> Iterator[None]:
    """The application answers webhooks of the simulator for the merchant in sight."""
    with answering() as port:
        tell_merchant(simulator, port)
        yield


@db.query
def notices() -> list[dict[str, Any]]:
    """Every message kept for the merchant in sight."""
    return db.fetch("select * from settlement_gatewaynotice order by id")


def read_all(at: datetime) -> list[str]:
    """Run the jobs that the messages left; what troubles each."""
    for notice in notices():
        settlement.read_notice(notice["id"], at=at)
    return [notice["trouble"] for notice in notices()]
