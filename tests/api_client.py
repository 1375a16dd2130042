"""A caller of the JSON API for tests: a token, request keys of its own, problems read."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from typing import Any

from django.test import Client

from makegood.accounts import commands
from makegood.accounts.actors import Actor
from makegood.accounts.states import ALLOWED, May, Role
from tests.conftest import NOON

OWNER = Actor.staff(1, "Ana", Role.OWNER)


def issue_token(role: Role = Role.MANAGER, scopes: Iterable[May | str] | None = None) -> str:
    """A token of the merchant in sight with everything its role may do, or less."""
    return commands.issue_token(
        label="test", role=role, scopes=ALLOWED[role] if scopes is None else scopes, actor=OWNER, at=NOON
    )


class Caller:
    """Sends JSON and reads JSON."""

    def __init__(self, token: str | None, *, language: str = "en") -> None:
        self.client = Client(raise_request_exception=False)
        self.headers = {"Accept-Language": language}
        if token is not None:
            self.headers["Authorization"] = f"Bearer {token}"

    def get(self, path: str, **headers: str) -> Any:
        return self.client.get(f"/api/v1{path}", headers=self.headers | headers)

    def send(self, method: str, path: str, body: Any = None) -> Any:
        """Another method than POST, with a key of its own."""
        sent = {**self.headers, "Idempotency-Key": uuid.uuid4().hex}
        raw = b"" if body is None else json.dumps(body).encode()
        path = f"/api/v1{path}"
        return self.client.generic(method, path, data=raw, content_type="application/json", headers=sent)

    def post(self, path: str, body: Any = None, *, key: str | None = "", **headers: str) -> Any:
        """``key`` is made up where it is empty, and left out where it is None."""
        sent = self.headers | headers
        if key is not None:
            sent["Idempotency-Key"] = key or uuid.uuid4().hex
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.client.post(f"/api/v1{path}", data=raw, content_type="application/json", headers=sent)


def problem(response: Any, status: int, code: str) -> dict[str, Any]:
    """The problem document of a response, which must have this status and code."""
    assert response.headers["Content-Type"] == "application/problem+json", response.content
    document: dict[str, Any] = json.loads(response.content)
    assert (response.status_code, document["status"], document["code"]) == (status, status, code), document
    return document
