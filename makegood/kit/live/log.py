"""The log of what happened just now, and what a listener is allowed to hear of it.

A channel is ``family:name`` or a family alone. Whoever listens to ``family:*`` hears all of the family. What is told
holds ids and states only, never a person's words: the page fetches those itself, with its own rights.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from makegood.kit import db, tenancy
from makegood.kit.live import cursors
from makegood.kit.live.cursors import KEPT_SECONDS, Cursor

LISTEN = "listen makegood_live"
TICKET = "X-Makegood-Live"
FRONT = "makegood.front"  # in the environment of a request that came through the front, which keeps streams open
RESET: list[dict[str, Any]] = [{"channel": "", "kind": "reset"}]
RETRY_MS = 4000  # a server that cannot keep a stream open is asked again so often

# One statement, so one snapshot: what it does not see is after it, and what it sees is not.
LOOK = """
select extract(epoch from clock_timestamp())::bigint as seconds, pg_current_snapshot()::text as snapshot,
       (select coalesce(jsonb_agg(jsonb_build_array(xid, channel, kind, data) order by id), '[]')
          from kit_liveevent
         where %(since)s <> '' and merchant_id = %(merchant)s
           and xid >= pg_snapshot_xmin(coalesce(nullif(%(since)s, ''), '1:1:')::pg_snapshot)::text::bigint
           and xid < pg_snapshot_xmax(pg_current_snapshot())::text::bigint
           and not pg_visible_in_snapshot(xid::text::xid8, coalesce(nullif(%(since)s, ''), '1:1:')::pg_snapshot)
           and (%(channels)s::text[] is null or channel = any(%(channels)s::text[])
                or split_part(channel, ':', 1) || ':*' = any(%(channels)s::text[])))::text as told
"""


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a stream may hear, of whose rows. ``since``: where its reader stands; empty for from now on."""

    merchant_id: int
    channels: tuple[str, ...]
    since: str = ""


@dataclass(slots=True)
class _Place:
    """Where this process's own listening stands; pages begin to listen from there."""

    latest: str = ""


here = _Place()


# Equal notifications of one transaction are one; the name of the merchant is all they say. The function makegood_tell
# does the same, and is planned anew at every call: this is prepared once.
_TELL = f"""
with told as (insert into kit_liveevent (channel, kind, data) values (%s, %s, %s::jsonb) returning 1)
select pg_notify('makegood_live', coalesce({tenancy.CURRENT_MERCHANT}::text, '')) from told
"""


def tell(channel: str, kind: str, **data: Any) -> None:
    """Tell in the caller's transaction what happened, to whoever listens to the channel of the merchant in sight."""
    db.require_transaction()
    tenancy.require_merchant_id()
    db.send(_TELL, [channel, kind, json.dumps(data)])


def position() -> str:
    """From where a page that is about to be read must listen on: before anything it reads. No question is asked."""
    return here.latest


def hears(channels: Sequence[str], channel: str) -> bool:
    """Whether a listener to these channels hears this one."""
    return channel in channels or f"{channel.partition(':')[0]}:*" in channels


def looked(row: Sequence[Any]) -> tuple[Cursor, list[list[Any]]]:
    """What ``LOOK`` gave: where the reader stands now, and rows of transaction, channel, kind and data."""
    seconds, snapshot, told = row
    cursor = cursors.read(f"{int(seconds)}-{snapshot}")
    if cursor is None:
        raise AssertionError(snapshot)
    return cursor, json.loads(told)


def block(cursor: Cursor | str, told: Sequence[Any]) -> str:
    """One event of a stream; without anything told it only moves the reader's place."""
    data = f"data: {json.dumps(told, ensure_ascii=False, separators=(',', ':'))}\n" if told else ""
    return f"id: {cursor}\n{data}\n"


def catch_up(ticket: Ticket) -> str:
    """What a stream that is not kept open says before it ends: everything since the reader was here last."""
    since = cursors.read(ticket.since)
    with tenancy.acting_for(ticket.merchant_id):
        cursor, told = _look(since, ticket.channels)
    head = f"retry: {RETRY_MS}\n\n"
    if ticket.since and (since is None or not cursors.holds(cursor, since)):
        return head + block(cursor, RESET)
    return head + block(cursor, [as_told(one) for one in told])


def as_told(row: Sequence[Any]) -> dict[str, Any]:
    """A row of the log as a page hears it."""
    _xid, channel, kind, data = row
    return {**data, "channel": channel, "kind": kind}


@db.query
def _look(since: Cursor | None, channels: Sequence[str]) -> tuple[Cursor, list[list[Any]]]:
    asked = {
        "since": since.snapshot if since else "",
        "merchant": tenancy.require_merchant_id(),
        "channels": list(channels),
    }
    [row] = db.fetch(LOOK, asked)
    return looked((row["seconds"], row["snapshot"], row["told"]))


def sign(ticket: Ticket) -> str:
    """The ticket as a header between a view and the front, which takes it off."""
    return json.dumps(asdict(ticket))


def read_ticket(text: str) -> Ticket:
    found = json.loads(text)
    return Ticket(found["merchant_id"], tuple(found["channels"]), found["since"])


@db.query
def forget_told() -> int:
    """Forget what was told longer ago than anybody listens back; how many."""
    [row] = db.fetch("select makegood_forget_live(now() - make_interval(secs => %s)) as gone", [KEPT_SECONDS])
    return int(row["gone"])
