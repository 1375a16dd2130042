"""Worker processes that may be killed at a named place.

``python -m tests.settlement.dying`` loads everything once, then forks a fresh process for each line of JSON on its
standard input, waits for it, and answers with how it ended: minus the signal, or its exit code.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import traceback
from datetime import datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


class Mother:
    """The process that forks the others; it never connects to the database itself."""

    def __init__(self, secret_key: str, environment: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.settlement.dying"],
            env={
                **os.environ,
                "DJANGO_SETTINGS_MODULE": "makegood.config.settings",
                "MAKEGOOD_SECRET_KEY": secret_key,
                "MAKEGOOD_ENVIRONMENT": environment,
                "MAKEGOOD_LOG_LEVEL": "ERROR",
            },
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def bear(self, verb: str, merchant_id: int, which: int, *, at: datetime, fail_at: str = "") -> int:
        """Let a new process do ``verb`` (pay_out, sweep, read_notice) for the merchant; how it ended."""
        from django.db import connections  # noqa: PLC0415 - the process below sets Django up by itself

        place = {name: str(connections["default"].settings_dict[name]) for name in ("NAME", "USER", "HOST", "PORT")}
        wanted = {"verb": verb, "merchant": merchant_id, "which": which, "at": at.isoformat()}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({**wanted, "fail_at": fail_at, "place": place}) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def dies(self, verb: str, merchant_id: int, which: int, *, at: datetime, fail_at: str) -> None:
        """As ``bear``, and see that the process was killed at that place."""
        assert self.bear(verb, merchant_id, which, at=at, fail_at=fail_at) == -signal.SIGKILL, fail_at

    def end(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)
        assert self._process.stdout is not None
        self._process.stdout.close()


def work(wanted: dict[str, Any]) -> None:
    """In the new process: the place to fail at, the database, then the verb."""
    from django.db import connections  # noqa: PLC0415 - only in processes of their own

    from makegood.kit import failpoints, tenancy  # noqa: PLC0415
    from makegood.settlement import commands as settlement  # noqa: PLC0415

    failpoints._FAIL_AT = frozenset({wanted["fail_at"]})
    connections["default"].settings_dict.update(wanted["place"])
    at = datetime.fromisoformat(wanted["at"])
    with tenancy.acting_for(wanted["merchant"]):
        if wanted["verb"] == "pay_out":
            settlement.pay_out(case_id=wanted["which"], at=at)
        elif wanted["verb"] == "sweep":
            settlement.sweep_payouts(at)
        else:
            settlement.read_notice(wanted["which"], at=at)


def main() -> None:
    import django  # noqa: PLC0415

    django.setup()
    import makegood.connectors.stripe.client  # noqa: F401, PLC0415 - loaded once, before the first fork

    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                work(json.loads(line))
            except BaseException:  # noqa: BLE001 - told on stderr, and by the exit code
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
