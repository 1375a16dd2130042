"""How calls are made: the token, a key for every write, problems as exceptions, and patience where it is safe."""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Mapping
from typing import Any, Self
from urllib.parse import quote

import httpx

TRIES = 4
WAIT_MAX_S = 30.0
_AGAIN = frozenset({429, 503})


class Problem(Exception):
    """What the API refused: a problem document (RFC 9457). ``code`` is stable, words are in the asked language."""

    def __init__(self, status: int, document: Mapping[str, Any]) -> None:
        self.status = status
        self.document = document
        self.code = str(document.get("code", ""))
        self.title = str(document.get("title", ""))
        self.detail = str(document.get("detail", ""))
        self.request_id = str(document.get("request_id", ""))
        self.errors: list[dict[str, Any]] = list(document.get("errors", []))
        super().__init__(f"{status} {self.code}: {self.detail}")


class Caller:
    """One connection to a server; may be used as a context manager. Not safe for several threads at once."""

    def __init__(
        self,
        base_url: str,
        token: str = "",
        *,
        language: str = "en",
        timeout_s: float = 30.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        headers = {"Accept-Language": language, "Accept": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        self._http = httpx.Client(base_url=base_url, headers=headers, timeout=timeout_s, transport=transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    @staticmethod
    def quoted(part: str | int) -> str:
        """A part of an address, so that a slash in it stays in it."""
        return quote(str(part), safe="")

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        json: object = None,
        form: Mapping[str, Any] | None = None,
        files: Mapping[str, Any] | None = None,
        keyed: bool = False,
        key: str | None = None,
    ) -> Any:
        """Make one call. Raises Problem, and httpx's own errors where there was no answer."""
        headers = {"Idempotency-Key": key or uuid.uuid4().hex} if keyed else {}
        sent = {name: value for name, value in (query or {}).items() if value is not None}
        # A file is a stream that was read by the first try: it is not sent twice.
        tries = TRIES if (keyed or method == "GET") and not files else 1
        for attempt in range(1, tries + 1):
            last = attempt == tries
            try:
                answer = self._http.request(
                    method,
                    path,
                    params=sent,
                    json=json,
                    data=dict(form) if form else None,
                    files=files,
                    headers=headers,
                )
            except httpx.TransportError:
                if last:
                    raise
                wait = 0.0
            else:
                if last or answer.status_code not in _AGAIN:
                    return _read(answer)
                wait = _asked_wait(answer)
            time.sleep(min(WAIT_MAX_S, max(wait, 0.25 * 2**attempt * random.uniform(0.5, 1.5))))  # noqa: S311 - no secret
        raise AssertionError("the last try returns or raises")


def _asked_wait(answer: httpx.Response) -> float:
    text = answer.headers.get("Retry-After", "")
    return float(text) if text.isdigit() else 0.0


def _read(answer: httpx.Response) -> Any:
    if answer.is_success:
        return answer.json() if answer.content else None
    try:
        document = answer.json()
    except ValueError:
        document = {"detail": answer.text[:500]}
    raise Problem(answer.status_code, document if isinstance(document, dict) else {"detail": str(document)})
