"""Cases settled a second against two free programs doing the nearest thing they can, and the over-refund probe.

Both sides work in as many processes, one more than there are cores, so that both cores are busy on either side. Each
process has books of its own: a merchant for ours, a database for theirs.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import psycopg
from psycopg import conninfo, sql

from bench import environments, settling
from bench.figures import Figure, seconds
from bench.ground import NOON, Ground, open_merchant

ROUNDS = 5
PROCESSES = len(os.sched_getaffinity(0)) + 1
FLOWS = {"tryton": 2, "helpdesk": 10}  # of a round, in each process
ELSEWHERE = {"tryton": 2.2, "helpdesk": 21.0}  # flows a second, measured on another machine of two cores
TOLD = {
    "tryton": "Tryton 8.2 sale_complaint: complaint, wait, approve, done, with the return of the sale it makes",
    "helpdesk": "django-helpdesk 2.6: ticket created, assigned, resolved, closed; no money in it",
}


@dataclass
class Peer:
    """A running peer; ``ask`` a number of flows or ``probe``."""

    process: subprocess.Popen[str]
    log: Path

    def tell(self, told: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(told + "\n")
        self.process.stdin.flush()

    def hear(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise environments.NotInstalled(f"it ended with code {self.process.wait()}: {_last_line(self.log)}")
        found: dict[str, Any] = json.loads(line)
        return found


def measure(ground: Ground) -> list[Figure]:
    """``spine.settle_vs_tryton`` and ``spine.settle_vs_helpdesk``."""
    from makegood.kit import tenancy

    figures = []
    with settling.gateway(ground) as simulator, tenancy.acting_for(open_merchant()):
        settling.connect(simulator)
        probe = {"makegood": our_probe(simulator)}
        with _our_workers(simulator) as workers:
            for name in TOLD:
                ours: list[float] = []

                def settle_some(taken: list[float] = ours) -> None:
                    taken.append(_settle_everywhere(workers, simulator, ground.size.settles))

                theirs, why = _their_seconds(ground, name, settle_some, probe)
                if not ours:
                    settle_some()
                figures.append(_figure(name, ours, theirs, why, probe if name == "tryton" else {}))
    return figures


@dataclass
class Worker:
    """One of our processes, which settles the orders it is sent for its merchant, and says when it has."""

    merchant_id: int
    pipe: Any


@contextmanager
def _our_workers(simulator: Any) -> Iterator[list[Worker]]:
    from django.db import connections

    from makegood.kit import tenancy

    forking = multiprocessing.get_context("fork")
    workers, processes = [], []
    for _ in range(PROCESSES):
        merchant_id = open_merchant()
        with tenancy.acting_for(merchant_id):
            settling.connect(simulator)
        here, there = forking.Pipe()
        connections.close_all()  # a connection is of one process
        process = forking.Process(target=_work, args=(merchant_id, there), daemon=True)
        process.start()
        workers.append(Worker(merchant_id, here))
        processes.append(process)
    try:
        _settle_everywhere(workers, simulator, 8)  # statements are prepared
        yield workers
    finally:
        for worker in workers:
            worker.pipe.send(None)
        for process in processes:
            process.join(20)


def _work(merchant_id: int, pipe: Any) -> None:
    from makegood.kit import tenancy

    with tenancy.acting_for(merchant_id):
        while (orders := pipe.recv()) is not None:
            for order in orders:
                settling.settle(order)
            pipe.send(len(orders))


def _settle_everywhere(workers: Sequence[Worker], simulator: Any, count: int) -> float:
    """Seconds a case, with every worker at it at once."""
    from makegood.kit import tenancy

    sold = []
    for worker in workers:
        with tenancy.acting_for(worker.merchant_id):
            sold.append([settling.sell(simulator) for _ in range(count)])

    def settle() -> None:
        for worker, orders in zip(workers, sold, strict=True):
            worker.pipe.send(orders)
        for worker in workers:
            worker.pipe.recv()  # raises EOFError where the worker died

    return seconds(settle) / (count * len(workers))


def _their_seconds(
    ground: Ground, name: str, settle_some: Callable[[], None], probe: dict[str, Any]
) -> tuple[list[float], str]:
    """Seconds a flow of each round, or why there are none."""
    if not ground.size.peers:
        return [], "a quick run leaves it out"
    try:
        python = environments.python_of(name)
        theirs = []
        with ExitStack() as running:
            peers = [running.enter_context(_running(ground, name, python, number)) for number in range(PROCESSES)]
            for peer in peers:
                peer.hear()  # it says when it is ready

            def flow() -> None:
                for peer in peers:
                    peer.tell(str(FLOWS[name]))
                for peer in peers:
                    peer.hear()

            for _ in range(ROUNDS):
                settle_some()
                theirs.append(seconds(flow) / FLOWS[name] / len(peers))
            if name == "tryton":
                peers[0].tell("probe")
                probe[name] = peers[0].hear()
    except environments.NotInstalled as problem:
        return [], str(problem)
    return theirs, ""


def _figure(name: str, ours: list[float], theirs: list[float], why: str, probe: dict[str, Any]) -> Figure:
    mine = 1 / median(ours)
    other = 1 / median(theirs) if theirs else ELSEWHERE[name]
    told = (
        f"measured in this run, {len(theirs)} interleaved rounds, medians, {PROCESSES} processes on either side"
        if theirs
        else f"not measured in this run ({why}): {ELSEWHERE[name]}/s measured elsewhere is used"
    )
    details: dict[str, Any] = {
        "ours_per_second": round(mine, 1),
        f"{name}_per_second": round(other, 2),
        f"{name}_measured_in_this_run": bool(theirs),
        "processes_on_either_side": PROCESSES,
    }
    if probe:
        details["three_full_refunds_of_one_50.00_sale"] = probe
    return Figure(
        f"spine.settle_vs_{name}", mine / other, f"cases settled a second against {TOLD[name]}: {told}", details
    )


def our_probe(simulator: Any) -> list[str]:
    """Ask for the whole sale back three times: what became of each."""
    from makegood.cases import commands as cases
    from makegood.kit import errors
    from makegood.settlement import jobs
    from tests.settlement.paying import sell_through
    from tests.shop import AGENT, Bought, again, ask

    order = sell_through(simulator, Bought(1, 5_000))
    told = []
    for _ in range(3):
        try:
            case = ask(order, "cancellation", "changed_mind")
            cases.decide_case(ref=case.ref, actor=AGENT, at=NOON)
            cases.approve_case(ref=case.ref, actor=AGENT, at=NOON)
            jobs.pay_out(case_id=case.id)
            told.append(f"{again(case).money_state} 50.00")
        except errors.DomainError as refused:
            told.append(f"refused: {refused.code}")
    return told


def _last_line(log: Path) -> str:
    return (log.read_text(errors="replace").strip().splitlines() or [""])[-1][:300]


@contextmanager
def _running(ground: Ground, name: str, python: Path, number: int) -> Iterator[Peer]:
    """The peer's program, starting, on a database of its own on the same server."""
    database = f"bench_{name}_{number}"
    with psycopg.connect(ground.admin_dsn, autocommit=True) as admin:
        admin.execute(sql.SQL("create database {}").format(sql.Identifier(database)))
    parts = conninfo.conninfo_to_dict(ground.admin_dsn)
    flows = ROUNDS * FLOWS[name]
    log = ground.folder / f"{name}_{number}.log"
    process = subprocess.Popen(
        [str(python), str(Path(__file__).parent / "peers" / f"{name}_flow.py")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log.open("w"), text=True,
        env={
            **{key: value for key, value in os.environ.items() if key != "DJANGO_SETTINGS_MODULE"},
            "PGHOST": str(parts["host"]), "PGPORT": str(parts.get("port") or 5432), "PGUSER": str(parts["user"]),
            "PGDATABASE": database, "BENCH_FLOWS": str(flows),
        },
    )  # fmt: skip
    try:
        yield Peer(process, log)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
