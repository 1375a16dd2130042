"""Several statements in one round trip, said at once and answered together.

The library's pipeline waits for the socket once for every statement, and makes a cursor, a converter and their
caches anew each time. Hot paths say some hundred statements a case: here they are written into one buffer, sent
together, and their answers are read with converters that are kept with the connection.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from psycopg import _preparing, adapt, generators, pq
from psycopg._queries import PostgresQuery
from psycopg.abc import PQGen
from psycopg.errors import error_from_result

SYNCED = pq.ExecStatus.PIPELINE_SYNC
ABORTED = pq.ExecStatus.PIPELINE_ABORTED
WELL = frozenset({pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK, pq.ExecStatus.EMPTY_QUERY})
TEXT = pq.Format.TEXT

Said = tuple[str, Sequence[Any] | Mapping[str, Any]]


class Answer:
    """What came back for a statement, with so much of a cursor's interface as is used; rows are made when asked for.

    ``pgresult`` is None where the statement failed or was not reached.
    """

    __slots__ = ("_transformer", "pgresult")

    def __init__(self, transformer: Any) -> None:
        self._transformer = transformer
        self.pgresult: Any = None

    @property
    def rowcount(self) -> int:
        if self.pgresult.status == pq.ExecStatus.TUPLES_OK:
            return int(self.pgresult.ntuples)
        touched = self.pgresult.command_tuples
        return -1 if touched is None else int(touched)

    def fetchall(self) -> list[tuple[Any, ...]]:
        if self.pgresult.status != pq.ExecStatus.TUPLES_OK:
            raise psycopg.ProgrammingError("the statement gives no rows")
        if not self.pgresult.ntuples:
            return []
        self._transformer.set_pgresult(self.pgresult)
        rows: list[tuple[Any, ...]] = self._transformer.load_rows(0, self.pgresult.ntuples, tuple)
        return rows


def run(connection: Any, transformer: Any, said: Sequence[Said], answers: list[Answer]) -> None:
    """Say all of it and fill ``answers``, one for each statement up to the one that failed, whose error is raised.

    ``transformer`` is the connection's own, kept between calls. Raises the library's errors.
    """
    manager = connection._prepared  # noqa: SLF001 - the library offers no other way to share its prepared statements
    pgconn = connection.pgconn
    kept: list[tuple[Any, Any, bytes] | None] = []
    expected: list[int | None] = []  # for each result that comes: the number of its statement; None for a preparation
    with connection.lock:
        connection._check_connection_ok()  # noqa: SLF001 - same
        pgconn.enter_pipeline_mode()
        try:
            for number, (sql, params) in enumerate(said):
                kept.append(_say(pgconn, manager, transformer, sql, params, number, expected))
            pgconn.pipeline_sync()
            results = connection.wait(_exchange(pgconn, len(expected)))
        finally:
            _leave(pgconn)
    _sort_out(pgconn, manager, transformer, results, expected, kept, answers)
    if manager._to_flush:  # noqa: SLF001 - same
        with connection.lock:
            connection.wait(manager.maintain_gen(connection))


def _say(
    pgconn: Any, manager: Any, transformer: Any, sql: str, params: Any, number: int, expected: list[int | None]
) -> tuple[Any, Any, bytes] | None:
    query = PostgresQuery(transformer)
    query.convert(sql, params)
    prepare, name = manager.get(query)
    if prepare is _preparing.Prepare.NO:
        pgconn.send_query_params(
            query.query, query.params, param_formats=query.formats, param_types=query.types, result_format=TEXT
        )
    else:
        if prepare is _preparing.Prepare.SHOULD:
            pgconn.send_prepare(name, query.query, param_types=query.types)
            expected.append(None)
        pgconn.send_query_prepared(name, query.params, param_formats=query.formats, result_format=TEXT)
    expected.append(number)
    key = manager.maybe_add_to_cache(query, prepare, name)
    return None if key is None else (key, prepare, name)


def _exchange(pgconn: Any, count: int) -> PQGen[list[Any]]:
    """Send what was written, and read one result for each thing said, then that both sides agree."""
    yield from generators.send(pgconn)
    results: list[Any] = []
    for _ in range(count):
        several = yield from generators.fetch_many(pgconn)
        if len(several) != 1:
            raise psycopg.InternalError("one result was expected for each statement")
        results.append(several[0])
    synced = yield from generators.fetch_many(pgconn)
    if [result.status for result in synced] != [SYNCED]:
        raise psycopg.InternalError("the answers do not end where the statements do")
    return results


def _leave(pgconn: Any) -> None:
    if pgconn.status == pq.ConnStatus.BAD:
        return
    try:
        pgconn.exit_pipeline_mode()
    except psycopg.OperationalError:
        # Answers were not read to their end: what would be read next is not what is asked next.
        pgconn.finish()


def _sort_out(
    pgconn: Any,
    manager: Any,
    transformer: Any,
    results: Sequence[Any],
    expected: Sequence[int | None],
    kept: Sequence[tuple[Any, Any, bytes] | None],
    answers: list[Answer],
) -> None:
    for result, number in zip(results, expected, strict=True):
        if result.status not in WELL:
            answers.append(Answer(transformer))
            if result.status == ABORTED:
                raise psycopg.errors.PipelineAborted("pipeline aborted")
            raise error_from_result(result, encoding=pgconn._encoding)  # noqa: SLF001 - same
        if number is None:
            continue
        answer = Answer(transformer)
        answer.pgresult = result
        answers.append(answer)
        if (new := kept[number]) is not None:
            manager.validate(*new, [result])


def transformer_of(connection: Any) -> Any:
    """Converters of values for a connection, to be kept with it."""
    return adapt.Transformer(connection)
