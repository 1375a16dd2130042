"""The three database roles and what each may do; the same statements for our own server and for an outside one."""

from __future__ import annotations

import psycopg
from psycopg import sql

from makegood.kit.errors import Refused

OWNER = "makegood_owner"
APP = "makegood_app"
READONLY = "makegood_readonly"

# Held while preparing, so that two processes starting at once do not create the same role twice.
_PREPARING = 0x6D616B65


class RoleTooPowerful(Refused):
    code = "database_role_too_powerful"
    message = (
        "the database role {value} is superuser or may bypass row security, which would show one merchant's rows to "
        "another: run `ALTER ROLE {value} NOSUPERUSER NOBYPASSRLS` as a superuser"
    )


class CannotPrepare(Refused):
    code = "database_cannot_be_prepared"
    message = (
        "the database user {value} may not do this ({problem}): use one with CREATEROLE and CREATEDB, or have a "
        "superuser create roles and database as docs/how-to/use-your-own-postgresql.md describes"
    )


def prepare(dsn: str, database: str) -> None:
    """Create the roles and ``database``, and give each role its rights; doing it again changes nothing.

    ``dsn`` is a superuser's, or that of a user with CREATEROLE (and CREATEDB where the database is not
    there yet); the user becomes a member of the three roles. Its own database is only the place to start
    from. Raises RoleTooPowerful, CannotPrepare.
    """
    try:
        with psycopg.connect(dsn, autocommit=True) as connection:
            user = connection.info.user
            connection.execute("SELECT pg_advisory_lock(%s)", [_PREPARING])
            _create_roles(connection)
            _create_database(connection, database)
            # Inside the lock: default privileges are rows too, and two writers of one row fail.
            with psycopg.connect(dsn, dbname=database, autocommit=False) as inside:
                _grant(inside, database)
    except psycopg.errors.InsufficientPrivilege as problem:
        raise CannotPrepare(user, problem=problem.diag.message_primary) from problem


def _create_roles(connection: psycopg.Connection) -> None:
    mine = connection.execute("SELECT rolsuper, rolname FROM pg_roles WHERE rolname = current_user").fetchone()
    assert mine is not None  # noqa: S101 - a connected user is a role
    superuser, me = mine
    for role in (OWNER, APP, READONLY):
        found = connection.execute(
            "SELECT rolsuper OR rolbypassrls, pg_has_role(current_user, oid, 'MEMBER') "
            "FROM pg_roles WHERE rolname = %s",
            [role],
        ).fetchone()
        name = sql.Identifier(role)
        if found is None:
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN NOCREATEDB NOCREATEROLE").format(name))
        elif found[0] and superuser:
            connection.execute(sql.SQL("ALTER ROLE {} NOSUPERUSER NOBYPASSRLS").format(name))
        elif found[0]:
            raise RoleTooPowerful(role)
        # A superuser is a member of everything; others need it to act for the owner and to SET ROLE. The owner
        # itself, logging in where an operator made everything beforehand, acts for nobody else.
        if not superuser and me != OWNER and not (found and found[1]):
            connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(name))


def _create_database(connection: psycopg.Connection, database: str) -> None:
    if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone():
        return
    connection.execute(
        sql.SQL("CREATE DATABASE {} OWNER {} ENCODING 'UTF8' TEMPLATE template0").format(
            sql.Identifier(database), sql.Identifier(OWNER)
        )
    )


def _grant(connection: psycopg.Connection, database: str) -> None:
    names = {
        "database": sql.Identifier(database),
        "owner": sql.Identifier(OWNER),
        "app": sql.Identifier(APP),
        "readonly": sql.Identifier(READONLY),
    }
    for statement in _GRANTS:
        connection.execute(sql.SQL(statement).format(**names))


_GRANTS = (
    "REVOKE ALL ON DATABASE {database} FROM PUBLIC",
    # Imports stage their rows in temporary tables.
    "GRANT CONNECT, TEMPORARY ON DATABASE {database} TO {app}",
    "GRANT CONNECT ON DATABASE {database} TO {readonly}",
    # The owner of the schema need not be the owner of a database that a provider created.
    "GRANT CONNECT, CREATE, TEMPORARY ON DATABASE {database} TO {owner}",
    "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
    "GRANT USAGE, CREATE ON SCHEMA public TO {owner}",
    "GRANT USAGE ON SCHEMA public TO {app}, {readonly}",
    "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public GRANT SELECT ON TABLES TO {app}, {readonly}",
    "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public GRANT INSERT, UPDATE, DELETE ON TABLES TO {app}",
    "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public GRANT USAGE ON SEQUENCES TO {app}",
    # Else who may only read could write, through functions that run with their owner's rights.
    "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC",
    "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public GRANT EXECUTE ON FUNCTIONS TO {app}",
)
