"""The doctor finds what is wrong with a database and says so in both languages."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from psycopg import conninfo

from makegood.kit.postgres import doctor, roles
from tests import postgres_for_tests as pg

NAME = pg.database_name() + "_doctor"
GUARDED = """
    SET ROLE makegood_owner;
    CREATE TABLE parcels (merchant_id int);
    ALTER TABLE parcels ENABLE ROW LEVEL SECURITY;
    ALTER TABLE parcels FORCE ROW LEVEL SECURITY;
    CREATE POLICY own ON parcels USING (merchant_id = 1);
    CREATE TABLE currencies (code text);
"""


@pytest.fixture
def dsn() -> Iterator[str]:
    """The application's address of a database in which all is well."""
    pg.create_database(NAME)
    with psycopg.connect(pg.admin_dsn(NAME)) as connection:
        connection.execute(GUARDED)
    yield conninfo.make_conninfo(pg.admin_dsn(NAME), user=roles.APP)
    pg.drop_database(NAME)


def examine(dsn: str, folder: Path, *, pending: list[str] | None = None, late: float = 0) -> dict[str, doctor.Check]:
    at = datetime.now(UTC) - timedelta(seconds=late)
    shared = ["public.currencies"]
    found = doctor.examine(dsn, data_dir=folder, shared_tables=shared, pending_migrations=pending or [], at=at)
    return {check.name: check for check in found}


def wrong(checks: dict[str, doctor.Check]) -> list[str]:
    return [check.name for check in checks.values() if not check.ok]


def test_a_healthy_database_passes_everything(dsn: str, tmp_path: Path) -> None:
    checks = examine(dsn, tmp_path / "not" / "made" / "yet")

    assert wrong(checks) == []
    roles_checked = {"role_not_superuser", "role_bound_by_row_security", "role_not_owner"}
    others = {"server", "data_folder", "disk_space", "clock", "row_security", "client_programs", "migrations"}
    assert set(checks) == roles_checked | others
    assert checks["row_security"].detail_en == "all 1 tables of merchants have row security, forced, with a policy"


def test_each_finding_has_words_in_both_languages_and_advice_where_it_is_needed(dsn: str, tmp_path: Path) -> None:
    for checks in (examine(dsn, tmp_path), examine(pg.admin_dsn(NAME), tmp_path, pending=["x.0001"], late=60)):
        for check in checks.values():
            assert check.detail("en")
            assert any("一" <= letter <= "鿿" for letter in check.detail("zh-Hans")) or check.ok
            assert bool(check.advice("en")) == bool(check.advice("zh-Hans")) == (not check.ok)


@pytest.mark.parametrize("lacking", ["NO FORCE ROW LEVEL SECURITY", "DISABLE ROW LEVEL SECURITY"])
def test_a_table_without_full_row_security_is_named(dsn: str, tmp_path: Path, lacking: str) -> None:
    with psycopg.connect(pg.admin_dsn(NAME)) as connection:
        connection.execute(f"ALTER TABLE parcels {lacking}".encode())

    checks = examine(dsn, tmp_path)

    assert wrong(checks) == ["row_security"]
    assert "public.parcels" in checks["row_security"].detail_en


def test_a_table_without_a_policy_is_named(dsn: str, tmp_path: Path) -> None:
    with psycopg.connect(pg.admin_dsn(NAME)) as connection:
        connection.execute("DROP POLICY own ON parcels")

    assert "public.parcels (POLICY)" in examine(dsn, tmp_path)["row_security"].detail_zh


def test_the_superuser_is_not_the_applications_role(dsn: str, tmp_path: Path) -> None:
    assert wrong(examine(pg.admin_dsn(NAME), tmp_path)) == ["role_not_superuser", "role_bound_by_row_security"]


def test_who_logged_in_is_told_beside_the_role_acted_in(dsn: str, tmp_path: Path) -> None:
    acting = conninfo.make_conninfo(pg.admin_dsn(NAME), options="-c role=makegood_app")

    checks = examine(acting, tmp_path)

    assert wrong(checks) == []
    assert "makegood_app (logged in as postgres)" in checks["role_not_superuser"].detail_en


def test_the_owner_of_the_tables_is_not_the_applications_role(dsn: str, tmp_path: Path) -> None:
    assert wrong(examine(conninfo.make_conninfo(dsn, user=roles.OWNER), tmp_path)) == ["role_not_owner"]


def test_a_clock_that_is_off_is_told(dsn: str, tmp_path: Path) -> None:
    assert wrong(examine(dsn, tmp_path, late=4)) == []
    checks = examine(dsn, tmp_path, late=6)
    assert wrong(checks) == ["clock"]
    assert "+6." in checks["clock"].detail_en


def test_pending_migrations_are_listed(dsn: str, tmp_path: Path) -> None:
    checks = examine(dsn, tmp_path, pending=["orders.0002_more"])

    assert wrong(checks) == ["migrations"]
    assert "orders.0002_more" in checks["migrations"].detail_zh


def test_a_silent_server_is_a_finding_not_a_crash_and_shows_no_password(tmp_path: Path) -> None:
    checks = examine(f"postgresql://u:hunter2@/db?host={tmp_path}", tmp_path)

    assert wrong(checks) == ["server"]
    assert "hunter2" not in str(checks)


def test_missing_client_programs_are_a_finding(dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "MAKEGOOD_PG_BINARIES", str(tmp_path))

    assert wrong(examine(dsn, tmp_path)) == ["client_programs"]


def test_a_full_disk_and_a_closed_folder_are_findings(
    dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "_LEAST_FREE_BYTES", 1 << 60)
    monkeypatch.setattr(os, "access", lambda path, _mode: path != tmp_path)

    assert wrong(examine(dsn, tmp_path))[:2] == ["data_folder", "disk_space"]
