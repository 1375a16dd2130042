"""What every command shares: the database up and reachable, words on stderr, JSON on stdout."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from makegood.kit import errors


def say(text: str) -> None:
    """A line for the person at the terminal; stdout is for results."""
    sys.stderr.write(text.rstrip() + "\n")


def print_json(document: Any) -> None:
    """The result as the one JSON document on stdout."""
    sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2, default=str) + "\n")


def in_words(error: errors.DomainError) -> str:
    """The error in the language of the terminal; English before Django is set up."""
    if not _is_set_up():
        return error.sentence()
    from makegood.kit.telling import tell

    return tell(error)


def language() -> str:
    """What the terminal speaks: zh-hans where its locale is Chinese."""
    name = next((os.environ[key] for key in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(key)), "")
    return "zh-hans" if name.lower().startswith("zh") else "en"


def set_up(log_level: str = "WARNING") -> None:
    """Load Django once, and speak the terminal's language."""
    if _is_set_up():
        return
    os.environ.setdefault("MAKEGOOD_LOG_LEVEL", log_level)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "makegood.config.settings")
    import django
    from django.utils import translation

    django.setup()
    translation.activate(language())


@contextmanager
def database(log_level: str = "WARNING", *, migrated: bool = False) -> Iterator[None]:
    """Django over a database that answers: the embedded one is started or joined, and left in order.

    ``migrated`` makes the tables of an embedded database that has none yet.
    """
    from makegood.kit.postgres import connect, embedded

    if not connect.is_embedded():
        set_up(log_level)
        yield
        return
    with embedded.serving(connect.data_dir()):
        set_up(log_level)
        try:
            if migrated:
                _make_tables()
            yield
        finally:
            from django.db import connections

            connections.close_all()


def _make_tables() -> None:
    from django.db import connection

    from makegood.cli import operating

    with connection.cursor() as cursor:
        cursor.execute("select to_regclass('accounts_installation')")
        made = cursor.fetchone()[0] is not None
    if not made:
        operating.migrate()


@contextmanager
def merchant(slug: str | None, *, may_open: bool = False) -> Iterator[int]:
    """The merchant named, or the only one there is, in sight; ``may_open`` opens one where there is none at all.

    Raises MerchantUnknown, MerchantNotNamed.
    """
    from makegood.accounts import queries
    from makegood.kit import tenancy

    if slug is not None:
        merchant_id = queries.merchant_id_by_slug(slug)
    else:
        known = queries.merchant_ids()
        if not known and may_open:
            known = [_open_first_merchant()]
        if len(known) != 1:
            raise MerchantNotNamed(len(known), field="--merchant", rule="needed_unless_there_is_one")
        merchant_id = known[0]
    with tenancy.acting_for(merchant_id):
        yield merchant_id


def _open_first_merchant() -> int:
    from datetime import UTC, datetime

    from makegood.accounts.commands import open_merchant

    say("there is no merchant yet: opening one with the slug main")
    return open_merchant(
        slug="main",
        name_zh="我的店",
        name_en="My shop",
        market="CN",
        currency="CNY",
        time_zone="Asia/Shanghai",
        at=datetime.now(UTC),
    )


class DatabaseUnreachable(errors.Refused):
    code = "database_unreachable"
    message = "The database does not do what is asked: {value}"


class DatabaseNotMigrated(errors.Refused):
    code = "database_not_migrated"
    message = "The database has no tables of this version: run makegood migrate."


def database_errors() -> tuple[type[Exception], ...]:
    """What the database's library raises where it was loaded: read only when something went wrong."""
    psycopg = sys.modules.get("psycopg")
    django = sys.modules.get("django.db.utils")
    found: list[type[Exception]] = []
    if psycopg is not None:
        found += [psycopg.OperationalError, psycopg.errors.UndefinedTable]
    if django is not None:
        found += [django.OperationalError, django.ProgrammingError]
    return tuple(found)


def told_of_database(error: Exception) -> str:
    """One line about it. Raises it again where it is a defect of ours."""
    from psycopg.errors import UndefinedColumn, UndefinedTable

    cause = error.__cause__ or error
    if isinstance(cause, UndefinedTable | UndefinedColumn):
        refused: errors.DomainError = DatabaseNotMigrated()
    elif type(error).__name__ == "OperationalError":
        refused = DatabaseUnreachable(str(error).splitlines()[0])
    else:
        raise error
    return f"{refused.code}: {in_words(refused)}"


class MerchantNotNamed(errors.Malformed):
    code = "merchant_not_named"
    message = "Name the merchant with {field}: there are {value}."


def _is_set_up() -> bool:
    apps = sys.modules.get("django.apps")
    return apps is not None and apps.apps.ready
