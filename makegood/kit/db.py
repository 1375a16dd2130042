"""Transactions that say what they mean, and SQL for the hot paths.

A command is one transaction and calls no other command; shared work goes into a function that asserts it
is inside one. ``rehearsal`` runs commands for real and then takes everything back: preview is the very
code of commit.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from django.db import DatabaseError, IntegrityError, InterfaceError, OperationalError, connection
from django.db import transaction as django_transaction

from makegood.kit import errors, tenancy
from makegood.kit.postgres.backend.base import Statement

P = ParamSpec("P")
R = TypeVar("R")
Params = Sequence[Any] | Mapping[str, Any]

_rehearsing: ContextVar[bool] = ContextVar("rehearsing", default=False)
_together: ContextVar[bool] = ContextVar("together", default=False)


class NotInTransaction(RuntimeError):
    """A helper that must share its caller's transaction was called without one: a defect."""


class DatabaseBusy(errors.Refused):
    """Nothing is wrong with the request, and nothing of it was done: HTTP 503 with Retry-After."""

    code = "database_busy"
    message = "The database could not do this just now; please try again in a moment."


# Two transactions wanted the same rows in opposite order, or saw each other's work: one was told to begin anew.
_BEGIN_ANEW = frozenset({"40001", "40P01"})


def with_retries(function: Callable[[], R], n: int = 4) -> R:
    """Call ``function``, which opens its own transaction, up to ``n`` times while it loses to another transaction.

    A lost connection is not tried again here: whether the transaction was committed is not known, and only the
    request's own key can tell. Raises DatabaseBusy, for which the caller may repeat the request with the same key.
    """
    if connection.in_atomic_block:
        raise RuntimeError("a transaction that lost cannot be continued: begin outside")
    for attempt in range(n):
        try:
            return function()
        except (DatabaseError, InterfaceError) as problem:
            sqlstate = getattr(problem.__cause__, "sqlstate", None)
            if _is_connection_lost(problem, sqlstate):
                connection.close()
                raise DatabaseBusy(rule="connection_lost") from problem
            if sqlstate not in _BEGIN_ANEW:
                raise
            if attempt + 1 == n:
                raise DatabaseBusy(rule="lost_to_other_transactions") from problem
            time.sleep(0.01 * 2**attempt * (0.5 + secrets.randbelow(1001) / 1000))
    raise ValueError(n)


def _is_connection_lost(problem: Exception, sqlstate: str | None) -> bool:
    # Told by the server while it shuts us out (57P…, 08…), or found by the client alone (no code at all).
    return isinstance(problem, OperationalError | InterfaceError) and (
        sqlstate is None or sqlstate.startswith(("57P", "08"))
    )


@contextmanager
def _told() -> Iterator[None]:
    """A constraint broken at the commit is told as what it means, where its statement says so."""
    try:
        yield
    except IntegrityError as problem:
        if (refusal := getattr(problem, "refusal", None)) is not None:
            raise refusal from problem
        raise


@contextmanager
def atomically() -> Iterator[None]:
    """One durable transaction; in a rehearsal a savepoint whose deferred constraints are checked at its end."""
    if _together.get() and not _rehearsing.get():
        with django_transaction.atomic(savepoint=False):
            yield
        return
    if not _rehearsing.get():
        with _told(), django_transaction.atomic(durable=True):
            yield
        return
    with _told(), django_transaction.atomic():
        yield
        _check_deferred_constraints()


def command(function: Callable[P, R]) -> Callable[P, R]:
    """Make a function one transaction: all of it commits or nothing does. Commands do not nest."""

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        with atomically():
            return function(*args, **kwargs)

    return run


@contextmanager
def together() -> Iterator[None]:
    """One durable transaction which the command inside joins: a request's key and its effect commit as one.

    For faces. What the command raises undoes all of it.
    """
    with _told(), django_transaction.atomic(durable=True):
        token = _together.set(True)
        try:
            yield
        finally:
            _together.reset(token)


def query(function: Callable[P, R]) -> Callable[P, R]:
    """Make a function read inside a transaction, its own or its caller's, so that the merchant is named."""

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        if connection.in_atomic_block:
            return function(*args, **kwargs)
        with _told(), django_transaction.atomic():
            return function(*args, **kwargs)

    return run


@contextmanager
def savepoint() -> Iterator[None]:
    """Part of the caller's transaction that may fail alone."""
    require_transaction()
    with _told(), django_transaction.atomic():
        yield


def require_transaction() -> None:
    """Assert that the caller is inside a transaction. Raises NotInTransaction."""
    if not connection.in_atomic_block:
        raise NotInTransaction("call this from a command")


class _TakeBack(Exception):
    """Ends a rehearsal."""


