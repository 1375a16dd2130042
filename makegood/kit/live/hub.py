"""One listener to the database for a whole process, and any number of streams that hear from it.

Two connections: one is told that something happened, the other looks what. Each merchant's rows are read with that
merchant in sight, so the database itself keeps merchants apart; the hub only shares out what it was shown.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg
import structlog

from makegood.kit.live import cursors, log
from makegood.kit.live.cursors import Cursor
from makegood.kit.live.log import Ticket

logger = structlog.get_logger()

LOOK_SECONDS = 10.0  # also without being told: moves every reader's place on, and forgives a lost notification
BEAT_SECONDS = 20.0  # a proxy must not think that a quiet stream is dead
WAITING_MAX = 200  # blocks for a reader who does not read; he is let go and comes back for the rest


@dataclass(eq=False, slots=True)
class Stream:
    """One reader. ``joined``: the look after which it hears; None until it was told what it had missed."""

    ticket: Ticket
    waiting: deque[str] = field(default_factory=deque)
    more: asyncio.Event = field(default_factory=asyncio.Event)
    joined: Cursor | None = None
    over: bool = False

    def give(self, block: str) -> None:
        if len(self.waiting) >= WAITING_MAX:
            self.end()
        elif not self.over:
            self.waiting.append(block)
            self.more.set()

    def end(self) -> None:
        self.over = True
        self.more.set()


@dataclass(slots=True)
class _Group:
    """The streams of one merchant, and how far its log was read for them."""

    cursor: Cursor
    streams: set[Stream] = field(default_factory=set)


class Hub:
    """Lives on one event loop; nothing here may be called from another thread."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self._groups: dict[int, _Group] = {}
        self._joining: list[Stream] = []
        self._told: set[int] = set()
        self._wake = asyncio.Event()
        self._leaving = False
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        work = (self._listen, self._read, self._beat)
        self._tasks = [asyncio.create_task(_for_ever(one), name=f"live-{one.__name__}") for one in work]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        self.end_all()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        log.here.latest = ""

    def end_all(self) -> None:
        """No stream goes on, and none begins: the process is about to stop."""
        self._leaving = True
        for stream in [*self._joining, *(one for group in self._groups.values() for one in group.streams)]:
            stream.end()

    @property
    def streams(self) -> int:
        return len(self._joining) + sum(len(group.streams) for group in self._groups.values())

    def join(self, ticket: Ticket) -> Stream:
        """A stream that is first told what was missed since the ticket's place, then everything as it happens."""
        stream = Stream(ticket, over=self._leaving)
        self._joining.append(stream)
        self._wake.set()
        return stream

    def leave(self, stream: Stream) -> None:
        stream.end()
        if stream in self._joining:
            self._joining.remove(stream)
        group = self._groups.get(stream.ticket.merchant_id)
        if group is not None:
            group.streams.discard(stream)
            if not group.streams:
                del self._groups[stream.ticket.merchant_id]

    async def _listen(self) -> None:
        async with await psycopg.AsyncConnection.connect(self.dsn, autocommit=True) as connection:
            await connection.execute(log.LISTEN)
            self._look_at_all()  # whatever was told while nobody listened
            while True:
                async for notified in connection.notifies(timeout=LOOK_SECONDS, stop_after=1):
                    if notified.payload.isdigit():
                        self._told.add(int(notified.payload))
                        self._wake.set()
                    break
                else:
                    await connection.execute("select 1")  # a connection that died quietly is found out
                    self._look_at_all()

    def _look_at_all(self) -> None:
        self._told.update(self._groups)
        self._told.add(0)
        self._wake.set()

    async def _read(self) -> None:
        async with await psycopg.AsyncConnection.connect(self.dsn, autocommit=True) as connection:
            self._wake.set()  # what an earlier connection left undone
            while True:
                await self._wake.wait()
                self._wake.clear()
                if 0 in self._told or not log.here.latest:
                    self._told.discard(0)
                    cursor, _nothing = await self._look(connection, 0, None)
                    log.here.latest = str(cursor)
                while self._joining:
                    await self._let_in(connection, self._joining[0])
                for merchant_id in [one for one in self._told if one in self._groups]:
                    await self._share_out(connection, merchant_id)
                    self._told.discard(merchant_id)
                self._told &= self._groups.keys()

    async def _let_in(self, connection: psycopg.AsyncConnection[Any], stream: Stream) -> None:
        ticket = stream.ticket
        since = cursors.read(ticket.since)
        cursor, told = await self._look(connection, ticket.merchant_id, since, ticket.channels)
        if stream.over or stream not in self._joining:
            return
        self._joining.remove(stream)
        stream.joined = cursor
        missed = [log.as_told(one) for one in told]
        if ticket.since and (since is None or not cursors.holds(cursor, since)):
            missed = log.RESET
        stream.give(log.block(cursor, missed))
        # Looks follow one another, so this one is after the last of the group: what comes next is for both.
        self._groups.setdefault(ticket.merchant_id, _Group(cursor)).streams.add(stream)

    async def _share_out(self, connection: psycopg.AsyncConnection[Any], merchant_id: int) -> None:
        before = self._groups[merchant_id].cursor
        cursor, told = await self._look(connection, merchant_id, before)
        group = self._groups.get(merchant_id)
        if group is None or group.cursor is not before:
            return  # everybody left meanwhile; who came since begins where he came
        group.cursor = cursor
        log.here.latest = str(cursor)
        blocks: dict[tuple[tuple[str, ...], Cursor | None], str] = {}
        for stream in tuple(group.streams):
            key = (stream.ticket.channels, stream.joined)
            if key not in blocks:
                blocks[key] = _block_for(stream, cursor, told)
            if blocks[key]:
                stream.give(blocks[key])

    async def _look(
        self,
        connection: psycopg.AsyncConnection[Any],
        merchant_id: int,
        since: Cursor | None,
        channels: Sequence[str] | None = None,
    ) -> tuple[Cursor, list[list[Any]]]:
        asked = {
            "since": since.snapshot if since else "",
            "merchant": merchant_id,
            "channels": None if channels is None else list(channels),
        }
        async with connection.pipeline():
            await connection.execute("select set_config('makegood.merchant', %s, false)", [str(merchant_id or "")])
            cursor = await connection.execute(log.LOOK, asked)
        row = await cursor.fetchone()
        if row is None:
            raise AssertionError("a select without from gives a row")
        return log.looked(row)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            for group in tuple(self._groups.values()):
                beat = log.block(group.cursor, [])
                for n, stream in enumerate(tuple(group.streams)):
                    if not stream.waiting:
                        stream.give(beat)
                    if n % 100 == 99:
                        await asyncio.sleep(0)


def _block_for(stream: Stream, cursor: Cursor, told: Sequence[Sequence[Any]]) -> str:
    """What of all this a stream hears; empty for nothing."""
    heard = [
        log.as_told(one)
        for one in told
        if log.hears(stream.ticket.channels, one[1]) and not (stream.joined and stream.joined.saw(one[0]))
    ]
    return log.block(cursor, heard) if heard else ""


async def _for_ever(work: Any) -> None:
    """Begin again whatever ends it; a database that is away is asked again, ever more slowly."""
    pause = 0.2
    loop = asyncio.get_running_loop()
    while True:
        began = loop.time()
        try:
            await work()
        except psycopg.OperationalError as problem:
            logger.warning("live_database_lost", work=work.__name__, why=str(problem).strip()[:200])
        except Exception:
            logger.exception("live_failed", work=work.__name__)
        pause = 0.2 if loop.time() - began > 30 else min(5.0, pause * 2)
        await asyncio.sleep(pause)
