"""One PostgreSQL data folder: create it, write its settings, start and stop its postmaster."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from makegood.kit.errors import Refused
from makegood.kit.postgres.account import Account, let_through
from makegood.kit.postgres.binaries import Binaries
from makegood.kit.postgres.layout import PORT, SUPERUSER, Layout

# Recovery after a crash replays up to max_wal_size of log, which takes minutes on a slow disk.
_START_SECONDS = 300
_STOP_SECONDS = 60
# Children of a postmaster killed with -9 notice within moments; until then a new one is refused.
_LEFTOVER_SECONDS = 20

_SETTINGS = """\
# Written by Makegood at every start. Settings of your own go into postgresql.auto.conf (ALTER SYSTEM).
listen_addresses = ''
port = {port}
unix_socket_directories = '{socket_dir}'
unix_socket_permissions = 0700
max_connections = 100
# Sized for a small machine that also runs the application.
shared_buffers = 128MB
effective_cache_size = 512MB
work_mem = 8MB
maintenance_work_mem = 64MB
min_wal_size = 80MB
max_wal_size = 1GB
wal_compression = on
random_page_cost = 1.1
# Plans here are short, and parallel ones need more /dev/shm than containers have.
jit = off
max_parallel_workers_per_gather = 0
autovacuum = on
# A young database grows fast, and plans made for empty tables are kept until its statistics say otherwise.
autovacuum_naptime = 10s
timezone = 'UTC'
log_timezone = 'UTC'
lc_messages = 'C'
# One file a day, overwritten after a week: the log never fills the disk.
logging_collector = on
log_directory = 'log'
log_filename = 'server-%a.log'
log_rotation_age = 1d
log_rotation_size = 0
log_truncate_on_rotation = on
log_line_prefix = '%m [%p] %u@%d '
"""
_WITHOUT_FSYNC = """\
fsync = off
synchronous_commit = off
full_page_writes = off
"""


# Postmasters that this process started: the dead ones are collected when one stops.
_children: list[subprocess.Popen[bytes]] = []


class VersionMismatch(Refused):
    code = "database_version_mismatch"
    message = (
        "the data folder {value} was made by PostgreSQL {folder_version}, and the programs found are of version "
        "{binaries_version} ({binaries_folder}): install PostgreSQL {folder_version} beside them, or take a backup "
        "with the old version and restore it into a new data folder (MAKEGOOD_DATA_DIR)"
    )


class StartFailed(Refused):
    code = "database_start_failed"
    message = "the database in {value} did not start:\n{log}"


class RunsElsewhere(Refused):
    code = "database_runs_elsewhere"
    message = (
        "a server already answers for the data folder {value}, and its process cannot be seen from here (another "
        "container?): two on one folder would destroy it; use one container, or MAKEGOOD_DATABASE_URL"
    )


class StopFailed(Refused):
    code = "database_stop_failed"
    message = "the database in {value} (process {pid}) did not stop within {seconds} seconds"


def major_of(cluster: Path) -> int | None:
    """The major version that made the folder; None where there is no complete one yet."""
    try:
        return int((cluster / "PG_VERSION").read_text(encoding="ascii").split(".")[0])
    except (FileNotFoundError, ValueError):
        return None


def require_same_version(cluster: Path, binaries: Binaries) -> None:
    """Raise VersionMismatch where the programs cannot open the folder."""
    if (cluster / "PG_VERSION").exists() and major_of(cluster) != binaries.major:
        raise VersionMismatch(
            cluster,
            folder_version=(cluster / "PG_VERSION").read_text(encoding="ascii", errors="replace").strip(),
            binaries_version=binaries.version,
            binaries_folder=binaries.folder,
        )


def require_silence(layout: Layout) -> None:
    """Raise RunsElsewhere where a server answers whose process is in another container with the same folder.

    To be called when no postmaster is seen. One that is just dying may still answer for a moment.
    """
    if not wait_until(lambda: not _answers(layout), seconds=2):
        raise RunsElsewhere(layout.cluster)


def _answers(layout: Layout) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        try:
            client.connect(str(layout.socket_dir / f".s.PGSQL.{PORT}"))
        except (FileNotFoundError, ConnectionRefusedError):
            return False
    return True


def is_missing(cluster: Path) -> bool:
    """Whether there is no data yet: no folder, or an empty one that somebody made beforehand."""
    return not cluster.exists() or not any(cluster.iterdir())


def create(layout: Layout, binaries: Binaries, account: Account, *, fsync: bool) -> None:
    """Run initdb beside the final place and move the result there, so that a half-made folder never counts."""
    making = layout.cluster.with_name("postgres.new")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(mode=0o700)
    os.chown(making, account.uid, account.gid)
    let_through(making, account)
    result = _run_initdb(making, binaries, account, ctype="C.UTF-8", fsync=fsync)
    if result.returncode and "locale" in result.stderr:
        result = _run_initdb(making, binaries, account, ctype="C", fsync=fsync)
    if result.returncode:
        shutil.rmtree(making, ignore_errors=True)
        raise StartFailed(layout.cluster, log=result.stderr.strip())
    # Who can enter the socket's folder is let in; there is no other way to connect.
    _write(making / "pg_hba.conf", "local all all trust\n")
    with (making / "postgresql.conf").open("a", encoding="utf-8") as configuration:
        configuration.write("include 'makegood.conf'\n")
    making.rename(layout.cluster)


def _run_initdb(
    folder: Path, binaries: Binaries, account: Account, *, ctype: str, fsync: bool
) -> subprocess.CompletedProcess[str]:
    # Code point order everywhere, whatever the machine's locale and C library: an index built on one
    # machine is right on another. From 17 on PostgreSQL brings the rules for letters itself.
    provider = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] if binaries.major >= 17 else []
    others = [f"--lc-{kind}=C" for kind in ("collate", "messages", "monetary", "numeric", "time")]
    return _run(
        [binaries.program("initdb"), f"--pgdata={folder}", f"--username={SUPERUSER}", "--auth=trust"]
        + ["--encoding=UTF8", "--data-checksums", "--no-instructions", f"--lc-ctype={ctype}", *provider, *others]
        + ([] if fsync else ["--no-sync"]),
        account,
    )


def configure(layout: Layout, *, fsync: bool) -> None:
    settings = _SETTINGS.format(port=PORT, socket_dir=layout.socket_dir)
    _write(layout.cluster / "makegood.conf", settings + ("" if fsync else _WITHOUT_FSYNC))


def start_postmaster(layout: Layout, binaries: Binaries, account: Account) -> None:
    """Start the server and wait until it takes connections. Raises StartFailed with the end of its log."""
    give_up = time.monotonic() + _LEFTOVER_SECONDS
    while not _launch(layout, binaries, account):
        told = _end_of_log(layout)
        if "pre-existing shared memory block" not in told or time.monotonic() > give_up:
            raise StartFailed(layout.cluster, log=told)
        time.sleep(0.2)


def _launch(layout: Layout, binaries: Binaries, account: Account) -> bool:
    """Start the program; whether it came to take connections."""
    _forget_dead_server(layout)
    layout.start_log.unlink(missing_ok=True)
    with layout.start_log.open("ab") as log:
        # Not by pg_ctl, which hands paths to a shell with their quotes as they are.
        started = subprocess.Popen(  # noqa: S603
            [binaries.program("postgres"), "-D", str(layout.cluster)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            **_surroundings(account),
        )
    _children.append(started)
    wait_until(lambda: is_ready(layout.cluster) or started.poll() is not None, seconds=_START_SECONDS)
    if started.poll() is None and not is_ready(layout.cluster):
        started.terminate()
        return False
    return started.returncode is None


def stop_postmaster(cluster: Path) -> None:
    """Roll back what is open, write everything to disk, end. Raises StopFailed."""
    pid = postmaster(cluster)
    if pid is None:
        return
    os.kill(pid, signal.SIGINT)  # PostgreSQL's word for a fast shutdown
    if not wait_until(lambda: postmaster(cluster) != pid, seconds=_STOP_SECONDS):
        raise StopFailed(cluster, pid=pid, seconds=_STOP_SECONDS)
    _children[:] = [child for child in _children if child.poll() is None]


def postmaster(cluster: Path) -> int | None:
    """The process id of the server that runs on this folder, or None; a stale pid file is seen through."""
    lines = _pid_file(cluster)
    if lines and lines[0].lstrip("-").isdigit() and _is_postmaster(abs(int(lines[0])), cluster):
        return abs(int(lines[0]))
    return None


def is_ready(cluster: Path) -> bool:
    lines = _pid_file(cluster)
    return len(lines) > 7 and lines[7].strip() == "ready" and postmaster(cluster) is not None


def wait_until(condition: Callable[[], bool], *, seconds: float) -> bool:
    give_up = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > give_up:
            return False
        time.sleep(0.02)
    return True


def _pid_file(cluster: Path) -> list[str]:
    try:
        return (cluster / "postmaster.pid").read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return []


def _is_postmaster(pid: int, cluster: Path) -> bool:
    process = Path("/proc") / str(pid)
    if not Path("/proc/self/stat").exists():
        ps = ["ps", "-p", str(pid), "-o", "stat=,command="]
        told = subprocess.run(ps, capture_output=True, text=True, check=False)  # noqa: S603
        return str(cluster) in told.stdout and not told.stdout.startswith("Z")
    try:
        name, _, rest = (
            (process / "stat").read_text(encoding="utf-8", errors="replace").partition("(")[2].rpartition(")")
        )
        # Where the first process of a container does not collect the dead, a killed server stays as a zombie.
        if name not in {"postgres", "postmaster"} or rest.split()[0] in {"Z", "X"}:
            return False
        # After a reboot the number may belong to another server; a copied data folder has the original's.
        return (process / "cwd").readlink() == cluster
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return False


def _forget_dead_server(layout: Layout) -> None:
    """Remove pid files whose number now is a zombie's or another program's: PostgreSQL would take that for a server.

    Called with the turn held and no postmaster on the folder. What still uses the dead one's memory is not
    hidden by this: PostgreSQL finds that by the folder's inode.
    """
    if postmaster(layout.cluster) is not None:
        return
    stale = [layout.cluster / "postmaster.pid", layout.socket_dir / f".s.PGSQL.{PORT}.lock"]
    for file in stale:
        try:
            os.kill(abs(int(file.read_text(encoding="utf-8").split("\n", 1)[0])), 0)
        except (FileNotFoundError, ProcessLookupError):
            continue  # PostgreSQL itself sees that nobody is there
        except (PermissionError, ValueError):
            pass
        file.unlink()


def _run(command: list[str], account: Account) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        **_surroundings(account),
    )


def _surroundings(account: Account) -> dict[str, Any]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    return {
        "env": {**environment, "LC_ALL": "C", "TZ": "UTC"},
        "cwd": "/",
        "umask": 0o077,
        # Ctrl-C in the terminal reaches Makegood, which then stops the server in order.
        "start_new_session": True,
        **account.switch,
    }


def _end_of_log(layout: Layout) -> str:
    files = [layout.start_log, *(layout.cluster / "log").glob("server-*.log")]
    files = sorted((file for file in files if file.exists()), key=lambda file: file.stat().st_mtime)
    lines = [line for file in files[-2:] for line in file.read_text(encoding="utf-8", errors="replace").splitlines()]
    return "\n".join(lines[-12:])


def _write(path: Path, text: str) -> None:
    # Written by root, read by the server's user, in a folder that nobody else can enter.
    path.write_text(text, encoding="utf-8")
    path.chmod(0o644)
