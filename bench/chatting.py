"""How soon a chat message is read in another browser, while many other windows are open."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from statistics import median
from typing import Any

from bench.figures import Figure
from bench.filing_http import _served
from bench.ground import Ground, open_merchant

MESSAGES = 120
EVERY_S = 0.1


def measure(ground: Ground) -> list[Figure]:
    """``chat.to_other_browser_p95_ms``."""
    from django.conf import settings

    from makegood.accounts import queries as accounts
    from makegood.conversations.commands import chatting
    from makegood.kit import db, tenancy

    streams = 500 if ground.size.peers else 10
    messages = MESSAGES if ground.size.peers else 10
    os.environ["MAKEGOOD_SECRET_KEY"] = str(settings.SECRET_KEY)
    visitors = [uuid.uuid4().hex for _ in range(streams)]
    with tenancy.acting_for(open_merchant()):
        base = f"/chat/{accounts.merchant().slug}/"
        for visitor in visitors:
            with db.together():
                chatting.receive_chat(
                    visitor=visitor, client_id=str(uuid.uuid4()), body="hello", language="en", at=datetime.now(UTC)
                )
    with _served([sys.executable, "-m", "makegood.cli", "web", "{port}", "--workers", "1"], {}) as port:
        taken = sorted(asyncio.run(_talk(port, base, visitors, messages)))
    return [
        Figure(
            "chat.to_other_browser_p95_ms",
            taken[int(len(taken) * 0.95) - 1],
            f"{streams} chat windows with open streams on one web process; ms from before a message is posted until"
            f" another window of the visitor has fetched its words, p95 of {messages}, ten a second",
            {"median_ms": round(median(taken), 1), "slowest_ms": round(taken[-1], 1)},
        )
    ]


async def _talk(port: int, base: str, visitors: list[str], messages: int) -> list[float]:
    heard: dict[str, asyncio.Event] = {visitor: asyncio.Event() for visitor in visitors}
    gate = asyncio.Semaphore(8)
    writers: list[asyncio.StreamWriter] = []

    async def listen(visitor: str) -> asyncio.StreamReader:
        async with gate:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writers.append(writer)
            writer.write(_request(port, "GET", f"{base}hear", visitor))
            while not (await asyncio.wait_for(reader.readline(), 60)).startswith(b"id:"):
                pass
            return reader

    async def watch(visitor: str, reader: asyncio.StreamReader) -> None:
        while line := await reader.readline():
            if line.startswith(b"data:"):
                heard[visitor].set()

    async def one(visitor: str) -> float:
        words = uuid.uuid4().hex
        heard[visitor].clear()
        began = time.perf_counter()
        post = asyncio.create_task(_ask(port, "POST", f"{base}say", visitor, {"client": words, "body": words}))
        await asyncio.wait_for(heard[visitor].wait(), 30)
        told = await _ask(port, "GET", f"{base}said?after=0", visitor)
        spent = (time.perf_counter() - began) * 1000
        await post
        if words not in {said["body"] for said in told["said"]}:
            raise RuntimeError("told, but not there")
        return spent

    readers = await asyncio.gather(*(listen(visitor) for visitor in visitors))
    tasks = [asyncio.create_task(watch(v, r)) for v, r in zip(visitors, readers, strict=True)]
    talking = []
    for n in range(messages):
        talking.append(asyncio.create_task(one(visitors[n % len(visitors)])))
        await asyncio.sleep(EVERY_S)
    taken = await asyncio.gather(*talking)
    for task in tasks:
        task.cancel()
    for writer in writers:
        writer.close()
    return list(taken)


def _request(port: int, method: str, path: str, visitor: str, sent: Mapping[str, str] | None = None) -> bytes:
    body = json.dumps(sent).encode() if sent else b""
    close = "Connection: close\r\n" if not path.endswith("hear") else ""
    return (
        f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nX-Chat-Visitor: {visitor}\r\n{close}"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


async def _ask(port: int, method: str, path: str, visitor: str, sent: Mapping[str, str] | None = None) -> Any:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(_request(port, method, path, visitor, sent))
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    if b" 200 " not in head.split(b"\r\n", 1)[0]:
        raise RuntimeError(head[:200])
    return json.loads(body)
