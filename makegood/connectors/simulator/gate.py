"""One call at the gate: faults between client and gateway, idempotency keys, then the execution."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import hmac
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from makegood.connectors.simulator.faults import EXECUTION, NETWORK, Faults
from makegood.connectors.simulator.ledger import Ledger
from makegood.connectors.simulator.stripe_api import StripeApi
from makegood.connectors.simulator.webhooks import Webhooks
from makegood.connectors.simulator.wire import Params, Refusal, Reply, read_form

UNAVAILABLE = Reply(503, b"Service Unavailable")
GARBAGE = "<html><body>502 Bad Gateway</body></html>"


class CutOff(Exception):
    """The connection is to be cut without a word: the client cannot tell whether anything was done."""


class Gate:
    """Thread-safe."""

    def __init__(self, ledger: Ledger, faults: Faults, webhooks: Webhooks, api_key: str) -> None:
        self._ledger, self._faults, self._webhooks = ledger, faults, webhooks
        self._api = StripeApi(ledger)
        self._authorization = f"Bearer {api_key}"
        self._lock = threading.Lock()
        self._running: set[str] = set()
        self.counters: Counter[str] = Counter()
        self.down: str | None = None  # None | "503" | "refuse"

    def count(self, what: str) -> None:
        with self._lock:
            self.counters[what] += 1

    def answer(self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Everything that happens to one call. Raises CutOff."""
        call = f"{method} {path}"
        self.count(call)
        if self.down == "refuse":  # a connection from before the outage
            raise CutOff
        if not hmac.compare_digest(headers.get("Authorization", "").encode(), self._authorization.encode()):
            return Refusal(401, "Invalid API Key provided.", saved=False).reply()
        key = headers.get("Idempotency-Key") if method == "POST" else None
        faults = {fault.kind: fault.settings for fault in self._faults.take(NETWORK, call, key)}
        for kind in faults:
            self.count(f"fault {kind}")
        if "drop_request" in faults:
            raise CutOff
        if "unavailable" in faults or self.down == "503":
            return UNAVAILABLE
        delay = faults.get("delay", {})
        milliseconds, before = int(delay.get("ms", 0)), delay.get("when", "before") == "before"
        form = query if method == "GET" else body.decode("utf-8", "replace")
        reply = self._keyed(method, path, form, key, milliseconds if before else 0)
        if "webhook_first" in faults:
            self._webhooks.deliver({})
        else:
            self._webhooks.wake()
        time.sleep(0 if before else milliseconds / 1000)
        return _spoiled(reply, faults)

    def _keyed(self, method: str, path: str, form: str, key: str | None, delay_ms: int) -> Reply:
        """Same key and same request: the remembered answer. Another request: 400. Still running: 409."""
        try:
            params = read_form(form)
        except Refusal as refusal:
            return refusal.reply()
        if key is not None and len(key) > 255:
            return Refusal(400, "Idempotency keys have 255 characters at most.", saved=False).reply()
        fingerprint = hashlib.sha256(json.dumps([method, path, params], sort_keys=True).encode()).hexdigest()
        with self._hold(key) as free:
            if not free:
                self.count("conflicts")
                message = "There is currently another in-progress request using this Idempotent Key."
                reply = Refusal(409, message, saved=False, code="idempotency_key_in_use").reply()
                # Stripe invites a retry here; a client whose own retries are off must not take it up.
                return Reply(409, reply.body, saved=False, headers={"Stripe-Should-Retry": "true"})
            known = self._ledger.row("SELECT * FROM keys WHERE key = ?", key) if key is not None else None
            if known is not None and known["fingerprint"] != fingerprint:
                self.count("mismatches")
                message = f"Keys for idempotent requests can only be used with the same parameters: '{key}'."
                return Refusal(400, message, saved=False, type="idempotency_error").reply()
            time.sleep(delay_ms / 1000)
            if known is not None:
                self.count("replayed")
                return Reply(known["status"], known["body"], headers={"Idempotent-Replayed": "true"})
            return self._execute(method, path, params, key, fingerprint)

    @contextlib.contextmanager
    def _hold(self, key: str | None) -> Iterator[bool]:
        if key is None:
            yield True
            return
        with self._lock:
            free = key not in self._running
            self._running.add(key)
        try:
            yield free
        finally:
            if free:
                with self._lock:
                    self._running.discard(key)

    def _execute(self, method: str, path: str, params: Params, key: str | None, fingerprint: str) -> Reply:
        faults = self._faults.take(EXECUTION, f"{method} {path}", key)
        fault = faults[0] if faults else None
        if fault is not None:
            self.count(f"fault {fault.kind}")
        if method == "GET":
            try:
                return self._api.handle(method, path, params, None, fault)
            except Refusal as refusal:
                return refusal.reply()
        # The effect and the memory of its key commit together: a gateway killed between them forgets neither.
        with self._ledger.transaction():
            try:
                reply = self._api.handle(method, path, params, key, fault)
            except Refusal as refusal:
                reply = refusal.reply()
            if key is not None and reply.saved:
                self._ledger.run(
                    "INSERT INTO keys (key, fingerprint, status, body, created) VALUES (?,?,?,?,?)",
                    *(key, fingerprint, reply.status, reply.body, self._ledger.now()),
                )
        return reply


def _spoiled(reply: Reply, faults: Mapping[str, Mapping[str, Any]]) -> Reply:
    """What arrives of the answer. Raises CutOff."""
    if "drop_answer" in faults:
        raise CutOff
    if "cut_answer" in faults:
        return dataclasses.replace(reply, cut=True)
    if "garbage_body" in faults:
        garbage = faults["garbage_body"]
        return Reply(int(garbage.get("status", 200)), str(garbage.get("body", GARBAGE)).encode("latin-1"))
    return reply
