"""Backup of database and uploads into one file, and restore that changes nothing until all of it is proven.

An outside operator needs, beside the application's role, one that sees all rows: for ``backup``
``BYPASSRLS`` and the right to read every table (member of ``makegood_owner``); for ``restore`` also
``CREATEDB``. A superuser has it all, and the embedded server's is used by default.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import psycopg
from psycopg import conninfo, sql

from makegood.kit.errors import Refused
from makegood.kit.postgres import archive, roles
from makegood.kit.postgres.archive import Manifest
from makegood.kit.postgres.binaries import choose_clients

_MAINTENANCE = "postgres"
_SWAP_ATTEMPTS = 10
_USER_TABLES = """
    SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
"""


class CannotSeeAllRows(Refused):
    code = "backup_role_cannot_see_all_rows"
    message = (
        "the database user {value} is bound by row security, so its dump would lack rows: use a superuser, "
        "or have one run `ALTER ROLE {value} BYPASSRLS`"
    )


class CannotReplaceDatabase(Refused):
    code = "restore_role_cannot_replace_database"
    message = (
        "the database user {value} may not restore: use a superuser, "
        "or have one run `ALTER ROLE {value} BYPASSRLS CREATEDB`"
    )


class BackupFailed(Refused):
    code = "backup_failed"
    message = "the backup {value} was not written: {problem}"


class DatabaseNotEmpty(Refused):
    code = "restore_database_not_empty"
    message = (
        "the database {value} already has {tables} tables: restoring replaces all of it, which has to be asked for"
    )


class RestoreFailed(Refused):
    code = "restore_failed"
    message = "the backup {value} could not be restored, and nothing was changed: {problem}"


class RestoreNotProven(Refused):
    code = "restore_not_proven"
    message = "the restored data did not pass its check, and nothing was changed: {problem}"


@dataclass(frozen=True)
class Restored:
    """``kept_database`` names the replaced database where it could not be dropped."""

    manifest: Manifest
    kept_database: str | None


def backup(
    dsn: str, file: Path, *, makegood_version: str, environment_id: str, at: datetime, uploads: Path | None = None
) -> Manifest:
    """Write database and uploads into ``file``; an earlier file of that name is replaced when all is well.

    Raises CannotSeeAllRows, ClientTooOld, BinariesMissing, BackupFailed.
    """
    with psycopg.connect(dsn) as connection:
        if not _is(connection, "rolsuper OR rolbypassrls"):
            raise CannotSeeAllRows(_user(connection))
        server_major = connection.info.server_version // 10000
        migrations = _migrations(connection)
    dump = file.with_name(f".{file.name}.dump")
    try:
        # Database first: files are only ever added, so every upload it mentions is there afterwards.
        dump.touch(mode=0o600)
        complaint = _run("pg_dump", server_major, dsn, ["--format=custom", f"--file={dump}", "--lock-wait-timeout=60s"])
        if complaint:
            raise BackupFailed(file, problem=complaint)
        files = archive.list_uploads(uploads)
        manifest = Manifest(
            makegood_version=makegood_version,
            environment_id=environment_id,
            taken_at=at.isoformat(),
            server_major=server_major,
            migrations=migrations,
            dump_sha256=archive.sha256_of(dump),
            uploads=len(files),
        )
        archive.pack(file, manifest, dump, files)
    except OSError as problem:
        raise BackupFailed(file, problem=problem) from problem
    finally:
        dump.unlink(missing_ok=True)
    return manifest


def restore(
    dsn: str,
    file: Path,
    *,
    uploads: Path | None = None,
    verify: Callable[[str], list[str]] | None = None,
    replace: bool = False,
) -> Restored:
    """Put the database named in ``dsn`` and the uploads back as the backup has them.

    The checksums come first; then a fresh database is filled and handed to ``verify``, which returns what
    is wrong with it; only then does it take the name of the old one, in one transaction. Uploads are added
    to those that are there. ``replace`` allows to do so over a database with tables in it.
    Raises BackupDamaged, DatabaseNotEmpty, CannotReplaceDatabase, RestoreFailed, RestoreNotProven.
    """
    target = str(conninfo.conninfo_to_dict(dsn)["dbname"])
    maintenance = conninfo.make_conninfo(dsn, dbname=_MAINTENANCE)
    server_major, exists = _check_target(maintenance, dsn, target, replace=replace)
    with _workplace(uploads) as work:
        try:
            manifest, dump, files = archive.unpack(file, work)
        except OSError as trouble:
            raise RestoreFailed(file, problem=trouble) from trouble
        if manifest.server_major > server_major:
            raise RestoreFailed(
                file, problem=f"it is of PostgreSQL {manifest.server_major}, and the server is {server_major}"
            )
        fresh = f"{target}_restored_{secrets.token_hex(4)}"
        fresh_dsn = conninfo.make_conninfo(dsn, dbname=fresh)
        try:
            roles.prepare(maintenance, fresh)
            problem = _run(
                "pg_restore", server_major, fresh_dsn, ["--exit-on-error", "--single-transaction", str(dump)]
            )
            if problem:
                raise RestoreFailed(file, problem=problem)
            with psycopg.connect(fresh_dsn, autocommit=True) as connection:
                connection.execute("ANALYZE")
            if verify and (problems := verify(fresh_dsn)):
                raise RestoreNotProven(problem="; ".join(problems))
            _add_uploads(files, uploads, file)
            replaced = _swap(maintenance, target if exists else None, fresh, target)
        except BaseException:
            _drop(maintenance, fresh)
            raise
    return Restored(manifest, _drop_replaced(maintenance, replaced))


def _check_target(maintenance: str, dsn: str, target: str, *, replace: bool) -> tuple[int, bool]:
    with psycopg.connect(maintenance) as connection:
        if not _is(connection, "rolsuper OR (rolbypassrls AND rolcreatedb)"):
            raise CannotReplaceDatabase(_user(connection))
        server_major = connection.info.server_version // 10000
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [target]).fetchone()
    if found is None:
        return server_major, False
    with psycopg.connect(dsn) as connection:
        row = connection.execute(_USER_TABLES).fetchone()
    if row and row[0] and not replace:
        raise DatabaseNotEmpty(target, tables=row[0])
    return server_major, True


@contextmanager
def _workplace(uploads: Path | None) -> Iterator[Path]:
    # Beside the uploads, so that they need only be renamed; elsewhere another disk could be between.
    if uploads is not None:
        uploads.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=".restore-", dir=uploads.parent if uploads else None))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def _add_uploads(staged: Path, uploads: Path | None, file: Path) -> None:
    """Move the files in. They are named by their content, so the old database does not mind having more."""
    if uploads is None:
        return
    try:
        for name, path in archive.list_uploads(staged):
            (uploads / name).parent.mkdir(parents=True, exist_ok=True)
            path.replace(uploads / name)
    except OSError as problem:
        raise RestoreFailed(file, problem=problem) from problem


def _swap(maintenance: str, old: str | None, fresh: str, target: str) -> str | None:
    """Give ``fresh`` the name ``target``; the new name of the database that had it, if any."""
    with psycopg.connect(maintenance, autocommit=True) as connection:
        if old is None:
            connection.execute(_sql("ALTER DATABASE {} RENAME TO {}", fresh, target))
            return None
        aside = f"{target}_before_{fresh.rpartition('_')[2]}"
        for attempt in range(_SWAP_ATTEMPTS):
            _disconnect(connection, old)
            _disconnect(connection, fresh)
            try:
                with connection.transaction():
                    connection.execute(_sql("ALTER DATABASE {} RENAME TO {}", old, aside))
                    connection.execute(_sql("ALTER DATABASE {} RENAME TO {}", fresh, target))
            except psycopg.errors.ObjectInUse:
                # A web process came back between the two statements. Shutting it out first by
                # ALLOW_CONNECTIONS would leave the old database shut if we died here.
                if attempt + 1 == _SWAP_ATTEMPTS:
                    raise
            else:
                break
        return aside


def _disconnect(connection: psycopg.Connection, database: str) -> None:
    # With the time to wait, the answer comes when the other end is really gone.
    connection.execute("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = %s", [database])


def _drop(maintenance: str, database: str) -> None:
    with psycopg.connect(maintenance, autocommit=True) as connection:
        connection.execute(_sql("DROP DATABASE IF EXISTS {} WITH (FORCE)", database))


def _drop_replaced(maintenance: str, database: str | None) -> str | None:
    if database is None:
        return None
    try:
        _drop(maintenance, database)
    except psycopg.Error:
        return database  # the restore itself is done; the caller is told what is left
    return None


def _run(program: str, server_major: int, dsn: str, arguments: list[str]) -> str | None:
    """Run a client program; the end of what it complained about, None where it succeeded."""
    parts = conninfo.conninfo_to_dict(dsn)
    # Other users of the machine see the arguments of a process, not its environment.
    password = str(parts.pop("password", "") or "")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    command = [choose_clients(server_major).program(program), "--no-password"]
    result = subprocess.run(  # noqa: S603
        [*command, f"--dbname={conninfo.make_conninfo('', **parts)}", *arguments],
        env={**environment, "LC_ALL": "C", "PGPASSWORD": password},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    return (
        None if result.returncode == 0 else result.stderr.strip()[-2000:] or f"{program} ended with {result.returncode}"
    )


def _is(connection: psycopg.Connection, condition: str) -> bool:
    row = connection.execute(
        sql.SQL("SELECT {} FROM pg_roles WHERE rolname = current_user").format(sql.SQL(condition))
    ).fetchone()
    return bool(row and row[0])


def _user(connection: psycopg.Connection) -> str:
    row = connection.execute("SELECT current_user").fetchone()
    return str(row[0]) if row else ""


def _migrations(connection: psycopg.Connection) -> list[str]:
    there = connection.execute("SELECT to_regclass('django_migrations')").fetchone()
    if there is None or there[0] is None:
        return []
    return [str(row[0]) for row in connection.execute("SELECT app || '.' || name FROM django_migrations ORDER BY id")]


def _sql(statement: str, *names: str) -> sql.Composed:
    return sql.SQL(statement).format(*map(sql.Identifier, names))
