"""Load over HTTP: as many requests as go through so many connections in so many seconds, each about another order."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

CONNECTIONS = 16

_WRK = """
local n = {first} - 1
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Bearer {token}"
request = function()
  n = n + 1
  wrk.headers["Idempotency-Key"] = "k" .. n
  return wrk.format(nil, "{path}", nil, string.format('{body}', n))
end
done = function(summary, latency, requests)
  io.write(string.format('{{"requests": %d, "seconds": %.6f, "bad": %d, "p50_ms": %.2f, "p99_ms": %.2f}}',
    summary.requests, summary.duration / 1e6,
    summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.timeout,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
"""


@dataclass(frozen=True, slots=True)
class Target:
    """Where to send; ``body`` has one ``%d``, the number of the order."""

    port: int
    path: str
    body: str
    token: str = ""


@dataclass(frozen=True, slots=True)
class Load:
    requests: int
    per_second: float
    bad: int
    p50_ms: float
    p99_ms: float


def client_name() -> str:
    return "wrk" if shutil.which("wrk") else "an asyncio client in this process"


def run(target: Target, *, first: int, duration: float, folder: Path) -> Load:
    """Send for so long; orders are numbered from ``first`` on."""
    wrk = shutil.which("wrk")
    if wrk is None or duration < 1:
        return asyncio.run(_run_here(target, first, duration))
    script = folder / "load.lua"
    script.write_text(_WRK.format(first=first, token=target.token, path=target.path, body=target.body))
    done = subprocess.run(
        [wrk, "-t1", f"-c{CONNECTIONS}", f"-d{round(duration)}s", "--timeout", "20s", "-s", str(script),
         f"http://127.0.0.1:{target.port}"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    told = json.loads(done.stdout[done.stdout.index('{"requests"') :])
    return Load(told["requests"], told["requests"] / told["seconds"], told["bad"], told["p50_ms"], told["p99_ms"])


async def _run_here(target: Target, first: int, duration: float) -> Load:
    numbers = iter(range(first, 10**9))
    until = time.perf_counter() + duration
    taken: list[float] = []
    bad = 0

    async def send_on() -> None:
        nonlocal bad
        reader, writer = await asyncio.open_connection("127.0.0.1", target.port)
        while time.perf_counter() < until:
            n = next(numbers)
            started = time.perf_counter()
            writer.write(_request(target, n))
            status = await _read_answer(reader)
            taken.append(time.perf_counter() - started)
            bad += status != 201
        writer.close()

    started = time.perf_counter()
    await asyncio.gather(*(send_on() for _ in range(CONNECTIONS)))
    whole = time.perf_counter() - started
    taken.sort()
    return Load(
        len(taken), len(taken) / whole, bad, taken[len(taken) // 2] * 1000, taken[len(taken) * 99 // 100] * 1000
    )


def _request(target: Target, n: int) -> bytes:
    body = (target.body % n).encode()
    head = (
        f"POST {target.path} HTTP/1.1\r\nHost: 127.0.0.1:{target.port}\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {target.token}\r\nIdempotency-Key: k{n}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def _read_answer(reader: asyncio.StreamReader) -> int:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    status = int(head.split(b" ", 2)[1])
    length = next(
        (int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.startswith(b"content-length:")), None
    )
    if length is None:  # chunked
        while (size := int((await reader.readline()).split(b";")[0], 16)) or not await reader.readline():
            await reader.readexactly(size + 2)
    else:
        await reader.readexactly(length)
    return status
