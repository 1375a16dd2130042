"""A backup brings back every row and file, and a restore that cannot be trusted changes nothing."""

import json
import os
import re
import resource
import subprocess
import sys
import tarfile
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from psycopg import conninfo, sql

from makegood.kit.postgres import archive, backup, binaries, roles
from tests import postgres_for_tests as pg

NOON = datetime(2026, 11, 16, 12, 0, tzinfo=UTC)
NAME = pg.database_name() + "_shop"

# Row security that even the owner is bound by, as every table of a merchant has it.
SHOP = """
    SET ROLE makegood_owner;
    CREATE TABLE parcels (merchant_id int NOT NULL, id int PRIMARY KEY, note text NOT NULL);
    ALTER TABLE parcels ENABLE ROW LEVEL SECURITY;
    ALTER TABLE parcels FORCE ROW LEVEL SECURITY;
    CREATE POLICY own ON parcels USING (merchant_id = nullif(current_setting('app.tenant', true), '')::int);
    CREATE TABLE django_migrations (id int, app text, name text);
    INSERT INTO django_migrations VALUES (1, 'orders', '0001_initial'), (2, 'ledger', '0001_initial');
    SET ROLE postgres;
    INSERT INTO parcels SELECT i % 2, i, repeat('善后', i % 50) FROM generate_series(1, 500) i;
"""


@pytest.fixture
def shop() -> str:
    """The address of a database with two merchants' rows in it."""
    pg.create_database(NAME)
    with psycopg.connect(pg.admin_dsn(NAME), autocommit=True) as connection:
        connection.execute(SHOP)
    return pg.admin_dsn(NAME)


@pytest.fixture
def uploads(tmp_path: Path) -> Path:
    folder = tmp_path / "uploads"
    (folder / "ab").mkdir(parents=True)
    (folder / "ab" / "photo").write_bytes(os.urandom(3_000_000))
    (folder / "ab" / "收据.txt").write_text("收据", encoding="utf-8")
    (folder / "empty").touch()
    return folder


def take(dsn: str, file: Path, uploads: Path | None = None) -> archive.Manifest:
    return backup.backup(dsn, file, makegood_version="0.1.0", environment_id="here", at=NOON, uploads=uploads)


def rows(dsn: str) -> list[tuple[object, ...]]:
    with psycopg.connect(dsn) as connection:
        return connection.execute("SELECT * FROM parcels ORDER BY id").fetchall()


def databases() -> list[str]:
    with psycopg.connect(pg.admin_dsn()) as connection:
        mine = connection.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s) ORDER BY 1", [NAME])
        return [row[0] for row in mine]


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def change(dsn: str) -> list[tuple[object, ...]]:
    with psycopg.connect(dsn) as connection:
        connection.execute("DELETE FROM parcels WHERE id > 10")
    return rows(dsn)


def test_every_row_and_file_comes_back(shop: str, uploads: Path, tmp_path: Path) -> None:
    before, had = rows(shop), files(uploads)
    manifest = take(shop, tmp_path / "b.tar", uploads)
    change(shop)
    (uploads / "ab" / "photo").unlink()
    (uploads / "later").write_bytes(b"of a newer case")
    names = databases()

    restored = backup.restore(shop, tmp_path / "b.tar", uploads=uploads, replace=True)

    assert rows(shop) == before
    assert files(uploads) == had | {"later": b"of a newer case"}
    assert restored == backup.Restored(manifest, kept_database=None)
    assert databases() == names
    assert not list(tmp_path.glob(".*"))


def test_roles_rights_and_row_security_come_back_too(shop: str, tmp_path: Path) -> None:
    take(shop, tmp_path / "b.tar")
    backup.restore(shop, tmp_path / "b.tar", replace=True)

    with psycopg.connect(conninfo.make_conninfo(shop, user=roles.APP)) as connection:
        assert connection.execute("SELECT count(*) FROM parcels").fetchone() == (0,)
        connection.execute("SET app.tenant = '1'")
        assert connection.execute("SELECT count(*) FROM parcels").fetchone() == (250,)
        owner = connection.execute("SELECT tableowner FROM pg_tables WHERE tablename = 'parcels'").fetchone()
    assert owner == (roles.OWNER,)


