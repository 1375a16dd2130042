"""Typed calls to a running simulator's admin face, for tests, bench and demo."""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

Json = dict[str, Any]


class AdminRefused(RuntimeError):
    """The simulator did not understand the admin call."""


class AdminClient:
    """One connection per call: simple, and safe between threads."""

    def __init__(self, url: str, token: str) -> None:
        address = urlsplit(url)
        self._host, self._port = address.hostname or "127.0.0.1", address.port or 80
        self._headers = {"Authorization": f"Bearer {token}"}

    def call(self, method: str, path: str, given: Json | None = None) -> Any:
        """Raises AdminRefused, OSError."""
        connection = http.client.HTTPConnection(self._host, self._port, timeout=60)
        try:
            connection.request(method, path, json.dumps(given or {}), self._headers)
            answer = connection.getresponse()
            said = json.loads(answer.read())
        finally:
            connection.close()
        if answer.status != 200:
            raise AdminRefused(f"{method} {path}: {said}")
        return said

    def fault(
        self, kind: str, *, times: int | None = 1, key: str | None = None, on: str = "POST /v1/refunds", **settings: Any
    ) -> Json:
        """``kind`` hits the next ``times`` calls ``on`` a method and path (None: until cleared)."""
        wanted = {"fault": kind, "times": times, "key": key, "on": on, **settings}
        fault: Json = self.call("POST", "/faults", wanted)
        return fault

    def clear_faults(self) -> None:
        self.call("POST", "/faults/clear")

    def ledger(self) -> Json:
        """``{"payments", "refunds", "disputes", "keys"}``; amounts in Stripe's units."""
        books: Json = self.call("GET", "/ledger")
        return books

    def refunds(self, payment: str | None = None) -> list[Json]:
        return [row for row in self.ledger()["refunds"] if payment in (None, row["charge"])]

    def payment(self, name: str) -> Json:
        return next(row for row in self.ledger()["payments"] if name in (row["id"], row["payment_intent"]))

    def counters(self) -> dict[str, int]:
        counted: dict[str, int] = self.call("GET", "/counters")
        return counted

    def events(self) -> list[Json]:
        found: list[Json] = self.call("GET", "/events")
        return found

    def now(self) -> int:
        return int(self.call("GET", "/clock")["now"])

    def advance(self, *, seconds: int = 0, hours: int = 0) -> None:
        self.call("POST", "/clock", {"seconds": seconds, "hours": hours})

    def prune_keys(self, *, hours: int = 24) -> int:
        """Forget idempotency keys older than that; tells how many."""
        return int(self.call("POST", "/keys/prune", {"hours": hours})["forgotten"])

    def add_payments(self, count: int, amount: int, currency: str, *, intent: bool = False) -> list[Json]:
        """Captured payments without the way through the API; ``id`` is the charge."""
        wanted = {"count": count, "amount": amount, "currency": currency, "intent": intent}
        made: list[Json] = self.call("POST", "/payments", wanted)
        return made

    def add_payment(self, amount: int, currency: str, *, intent: bool = False) -> str:
        """The reference of a captured payment."""
        made = self.add_payments(1, amount, currency, intent=intent)[0]
        return str(made["payment_intent"] if intent else made["id"])

    def settle(self) -> list[Json]:
        """Carry out what was planned for pending refunds (accept_then_fail, accept_then_succeed)."""
        turned: list[Json] = self.call("POST", "/refunds/settle")
        return turned

    def turn_refund(self, reference: str, status: str, **how: str) -> Json:
        turned: Json = self.call("POST", f"/refunds/{reference}", {"status": status, **how})
        return turned

    def open_dispute(self, payment: str, **how: Any) -> Json:
        dispute: Json = self.call("POST", "/disputes", {"payment": payment, **how})
        return dispute

    def turn_dispute(self, reference: str, status: str) -> Json:
        dispute: Json = self.call("POST", f"/disputes/{reference}", {"status": status})
        return dispute

    def configure_webhooks(self, url: str, secret: str, *, auto: bool = False) -> None:
        self.call("POST", "/webhooks", {"url": url, "secret": secret, "auto": auto})

    def deliver(self, **how: Any) -> list[Json]:
        """Send queued events now; see ``Webhooks.deliver`` for how."""
        sent: list[Json] = self.call("POST", "/webhooks/deliver", how)
        return sent

    def down(self, how: str = "refuse") -> None:
        self.call("POST", "/down", {"how": how})

    def up(self) -> None:
        self.call("POST", "/up")

    def reset(self) -> None:
        """Empty books, no faults, no webhook address, clock at real time."""
        self.call("POST", "/reset")
