"""Named places where a test may kill the process, to prove that nothing is lost or doubled there.

``MAKEGOOD_FAIL_AT=name`` (several: comma) makes the process end itself with SIGKILL when it first comes to that
place, as if the power had gone. Unset, which is always so outside tests, a failpoint does nothing.
"""

from __future__ import annotations

import os
import signal

SETTING = "MAKEGOOD_FAIL_AT"
_FAIL_AT = frozenset(name for name in os.environ.get(SETTING, "").split(",") if name)


def failpoint(name: str) -> None:
    """End here, without goodbye, where the environment says so."""
    if name in _FAIL_AT:
        os.kill(os.getpid(), signal.SIGKILL)
