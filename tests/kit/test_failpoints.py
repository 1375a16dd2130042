"""A failpoint ends the process where the environment says so, and does nothing anywhere else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

PROGRAM = "from makegood.kit.failpoints import failpoint; failpoint('here'); print('alive')"


def run(fail_at: str) -> int:
    environment = {**os.environ, "MAKEGOOD_FAIL_AT": fail_at}
    return subprocess.run([sys.executable, "-c", PROGRAM], env=environment, check=False).returncode


def test_a_process_is_killed_at_the_place_named_and_only_there() -> None:
    assert run("elsewhere,here") == -signal.SIGKILL
    assert run("elsewhere") == 0
    assert run("") == 0
