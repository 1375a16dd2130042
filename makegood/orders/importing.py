"""Import a file of orders: streamed, a transaction a batch, resumable, and harmless to repeat."""

from __future__ import annotations

import gc
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from contextvars import copy_context
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

from makegood.connectors import charsets
from makegood.connectors.formats import Format, find_format
from makegood.connectors.records import CatalogRecord, CustomerRecord, OrderRecord, Read, Reject
from makegood.kit import db, tenancy
from makegood.orders import staging
from makegood.orders.checking import check_catalog, check_customer, check_order
from makegood.orders.refusals import RecordRefused, Refusal
from makegood.orders.rejects import RejectsFile

SKEW = timedelta(days=1)  # a source may stand in a zone where it is already tomorrow


_USUAL_COLLECTING = gc.get_threshold()


@dataclass(slots=True)
class Counts:
    """``read`` and ``rejected`` count rows of the file; ``created``, ``updated``, ``unchanged`` count orders."""

    read: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    people: int = 0  # rows that tell of a person alone
    catalogue: int = 0  # rows that tell of an item that can be sent
    rejects_bytes: int = 0


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What an import has done; while it runs, what it has done so far."""

    import_id: int
    counts: Counts
    encoding: str
    resumed_after: int  # line of the file; 0 where the import began at the beginning
    rejects_file: str | None

    def as_json(self) -> dict[str, Any]:
        """The document of ``orders import --json``."""
        counts = {part.name: getattr(self.counts, part.name) for part in fields(Counts)}
        del counts["rejects_bytes"]
        return {
            **counts,
            "rejects_file": self.rejects_file,
            "encoding": self.encoding or None,
            "resumed_after": self.resumed_after,
        }


@dataclass(slots=True)
class _Batch:
    """Records of one transaction."""

    orders: list[staging.Staged] = field(default_factory=list)
    people: dict[str, dict[str, Any]] = field(default_factory=dict)
    catalogue: list[CatalogRecord] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    rows: int = 0
    people_rows: int = 0
    last_line: int = 0


def import_orders(
    *,
    path: str,
    format: str,  # noqa: A002 - the word of the command line
    at: datetime,
    declared_encoding: str | None = None,
    progress: Callable[[ImportResult], None] | None = None,
    batch_rows: int = 2000,
) -> ImportResult:
    """Read orders into the merchant in sight; memory does not grow with the file.

    Every batch commits wholly or not at all, together with how far it came: an import that was cut off goes on
    from there when the same file is imported again, and a finished file is compared. Two imports of one file at
    once wait for each other. Rows that cannot be used go to the rejects file. Raises ImportFormatUnknown,
    FileUnreadable, EncodingUnknown, and what the parser refuses the whole file for.
    """
    form = find_format(format)
    digest = _digest_of(path, form)
    encoding = ""
    if form.is_text and form.path_is == "file":
        encoding = (charsets.declared(declared_encoding) if declared_encoding else charsets.detect_encoding(path)).name
    with _alone_with(digest), _seldom_collecting():
        told = _open_import(name=form.name, path=path, digest=digest, encoding=encoding, at=at)
        rejects_path = _rejects_path(told["id"], path)
        counts = Counts(**json.loads(told["counts"]))
        result = ImportResult(
            told["id"], counts, encoding, told["last_line"], str(rejects_path) if counts.rejected else None
        )
        with closing(RejectsFile(rejects_path, size=counts.rejects_bytes)) as rejects:
            records = form.parser(path, start_line=told["last_line"], encoding=declared_encoding, at=at)
            home = _home_market()
            batches = _batches(records, told["last_line"], at=at, home=home, batch_rows=batch_rows)
            for batch in _read_ahead(batches):
                counts = _store_batch(batch, result, rejects, source_format=form.name, at=at)
                result = ImportResult(
                    result.import_id,
                    counts,
                    encoding,
                    result.resumed_after,
                    str(rejects_path) if counts.rejected else None,
                )
                if progress:
                    progress(result)
        _close_import(result, at=at)
    return result


def _digest_of(path: str, form: Format) -> str:
    """SHA-256 of the file, or of the files of a folder in order of their names. Raises FileUnreadable."""
    place = Path(path)
    try:
        if form.path_is == "folder" and place.is_dir():
            whole = sha256()
            for part in sorted(file for file in place.iterdir() if file.is_file()):
                with part.open("rb") as file:
                    whole.update(part.name.encode(errors="replace") + file_digest(file, "sha256").digest())
            return whole.hexdigest()
        with place.open("rb") as file:
            return file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise charsets.FileUnreadable(path, field="file", rule=error.strerror or str(error)) from None


@contextmanager
def _seldom_collecting() -> Iterator[None]:
    """Look for rings of objects seldom: records make many objects and no rings; looking took a tenth of the time."""
    gc.set_threshold(50_000, *_USUAL_COLLECTING[1:])
    try:
        yield
    finally:
        gc.set_threshold(*_USUAL_COLLECTING)


@contextmanager
def _alone_with(digest: str) -> Iterator[None]:
    """Hold the file for this import: a lock of the connection, which ends with it however it ends."""
    key = f"orders.import/{tenancy.require_merchant_id()}/{digest}"
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_lock(hashtextextended(%s, 0))", [key])
    try:
        yield
    finally:
        if connection.connection is not None and not connection.connection.closed:
            with connection.cursor() as cursor:
                cursor.execute("select pg_advisory_unlock(hashtextextended(%s, 0))", [key])


@db.command
def _open_import(*, name: str, path: str, digest: str, encoding: str, at: datetime) -> dict[str, Any]:
    """The unfinished import of this file, or a new one."""
    unfinished = db.fetch(
        "select id, last_line, counts from orders_import"
        " where file_sha256 = %s and format = %s and encoding = %s and state = 'running' order by id desc limit 1",
        [digest, name, encoding],
    )
    if unfinished:
        return unfinished[0]
    [new] = db.fetch(
        "insert into orders_import (format, file_name, file_sha256, encoding, state, last_line, counts, rejects_file,"
        " started_at) values (%s, %s, %s, %s, 'running', 0, '{}', '', %s) returning id, last_line, counts",
        [name, Path(path).name[:200], digest, encoding, at],
    )
    return new


@db.command
def _close_import(result: ImportResult, *, at: datetime) -> None:
    db.execute("update orders_import set state = 'done', finished_at = %s where id = %s", [at, result.import_id])


@db.query
def _home_market() -> str:
    return staging.home_market()


def _rejects_path(import_id: int, path: str) -> Path:
    return (
        Path(settings.DATA_DIR) / "rejects" / f"{tenancy.require_merchant_id()}-{import_id}-{Path(path).stem[:80]}.csv"
    )


def _batches(
    records: Iterator[tuple[int, Read]], start: int, *, at: datetime, home: str, batch_rows: int
) -> Iterator[_Batch]:
    """Cut the stream where a record has ended, so that going on from there loses and repeats nothing."""
    batch = _Batch(last_line=start)
    for position, record in records:
        _add(batch, position, record, at, home)
        ended = position > batch.last_line
        batch.last_line = position
        if ended and batch.rows >= batch_rows:
            yield batch
            batch = _Batch(last_line=position)
    if batch.rows:
        yield batch


def _read_ahead(batches: Iterator[_Batch]) -> Iterator[_Batch]:
    """The same batches, each read and checked while the database stores the one before it; never more than one."""
    context = copy_context()  # the reader works for the same merchant, in the same language

    def read() -> _Batch | None:
        return context.run(lambda: next(batches, None))

    with ThreadPoolExecutor(1, thread_name_prefix="import") as reader:
        following = reader.submit(read)
        while (batch := following.result()) is not None:
            following = reader.submit(read)
            yield batch


def _add(batch: _Batch, position: int, record: Read, at: datetime, home: str) -> None:
    if isinstance(record, OrderRecord):
        batch.rows += len(record.source) or 1
        try:
            check_order(record, at=at, skew=SKEW, strict=False)
            batch.orders.append(staging.stage(record, position, home=home))
        except RecordRefused as why:
            batch.rejects += _rejects_of(why, position, record.number, record.source)
        return
    batch.rows += 1
    if isinstance(record, Reject):
        batch.rejects.append(record)
        return
    try:
        if isinstance(record, CatalogRecord):
            check_catalog(record)
            batch.catalogue.append(record)
        else:
            _add_person(batch, record, home)
    except RecordRefused as why:
        number = record.sku if isinstance(record, CatalogRecord) else record.reference
        batch.rejects += _rejects_of(why, position, number, [])


def _add_person(batch: _Batch, record: CustomerRecord, home: str) -> None:
    check_customer(record)
    reference, doc = staging.stage_customer(record, home)
    if reference == staging.NOBODY:
        raise RecordRefused("field_missing", field="reference")
    batch.people[reference] = doc
    batch.people_rows += 1


def _rejects_of(why: RecordRefused, position: int, number: str, source: list[dict[str, Any]]) -> list[Reject]:
    """A refused order is refused with every row it stands on."""
    refusal: Refusal = why.refusal(position, number)
    english, chinese = refusal.words()
    return [
        Reject(
            int(row.get("line", position)),
            refusal.field,
            refusal.value,
            refusal.code,
            english,
            chinese,
            row.get("row", {"number": number}),
        )
        for row in source or [{}]
    ]


@db.command
def _store_batch(
    batch: _Batch, before: ImportResult, rejects: RejectsFile, *, source_format: str, at: datetime
) -> Counts:
    staging.store_people(batch.people, at=at)
    staging.store_catalogue(batch.catalogue)
    stored = staging.store(batch.orders, source_format=source_format, import_id=before.import_id, at=at)
    sources = {order.number: order for order in batch.orders}
    refused = list(batch.rejects)
    for number, why in stored.refused.items():
        refused += _rejects_of(why, sources[number].index, number, sources[number].source)
    rejects.append(refused)
    was = before.counts
    counts = Counts(
        read=was.read + batch.rows,
        created=was.created + len(stored.created),
        updated=was.updated + len(stored.updated),
        unchanged=was.unchanged + len(stored.unchanged),
        rejected=was.rejected + len(refused),
        people=was.people + batch.people_rows,
        catalogue=was.catalogue + len(batch.catalogue),
        rejects_bytes=rejects.size,
    )
    db.execute(
        "update orders_import set last_line = %s, counts = %s::jsonb, rejects_file = %s where id = %s",
        [
            batch.last_line,
            json.dumps({part.name: getattr(counts, part.name) for part in fields(Counts)}),
            str(rejects.path)[-400:] if counts.rejected else "",
            before.import_id,
        ],
    )
    return counts