@contextmanager
def rehearsal() -> Iterator[None]:
    """Run commands for real, then take everything back, jobs included."""
    token = _rehearsing.set(True)
    try:
        with django_transaction.atomic():
            yield
            _check_deferred_constraints()
            raise _TakeBack
    except _TakeBack:
        pass
    finally:
        _rehearsing.reset(token)


def _check_deferred_constraints() -> None:
    with connection.cursor() as cursor:
        cursor.execute("set constraints all immediate")
        cursor.execute("set constraints all deferred")


def kept(name: str, read: Callable[[], R]) -> R:
    """What ``read`` gave the first time in this transaction, for the merchant in sight.

    For rows that everything asks about and hardly anything changes; what does change them calls ``forget``.
    """
    if not connection.in_atomic_block:
        return read()
    key = (name, tenancy.current_merchant_id())
    found: dict[tuple[object, ...], R] = connection.kept  # type: ignore[attr-defined]  # our backend's
    if key not in found:
        found[key] = read()
    return found[key]


def keep(name: str, value: object) -> None:
    """What ``kept`` would have read, where it came along with another question of this transaction."""
    require_transaction()
    connection.kept.setdefault((name, tenancy.current_merchant_id()), value)  # type: ignore[attr-defined]  # same


def forget(name: str) -> None:
    """The rows behind a kept reading have changed."""
    connection.kept.pop((name, tenancy.current_merchant_id()), None)  # type: ignore[attr-defined]  # same


def fetch(sql: str, params: Params = (), *, refusals: Mapping[str, Exception] | None = None) -> list[dict[str, Any]]:
    """All rows as dicts. ``refusals``: what a broken constraint of that name means to people."""
    return _rows(connection.ask(Statement(sql, params, refusals or {}))[0])  # type: ignore[attr-defined]  # our backend's


def fetch_each(*asked: tuple[str, Params]) -> list[list[dict[str, Any]]]:
    """The rows of several statements that need not wait for one another, in one round trip.

    Each sees what those before it did, and takes a snapshot of its own: what is locked by one is read by the next.
    """
    cursors = connection.ask(*(Statement(sql, params) for sql, params in asked))  # type: ignore[attr-defined]  # same
    return [_rows(cursor) for cursor in cursors]


def _rows(cursor: Any) -> list[dict[str, Any]]:
    # The names alone: the library's description makes an object of each column every time.
    result = cursor.pgresult
    names = [result.fname(n).decode() for n in range(result.nfields)]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()] if names else []


def fetch_one(sql: str, params: Params = ()) -> dict[str, Any] | None:
    """The only row, or None. More than one is a defect."""
    return only(fetch(sql, params))


def only(rows: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The only row, or None. More than one is a defect."""
    if len(rows) > 1:
        raise AssertionError("one row expected")
    return rows[0] if rows else None


def execute(sql: str, params: Params = ()) -> int:
    """Run a statement; how many rows it touched."""
    return int(connection.ask(Statement(sql, params))[0].rowcount)  # type: ignore[attr-defined]  # our backend's


def send(sql: str, params: Params = (), *, refusals: Mapping[str, Exception] | None = None) -> None:
    """Say a statement whose answer nobody needs: it goes out with the next one that is asked, or with the commit.

    What it breaks is raised there. ``refusals``: what a broken constraint of that name means to people.
    """
    require_transaction()
    connection.send(Statement(sql, params, refusals or {}))  # type: ignore[attr-defined]  # our backend's


def insert(table: str, rows: Sequence[Mapping[str, Any]], *, returning: str = "id") -> list[Any]:
    """Insert rows of equal columns in one statement; the ``returning`` column of each, in order.

    ``table`` and the column names come from our own code, never from a request.
    """
    if not rows:
        return []
    sql, params = _insertion(table, rows)
    cursor = connection.ask(Statement(f"{sql} returning {returning}", params))[0]  # type: ignore[attr-defined]  # same
    return [row[0] for row in cursor.fetchall()]


def send_rows(table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """As ``insert``, without waiting: see ``send``."""
    if rows:
        send(*_insertion(table, rows))


def _insertion(table: str, rows: Sequence[Mapping[str, Any]]) -> tuple[str, list[Any]]:
    columns = list(rows[0])
    row_marks = "(" + ", ".join(["%s"] * len(columns)) + ")"
    names = ", ".join(f'"{name}"' for name in columns)
    sql = f'insert into "{table}" ({names}) values {", ".join([row_marks] * len(rows))}'
    return sql, [row[name] for row in rows for name in columns]


def read_json(value: Any) -> Any:
    """A jsonb column as Python: raw cursors give text (Django's backend leaves the decoding to its fields)."""
    return json.loads(value) if isinstance(value, str | bytes) else value


def now() -> datetime:
    """The database's clock, the one all workers share: this machine's may be wrong."""
    row = fetch_one("select now() as at")
    assert row is not None  # noqa: S101 - now() always gives a row
    at: datetime = row["at"]
    return at
