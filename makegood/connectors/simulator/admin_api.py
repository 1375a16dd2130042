"""The simulator's admin face in JSON: faults, books, clock, disputes, delivery, outage."""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from makegood.connectors.simulator.faults import Faults
from makegood.connectors.simulator.gate import Gate
from makegood.connectors.simulator.ledger import Ledger, new_id
from makegood.connectors.simulator.stripe_api import dispute_object, refund_object
from makegood.connectors.simulator.webhooks import Webhooks
from makegood.connectors.simulator.wire import Reply

Json = dict[str, Any]


class Admin:
    """``set_listening`` closes and opens the gateway's own door."""

    def __init__(
        self,
        ledger: Ledger,
        faults: Faults,
        webhooks: Webhooks,
        gate: Gate,
        token: str,
        set_listening: Callable[[bool], None],
    ) -> None:
        self._ledger, self._faults, self._webhooks, self._gate = ledger, faults, webhooks, gate
        self._authorization = f"Bearer {token}"
        self._set_listening = set_listening
        self._routes: list[tuple[str, re.Pattern[str], Callable[..., object]]] = [
            ("GET", re.compile(r"/ledger"), self._show_ledger),
            ("GET", re.compile(r"/counters"), lambda _: dict(gate.counters)),
            ("GET", re.compile(r"/faults"), lambda _: faults.as_json()),
            ("GET", re.compile(r"/events"), self._show_events),
            ("GET", re.compile(r"/clock"), lambda _: {"now": ledger.now()}),
            ("POST", re.compile(r"/faults"), lambda wanted: faults.add(wanted).as_json()),
            ("POST", re.compile(r"/faults/clear"), lambda _: faults.clear()),
            ("POST", re.compile(r"/clock"), self._advance),
            ("POST", re.compile(r"/keys/prune"), self._prune_keys),
            ("POST", re.compile(r"/payments"), self._add_payments),
            ("POST", re.compile(r"/refunds/settle"), self._settle),
            ("POST", re.compile(r"/refunds/(\w+)"), self._turn_refund),
            ("POST", re.compile(r"/disputes"), self._open_dispute),
            ("POST", re.compile(r"/disputes/(\w+)"), self._turn_dispute),
            ("POST", re.compile(r"/webhooks"), self._configure_webhooks),
            ("POST", re.compile(r"/webhooks/deliver"), webhooks.deliver),
            ("POST", re.compile(r"/down"), self._go_down),
            ("POST", re.compile(r"/up"), self._come_up),
            ("POST", re.compile(r"/reset"), self._reset),
        ]

    def answer(self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """One admin call; 400 says what was wrong with it."""
        del query
        if not hmac.compare_digest(headers.get("Authorization", "").encode(), self._authorization.encode()):
            return Reply(401, b'{"error": "wrong admin token"}')
        for verb, pattern, action in self._routes:
            match = pattern.fullmatch(path)
            if verb == method and match:
                try:
                    given = json.loads(body or b"{}")
                    return Reply(200, json.dumps(action(*match.groups(), given)).encode())
                except (ValueError, KeyError, TypeError) as problem:
                    return Reply(400, json.dumps({"error": repr(problem)}).encode())
        return Reply(404, b'{"error": "no such admin call"}')

    def _show_ledger(self, _: Json) -> Json:
        refunds = self._ledger.rows(
            "SELECT r.*, p.currency FROM refunds r JOIN payments p ON p.id = r.charge ORDER BY r.seq"
        )
        for refund in refunds:
            refund["metadata"] = json.loads(refund["metadata"])
        return {
            "payments": self._ledger.rows(
                "SELECT id, payment_intent, currency, captured, refunded, disputed FROM payments ORDER BY created, id"
            ),
            "refunds": refunds,
            "disputes": self._ledger.rows("SELECT * FROM disputes ORDER BY seq"),
            "keys": self._ledger.rows("SELECT key, status, created FROM keys ORDER BY created, key"),
        }

    def _show_events(self, _: Json) -> list[Json]:
        rows = self._ledger.rows("SELECT id, type, delivered, attempts, body FROM events ORDER BY seq")
        return [{**row, "body": json.loads(row["body"])} for row in rows]

    def _advance(self, given: Json) -> Json:
        self._ledger.advance(int(given.get("seconds", 0)) + 3600 * int(given.get("hours", 0)))
        return {"now": self._ledger.now()}

    def _prune_keys(self, given: Json) -> Json:
        """Forget keys older than ``hours`` (24)."""
        oldest = self._ledger.now() - 3600 * int(given.get("hours", 24))
        with self._ledger.transaction():
            gone = self._ledger.rows("DELETE FROM keys WHERE created <= ? RETURNING key", oldest)
        return {"forgotten": len(gone)}

    def _add_payments(self, given: Json) -> list[Json]:
        """``count`` payments of ``amount`` and ``currency`` in one call, with a payment intent where ``intent``."""
        with self._ledger.transaction():
            return [
                self._ledger.add_payment(
                    amount=int(given["amount"]),
                    currency=str(given["currency"]).lower(),
                    metadata={},
                    intent=new_id("pi") if given.get("intent") else None,
                )
                for _ in range(int(given.get("count", 1)))
            ]

    def _settle(self, _: Json) -> list[Json]:
        """Carry out what was planned for every pending refund."""
        planned = self._ledger.rows("SELECT id, plan FROM refunds WHERE plan IS NOT NULL ORDER BY seq")
        return [self._turn_refund(row["id"], {"status": row["plan"]}) for row in planned]

    def _turn_refund(self, reference: str, given: Json) -> Json:
        """To ``status``: succeeded, failed (``failure_reason``), canceled, pending; a success may fail later too."""
        status = given["status"]
        if status not in ("succeeded", "failed", "canceled", "pending"):
            raise ValueError(f"unknown status {status}")
        reason = given.get("failure_reason", "lost_or_stolen_card") if status == "failed" else None
        with self._ledger.transaction():
            before = {"status": self._ledger.refund(reference)["status"]}
            refund = refund_object(self._ledger.turn_refund(reference, status, reason))
            # One change, told by several events with ids of their own, as Stripe does.
            for kind in ["refund.updated", "charge.refund.updated"] + ["refund.failed"] * (status == "failed"):
                self._ledger.add_event(kind, refund, None if kind == "refund.failed" else before)
        self._webhooks.wake()
        return refund

    def _open_dispute(self, given: Json) -> Json:
        """On ``payment``, for ``amount`` (what is left), in ``status`` (needs_response, or warning_needs_response)."""
        payment = self._ledger.payment(given["payment"])
        if payment is None:
            raise KeyError(given["payment"])
        amount = int(given.get("amount", payment["captured"] - payment["refunded"]))
        status, reference = given.get("status", "needs_response"), new_id("dp")
        with self._ledger.transaction():
            self._ledger.run(
                "INSERT INTO disputes (id, charge, amount, status, reason, created) VALUES (?,?,?,?,?,?)",
                *(reference, payment["id"], amount, status, given.get("reason", "fraudulent"), self._ledger.now()),
            )
            if not status.startswith("warning_"):
                self._ledger.run("UPDATE payments SET disputed = disputed + ? WHERE id = ?", amount, payment["id"])
            dispute = dispute_object(self._ledger.dispute(reference))
            self._ledger.add_event("charge.dispute.created", dispute)
        self._webhooks.wake()
        return dispute

    def _turn_dispute(self, reference: str, given: Json) -> Json:
        """To ``status``: won, lost, warning_closed, prevented (closed); needs_response, under_review (updated)."""
        status = given["status"]
        with self._ledger.transaction():
            before = dispute_object(self._ledger.dispute(reference))
            held = {"warning_needs_response", "warning_under_review", "warning_closed", "won", "prevented"}
            moved = before["amount"] * ((status not in held) - (before["status"] not in held))
            self._ledger.run("UPDATE payments SET disputed = disputed + ? WHERE id = ?", moved, before["charge"])
            self._ledger.run("UPDATE disputes SET status = ? WHERE id = ?", status, reference)
            closed = status in ("won", "lost", "warning_closed", "prevented")
            kind = "charge.dispute.closed" if closed else "charge.dispute.updated"
            dispute = dispute_object(self._ledger.dispute(reference))
            self._ledger.add_event(kind, dispute, None if closed else {"status": before["status"]})
        self._webhooks.wake()
        return dispute

    def _configure_webhooks(self, given: Json) -> Json:
        self._webhooks.configure(given["url"], given["secret"], auto=bool(given.get("auto", False)))
        return {}

    def _go_down(self, given: Json) -> Json:
        """``how``: refuse (connections are refused) or 503."""
        how = given.get("how", "refuse")
        if how not in ("refuse", "503"):
            raise ValueError(f"unknown outage {how}")
        self._gate.down = how
        self._set_listening(how == "503")
        return {"down": how}

    def _come_up(self, _: Json) -> Json:
        self._set_listening(True)
        self._gate.down = None
        return {"down": None}

    def _reset(self, given: Json) -> Json:
        self._come_up(given)
        self._faults.clear()
        self._webhooks.forget()
        self._ledger.reset()
        self._gate.counters.clear()
        return {}
