"""``serve``: database, web server and worker as one thing that starts, and stops, together."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import FrameType

from makegood.cli import running
from makegood.kit import errors

ADDRESS = "127.0.0.1"
START_SECONDS = 60
STOP_SECONDS = 20
STREAMS = 10_000  # open at once per web process


class PortTaken(errors.Refused):
    code = "port_taken"
    message = "Port {value} is in use: choose another with --port."


class NotStarted(errors.Refused):
    code = "web_server_not_started"
    message = "The web server did not answer within {value} seconds."


@dataclass
class _Child:
    """A process of ours that is started again where it ends by itself."""

    arguments: list[str]
    process: subprocess.Popen[bytes] | None = None
    ended: list[float] = field(default_factory=list)

    def start(self) -> None:
        # Its standard input is our life line: when we are gone, however we went, it reads the end and stops.
        self.process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", "makegood.cli", *self.arguments],
            stdin=subprocess.PIPE,
            start_new_session=True,
            env={**os.environ, "MAKEGOOD_LIFE_LINE": "stdin"},
        )

    def watch(self) -> None:
        """Start again what ended; ever more slowly where it keeps ending."""
        if self.process is None or self.process.poll() is None:
            return
        now = time.monotonic()
        self.ended = [moment for moment in self.ended if now - moment < 60] + [now]
        running.say(f"{self.arguments[0]} ended with code {self.process.returncode}; starting it again")
        time.sleep(min(10.0, 0.5 * len(self.ended)))
        self.start()

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def wait(self, until: float) -> None:
        if self.process is None:
            return
        try:
            self.process.wait(max(0.1, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class _Stop(Exception):
    """Ctrl-C or SIGTERM."""


def serve(*, port: int, demo: bool, workers: int) -> int:
    """Run until told to stop; the exit code. Raises PortTaken, NotStarted."""
    _require_free(port)
    if demo:
        # For the processes we start too: a demo shows its letters and codes on the page.
        os.environ["MAKEGOOD_DEMO"] = "1"

    def leave(_number: int, _frame: FrameType | None) -> None:
        raise _Stop

    try:
        with running.database(log_level="INFO"):
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, leave)
            with ExitStack() as beside:
                lines = _prepare(port, beside, demo=demo)
                _run(port, workers, lines)
    except _Stop:
        pass
    return 0


def _prepare(port: int, beside: ExitStack, *, demo: bool) -> list[str]:
    """Migrate, load the demo shop with its gateway ``beside`` us, and say what an operator must know."""
    from makegood.accounts import environment
    from makegood.cli import operating

    operating.migrate()
    lines = []
    if demo:
        from django.conf import settings

        from makegood.demo.gateway import DemoGateway
        from makegood.demo.load import load_demo

        gateway = beside.enter_context(DemoGateway(settings.DATA_DIR))
        lines = load_demo(at=datetime.now(UTC), base_url=f"http://{ADDRESS}:{port}", gateway=gateway).lines()
    if why := environment.why_payouts_are_held():
        running.say(f"payouts are held: {why} (makegood adopt)")
    return lines


def _run(port: int, workers: int, lines: list[str]) -> None:
    children = [_Child(["web", str(port), "--workers", str(workers)]), _Child(["worker"])]
    try:
        for child in children:
            child.start()
        _wait_for(port, children[0])
        for line in [f"http://{ADDRESS}:{port}/", *lines]:
            sys.stdout.write(line + "\n")
        sys.stdout.flush()
        while True:
            time.sleep(0.5)
            for child in children:
                child.watch()
    finally:
        # A second Ctrl-C must not leave half of it running.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        for child in children:
            child.stop()
        until = time.monotonic() + STOP_SECONDS
        for child in children:
            child.wait(until)


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ADDRESS, port))
        except OSError:
            raise PortTaken(port, field="--port") from None


def _wait_for(port: int, child: _Child) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        with suppress(OSError), urllib.request.urlopen(f"http://{ADDRESS}:{port}/healthz", timeout=2):
            return
        if child.process is not None and child.process.poll() is not None:
            break
        time.sleep(0.05)
    raise NotStarted(START_SECONDS, field="web")


def _hold_life_line(stop: Callable[[], None]) -> None:
    """Stop this process when the one that started it is gone."""
    if os.environ.get("MAKEGOOD_LIFE_LINE") != "stdin":
        return

    def read() -> None:
        # The descriptor and not sys.stdin: its lock would be held in every process forked meanwhile.
        while os.read(0, 4096):
            pass
        stop()

    threading.Thread(target=read, daemon=True, name="life-line").start()


def _terminate_myself() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def run_web(*, port: int, workers: int) -> None:
    """The web server, in this process and its workers, until told to stop."""
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "makegood.config.settings")
    _hold_life_line(_terminate_myself)
    # Workers read nothing from us: the life line is this process's alone.
    os.environ.pop("MAKEGOOD_LIFE_LINE", None)
    _allow_open_files()
    Granian(
        "makegood.config.front:front",
        address=ADDRESS,
        port=port,
        interface=Interfaces.RSGI,
        workers=workers,
        backlog=4096,
        backpressure=STREAMS,
        websockets=False,
        respawn_failed_workers=True,
        workers_kill_timeout=10,
        log_level=LogLevels.warning,
    ).serve()


def _allow_open_files() -> None:
    """As many connections as the machine lets this process hold: each stream is one."""
    import resource

    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * STREAMS if hard == resource.RLIM_INFINITY else min(hard, 2 * STREAMS)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def run_worker(queues: list[str] | None) -> None:
    """Jobs and sweeps until told to stop."""
    _hold_life_line(_terminate_myself)
    from makegood.kit import jobs, worker

    worker.run_worker(queues=queues or jobs.QUEUES)
