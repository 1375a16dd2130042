"""The site over real HTTP in a thread of this process, and a browser to look at it."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application
from django.db import connections
from playwright.sync_api import Browser, BrowserContext, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or ""
ARGUMENTS = [
    "--no-sandbox",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
LOCALES = {"zh": "zh-CN", "en": "en-GB"}


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """The application logs its requests itself."""


class _Server(ThreadedWSGIServer):
    """Closes each thread's own database connections, so that the test database can be dropped."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Quiet, allow_reuse_address=False)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            connections.close_all()


@contextmanager
def site() -> Iterator[str]:
    """The address of the running site."""
    server = _Server()
    server.set_app(get_wsgi_application())
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        try:
            yield opened
        finally:
            opened.close()


@contextmanager
def visitor(
    opened: Browser, *, language: str, width: int, dark: bool = False, script: bool = True
) -> Iterator[BrowserContext]:
    """A fresh person at a screen so many pixels wide."""
    context = opened.new_context(
        locale=LOCALES[language],
        viewport={"width": width, "height": 800},
        color_scheme="dark" if dark else "light",
        java_script_enabled=script,
        has_touch=width < 600,
    )
    context.set_default_timeout(15_000)
    try:
        yield context
    finally:
        context.close()
