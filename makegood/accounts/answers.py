"""One request key, one effect: the answer is kept in the transaction of the effect, so a crash leaves neither.

A face wraps one command with :func:`answer_once`. The key's row is inserted first; an advisory lock, held until
the transaction ends, tells a retry that the first try is still at work.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from makegood.kit import db, errors

_KEY = re.compile(r"[!-~]{1,255}")
KEPT_FOR = timedelta(days=90)
"""Longer than any payment gateway remembers a key of its own, and longer than any retry queue we know."""


class IdempotencyKeyMissing(errors.Malformed):
    code = "idempotency_key_missing"
    message = "{field}: every write names its request with a key of its own ({rule})."


class IdempotencyKeyReused(errors.Malformed):
    code = "idempotency_key_reused"
    message = "{field}: the key {value} was used for another request."


class RequestInProgress(errors.Refused):
    code = "request_in_progress"
    message = "{field}: the request with the key {value} is still being worked on; ask again soon."


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request was told: HTTP status and plain JSON."""

    status: int
    body: Any
    replayed: bool = False


def read_key(key: str | None) -> str:
    """The key of a request. Raises IdempotencyKeyMissing for none, and for what cannot be kept."""
    if not key or not _KEY.fullmatch(key):
        raise IdempotencyKeyMissing(key, field="Idempotency-Key", rule="1-255_ASCII_characters_without_spaces")
    return key


def fingerprint(*parts: str | bytes) -> str:
    """What tells two requests apart: sha256 over method, address and body."""
    digest = hashlib.sha256()
    for part in parts:
        raw = part.encode() if isinstance(part, str) else part
        digest.update(len(raw).to_bytes(8, "big") + raw)
    return digest.hexdigest()


def answer_once(*, route: str, key: str, body_sha256: str, effect: Callable[[], Answer], at: datetime) -> Answer:
    """Do ``effect`` (one command) and keep its answer; on a retry give the kept answer and do nothing.

    What ``effect`` raises takes the key back with everything else: the retry tries again.
    Raises IdempotencyKeyReused, RequestInProgress.
    """
    with db.together():
        kept = claim_answer(route=route, key=key, body_sha256=body_sha256, at=at)
        if kept is not None:
            return kept
        answer = effect()
        record_answer(route=route, key=key, answer=answer)
        return answer


def claim_answer(*, route: str, key: str, body_sha256: str, at: datetime) -> Answer | None:
    """Take the key in the caller's transaction, or give back the answer kept for it.

    Raises IdempotencyKeyReused, RequestInProgress.
    """
    db.require_transaction()
    claimed = db.fetch_one(
        """
        insert into accounts_answeredrequest (route, key, body_sha256, created_at)
        select %(route)s, %(key)s, %(sha)s, %(at)s
         where pg_try_advisory_xact_lock(hashtextextended(%(lock)s || current_setting('makegood.merchant'), 0))
        on conflict (merchant_id, route, key) do nothing
        returning id
        """,
        {"route": route, "key": key, "sha": body_sha256, "at": at, "lock": f"{route} {key} "},
    )
    if claimed is not None:
        return None
    kept = db.fetch_one(
        "select body_sha256, status, answer::text as answer from accounts_answeredrequest"
        " where route = %s and key = %s",
        [route, key],
    )
    if kept is None or kept["status"] is None:
        raise RequestInProgress(key, field="Idempotency-Key")
    if kept["body_sha256"] != body_sha256:
        raise IdempotencyKeyReused(key, field="Idempotency-Key", rule="one_key_one_request")
    return Answer(kept["status"], json.loads(kept["answer"]), replayed=True)


def record_answer(*, route: str, key: str, answer: Answer) -> None:
    """Keep the answer beside its effect, in the same transaction."""
    db.require_transaction()
    db.execute(
        "update accounts_answeredrequest set status = %s, answer = %s where route = %s and key = %s",
        [answer.status, json.dumps(answer.body, ensure_ascii=False), route, key],
    )


@db.command
def forget_answers(*, at: datetime, limit: int = 10_000) -> int:
    """Forget answers older than :data:`KEPT_FOR`, of the merchant in sight, some at a time; how many."""
    return db.execute(
        "delete from accounts_answeredrequest where id in"
        " (select id from accounts_answeredrequest where created_at < %s order by created_at limit %s)",
        [at - KEPT_FOR, limit],
    )