def test_the_manifest_tells_what_is_in_it(shop: str, uploads: Path, tmp_path: Path) -> None:
    manifest = take(shop, tmp_path / "b.tar", uploads)

    assert manifest.migrations == ["orders.0001_initial", "ledger.0001_initial"]
    assert (manifest.taken_at, manifest.environment_id) == ("2026-11-16T12:00:00+00:00", "here")
    with tarfile.open(tmp_path / "b.tar") as tar:
        first = tar.next()
        assert first is not None
        assert first.name == "manifest.json"
        source = tar.extractfile(first)
        assert source is not None
        assert json.load(source)["dump_sha256"] == manifest.dump_sha256
    assert (tmp_path / "b.tar").stat().st_mode & 0o077 == 0


def test_a_database_with_tables_in_it_is_not_replaced_unasked(shop: str, tmp_path: Path) -> None:
    take(shop, tmp_path / "b.tar")
    after = change(shop)

    with pytest.raises(backup.DatabaseNotEmpty, match="2 tables"):
        backup.restore(shop, tmp_path / "b.tar")

    assert rows(shop) == after


def test_an_empty_and_a_missing_database_are_filled_unasked(shop: str, tmp_path: Path) -> None:
    before = rows(shop)
    take(shop, tmp_path / "b.tar")
    pg.create_database(NAME)
    backup.restore(shop, tmp_path / "b.tar")
    assert rows(shop) == before

    pg.drop_database(NAME)
    backup.restore(shop, tmp_path / "b.tar")
    assert rows(shop) == before


def test_a_web_process_that_keeps_coming_back_does_not_stop_a_restore(shop: str, tmp_path: Path) -> None:
    take(shop, tmp_path / "b.tar")
    after_all = rows(shop)
    change(shop)
    app = psycopg.connect(conninfo.make_conninfo(shop, user=roles.APP))

    backup.restore(shop, tmp_path / "b.tar", replace=True)

    with pytest.raises(psycopg.OperationalError):
        app.execute("SELECT 1")
    assert rows(shop) == after_all


@pytest.mark.parametrize("place", [0, 700, 30_000, -700_000, "checksums", "half", "last block", "empty"])
def test_a_damaged_file_is_refused_and_nothing_changes(
    shop: str, uploads: Path, tmp_path: Path, place: int | str
) -> None:
    take(shop, tmp_path / "b.tar", uploads)
    content = bytearray((tmp_path / "b.tar").read_bytes())
    if isinstance(place, int):
        content[place] ^= 0xFF
    elif place == "checksums":
        content[content.rindex(b"checksums.sha256") + 520] ^= 0xFF  # past its header of 512 bytes
    else:
        del content[{"half": len(content) // 2, "last block": content.rindex(b"checksums.sha256"), "empty": 0}[place] :]
    (tmp_path / "b.tar").write_bytes(content)
    after, had, names = change(shop), files(uploads), databases()

    with pytest.raises(archive.BackupDamaged) as refused:
        backup.restore(shop, tmp_path / "b.tar", uploads=uploads, replace=True)

    assert refused.value.code == "backup_damaged"
    assert (rows(shop), files(uploads), databases()) == (after, had, names)
    assert not list(tmp_path.glob(".*"))


def test_a_file_that_would_write_outside_of_its_place_is_refused(shop: str, tmp_path: Path) -> None:
    (tmp_path / "evil").write_text("x")
    with tarfile.open(tmp_path / "b.tar", "w") as tar:
        tar.add(tmp_path / "evil", "uploads/../../../../../evil-was-here")

    with pytest.raises(archive.BackupDamaged, match="which no backup does"):
        backup.restore(shop, tmp_path / "b.tar", uploads=tmp_path / "uploads", replace=True)


def test_data_that_fails_its_check_never_takes_the_place_of_the_old(shop: str, uploads: Path, tmp_path: Path) -> None:
    before = rows(shop)
    take(shop, tmp_path / "b.tar", uploads)
    after, had, names = change(shop), files(uploads), databases()
    seen: list[object] = []

    def verify(dsn: str) -> list[str]:
        seen.append(rows(dsn))
        return ["entry 7 does not balance"]

    with pytest.raises(backup.RestoreNotProven, match="entry 7 does not balance"):
        backup.restore(shop, tmp_path / "b.tar", uploads=uploads, verify=verify, replace=True)

    assert seen == [before]
    assert (rows(shop), files(uploads), databases()) == (after, had, names)


def test_a_dump_that_the_server_refuses_changes_nothing(shop: str, tmp_path: Path) -> None:
    not_a_dump = tmp_path / "dump"
    not_a_dump.write_bytes(b"PGDMP but not really")
    manifest = archive.Manifest(
        makegood_version="0.1.0",
        environment_id="",
        taken_at=NOON.isoformat(),
        server_major=15,
        migrations=[],
        dump_sha256=archive.sha256_of(not_a_dump),
        uploads=0,
    )
    archive.pack(tmp_path / "b.tar", manifest, not_a_dump, [])
    after, names = change(shop), databases()

    with pytest.raises(backup.RestoreFailed, match="pg_restore"):
        backup.restore(shop, tmp_path / "b.tar", replace=True)

    assert (rows(shop), databases()) == (after, names)


def test_a_role_that_row_security_binds_may_not_back_up(shop: str, tmp_path: Path) -> None:
    with pytest.raises(backup.CannotSeeAllRows, match="ALTER ROLE makegood_owner BYPASSRLS"):
        take(conninfo.make_conninfo(shop, user=roles.OWNER), tmp_path / "b.tar")
    with pytest.raises(backup.CannotReplaceDatabase):
        backup.restore(conninfo.make_conninfo(shop, user=roles.OWNER), tmp_path / "b.tar", replace=True)

    assert not list(tmp_path.iterdir())


def test_the_operators_role_of_an_outside_server_needs_no_superuser(shop: str, tmp_path: Path) -> None:
    before, operator = rows(shop), f"operator_{os.getpid()}"
    with psycopg.connect(shop, autocommit=True) as connection:
        name = sql.Identifier(operator)
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN BYPASSRLS CREATEDB CREATEROLE").format(name))
        connection.execute(
            sql.SQL("GRANT makegood_owner, makegood_app, makegood_readonly TO {} WITH ADMIN OPTION").format(name)
        )
    dsn = conninfo.make_conninfo(shop, user=operator)
    try:
        take(dsn, tmp_path / "b.tar")
        change(shop)
        backup.restore(dsn, tmp_path / "b.tar", replace=True)
        assert rows(shop) == before
    finally:
        pg.drop_database(NAME)
        with psycopg.connect(pg.admin_dsn(), autocommit=True) as connection:
            connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(operator)))


