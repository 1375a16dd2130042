"""The simulator's own books in SQLite: payments, refunds, disputes, remembered keys, events."""

from __future__ import annotations

import json
import secrets
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

SCHEMA = """
CREATE TABLE IF NOT EXISTS payments (
    id TEXT PRIMARY KEY, payment_intent TEXT, currency TEXT NOT NULL,
    captured INTEGER NOT NULL CHECK (captured > 0),
    refunded INTEGER NOT NULL DEFAULT 0 CHECK (refunded BETWEEN 0 AND captured),
    disputed INTEGER NOT NULL DEFAULT 0 CHECK (disputed BETWEEN 0 AND captured),
    metadata TEXT NOT NULL, created INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS payments_by_intent ON payments (payment_intent);
CREATE TABLE IF NOT EXISTS refunds (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, charge TEXT NOT NULL REFERENCES payments (id),
    amount INTEGER NOT NULL CHECK (amount > 0), status TEXT NOT NULL, failure_reason TEXT, reason TEXT,
    metadata TEXT NOT NULL, idempotency_key TEXT, plan TEXT, created INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS refunds_by_charge ON refunds (charge);
CREATE INDEX IF NOT EXISTS refunds_by_time ON refunds (created);
CREATE TABLE IF NOT EXISTS disputes (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, charge TEXT NOT NULL REFERENCES payments (id),
    amount INTEGER NOT NULL CHECK (amount > 0), status TEXT NOT NULL, reason TEXT NOT NULL, created INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS keys (
    key TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, status INTEGER NOT NULL, body BLOB NOT NULL,
    created INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS events (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, type TEXT NOT NULL, body BLOB NOT NULL,
    created INTEGER NOT NULL, delivered INTEGER NOT NULL DEFAULT 0, attempts INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS clock (ahead INTEGER NOT NULL);
INSERT INTO clock SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM clock);
"""
TABLES = ("refunds", "disputes", "payments", "keys", "events")
DEAD = ("failed", "canceled")  # refunds that give the money back to the payment

Row = dict[str, Any]


class Ledger:
    """All methods may be called from any thread; writes happen inside ``transaction``."""

    def __init__(self, path: str, synchronous: str) -> None:
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute(f"PRAGMA synchronous={synchronous}")
        self._db.execute("PRAGMA foreign_keys=ON")
        self._db.executescript(SCHEMA)
        self._ahead: int = self._db.execute("SELECT ahead FROM clock").fetchone()[0]

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """One write transaction at a time; all of it or nothing."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def rows(self, sql: str, *values: object) -> list[Row]:
        with self._lock:
            return [dict(row) for row in self._db.execute(sql, values)]

    def row(self, sql: str, *values: object) -> Row | None:
        found = self.rows(sql, *values)
        return found[0] if found else None

    def run(self, sql: str, *values: object) -> None:
        with self._lock:
            self._db.execute(sql, values)

    def now(self) -> int:
        """The simulator's time in seconds: real time plus what was advanced."""
        return int(time.time()) + self._ahead

    def advance(self, seconds: int) -> None:
        with self.transaction():
            self._ahead += seconds
            self.run("UPDATE clock SET ahead = ?", self._ahead)

    def reset(self) -> None:
        with self.transaction():
            for table in TABLES:
                self.run(f"DELETE FROM {table}")
            self.run("UPDATE clock SET ahead = 0")
            self._ahead = 0

    def add_payment(self, *, amount: int, currency: str, metadata: dict[str, str], intent: str | None) -> Row:
        charge = new_id("ch")
        self.run(
            "INSERT INTO payments (id, payment_intent, currency, captured, metadata, created) VALUES (?,?,?,?,?,?)",
            *(charge, intent, currency, amount, json.dumps(metadata), self.now()),
        )
        found = self.payment(charge)
        assert found is not None  # noqa: S101 - inserted above, same transaction
        return found

    def payment(self, name: str) -> Row | None:
        """By charge or by payment intent."""
        column = "payment_intent" if name.startswith("pi_") else "id"
        return self.row(f"SELECT * FROM payments WHERE {column} = ?", name)

    def add_refund(self, charge: str, refund: Row) -> Row:
        """Take ``amount`` from the payment; the CHECK on ``refunded`` is the last guard against over-refunds."""
        reference = new_id("re")
        self.run("UPDATE payments SET refunded = refunded + ? WHERE id = ?", refund["amount"], charge)
        self.run(
            "INSERT INTO refunds (id, charge, amount, status, reason, metadata, idempotency_key, plan, created)"
            " VALUES (?,?,?,?,?,?,?,?,?)",
            *(reference, charge, refund["amount"], refund["status"], refund["reason"]),
            *(json.dumps(refund["metadata"]), refund["key"], refund["plan"], self.now()),
        )
        return self.refund(reference)

    def refund(self, reference: str) -> Row:
        """Raises KeyError."""
        found = self.row(
            "SELECT r.*, p.currency, p.payment_intent FROM refunds r JOIN payments p ON p.id = r.charge WHERE r.id = ?",
            reference,
        )
        if found is None:
            raise KeyError(reference)
        return found

    def dispute(self, reference: str) -> Row:
        """Raises KeyError."""
        found = self.row(
            "SELECT d.*, p.currency, p.payment_intent FROM disputes d"
            " JOIN payments p ON p.id = d.charge WHERE d.id = ?",
            reference,
        )
        if found is None:
            raise KeyError(reference)
        return found

    def turn_refund(self, reference: str, status: str, failure_reason: str | None) -> Row:
        """Move a refund to another status; a dying one gives its amount back to the payment."""
        before = self.refund(reference)
        give_back = before["amount"] * ((status in DEAD) - (before["status"] in DEAD))
        self.run("UPDATE payments SET refunded = refunded - ? WHERE id = ?", give_back, before["charge"])
        self.run(
            "UPDATE refunds SET status = ?, failure_reason = ?, plan = NULL WHERE id = ?",
            *(status, failure_reason, reference),
        )
        return self.refund(reference)

    def add_event(self, kind: str, thing: Row, before: Row | None = None) -> None:
        """Queue a snapshot for delivery."""
        event_id, created = new_id("evt"), self.now()
        data = {"object": thing, **({"previous_attributes": before} if before is not None else {})}
        body = {
            "id": event_id,
            "object": "event",
            "api_version": "2026-10-28",
            "created": created,
            "data": data,
            "livemode": False,
            "pending_webhooks": 1,
            "type": kind,
        }
        self.run(
            "INSERT INTO events (id, type, body, created) VALUES (?,?,?,?)",
            *(event_id, kind, json.dumps(body).encode(), created),
        )


def new_id(prefix: str) -> str:
    return f"{prefix}_{secrets.token_hex(12)}"
