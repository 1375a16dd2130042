"""Granian's own protocol before the WSGI application: a few threads answer pages, the event loop keeps streams.

A page that answers with a ticket (``log.TICKET``) has proved who asks; what it says is then replaced by a stream, which
holds no thread. Everything else of the application is as under any WSGI server.
"""

from __future__ import annotations

import asyncio
import contextvars
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from tempfile import TemporaryFile
from typing import IO, Any
from urllib.parse import unquote_to_bytes

from makegood.kit.live import log
from makegood.kit.live.hub import Hub, Stream

STREAM_SECONDS = 600.0  # then the browser asks again, and proves again who it is
END = "end"  # told on a ticket's own channel when whoever listens may no longer
_IN_MEMORY = 1_000_000  # bytes of a body; longer ones wait in a file
_PIECE = 65_536
Headers = list[tuple[str, str]]


class Front:
    """``dsn``: of the application's role. ``threads``: how many requests are worked on at once."""

    def __init__(self, application: Callable[..., Iterable[bytes]], *, dsn: str, threads: int, body_max: int) -> None:
        self.application = application
        self.dsn = dsn
        self.body_max = body_max
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="page")
        self._hub: Hub | None = None
        self._base = {
            **os.environ,
            "GATEWAY_INTERFACE": "CGI/1.1",
            "SCRIPT_NAME": "",
            "SERVER_SOFTWARE": "Granian",
            "wsgi.errors": sys.stderr,
            "wsgi.input_terminated": True,
            "wsgi.multiprocess": False,
            "wsgi.multithread": True,
            "wsgi.run_once": False,
            "wsgi.version": (1, 0),
            log.FRONT: True,
        }

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        async def begin() -> None:
            self._hub = Hub(self.dsn)
            self._hub.start()

        loop.run_until_complete(begin())
        # The server waits for what is open before it stops, and a stream would keep it waiting. It has set its own
        # handlers already; there is no other way to be told in time.
        for number in (signal.SIGINT, signal.SIGTERM):
            before = getattr(loop, "_signal_handlers", {}).get(number)
            if before is not None:
                loop.add_signal_handler(number, self._leave, before)

    def _leave(self, before: asyncio.Handle) -> None:
        if self._hub is not None:
            self._hub.end_all()
        before._run()  # noqa: SLF001 - the server's own handler

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._hub is not None:
            loop.run_until_complete(self._hub.stop())

    async def __rsgi__(self, scope: Any, protocol: Any) -> None:
        environ = self._environ(scope)
        body = await self._body(environ, protocol)
        loop = asyncio.get_running_loop()
        with body:
            environ["wsgi.input"] = body
            answer = await loop.run_in_executor(self._threads, self._answer, environ)
            ticket = answer.headers_of(log.TICKET)
            if ticket and self._hub is not None:
                answer.close()
                await _stream(self._hub, log.read_ticket(ticket), answer.headers, protocol)
            elif answer.rest is None:
                protocol.response_bytes(answer.status, answer.headers, answer.body)
            else:
                await _hand_over(answer, protocol, self._threads)

    def _environ(self, scope: Any) -> dict[str, Any]:
        host, _, port = scope.server.rpartition(":")
        environ = {
            **self._base,
            "REQUEST_METHOD": scope.method,
            "PATH_INFO": unquote_to_bytes(scope.path).decode("latin-1"),
            "QUERY_STRING": scope.query_string,
            "SERVER_NAME": host,
            "SERVER_PORT": port,
            "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
            "REMOTE_ADDR": scope.client.rpartition(":")[0],
            "wsgi.url_scheme": scope.scheme,
        }
        for name, value in scope.headers.items():
            key = name.upper().replace("-", "_")
            if key not in {"CONTENT_TYPE", "CONTENT_LENGTH"}:
                key = "HTTP_" + key
            if key in environ and key.startswith("HTTP_"):
                value = environ[key] + ("; " if key == "HTTP_COOKIE" else ",") + value  # noqa: PLW2901 - said twice
            environ[key] = value
        if "HTTP_HOST" not in environ and scope.authority:
            environ["HTTP_HOST"] = scope.authority
        return environ

    async def _body(self, environ: dict[str, Any], protocol: Any) -> IO[bytes]:
        """What was sent, all of it, so that a slow sender holds no thread. What its length forbids is not read."""
        length = environ.get("CONTENT_LENGTH") or "0"
        size = int(length) if length.isascii() and length.isdigit() else 0
        if not 0 < size <= self.body_max:
            return BytesIO()
        if size <= _IN_MEMORY:
            return BytesIO(await protocol())
        kept = TemporaryFile()  # noqa: SIM115 - closed by the caller
        async for piece in protocol:
            kept.write(piece)
        kept.seek(0)
        return kept

    def _answer(self, environ: dict[str, Any]) -> _Answer:
        answer = _Answer()
        # Each request in a context of its own, as under a server that starts a thread for it.
        contextvars.Context().run(answer.take, self.application, environ)
        return answer


