"""Django's PostgreSQL backend, which names the merchant as the first statement of every transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg
from django.db import IntegrityError
from django.db.backends.postgresql import base
from psycopg import _preparing, pq

from makegood.kit import tenancy
from makegood.kit.postgres.backend import rounds

# More than psycopg's 100: we have more statements than that, and each forgotten one is planned anew.
PREPARED_MAX = 500


class KeptThroughRollbacks(_preparing.PrepareManager):
    """Prepared statements outlive a rollback, as they do in PostgreSQL.

    psycopg forgets all of them at every rollback, for the sake of programs that create and drop tables as they go.
    Ours does so in migrations only; and each refused request, preview and rehearsal ends with a rollback.
    """

    def _should_discard(self, prep: _preparing.Prepare, results: Sequence[pq.abc.PGresult], *rest: Any) -> bool:
        dropped = [result for result in results if not (result.command_status or b"").startswith(b"ROLLBACK")]
        if not dropped or not super()._should_discard(prep, dropped, *rest):
            return False
        return super().clear()

    def forget_since(self, first: int) -> None:
        """Forget what was to be prepared from this number on: after a failed statement nothing of a round trip is done.

        One that was prepared all the same stays behind under a name that is never used again.
        """
        for key, name in list(self._names.items()):
            if int(name.rpartition(b"_")[2]) >= first:
                del self._names[key]

    def clear(self) -> bool:
        """What a rollback asks for, and what a statement that drops or alters something asks for first."""
        return bool(self._names)


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL with its values; ``refusals`` says what a broken constraint of that name means to people.

    What begins and ends transactions is ``bare``: nobody who counts or logs statements is told.
    """

    sql: str
    params: Sequence[Any] | Mapping[str, Any] = ()
    refusals: Mapping[str, Exception] = field(default_factory=dict)
    bare: bool = False


class DatabaseWrapper(base.DatabaseWrapper):
    """``SET LOCAL`` cannot leak into the next user of a pooled connection, and no transaction can forget it.

    A statement whose answer nobody needs may wait (``send``): it goes out with the next one that is asked, or with the
    commit, in one round trip and in the order in which they were said. So do the two that begin a transaction.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        # What ``db.kept`` has read in the transaction that is open.
        self.kept: dict[tuple[object, ...], Any] = {}
        self._opening: list[Statement] = []  # begins the transaction, until something is said in it
        self._waiting: list[Statement] = []
        self._transformer: Any = None  # of the connection that is open

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        connection = super().get_new_connection(conn_params)
        manager = KeptThroughRollbacks()
        manager.prepare_threshold = connection.prepare_threshold
        manager.prepared_max = PREPARED_MAX
        connection._prepared = manager  # noqa: SLF001 - the library offers no other way
        self._opening, self._waiting = [], []
        self._transformer = rounds.transformer_of(connection)
        return connection

    def send(self, statement: Statement) -> None:
        """Let a statement of the open transaction wait for the next one."""
        self.validate_no_broken_transaction()
        self._waiting.append(statement)

    def ask(self, *statements: Statement) -> list[Any]:
        """Cursors with the answers, after everything that waits, in one round trip.

        Raises what a broken constraint means where its statement says so, else Django's errors.
        """
        self.validate_no_broken_transaction()
        self.close_if_health_check_failed()
        self.ensure_connection()
        try:
            return self._run([*self._taken(), *statements])[-len(statements) :] if statements else self._flush()
        except IntegrityError as problem:
            if (refusal := getattr(problem, "refusal", None)) is not None:
                raise refusal from problem
            raise

    def _taken(self) -> list[Statement]:
        taken = [*self._opening, *self._waiting]
        self._opening, self._waiting = [], []
        return taken

    def _flush(self) -> list[Any]:
        return self._run(taken) if (taken := self._taken()) else []

    def _run(self, statements: list[Statement]) -> list[Any]:
        cursors: list[Any] = []
        try:
            with self.wrap_database_errors:
                if len(statements) == 1 and not self.in_atomic_block:
                    self._run_one(statements[0], cursors)
                else:
                    self._run_together(statements, cursors)
        except IntegrityError as problem:
            name = str(getattr(getattr(problem.__cause__, "diag", None), "constraint_name", None))
            failed = next((n for n, cursor in enumerate(cursors) if cursor.pgresult is None), 0)
            problem.refusal = statements[failed].refusals.get(name)  # type: ignore[attr-defined]  # for our own eyes
            raise
        return cursors

    def _run_together(self, statements: list[Statement], cursors: list[Any]) -> None:
        manager = self.connection._prepared  # noqa: SLF001 - ours: see get_new_connection
        number = manager._prepared_idx  # noqa: SLF001 - same
        first: psycopg.Error | None = None
        try:
            if not (self.execute_wrappers or self.queries_logged):
                said = [(statement.sql, statement.params) for statement in statements]
                rounds.run(self.connection, self._transformer, said, cursors)
                return
            with self.connection.pipeline():  # each said to those who count or log
                for statement in statements:
                    try:
                        self._run_one(statement, cursors)
                    except psycopg.Error as problem:
                        first = problem  # what comes after it was not done, and is not worth a word
                        break
        except psycopg.Error as problem:
            first = first or problem
        if first is not None:
            manager.forget_since(number)
            raise first

    def _run_one(self, statement: Statement, cursors: list[Any]) -> None:
        cursor = super().create_cursor()
        cursors.append(cursor)
        if statement.bare or not (self.execute_wrappers or self.queries_logged):
            cursor.execute(statement.sql, statement.params)
        else:
            self._prepare_cursor(cursor).execute(statement.sql, statement.params)  # type: ignore[attr-defined]  # Django's

    def create_cursor(self, name: str | None = None) -> Any:
        """A cursor for Django; what waits goes first."""
        self._flush()
        return super().create_cursor(name)

    def _set_autocommit(self, autocommit: bool) -> None:  # noqa: FBT001 - Django's signature
        self.kept = {}
        self._opening, self._waiting = [], []
        if autocommit or not self.connection.autocommit:
            super()._set_autocommit(autocommit)  # type: ignore[misc]
            return
        # The library would begin by itself, with a round trip of its own.
        self._opening.append(BEGIN)
        if (merchant_id := tenancy.current_merchant_id()) is not None:
            self._opening.append(Statement(tenancy.NAME_MERCHANT, [str(merchant_id)], bare=True))

    def _commit(self) -> None:
        if self.connection is not None and self._waiting:
            self._run([*self._taken(), COMMIT])
        self._opening = []  # where nothing was said there is nothing to end
        super()._commit()  # type: ignore[misc]

    def _rollback(self) -> None:
        self._opening, self._waiting = [], []
        super()._rollback()  # type: ignore[misc]

    def _savepoint_rollback(self, sid: str) -> None:
        self._waiting = []
        super()._savepoint_rollback(sid)  # type: ignore[misc]


BEGIN = Statement("BEGIN", bare=True)
COMMIT = Statement("COMMIT", bare=True)
