"""Waits until nobody uses a server any more, killed processes included, and then stops it.

Run by ``embedded.start(..., throw_away=True)`` as a process of its own, with the data folder as its argument.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sys
from pathlib import Path

from makegood.kit.postgres import embedded, locks
from makegood.kit.postgres.layout import Layout


def wait_and_remove(data_dir: Path) -> None:
    """Block until the last share is given back or its holder is dead; then stop the server, delete the folder."""
    layout = Layout.of(data_dir)
    with contextlib.suppress(FileNotFoundError):  # somebody else was last, and removed it
        while True:
            # Let go at once: who starts holds the turn and waits for this lock, and stopping needs the turn.
            os.close(locks.open_locked(layout.users, fcntl.LOCK_EX))
            if embedded.stop_unused(data_dir, remove=True):
                return


if __name__ == "__main__":
    wait_and_remove(Path(sys.argv[1]))
