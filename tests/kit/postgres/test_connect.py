"""The environment says which database is used; nothing is started to find out."""

from pathlib import Path

import psycopg
import pytest
from psycopg import conninfo, sql

from makegood.kit.postgres import connect, embedded, roles
from tests import postgres_for_tests as pg


def test_without_a_url_the_embedded_server_is_used_and_not_started(tmp_path: Path) -> None:
    environ = {"MAKEGOOD_DATA_DIR": str(tmp_path / "data")}

    parts = connect.django_database("app", environ)

    assert parts == {
        "NAME": "makegood",
        "USER": "makegood_app",
        "PASSWORD": "",
        "HOST": str(tmp_path / "data" / "run"),
        "PORT": "5432",
        "OPTIONS": {},
    }
    assert connect.is_embedded(environ)
    assert conninfo.conninfo_to_dict(connect.backup_dsn(environ))["user"] == "postgres"
    assert conninfo.conninfo_to_dict(connect.preparing_dsn(environ))["dbname"] == "postgres"
    assert not (tmp_path / "data").exists()


def test_the_address_computed_beforehand_reaches_the_server_started_later(scratch: Path) -> None:
    environ = {"MAKEGOOD_DATA_DIR": str(scratch / "data")}
    app, owner = connect.dsn("app", environ), connect.dsn("owner", environ)

    with embedded.start(scratch / "data", fsync=False):
        for dsn, role in ((app, roles.APP), (owner, roles.OWNER)):
            with psycopg.connect(dsn) as connection:
                assert connection.execute("SELECT current_user").fetchone() == (role,)


def test_the_data_folder_defaults_to_one_beside_where_makegood_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert connect.data_dir({}) == tmp_path / ".makegood"
    assert connect.data_dir({"MAKEGOOD_DATA_DIR": ""}) == tmp_path / ".makegood"


def test_a_url_is_taken_apart_for_django_and_its_user_acts_as_the_role() -> None:
    environ = {"MAKEGOOD_DATABASE_URL": "postgresql://shop:s%40cret@db.example:6432/after?sslmode=require"}

    assert connect.django_database("app", environ) == {
        "NAME": "after",
        "USER": "shop",
        "PASSWORD": "s@cret",
        "HOST": "db.example",
        "PORT": "6432",
        "OPTIONS": {"sslmode": "require", "options": "-c role=makegood_app"},
    }
    assert connect.django_database("owner", environ)["OPTIONS"]["options"] == "-c role=makegood_owner"


def test_a_login_as_the_role_itself_needs_no_change_of_role() -> None:
    environ = {
        "MAKEGOOD_DATABASE_URL": "postgres://makegood_app@db/x",
        "MAKEGOOD_OWNER_URL": "postgres://makegood_owner@db/x",
    }

    assert connect.backup_dsn(environ) == connect.preparing_dsn(environ) == environ["MAKEGOOD_OWNER_URL"]
    assert connect.django_database("app", environ)["OPTIONS"] == {}
    assert connect.django_database("owner", environ)["USER"] == "makegood_owner"
    assert connect.django_database("owner", environ)["OPTIONS"] == {}


def test_options_of_the_operator_are_kept() -> None:
    environ = {"MAKEGOOD_DATABASE_URL": "postgresql://shop@db/x?options=-c%20statement_timeout%3D5s"}

    parts = conninfo.conninfo_to_dict(connect.dsn("app", environ))

    assert parts["options"] == "-c statement_timeout=5s -c role=makegood_app"


@pytest.mark.parametrize(
    ("url", "rule"),
    [
        ("mysql://root:hunter2@db/x", "only PostgreSQL is supported"),
        ("postgresql://u:hunter2@db/", "names no database"),
        ("postgresql://u:hunter2@db:notaport:1/x?nonsense=1", "cannot be read as an address"),
    ],
)
def test_a_url_that_cannot_be_used_is_refused_without_telling_its_password(url: str, rule: str) -> None:
    with pytest.raises(connect.DatabaseUrlMalformed) as refused:
        connect.django_database("app", {"MAKEGOOD_DATABASE_URL": url})

    assert rule in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_a_superuser_by_url_is_bound_like_the_application() -> None:
    name = pg.database_name() + "_connect"
    pg.create_database(name)
    environ = {"MAKEGOOD_DATABASE_URL": pg.admin_dsn(name)}
    try:
        with psycopg.connect(connect.dsn("owner", environ)) as connection:
            connection.execute("CREATE TABLE walled (id int)")
            connection.execute("INSERT INTO walled VALUES (1)")
            connection.execute("ALTER TABLE walled ENABLE ROW LEVEL SECURITY")
        with psycopg.connect(connect.dsn("app", environ)) as connection:
            assert connection.execute("SELECT count(*) FROM walled").fetchone() == (0,)
            connection.execute("RESET ROLE")
            assert connection.execute("SELECT current_user").fetchone() == ("makegood_app",)
    finally:
        pg.drop_database(name)


def test_preparing_an_outside_server_needs_no_superuser_and_may_be_done_twice() -> None:
    name, creator = pg.database_name() + "_outside", pg.database_name() + "_creator"
    identifier = sql.Identifier(creator)
    with psycopg.connect(pg.admin_dsn(), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEROLE CREATEDB").format(identifier))
        for role in (roles.OWNER, roles.APP, roles.READONLY):
            connection.execute(sql.SQL("GRANT {} TO {} WITH ADMIN OPTION").format(sql.Identifier(role), identifier))
    dsn = conninfo.make_conninfo(pg.admin_dsn(), user=creator)
    try:
        roles.prepare(dsn, name)
        roles.prepare(dsn, name)
        # Where the operator created everything beforehand, the owner alone suffices from then on.
        roles.prepare(conninfo.make_conninfo(pg.admin_dsn(name), user=roles.OWNER), name)
        url = f"postgresql://{creator}@/{name}?host={pg.server().socket_dir}&port=5432"
        with psycopg.connect(connect.dsn("owner", {"MAKEGOOD_DATABASE_URL": url})) as connection:
            connection.execute("CREATE TABLE t (id int GENERATED BY DEFAULT AS IDENTITY)")
            connection.execute("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'")
        with psycopg.connect(connect.dsn("app", {"MAKEGOOD_DATABASE_URL": url})) as connection:
            connection.execute("INSERT INTO t DEFAULT VALUES")
            connection.execute("UPDATE t SET id = 2")
            assert connection.execute("SELECT f(), id FROM t").fetchone() == (1, 2)
            connection.execute("CREATE TEMPORARY TABLE staged (id int)")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute("CREATE TABLE mine (id int)")
        readonly = conninfo.make_conninfo(pg.admin_dsn(name), user=roles.READONLY)
        with psycopg.connect(readonly) as connection:
            connection.execute("SELECT * FROM t")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute("DELETE FROM t")
    finally:
        pg.drop_database(name)
        with psycopg.connect(pg.admin_dsn(), autocommit=True) as connection:
            connection.execute(sql.SQL("DROP OWNED BY {}").format(identifier))
            connection.execute(sql.SQL("DROP ROLE {}").format(identifier))


def test_a_user_without_the_rights_to_prepare_is_told_which() -> None:
    dsn = conninfo.make_conninfo(pg.admin_dsn(), user=roles.APP)

    with pytest.raises(roles.CannotPrepare, match=r"makegood_app may not do this \(.+\): use one with CREATEROLE"):
        roles.prepare(dsn, "makegood_never_made")
