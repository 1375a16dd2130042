"""The one way to write the ledger: post a list of moves under a request key."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

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


_POST = "select ledger_post(%s, %s, %s, %s, %s, %s::jsonb) as id"


def enter(
    *, kind: str, request_key: str, moves: Iterable[Move], at: datetime, order_id: int | None = None, cause: str = ""
) -> None:
    """Write one balanced entry inside the caller's transaction; the same ``request_key`` is entered once, ever.

    Moves of zero are left out; with nothing left to move no entry is written. Nobody waits for it: Overdrawn, when an
    account would fall below zero, is raised by what is asked next, or by the commit (see ``db.send``).
    """
    if (params := _params(kind, request_key, moves, at, order_id, cause)) is not None:
        db.send(_POST, params, refusals=_refusals(kind))


def post(
    *, kind: str, request_key: str, moves: Iterable[Move], at: datetime, order_id: int | None = None, cause: str = ""
) -> Posted | None:
    """As ``enter``, and wait: what was written, None where there was nothing to move.

    Raises Overdrawn at once; the caller's transaction, or its savepoint, is then over.
    """
    if (params := _params(kind, request_key, moves, at, order_id, cause)) is None:
        return None
    [row] = db.fetch(_POST, params, refusals=_refusals(kind))
    return Posted(abs(row["id"]), again=row["id"] < 0)


def _refusals(kind: str) -> dict[str, Exception]:
    return {"ledger_account_floor": Overdrawn(kind, field="moves", rule="no_account_below_zero")}


def _params(
    kind: str, request_key: str, moves: Iterable[Move], at: datetime, order_id: int | None, cause: str
) -> list[Any] | None:
    db.require_transaction()
    moves = list(moves)
    if any(move.amount < 0 for move in moves):
        raise ValueError("a move goes from source to target; its amount is positive")
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
    return [kind, request_key, order_id, cause, at, json.dumps(rows)] if rows else None
