"""The one way to write the ledger: post a list of moves under a request key."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, connection

from makegood.kit import db, errors


class Overdrawn(errors.Refused):
    code = "ledger_overdrawn"
    message = "There is not enough left: {value}."


@dataclass(frozen=True, slots=True)
class Move:
    """``amount`` (> 0) of ``asset`` from one account to another of the same book and subject."""

    book: str
    subject_id: int
    source: str
    target: str
    asset: str
    amount: int

    def reversed(self) -> Move:
        return Move(self.book, self.subject_id, self.target, self.source, self.asset, self.amount)


@dataclass(frozen=True, slots=True)
class Posted:
    """The entry written, or found when the same request had been posted before."""

    entry_id: int
    again: bool


def post(
    *, kind: str, request_key: str, moves: Iterable[Move], at: datetime, order_id: int | None = None, cause: str = ""
) -> Posted | None:
    """Write one balanced entry inside the caller's transaction; the same ``request_key`` posts once, ever.

    Moves of zero are left out; with nothing left to move no entry is written and None is given.
    Raises Overdrawn when an account would fall below zero; the caller's transaction is then over.
    """
    db.require_transaction()
    moves = list(moves)
    rows = [
        {
            "book": str(move.book),
            "subject": move.subject_id,
            "from": str(move.source),
            "to": str(move.target),
            "asset": move.asset,
            "amount": move.amount,
        }
        for move in moves
        if move.amount
    ]
    if any(move.amount < 0 for move in moves):
        raise ValueError("a move goes from source to target; its amount is positive")
    if not rows:
        return None
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "select ledger_post(%s, %s, %s, %s, %s, %s::jsonb)",
                [kind, request_key, order_id, cause, at, json.dumps(rows)],
            )
            entry_id: int = cursor.fetchone()[0]
    except IntegrityError as refused:
        if "ledger_account_floor" in str(refused):
            raise Overdrawn(kind, field="moves", rule="no_account_below_zero") from refused
        raise
    return Posted(abs(entry_id), again=entry_id < 0)
