"""Keeping a process running: a task may kill its whole process, and somebody must start it again."""

from __future__ import annotations

import logging
import subprocess
import threading
import time
from collections.abc import Sequence

from makegood.kit import jobs
from makegood.kit.worker import pace as paces

log = logging.getLogger(__name__)


def keep_running(command: Sequence[str], *, stop_event: threading.Event, pace: paces.Pace = paces.DEFAULT) -> int:
    """Run the command, again after each death with growing pauses, until it exits with 0 or is asked to stop.

    A stop sends SIGTERM and, where ``pace.grace_s`` and ten seconds more do not do, SIGKILL. Gives the last exit code.
    """
    failures = 0
    while True:
        began = time.monotonic()
        process = subprocess.Popen(list(command))  # noqa: S603 - our own command
        while process.poll() is None and not stop_event.wait(0.1):
            pass
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(pace.grace_s + 10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        code = int(process.returncode)
        if code == 0 or stop_event.is_set():
            return code
        failures = 0 if time.monotonic() - began > 60 else failures + 1
        log.error("process %s ended with %s; it is started again", process.pid, code)
        stop_event.wait(jobs.wait_before(failures, base_s=pace.first_wait_s, longest_s=pace.longest_wait_s))
        if stop_event.is_set():
            return code
