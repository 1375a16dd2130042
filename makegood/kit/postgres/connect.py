"""Which database to use: the operator's by URL, else the embedded one; known without starting anything."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote, urlencode

import psycopg
from psycopg import conninfo

from makegood.kit.errors import Malformed
from makegood.kit.postgres import roles
from makegood.kit.postgres.layout import DATABASE, PORT, Layout, login

Role = Literal["app", "owner"]

URL_SETTING = "MAKEGOOD_DATABASE_URL"
OWNER_URL_SETTING = "MAKEGOOD_OWNER_URL"
DATA_DIR_SETTING = "MAKEGOOD_DATA_DIR"
_DEFAULT_DATA_DIR = ".makegood"


class DatabaseUrlMalformed(Malformed):
    code = "database_url_malformed"
    message = "{field}: {rule}; write it as postgresql://user:password@host:5432/database"


def data_dir(environ: Mapping[str, str] = os.environ) -> Path:
    """The one folder of embedded database, uploads and lake; absolute."""
    return Path(environ.get(DATA_DIR_SETTING) or _DEFAULT_DATA_DIR).expanduser().resolve()


def is_embedded(environ: Mapping[str, str] = os.environ) -> bool:
    return not environ.get(URL_SETTING)


def django_database(role: Role, environ: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """NAME, USER, PASSWORD, HOST, PORT and OPTIONS of Django's ``DATABASES`` entry for the role.

    No server is started or asked. Raises DatabaseUrlMalformed.
    """
    if is_embedded(environ):
        layout = Layout.of(data_dir(environ))
        return {
            "NAME": DATABASE,
            "USER": login(role),
            "PASSWORD": "",
            "HOST": str(layout.socket_dir),
            "PORT": str(PORT),
            "OPTIONS": {},
        }
    parts = _external(role, environ)
    return {
        "NAME": parts.pop("dbname"),
        "USER": parts.pop("user", ""),
        "PASSWORD": parts.pop("password", ""),
        "HOST": parts.pop("host", ""),
        "PORT": parts.pop("port", ""),
        "OPTIONS": parts,
    }


def dsn(role: Role, environ: Mapping[str, str] = os.environ) -> str:
    """The same as a connection URL, for psycopg and PostgreSQL's programs. Raises DatabaseUrlMalformed."""
    if is_embedded(environ):
        return Layout.of(data_dir(environ)).dsn(role)
    parts = _external(role, environ)
    database = parts.pop("dbname")
    return f"postgresql:///{quote(database, safe='')}?{urlencode(parts, quote_via=quote)}"


def preparing_dsn(environ: Mapping[str, str] = os.environ) -> str:
    """The URL to hand to ``roles.prepare``: the embedded superuser's, or the owner URL as the operator wrote it."""
    if is_embedded(environ):
        return Layout.of(data_dir(environ)).dsn("admin", "postgres")
    _external("owner", environ)
    return environ.get(OWNER_URL_SETTING) or environ[URL_SETTING]


def backup_dsn(environ: Mapping[str, str] = os.environ) -> str:
    """The URL to back up and restore with: the embedded superuser's, or the owner URL's user, as itself."""
    if is_embedded(environ):
        return Layout.of(data_dir(environ)).dsn("admin")
    return preparing_dsn(environ)


def _external(role: Role, environ: Mapping[str, str]) -> dict[str, str]:
    setting = OWNER_URL_SETTING if role == "owner" and environ.get(OWNER_URL_SETTING) else URL_SETTING
    parts = _parse(environ[setting], setting)
    wanted = roles.OWNER if role == "owner" else roles.APP
    if parts.get("user") != wanted:
        # Whoever logs in acts as the role with just the rights needed: row security does not hold for a
        # superuser, nor without FORCE for the owner. RESET ROLE comes back to this role too. A pooler that
        # drops start-up options (pgbouncer) needs a login as the role itself.
        parts["options"] = f"{parts.get('options', '')} -c role={wanted}".strip()
    return parts


def _parse(url: str, setting: str) -> dict[str, str]:
    # The URL holds a password, so no part of it is repeated in the error.
    if not url.startswith(("postgresql://", "postgres://")):
        raise DatabaseUrlMalformed(field=setting, rule="only PostgreSQL is supported")
    try:
        parts = {name: str(value) for name, value in conninfo.conninfo_to_dict(url).items() if value is not None}
    except psycopg.ProgrammingError:
        raise DatabaseUrlMalformed(field=setting, rule="cannot be read as an address") from None
    if not parts.get("dbname"):
        raise DatabaseUrlMalformed(field=setting, rule="names no database")
    return parts
