"""An agent as tests have it: a session, tools over the real protocol in this process, answers as plain documents."""

from __future__ import annotations

import contextvars
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import anyio
from django.db import connections
from mcp.client import Client

from makegood.accounts.actors import Actor
from makegood.accounts.states import May
from makegood.kit import tenancy
from makegood.mcp.server import build_server, fixed
from makegood.mcp.session import Session
from makegood.mcp.toolbox import Answer, answer

ALL = frozenset({May.READ, May.FILE, May.HANDLE, May.APPROVE})


def session(
    *, scopes: frozenset[str] = ALL, role: str = "owner", customer: int | None = None, token: int = 1
) -> Session:
    """A session at the merchant in sight."""
    actor = Actor("integration", id=token, label="agent", role=role, scopes=scopes, only_customer=customer)
    return Session(tenancy.require_merchant_id(), actor)


@dataclass(frozen=True)
class Agent:
    """Uses tools without the protocol between: for tests of what tools do."""

    session: Session

    def use(self, tool: str, /, **arguments: Any) -> dict[str, Any]:
        given = answer(self.session, tool, arguments)
        assert not given.refused, given.document
        return given.document

    def refused(self, tool: str, /, **arguments: Any) -> str:
        """The code of the refusal."""
        given = answer(self.session, tool, arguments)
        assert given.refused, given.document
        return str(given.document["code"])


def agent(**about: Any) -> Agent:
    return Agent(session(**about))


async def _in_this_thread(work: Callable[[], Answer]) -> Answer:
    return work()


def over_protocol(held: Session, talk: Callable[[Client], Awaitable[Any]]) -> Any:
    """Talk to a server of this process as any client would."""

    async def main() -> Any:
        async with Client(build_server(fixed(held))) as client:
            return await talk(client)

    return talked(main)


def talked(talk: Callable[[], Awaitable[Any]]) -> Any:
    """What was talked, in a thread of its own: a browser that was opened in this one keeps its event loop running."""
    sight = contextvars.copy_context()

    def run() -> Any:
        try:
            return sight.run(anyio.run, talk)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(max_workers=1) as aside:
        return aside.submit(run).result()
