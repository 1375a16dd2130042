"""Filing a case over HTTP through everything a request passes in production, against the least that writes the rows."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import psycopg

from bench import environments, load
from bench.figures import Figure
from bench.ground import Ground, open_merchant
from bench.importing import run_import

WORKERS = 2  # processes on either side: one a core
COUNTED = ("accounts_answeredrequest", "cases_case", "cases_caseline", "cases_caseevent", "cases_deadline",
           "ledger_entry", "ledger_posting", "ledger_account")  # fmt: skip
BODY = '{"order": "B%09d", "kind": "cancellation", "reason": "changed_mind", "lines": [{"line": "%%s", "quantity": 1}]}'


def measure(ground: Ground) -> list[Figure]:
    """``http.file_vs_litestar``."""
    name = "http.file_vs_litestar"
    if not ground.size.peers:
        return [Figure(name, None, "not measured in a quick run: it needs an environment with Litestar")]
    try:
        python = environments.python_of("litestar")
    except environments.NotInstalled as problem:
        return [Figure(name, None, f"not measured: {problem}; measured elsewhere 1,500/s for Litestar on three rows")]
    from makegood.accounts.states import Role
    from makegood.kit import tenancy
    from tests.api_client import issue_token

    rounds = 3
    orders = int(1200 * ground.size.http_seconds * rounds / 3)
    ours, theirs = _merchant(ground, orders), _merchant(ground, orders)
    with tenancy.acting_for(ours):
        token = issue_token(Role.MANAGER)
    body = BODY.replace("%%s", "LAMP")
    with _served(_our_command(), {"PORT": "0"}) as port, _litestar(python, ground, theirs) as other:
        targets = (
            load.Target(port, "/api/v1/cases", body, token),
            load.Target(other, "/cases", body),
        )
        for target in targets:
            load.run(target, first=0, duration=0.9, folder=ground.folder)  # warm up
        first = orders // 4
        found: list[list[load.Load]] = [[], []]
        for _ in range(rounds):
            both = [load.run(t, first=first, duration=ground.size.http_seconds, folder=ground.folder) for t in targets]
            first += max(run.requests for run in both) + load.CONNECTIONS
            for runs, run in zip(found, both, strict=True):
                runs.append(run)
    _check(ground, ours, theirs, found)
    return [_figure(name, found)]


def _figure(name: str, found: list[list[load.Load]]) -> Figure:
    mine, other = (median(run.per_second for run in runs) for runs in found)
    return Figure(
        name,
        mine / other,
        "POST /api/v1/cases with bearer token and Idempotency-Key through granian (WSGI) and the whole middleware,"
        " against the same rows written by Litestar and psycopg (async, prepared, nothing checked) behind granian;"
        f" {WORKERS} processes each, {load.CONNECTIONS} connections by {load.client_name()}, in turns",
        {
            "ours_per_second": round(mine, 1),
            "litestar_per_second": round(other, 1),
            "ours_p50_p99_ms": [median(r.p50_ms for r in found[0]), median(r.p99_ms for r in found[0])],
            "litestar_p50_p99_ms": [median(r.p50_ms for r in found[1]), median(r.p99_ms for r in found[1])],
        },
    )


def _merchant(ground: Ground, orders: int) -> int:
    """A merchant with so many orders of one line and three units, brought in by the import."""
    merchant_id = open_merchant()
    path = ground.folder / "orders.csv"
    path.write_text(
        "order_number,line_number,sku,title,quantity,paid,currency,ordered_at,customer_ref,market,payment_reference,"
        "payment_method,captured\n"
        + "".join(
            f"B{n:09d},LAMP,LAMP-1,Desk lamp,3,300.00,CNY,2026-11-11T10:00:00+08:00,c{n},CN,p{n},card,300.00\n"
            for n in range(orders)
        )
    )
    found = run_import(path, "csv", merchant_id)
    if found["created"] != orders:
        raise RuntimeError(found)
    return merchant_id


def _check(ground: Ground, ours: int, theirs: int, found: list[list[load.Load]]) -> None:
    """Both sides must have answered every request and written as many rows of each table for each of them."""
    bad = sum(run.bad for runs in found for run in runs)
    if bad:
        raise RuntimeError(f"{bad} requests were not answered with 201")
    with psycopg.connect(ground.admin_dsn) as admin:
        shares = []
        for merchant_id in (ours, theirs):
            counts = {table: _count(admin, table, merchant_id) for table in COUNTED}
            shares.append({table: round(count / counts["cases_case"], 2) for table, count in counts.items()})
    if shares[0] != shares[1]:
        raise RuntimeError(f"the rows differ: {shares}")


def _count(admin: psycopg.Connection, table: str, merchant_id: int) -> int:
    row = admin.execute(f"select count(*) from {table} where merchant_id = %s", [merchant_id]).fetchone()
    assert row is not None
    return int(row[0])


def _our_command() -> list[str]:
    return [sys.executable, "-m", "makegood.cli", "web", "{port}", "--workers", str(WORKERS)]


@contextmanager
def _litestar(python: Path, ground: Ground, merchant_id: int) -> Iterator[int]:
    command = [
        str(python), "-m", "granian", "--interface", "asgi", "--workers", str(WORKERS), "--port", "{port}",
        "--no-ws", "--loop", "uvloop", "--log-level", "error", "bench.peers.litestar_app:app",
    ]  # fmt: skip
    extra = {"BENCH_DSN": ground.app_dsn, "BENCH_MERCHANT": str(merchant_id), "PYTHONPATH": str(_root())}
    with _served(command, extra) as port:
        yield port


def _root() -> Path:
    return Path(__file__).resolve().parents[1]


@contextmanager
def _served(command: list[str], extra: Mapping[str, str]) -> Iterator[int]:
    """The server on a free port of this machine, stopped afterwards."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    environment: dict[str, Any] = {**os.environ, **extra}
    process = subprocess.Popen(
        [part.replace("{port}", str(port)) for part in command], env=environment, cwd=_root(),
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        _wait(process, port)
        yield port
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(f"the server did not start: {process.poll()}")
