"""Values made once and kept in the data folder with the rights of its owner."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path


def kept(folder: Path, name: str, make: Callable[[], str]) -> str:
    """The value kept under this name; made where there is none. Of several processes that make it the first wins."""
    path = folder / name
    if not path.exists():
        # Written aside and linked into place: another process of ours never reads half of it.
        aside = _written_aside(folder, name, make())
        with contextlib.suppress(FileExistsError):
            os.link(aside, path)
        aside.unlink()
    return path.read_text()


def keep_instead(folder: Path, name: str, value: str) -> None:
    """Put a new value in the place of the old one, at once and whole."""
    _written_aside(folder, name, value).replace(folder / name)


def _written_aside(folder: Path, name: str, value: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    aside = folder / f".{name}.{os.getpid()}"
    with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(value)
        file.flush()
        os.fsync(file.fileno())
    return aside
