"""Idle listeners of one web process: what each costs, and how soon the last of them hears what was committed."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from statistics import median

from bench.figures import Figure
from bench.filing_http import _served
from bench.ground import Ground, open_merchant

ROUNDS = 40
NAME = "live.thousand_listeners"


def measure(ground: Ground) -> list[Figure]:
    """``live.thousand_listeners``: p95 in milliseconds from before the commit to the last of the listeners."""
    import sys

    from makegood.kit import db, live, tenancy
    from tests.desk.working import Member
    from tests.live.serving import cookies

    listeners = 1000 if ground.size.peers else 20
    merchant_id = open_merchant()
    os.environ["MAKEGOOD_SECRET_KEY"] = _secret()
    with tenancy.acting_for(merchant_id):
        member = Member()
        cookie = "; ".join(f"{name}={value}" for name, value in cookies(member.client).items())

        def tell(n: int) -> None:
            with tenancy.acting_for(merchant_id), db.atomically():
                live.tell("desk:bench", "counted", n=n)

        command = [sys.executable, "-m", "makegood.cli", "web", "{port}", "--workers", "1"]
        with _served(command, {}) as port:
            before = _memory(port)
            taken, page_ms = asyncio.run(_listen(port, f"{member.base}/live", cookie, listeners, tell))
            after = _memory(port)
    taken.sort()
    p95 = taken[int(len(taken) * 0.95) - 1]
    return [
        Figure(
            NAME,
            p95,
            f"{listeners} signed-in event streams on one web process with one listening connection; ms from before"
            f" a transaction that tells until the last of them has it, p95 of {ROUNDS}",
            {
                "median_ms": round(median(taken), 1),
                "kilobytes_a_listener": round((after - before) / listeners, 1),
                "page_beside_them_median_ms": round(page_ms, 1),
            },
        )
    ]


def _secret() -> str:
    from django.conf import settings

    return str(settings.SECRET_KEY)


def _memory(port: int) -> int:
    """Kilobytes of the server's largest process."""
    found = [0]
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and f"\0{port}\0".encode() in (entry / "cmdline").read_bytes() + b"\0":
                found += [
                    int(line.split()[1])
                    for line in (entry / "status").read_text().splitlines()
                    if line.startswith("VmRSS")
                ]
        except OSError:
            continue
    return max(found)


async def _listen(port: int, path: str, cookie: str, listeners: int, tell: object) -> tuple[list[float], float]:
    assert callable(tell)
    head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: {cookie}\r\n\r\n".encode()
    gate = asyncio.Semaphore(16)
    heard = asyncio.Event()
    state = {"n": -1, "left": 0}

    async def read(reader: asyncio.StreamReader) -> None:
        while line := await reader.readline():
            if f'"n":{state["n"]},'.encode() in line:
                state["left"] -= 1
                if not state["left"]:
                    heard.set()

    async def open_one() -> asyncio.StreamReader:
        async with gate:
            reader, _writer = await asyncio.open_connection("127.0.0.1", port)
            writers.append(_writer)
            _writer.write(head)
            while not (await asyncio.wait_for(reader.readline(), 60)).startswith(b"id:"):
                pass
            return reader

    writers: list[asyncio.StreamWriter] = []
    readers = await asyncio.gather(*(open_one() for _ in range(listeners)))
    tasks = [asyncio.create_task(read(reader)) for reader in readers]
    taken = []
    for n in range(ROUNDS):
        state.update(n=n, left=listeners)
        heard.clear()
        began = time.perf_counter()
        await asyncio.to_thread(tell, n)
        await asyncio.wait_for(heard.wait(), 30)
        taken.append((time.perf_counter() - began) * 1000)
    pages = [await _page(port) for _ in range(50)]
    for task in tasks:
        task.cancel()
    for writer in writers:
        writer.close()
    return taken, median(pages)


async def _page(port: int) -> float:
    began = time.perf_counter()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET /estimate HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode())
    await reader.read()
    writer.close()
    return (time.perf_counter() - began) * 1000
