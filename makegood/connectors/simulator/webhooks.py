"""Signed delivery of the queued events: by itself, or on demand twice, shuffled, forged or stale."""

from __future__ import annotations

import http.client
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from makegood.connectors.simulator.ledger import Ledger, Row
from makegood.connectors.stripe.webhook import sign

ATTEMPTS_MAX = 20
LOOPBACK = ("127.0.0.1", "localhost", "::1")
STALE_SECONDS = 600
RETRY_SECONDS_MAX = 5.0


class Webhooks:
    """Events stay queued until answered with 2xx; ``auto`` delivers them soon after each call."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._url = ""
        self._secret = ""
        self._auto = False
        self._turn = threading.Lock()  # one delivery run at a time, so that nothing is sent twice unasked
        self._wake = threading.Event()
        threading.Thread(target=self._run, name="webhooks", daemon=True).start()

    def configure(self, url: str, secret: str, *, auto: bool) -> None:
        """Only loopback addresses. Raises ValueError."""
        if urlsplit(url).hostname not in LOOPBACK:
            raise ValueError("webhooks go to loopback addresses only")
        with self._turn:
            self._url, self._secret, self._auto = url, secret, auto
        self.wake()

    def forget(self) -> None:
        with self._turn:
            self._url, self._auto = "", False

    def wake(self) -> None:
        if self._auto:
            self._wake.set()

    def _run(self) -> None:
        wait = None
        while True:
            self._wake.wait(wait)
            self._wake.clear()
            with self._turn:
                results = self._deliver({"attempts_below": ATTEMPTS_MAX}) if self._auto else []
            failed = [each["attempts"] for each in results if not each["ok"]]
            wait = min(RETRY_SECONDS_MAX, 0.1 * 2.0 ** min(failed)) if failed else None

    def deliver(self, how: dict[str, Any]) -> list[dict[str, Any]]:
        """Send queued events now and tell the answers.

        ``event`` (one id) or ``type`` limit it; ``again`` includes the delivered; ``order`` is ``in``, ``reversed``
        or ``shuffled`` (``seed``); ``times`` and ``parallel`` repeat each; ``forged`` is ``secret``, ``body`` or
        ``unsigned``; ``stale`` signs ten minutes ago. Raises ValueError where no address is configured.
        """
        with self._turn:
            if not self._url:
                raise ValueError("no webhook address is configured")
            return self._deliver(how)

    def _deliver(self, how: dict[str, Any]) -> list[dict[str, Any]]:
        copies = [event for event in self._chosen(how) for _ in range(int(how.get("times", 1)))]
        with ThreadPoolExecutor(int(how.get("parallel", 1))) as pool:
            return list(pool.map(lambda event: self._send(event, how), copies))

    def _chosen(self, how: dict[str, Any]) -> list[Row]:
        where, values = ["attempts < ?"], [how.get("attempts_below", 2**31)]
        if not how.get("again"):
            where.append("delivered = 0")
        for field, column in (("event", "id"), ("type", "type")):
            if field in how:
                where.append(f"{column} = ?")
                values.append(how[field])
        events = self._ledger.rows(f"SELECT * FROM events WHERE {' AND '.join(where)} ORDER BY seq", *values)
        if how.get("order") == "reversed":
            events.reverse()
        if how.get("order") == "shuffled":
            random.Random(how.get("seed", 0)).shuffle(events)  # noqa: S311 - an order to repeat, not a secret
        return events

    def _send(self, event: Row, how: dict[str, Any]) -> dict[str, Any]:
        body: bytes = event["body"]
        forged = how.get("forged")
        seconds = self._ledger.now() - (STALE_SECONDS if how.get("stale") else 0)
        secret = "whsec_somebody_else" if forged == "secret" else self._secret
        headers = {"Content-Type": "application/json", "User-Agent": "makegood-gateway-simulator"}
        if forged != "unsigned":
            headers["Stripe-Signature"] = sign(body, secret, datetime.fromtimestamp(seconds, UTC))
        if forged == "body":
            body = body.replace(b'"amount": ', b'"amount": 9', 1)
        status: int | None = None
        problem = ""
        try:
            status = self._post(body, headers)
        except (OSError, http.client.HTTPException) as failure:
            problem = repr(failure)
        ok = status is not None and 200 <= status < 300
        self._ledger.run(
            "UPDATE events SET attempts = attempts + 1, delivered = delivered + ? WHERE id = ?", int(ok), event["id"]
        )
        return {
            "event": event["id"],
            "type": event["type"],
            "status": status,
            "ok": ok,
            "problem": problem,
            "attempts": event["attempts"] + 1,
        }

    def _post(self, body: bytes, headers: dict[str, str]) -> int:
        url = urlsplit(self._url)
        connection = http.client.HTTPConnection(url.hostname or "127.0.0.1", url.port or 80, timeout=10)
        try:
            address = (url.path or "/") + (f"?{url.query}" if url.query else "")
            connection.request("POST", address, body, headers)
            answer = connection.getresponse()
            answer.read()
            return answer.status
        finally:
            connection.close()
