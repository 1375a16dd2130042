"""The embedded server: start it or join the one that runs, use it, and let the last one out stop it."""

from __future__ import annotations

import atexit
import fcntl
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Self

import psycopg

from makegood.kit.postgres import binaries, cluster, locks, roles
from makegood.kit.postgres.account import choose_account, let_run, let_through, not_yours
from makegood.kit.postgres.layout import DATABASE, Layout, make_socket_dir

# A server that recovers from a crash under another process's hands.
_READY_SECONDS = 300
_DYING_SECONDS = 5


class Server:
    """The share of this process in the running server of one data folder.

    Shares are kernel locks: a process that dies, however it dies, holds none.
    """

    def __init__(self, layout: Layout, version: str, share: int) -> None:
        self.layout = layout
        self.version = version
        self._share: int | None = share
        self._process = os.getpid()
        atexit.register(self.stop)

    @property
    def socket_dir(self) -> Path:
        return self.layout.socket_dir

    @property
    def running(self) -> bool:
        return cluster.is_ready(self.layout.cluster)

    def dsn(self, role: str, dbname: str = DATABASE) -> str:
        """Connection URL for ``app``, ``owner``, ``readonly`` or ``admin`` (the superuser)."""
        return self.layout.dsn(role, dbname)

    def stop(self, *, remove: bool = False) -> bool:
        """Give back this process's share; True where it was the last one and the server is stopped.

        ``remove`` then deletes the data folder, for servers made for a test. Raises StopFailed.
        """
        share, self._share = self._share, None
        if share is None:
            return False
        atexit.unregister(self.stop)
        os.close(share)
        # A fork has a copy of the share, and the parent still uses the server.
        return self._process == os.getpid() and stop_unused(self.layout.data_dir, remove=remove)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def start(data_dir: Path, *, fsync: bool = True, throw_away: bool = False) -> Server:
    """Start the server of ``data_dir``, or join it where it runs already; creates folder, roles and database.

    For tests: without ``fsync`` a crash of the machine may lose everything; ``throw_away`` has a guard process
    stop the server and delete the data folder after its last user, also when that one was killed.
    Raises BinariesMissing, VersionMismatch, StartFailed, UserUnnamed, FolderUnreachable, FolderNotYours.
    """
    layout = Layout.of(data_dir)
    try:
        with locks.alone(layout.turn, make_folder=True):
            share = locks.open_locked(layout.users, fcntl.LOCK_SH)
            try:
                if throw_away and cluster.postmaster(layout.cluster) is None:
                    _post_guard(layout)
                version = _bring_up_and_prepare(layout, fsync=fsync)
            except BaseException:
                # Ctrl-C too: a server that nobody holds a share in must not stay behind.
                os.close(share)
                _stop_if_unused(layout)
                raise
            return Server(layout, version, share)
    except PermissionError as problem:
        raise not_yours(layout.cluster if layout.cluster.exists() else layout.data_dir) from problem


def stop_unused(data_dir: Path, *, remove: bool = False) -> bool:
    """Stop the server where no process holds a share in it; True where it is stopped now. Raises StopFailed."""
    layout = Layout.of(data_dir)
    try:
        with locks.alone(layout.turn):
            stopped = _stop_if_unused(layout)
            if stopped and remove:
                _remove(layout)
    except FileNotFoundError:
        return not layout.data_dir.exists()  # somebody else was last, and removed it
    return stopped


def _remove(layout: Layout) -> None:
    if layout.socket_dir.parent != layout.data_dir:
        shutil.rmtree(layout.socket_dir, ignore_errors=True)
    # Moved first: who starts anew at this moment must not find its files deleted under it.
    doomed = layout.data_dir.with_name(f"{layout.data_dir.name}.removed-{os.getpid()}")
    layout.data_dir.rename(doomed)
    shutil.rmtree(doomed)


@contextmanager
def serving(data_dir: Path, *, fsync: bool = True) -> Iterator[Server]:
    """``start`` and ``stop`` around a block; SIGTERM and SIGHUP leave the block in order, as Ctrl-C does."""
    previous = {number: signal.signal(number, _leave) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        with start(data_dir, fsync=fsync) as server:
            yield server
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _bring_up_and_prepare(layout: Layout, *, fsync: bool) -> str:
    """Return the server's version. A server found dying (killed, or told to stop from outside) is started again."""
    for _ in range(3):
        _bring_up(layout, fsync=fsync)
        try:
            return _prepare(layout)
        except psycopg.OperationalError:
            if not cluster.wait_until(lambda: cluster.postmaster(layout.cluster) is None, seconds=_DYING_SECONDS):
                raise
    raise cluster.StartFailed(layout.cluster, log="it ended three times right after its start")


def _bring_up(layout: Layout, *, fsync: bool) -> None:
    if cluster.postmaster(layout.cluster) is None:
        cluster.require_silence(layout)
        programs = binaries.choose_server(cluster.major_of(layout.cluster))
        cluster.require_same_version(layout.cluster, programs)
        account = choose_account(layout.cluster)
        let_run(programs, account)
        if cluster.is_missing(layout.cluster):
            cluster.create(layout, programs, account, fsync=fsync)
        let_through(layout.cluster, account)
        make_socket_dir(layout.socket_dir, uid=account.uid, gid=account.gid)
        layout.remember_socket_dir(layout.socket_dir)
        cluster.configure(layout, fsync=fsync)
        cluster.start_postmaster(layout, programs, account)
    ready = lambda: cluster.is_ready(layout.cluster) or cluster.postmaster(layout.cluster) is None  # noqa: E731
    if not cluster.wait_until(ready, seconds=_READY_SECONDS):
        raise cluster.StartFailed(layout.cluster, log=f"still not ready after {_READY_SECONDS} seconds")


def _post_guard(layout: Layout) -> None:
    subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", "makegood.kit.postgres.guard", str(layout.data_dir)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _prepare(layout: Layout) -> str:
    # At every start: the process that created the folder may have been killed before it came to this.
    dsn = layout.dsn("admin", "postgres")
    roles.prepare(dsn, DATABASE)
    with psycopg.connect(dsn) as connection:
        # Without the packager's addition, as in 15.18 (Debian 15.18-0+deb12u1).
        return (connection.info.parameter_status("server_version") or "").split(" ")[0]


def _stop_if_unused(layout: Layout) -> bool:
    if not locks.is_unused(layout.users):
        return False
    cluster.stop_postmaster(layout.cluster)
    return True


def _leave(number: int, _frame: FrameType | None) -> None:
    signal.signal(number, signal.SIG_IGN)  # a second one must not cut the orderly stop short
    raise SystemExit(128 + number)
