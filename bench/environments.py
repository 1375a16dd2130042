"""Virtual environments of other programs, made once and kept in a cache folder; never part of the project's own."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

PACKAGES = {
    "litestar": ("litestar~=2.15", "granian~=2.5", "psycopg[binary,pool]~=3.2", "uvloop"),
    "tryton": ("trytond~=8.2", "trytond-sale-complaint~=8.2", "proteus~=8.2", "psycopg[binary,pool]~=3.2"),
    "helpdesk": ("django-helpdesk~=2.6", "django~=5.2", "psycopg[binary]~=3.2"),
}
INSTALL_SECONDS = 600


class NotInstalled(Exception):
    """The program cannot be had here; the message says why."""


def cache_dir() -> Path:
    """``MAKEGOOD_BENCH_CACHE``, else the user's cache folder."""
    given = os.environ.get("MAKEGOOD_BENCH_CACHE")
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(given) if given else base / "makegood-bench"


def python_of(name: str) -> Path:
    """The interpreter of the named environment, installed at the first call. Raises NotInstalled."""
    digest = hashlib.sha256("\n".join(PACKAGES[name]).encode()).hexdigest()[:8]
    folder = cache_dir() / f"{name}-{sys.version_info.major}.{sys.version_info.minor}-{digest}"
    ready = folder / "ready"
    python = folder / "bin" / "python"
    if ready.exists():
        return python
    shutil.rmtree(folder, ignore_errors=True)
    try:
        venv.create(folder, with_pip=True)
        _install(python, PACKAGES[name])
    except (OSError, subprocess.SubprocessError) as problem:
        shutil.rmtree(folder, ignore_errors=True)
        raise NotInstalled(f"{name} could not be installed: {_last_words(problem)}") from problem
    ready.touch()
    return python


def _install(python: Path, packages: tuple[str, ...]) -> None:
    subprocess.run(
        [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages],
        check=True,
        capture_output=True,
        text=True,
        timeout=INSTALL_SECONDS,
    )


def _last_words(problem: Exception) -> str:
    told = getattr(problem, "stderr", None) or str(problem)
    return (told.strip().splitlines() or ["no reason given"])[-1][:200]
