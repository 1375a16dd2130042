"""A worker process that may be killed at a named place: ``python -m tests.settlement.dying VERB MERCHANT ID TIME``."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def start(verb: str, merchant_id: int, which: int, *, at: datetime, fail_at: str = "") -> subprocess.Popen[bytes]:
    """Start a process that does ``verb`` (pay_out, sweep, read_notice) on this test's database."""
    from django.conf import settings  # noqa: PLC0415 - the process below sets Django up by itself
    from django.db import connections  # noqa: PLC0415

    place = {name: str(connections["default"].settings_dict[name]) for name in ("NAME", "USER", "HOST", "PORT")}
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "makegood.config.settings",
        "MAKEGOOD_FAIL_AT": fail_at,
        "MAKEGOOD_SECRET_KEY": settings.SECRET_KEY,
        "MAKEGOOD_ENVIRONMENT": settings.ENVIRONMENT,
        "MAKEGOOD_LOG_LEVEL": "ERROR",
        "TESTS_PLACE": json.dumps(place),
    }
    command = [sys.executable, "-m", "tests.settlement.dying", verb, str(merchant_id), str(which), at.isoformat()]
    return subprocess.Popen(command, env=environment, cwd=ROOT)


def dies(verb: str, merchant_id: int, which: int, *, at: datetime, fail_at: str) -> None:
    """Run it and see that it was killed at that place, and nowhere before."""
    process = start(verb, merchant_id, which, at=at, fail_at=fail_at)
    assert process.wait(60) == -signal.SIGKILL, f"not killed at {fail_at}"


def main() -> None:
    import django  # noqa: PLC0415 - only in the process of its own

    django.setup()
    from django.db import connections  # noqa: PLC0415

    connections["default"].settings_dict.update(json.loads(os.environ["TESTS_PLACE"]))
    from makegood.kit import tenancy  # noqa: PLC0415
    from makegood.settlement import commands as settlement  # noqa: PLC0415

    verb, merchant_id, which, at = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), datetime.fromisoformat(sys.argv[4])
    with tenancy.acting_for(merchant_id):
        if verb == "pay_out":
            settlement.pay_out(case_id=which, at=at)
        elif verb == "sweep":
            settlement.sweep_payouts(at)
        else:
            settlement.read_notice(which, at=at)


if __name__ == "__main__":
    main()