def test_client_programs_older_than_the_server_are_refused(tmp_path: Path) -> None:
    newest = max(found.major for found in binaries.find_clients())

    with pytest.raises(binaries.ClientTooOld, match=rf"PostgreSQL {newest + 1} .* postgresql-client-{newest + 1}"):
        binaries.choose_clients(newest + 1)


def _limited(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run with files limited to 1 MB, which is how a full disk looks to a program."""
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000)),
    )


def test_a_full_disk_while_backing_up_keeps_the_earlier_backup(shop: str, uploads: Path, tmp_path: Path) -> None:
    (tmp_path / "b.tar").write_bytes(b"the earlier one")
    code = (
        "import sys, datetime, pathlib; from makegood.kit.postgres import backup\n"
        "try: backup.backup(sys.argv[1], pathlib.Path(sys.argv[2]), makegood_version='', environment_id='',"
        " at=datetime.datetime.now(datetime.UTC), uploads=pathlib.Path(sys.argv[3]))\n"
        "except backup.BackupFailed as failed: print(failed.code, failed)"
    )

    result = _limited(code, shop, tmp_path / "b.tar", uploads)

    assert re.match(r"backup_failed the backup .* was not written: .*File too large", result.stdout), result
    assert (tmp_path / "b.tar").read_bytes() == b"the earlier one"
    assert not list(tmp_path.glob(".*"))


def test_a_full_disk_while_restoring_leaves_the_old_state(shop: str, uploads: Path, tmp_path: Path) -> None:
    take(shop, tmp_path / "b.tar", uploads)
    after, had, names = change(shop), files(uploads), databases()
    code = (
        "import sys, pathlib; from makegood.kit.postgres import backup\n"
        "try: backup.restore(sys.argv[1], pathlib.Path(sys.argv[2]), uploads=pathlib.Path(sys.argv[3]), replace=True)\n"
        "except backup.RestoreFailed as failed: print(failed.code, failed)"
    )

    result = _limited(code, shop, tmp_path / "b.tar", uploads)

    assert re.match(r"restore_failed .* nothing was changed: .*File too large", result.stdout), result
    assert (rows(shop), files(uploads), databases()) == (after, had, names)
    assert not list(tmp_path.glob(".*"))
