"""``makegood mcp``: the tools for AI agents, over standard input and output or over HTTP."""

from __future__ import annotations

import os

from makegood.cli import running
from makegood.kit import errors

ADDRESS = "127.0.0.1"


class TokenMissing(errors.Malformed):
    code = "token_missing"
    message = "Name an access token in {field}: makegood tokens issue makes one."


def serve_standard_streams(*, customer: str) -> None:
    """Serve the agent that started us, until it closes our input. Raises TokenMissing and what opening raises."""
    secret = os.environ.get("MAKEGOOD_TOKEN", "")
    if not secret:
        raise TokenMissing(field="MAKEGOOD_TOKEN", rule="access_token")
    with running.database():
        from datetime import UTC, datetime

        from makegood.mcp.server import build_server, fixed
        from makegood.mcp.session import Session, open_session

        def opened() -> Session:
            return open_session(secret, customer=customer, language=running.language(), at=datetime.now(UTC))

        build_server(fixed(opened()), renew=lambda _session: opened()).run("stdio")


def serve_http(*, port: int, workers: int) -> None:
    """Serve agents that bear tokens, at ``/mcp``, until told to stop."""
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "makegood.config.settings")
    with running.database(log_level="INFO"):
        running.say(f"http://{ADDRESS}:{port}/mcp")
        Granian(
            "makegood.mcp.http:build_served_application",
            factory=True,
            address=ADDRESS,
            port=port,
            interface=Interfaces.ASGI,
            workers=workers,
            websockets=False,
            workers_kill_timeout=10,
            log_level=LogLevels.warning,
        ).serve()
