"""The tools over streamable HTTP: every request bears a token of the API, and may name the customer it is for."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from datetime import UTC, datetime
from typing import Any

import anyio.to_thread
from django.conf import settings
from django.db import close_old_connections
from mcp.server.mcpserver import Context
from mcp.server.transport_security import TransportSecuritySettings

from makegood.accounts.queries import TokenInvalid
from makegood.kit import errors
from makegood.kit.telling import tell
from makegood.mcp.server import build_server
from makegood.mcp.session import Session, open_session

PATH = "/mcp"
CUSTOMER = "makegood-customer"
BODY_BYTES_MAX = 30_000_000  # a file of the usual 20 MB as base64
_SESSION = "makegood.session"

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


def build_application() -> Application:
    """The ASGI application: no state is kept between requests, so that processes may be several."""
    hosts = [one for host in settings.ALLOWED_HOSTS for one in (host, f"{host}:*")]
    tools = build_server(_session_of)
    inside: Application = tools.streamable_http_app(
        streamable_http_path=PATH,
        stateless_http=True,
        json_response=True,
        max_request_body_size=BODY_BYTES_MAX,
        transport_security=TransportSecuritySettings(allowed_hosts=hosts, allowed_origins=[]),
    )

    async def door(scope: Scope, receive: Receive, send: Send) -> None:
        """Let in who bears a token that is good; everybody else is answered with a problem document."""
        if scope["type"] == "http":
            try:
                scope[_SESSION] = await anyio.to_thread.run_sync(_open, _headers(scope))
            except errors.DomainError as refusal:
                await _refuse(refusal, send)
                return
        await inside(scope, receive, send)

    return door


def _headers(scope: Scope) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}


def _open(headers: dict[str, str]) -> Session:
    """Raises TokenInvalid, CustomerUnknown, SessionHeld."""
    scheme, _, secret = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise TokenInvalid(field="Authorization", rule="Bearer")
    chinese = headers.get("accept-language", "").lower().startswith("zh")
    close_old_connections()
    try:
        return open_session(
            secret.strip(),
            customer=headers.get(CUSTOMER, "").strip(),
            language="zh-hans" if chinese else "en",
            at=datetime.now(UTC),
        )
    finally:
        close_old_connections()


def _session_of(ctx: Context) -> Session:
    request = ctx.request_context.request
    session = request.scope.get(_SESSION) if request is not None else None
    if not isinstance(session, Session):
        raise TypeError("the door put no session there")
    return session


async def _refuse(refusal: errors.DomainError, send: Send) -> None:
    status = 401 if isinstance(refusal, TokenInvalid) else 404 if isinstance(refusal, errors.Unknown) else 403
    body = {
        "type": f"urn:makegood:problem:{refusal.code}",
        "title": refusal.code,
        "status": status,
        "detail": tell(refusal),
        "code": refusal.code,
    }
    headers = [(b"content-type", b"application/problem+json"), (b"cache-control", b"no-store")]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(body, ensure_ascii=False).encode()})


def build_served_application() -> Application:
    """For the server's own process, which knows of Django nothing but the name of its settings."""
    import django  # noqa: PLC0415 - the settings must be named first

    django.setup()
    return build_application()
