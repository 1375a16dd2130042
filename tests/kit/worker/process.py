"""A worker as a process of its own: ``python -m tests.kit.worker.process '{"concurrency": 4}'``."""

from __future__ import annotations

import importlib
import json
import os
import sys
from datetime import UTC, datetime, timedelta

import django
import time_machine


def main() -> None:
    """Run until told to stop, at a fast pace."""
    given = json.loads(sys.argv[1])
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "makegood.config.settings")
    django.setup()
    from makegood.kit import jobs  # noqa: PLC0415 - needs settings
    from makegood.kit.worker import run_worker  # noqa: PLC0415
    from tests.kit.worker.pace import FAST  # noqa: PLC0415

    chores = importlib.import_module("tests.kit.worker.chores")
    if skew := given.pop("clock_wrong_by_s", 0):
        time_machine.travel(datetime.now(tz=UTC) + timedelta(seconds=skew)).start()
    # A dead job after three tries instead of eight, tried again almost at once: tests cannot wait for hours.
    jobs.ATTEMPTS = given.pop("attempts", jobs.ATTEMPTS)
    usual = jobs.wait_before
    jobs.wait_before = lambda attempt, *, base_s=0.05, longest_s=0.2: usual(  # noqa: ARG005
        attempt, base_s=0.05, longest_s=min(longest_s, 0.2)
    )
    run_worker(pace=FAST, sweeps=[chores.RING], **given)


if __name__ == "__main__":
    main()
