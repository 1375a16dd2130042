"""File locks that the kernel lets go of when their process dies, however it dies."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def open_locked(path: Path, how: int, *, make_folder: bool = False) -> int:
    """Open ``path`` with a ``flock`` of kind ``how`` and return the descriptor.

    Whoever is last may delete the folder with the lock files in it. A lock on a deleted file excludes
    nobody, so the file is looked at again after the lock is had. Raises BlockingIOError, and
    FileNotFoundError where the folder is gone and is not to be made.
    """
    while True:
        if make_folder:
            path.parent.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except FileNotFoundError:
            if make_folder:
                continue  # deleted since the line above
            raise
        try:
            fcntl.flock(descriptor, how)
            if path.exists() and os.path.samestat(os.fstat(descriptor), path.stat()):
                return descriptor
        except FileNotFoundError:
            pass  # deleted between the two looks
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


@contextmanager
def alone(path: Path, *, make_folder: bool = False) -> Iterator[None]:
    """Hold the lock exclusively: waits for whoever has it. Raises FileNotFoundError as ``open_locked``."""
    descriptor = open_locked(path, fcntl.LOCK_EX, make_folder=make_folder)
    try:
        yield
    finally:
        os.close(descriptor)


def is_unused(path: Path) -> bool:
    """Whether no process holds a shared lock on the file at this moment."""
    try:
        descriptor = open_locked(path, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    os.close(descriptor)
    return True