class _Answer:
    """What the application said; ``rest`` where it is too long to be said at once."""

    def __init__(self) -> None:
        self.status = 500
        self.headers: Headers = []
        self.body = b""
        self.rest: Iterator[bytes] | None = None
        self._said: Any = None

    def take(self, application: Callable[..., Iterable[bytes]], environ: dict[str, Any]) -> None:
        self._said = application(environ, self._start)
        pieces, size = [], 0
        self.rest = iter(self._said)
        for piece in self.rest:
            pieces.append(piece)
            size += len(piece)
            if size >= _PIECE and getattr(self._said, "streaming", True):
                break
        else:
            self.rest = None
            self.close()
        self.body = b"".join(pieces)

    def _start(self, status: str, headers: Headers, exc_info: object = None) -> None:
        self.status = int(status.split(" ", 1)[0])
        self.headers = [(name.lower(), value) for name, value in headers]

    def headers_of(self, name: str) -> str:
        """The value of a header that is for us alone; it is taken off."""
        wanted = name.lower()
        found = next((value for key, value in self.headers if key == wanted), "")
        if found:
            self.headers = [one for one in self.headers if one[0] != wanted]
        return found

    def next_piece(self) -> bytes:
        """The next part of what is left; empty at its end."""
        pieces, size = [], 0
        for piece in self.rest or ():
            pieces.append(piece)
            size += len(piece)
            if size >= _PIECE:
                break
        return b"".join(pieces)

    def close(self) -> None:
        said, self._said = self._said, None
        if hasattr(said, "close"):
            said.close()


async def _hand_over(answer: _Answer, protocol: Any, threads: ThreadPoolExecutor) -> None:
    """A long answer piece by piece: a thread reads, the loop sends, and a slow reader holds no thread."""
    from granian._granian import RSGIProtocolClosed as ProtocolClosed  # noqa: PLC0415 - only under granian

    loop = asyncio.get_running_loop()
    transport = protocol.response_stream(answer.status, answer.headers)
    try:
        piece = answer.body
        while piece:
            await transport.send_bytes(piece)
            piece = await loop.run_in_executor(threads, answer.next_piece)
    except ProtocolClosed:
        pass  # the reader has gone
    finally:
        await loop.run_in_executor(threads, answer.close)


async def _stream(hub: Hub, ticket: log.Ticket, headers: Headers, protocol: Any) -> None:
    """Tell one reader what happens until he leaves, may no longer, or it is time to prove again who he is."""
    from granian._granian import RSGIProtocolClosed as ProtocolClosed  # noqa: PLC0415 - only under granian

    kept = [one for one in headers if one[0] not in {"content-length", "content-type"}]
    transport = protocol.response_stream(
        200, [*kept, ("content-type", "text/event-stream; charset=utf-8"), ("x-accel-buffering", "no")]
    )
    stream = hub.join(ticket)
    until = time.monotonic() + STREAM_SECONDS
    gone = asyncio.ensure_future(protocol.client_disconnect())
    gone.add_done_callback(lambda _: stream.end())
    try:
        await transport.send_str("retry: 1000\n\n")
        while not stream.over and time.monotonic() < until:
            await _next(stream, until)
            while stream.waiting:
                told = stream.waiting.popleft()
                await transport.send_str(told)
                if f'"kind":"{END}"' in told:
                    stream.end()
    except ProtocolClosed:
        pass  # the reader has gone
    finally:
        gone.cancel()
        hub.leave(stream)


async def _next(stream: Stream, until: float) -> None:
    if not stream.waiting:
        stream.more.clear()
        if not stream.over:
            try:
                async with asyncio.timeout(max(0.0, until - time.monotonic())):
                    await stream.more.wait()
            except TimeoutError:
                pass
