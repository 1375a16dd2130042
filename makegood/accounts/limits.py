"""How often somebody may try: counted in the database, in a transaction of its own, whatever becomes of the request."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from makegood.kit import db, errors


class TooManyTries(errors.Refused):
    code = "too_many_tries"
    message = "Too many tries. Wait {wait_seconds} seconds and try again."


@dataclass(frozen=True, slots=True)
class Limit:
    """At most ``tries`` in a ``window`` that opens with the first of them. ``name`` is part of the count's key."""

    name: str
    tries: int
    window: timedelta


@db.command
def _count(bucket: str, window: timedelta, at: datetime) -> tuple[int, datetime]:
    row = db.fetch_one(
        """
        insert into accounts_tries as tries (bucket, opened_at, closes_at, count)
        values (%(bucket)s, %(at)s, %(at)s + %(window)s, 1)
        on conflict (bucket) do update set
            count = case when tries.closes_at <= %(at)s then 1 else tries.count + 1 end,
            opened_at = case when tries.closes_at <= %(at)s then %(at)s else tries.opened_at end,
            closes_at = case when tries.closes_at <= %(at)s then %(at)s + %(window)s else tries.closes_at end
        returning count, closes_at
        """,
        {"bucket": bucket, "at": at, "window": window},
    )
    if row is None:
        raise AssertionError("an upsert returns its row")
    return row["count"], row["closes_at"]


def count_try(limit: Limit, *who: str, at: datetime) -> None:
    """Count one try of ``who`` (an address, an order number, a person); only its hash is kept.

    Commits by itself, so it is called before the command, never inside. Raises TooManyTries.
    """
    count, closes_at = _count(_bucket(limit, who), limit.window, at)
    if count > limit.tries:
        wait = max(1, int((closes_at - at).total_seconds()) + 1)
        raise TooManyTries(
            field=limit.name, rule=f"{limit.tries}_per_{int(limit.window.total_seconds())}_s", wait_seconds=wait
        )


def _bucket(limit: Limit, who: tuple[str, ...]) -> str:
    return hashlib.sha256("\x00".join((limit.name, *who)).encode()).hexdigest()


@db.command
def forgive_tries(limit: Limit, *who: str) -> bool:
    """Let somebody try again at once; whether they were counted at all. For who may decide that."""
    return bool(db.execute("delete from accounts_tries where bucket = %s", [_bucket(limit, who)]))


@db.command
def forget_tries(*, at: datetime) -> int:
    """Forget the windows that have closed; how many."""
    return db.execute("delete from accounts_tries where closes_at <= %s", [at])
