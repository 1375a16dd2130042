"""Where the embedded server keeps its files, known before it runs, so that its address is too."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from makegood.kit.errors import Refused
from makegood.kit.postgres import roles

PORT = 5432  # names the socket file only; nothing listens on a network
DATABASE = "makegood"
SUPERUSER = "postgres"

# sockaddr_un holds 108 bytes on Linux and 104 on macOS, with the closing zero.
_LONGEST_SOCKET = 103
_LOGINS = {
    "app": roles.APP,
    "owner": roles.OWNER,
    "readonly": roles.READONLY,
    "admin": SUPERUSER,
}


class SocketFolderTaken(Refused):
    code = "database_socket_folder_taken"
    message = "the folder {value} for the database's socket belongs to somebody else or is open to others: remove it"


@dataclass(frozen=True)
class Layout:
    """The files below one data folder; ``of`` makes the path absolute and free of links."""

    data_dir: Path

    @classmethod
    def of(cls, data_dir: Path) -> Layout:
        return cls(data_dir.expanduser().resolve())

    @property
    def cluster(self) -> Path:
        """PostgreSQL's own data folder."""
        return self.data_dir / "postgres"

    @property
    def turn(self) -> Path:
        """Locked by whoever starts or stops the server."""
        return self.data_dir / "postgres.lock"

    @property
    def users(self) -> Path:
        """Locked, shared, by every process that uses the server."""
        return self.data_dir / "postgres.users"

    @property
    def start_log(self) -> Path:
        return self.cluster / "start.log"

    @property
    def socket_dir(self) -> Path:
        """The folder of the server's socket: near the data, or a short one elsewhere where that path is too long.

        The short one is remembered in the data folder, so that a process with another environment
        (a service without XDG_RUNTIME_DIR) finds the same.
        """
        near = self.data_dir / "run"
        if fits(near):
            return near
        name = f"makegood-{self._fingerprint}"
        if remembered := self._remembered(name):
            return remembered
        return _short_base() / name

    def dsn(self, role: str, dbname: str = DATABASE) -> str:
        """Connection URL for ``app``, ``owner``, ``readonly`` or ``admin`` (the superuser)."""
        host = quote(str(self.socket_dir), safe="")
        return f"postgresql://{login(role)}@/{quote(dbname, safe='')}?host={host}&port={PORT}"

    def remember_socket_dir(self, chosen: Path) -> None:
        if chosen.parent != self.data_dir:
            (self.data_dir / "socket-folder").write_text(f"{chosen}\n", encoding="utf-8")

    def _remembered(self, name: str) -> Path | None:
        try:
            written = (self.data_dir / "socket-folder").read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return None
        remembered = Path(written)
        # A copied or moved data folder must not meet the server of the original;
        # a runtime folder may be gone since the last login.
        return remembered if remembered.name == name and remembered.parent.is_dir() else None

    @property
    def _fingerprint(self) -> str:
        return hashlib.sha256(os.fsencode(self.data_dir)).hexdigest()[:16]


def login(role: str) -> str:
    """The database user of a role's short name; a full name is given back as it is."""
    return _LOGINS.get(role, role)


def fits(folder: Path) -> bool:
    """Whether a socket can live in the folder: short enough, and of letters that no list syntax eats."""
    path = str(folder / f".s.PGSQL.{PORT}")
    return len(os.fsencode(path)) <= _LONGEST_SOCKET and not set(path) & set("\"',\\\n")


def make_socket_dir(folder: Path, *, uid: int, gid: int) -> None:
    """Create the folder for the server's user alone: who may enter it may connect. Raises SocketFolderTaken."""
    folder.mkdir(mode=0o700, exist_ok=True)
    # Names below /tmp can be guessed, so what is there is checked before it is trusted.
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {uid, os.geteuid()}:
        raise SocketFolderTaken(folder)
    if found.st_uid != uid:
        os.chown(folder, uid, gid)
    folder.chmod(0o700)


def _short_base() -> Path:
    if os.geteuid() == 0:
        # Not XDG_RUNTIME_DIR: the server's own user cannot enter root's.
        return Path("/run") if Path("/run").is_dir() else Path("/tmp")  # noqa: S108 - ownership is checked
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if runtime and os.access(runtime, os.W_OK | os.X_OK) and fits(Path(runtime) / ("makegood-" + "0" * 16)):
        return Path(runtime)
    return Path("/tmp")  # noqa: S108 - ownership is checked
