"""Learning which rows a piece of work writes, and writing the very same rows again with bare psycopg.

Triggers note every row that is written by a statement (not by another trigger, which fires for either side).
A replay writes them anew: in the same transactions, each row once in its final form, rows of one table in one
prepared statement, into the same tables with all their constraints, triggers and row-level security.
"""

from __future__ import annotations

import itertools
import json
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import sql

Row = dict[str, Any]
_FIRST_ID = 10**15  # ids of replayed rows, out of reach of the sequences and of the rows of bulk.py

_NOTE = """
create schema bench_notes;
create table bench_notes.written
    (n bigserial primary key, tx bigint not null, op text not null, name text not null, content jsonb not null);
create function bench_notes.note() returns trigger language plpgsql security definer as $$
begin
    if pg_trigger_depth() = 1 then
        insert into bench_notes.written (tx, op, name, content)
        values (txid_current(), tg_op, tg_table_name, to_jsonb(case when tg_op = 'DELETE' then old else new end));
    end if;
    return null;
end $$;
grant usage on schema bench_notes to public;
"""
_TABLES = "select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace order by 1"


@dataclass(slots=True)
class Written:
    """One row as a statement left it."""

    op: str
    table: str
    content: Row


@contextmanager
def noted(admin_dsn: str) -> Iterator[list[list[Written]]]:
    """What the block writes, transaction by transaction; filled when the block ends."""
    found: list[list[Written]] = []
    with psycopg.connect(admin_dsn, autocommit=True) as admin:
        admin.execute(_NOTE)
        tables = [row[0] for row in admin.execute(_TABLES)]
        for table in tables:
            admin.execute(
                sql.SQL(
                    "create trigger zzz_note after insert or update or delete on {} for each row"
                    " execute function bench_notes.note()"
                ).format(sql.Identifier(table))
            )
        yield found
        rows = admin.execute("select tx, op, name, content from bench_notes.written order by n").fetchall()
        for table in tables:
            admin.execute(sql.SQL("drop trigger zzz_note on {}").format(sql.Identifier(table)))
        admin.execute("drop schema bench_notes cascade")
    for _, same in itertools.groupby(rows, key=lambda row: row[0]):
        found.append([Written(op, name, content) for _, op, name, content in same])


@dataclass(slots=True)
class Step:
    """One statement: rows of one table inserted, or one row changed."""

    op: str
    table: str
    rows: list[Row]


def plan(transaction: list[Written]) -> list[Step]:
    """The fewest statements that leave the same rows: each row once, in its final form."""
    steps: list[Step] = []
    for written in transaction:
        mine = [
            (step, row)
            for step in steps
            for row in step.rows
            if step.table == written.table and row.get("id") == written.content.get("id") and "id" in row
        ]
        if written.op == "UPDATE" and mine and written.table != "ledger_head":
            mine[-1][1].update(written.content)
        elif written.op == "INSERT" and (known := _insert_of(steps, written.table)):
            known.rows.append(dict(written.content))
        else:
            steps.append(Step(written.op, written.table, [dict(written.content)]))
    return steps


def _insert_of(steps: list[Step], table: str) -> Step | None:
    """The insert that a further row may join; entries of the ledger are written one after the other."""
    if table.startswith("ledger_"):
        return steps[-1] if steps and (steps[-1].op, steps[-1].table) == ("INSERT", table) else None
    return next((step for step in steps if (step.op, step.table) == ("INSERT", table)), None)


@dataclass(slots=True)
class Shape:
    """What the catalog says of a table: where its columns point, what must be unique, what the database fills in."""

    columns: list[str]
    types: Mapping[str, str]
    points_at: Mapping[str, str]
    unique_texts: frozenset[str]


def read_shapes(admin_dsn: str, tables: set[str]) -> dict[str, Shape]:
    with psycopg.connect(admin_dsn) as admin:
        return {table: _shape(admin, table) for table in tables}


def _shape(admin: psycopg.Connection, table: str) -> Shape:
    columns = admin.execute(
        "select attname, format_type(atttypid, null) from pg_attribute where attrelid = %s::regclass"
        " and attnum > 0 and not attisdropped and attgenerated = '' order by attnum",
        [table],
    ).fetchall()
    points = admin.execute(
        "select a.attname, c.confrelid::regclass::text from pg_constraint c"
        " cross join lateral unnest(c.conkey, c.confkey) as k(mine, theirs)"
        " join pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.mine"
        " join pg_attribute b on b.attrelid = c.confrelid and b.attnum = k.theirs and b.attname = 'id'"
        " where c.contype = 'f' and c.conrelid = %s::regclass",
        [table],
    ).fetchall()
    unique = admin.execute(
        "select array_agg(a.attname::text) from pg_index i cross join lateral unnest(i.indkey) as k(n)"
        " join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.n"
        " where i.indisunique and i.indrelid = %s::regclass group by i.indexrelid",
        [table],
    ).fetchall()
    types: dict[str, str] = dict(columns)
    points_at = {name: target for name, target in points if name != "merchant_id"}
    texts = {
        name
        for (names,) in unique
        if not {"id", "subject_id", "seq", *points_at} & set(names)
        for name in names
        if types[name] in {"character varying", "text", "uuid"}
    }
    return Shape([name for name, _ in columns], types, points_at, frozenset(texts))


# The subject of a ledger account is a row of another table, without a foreign key.
SUBJECTS = {
    "goods": "orders_line",
    "claims": "orders_line",
    "value": "orders_line",
    "shipping": "orders_order",
    "money": "orders_payment",
    "points": "customers_customer",
}

Given = Mapping[str, Mapping[int, int]]
"""By table, the id that stands in a replay for the id in the notes: for rows that were there before."""


@dataclass
class Replay:
    """Writes noted rows again and again for another merchant, each time about other orders."""

    dsn: str
    merchant_id: int
    transactions: list[list[Step]]
    shapes: dict[str, Shape]
    ledger_seq: int
    nth: int = 0
    ids: Iterator[int] = field(default_factory=lambda: itertools.count(_FIRST_ID))
    rows: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.connection = psycopg.connect(self.dsn, prepare_threshold=0)
        self._statements: dict[tuple[str, str, int], str] = {}

    def prepare(self, given: Given) -> Callable[[], None]:
        """Everything but the writing, made ready beforehand: only the database's work is timed."""
        known: dict[str, dict[int, int]] = {table: dict(pairs) for table, pairs in given.items()}
        self.nth += 1
        work = [[self._statement(step, known) for step in steps] for steps in self.transactions]

        def write() -> None:
            for statements in work:
                with self.connection.transaction():
                    self.connection.execute("select set_config('makegood.merchant', %s, true)", [str(self.merchant_id)])
                    for text, values in statements:
                        self.connection.execute(text, values)

        return write

    def _statement(self, step: Step, known: dict[str, dict[int, int]]) -> tuple[str, list[Any]]:
        shape = self.shapes[step.table]
        rows = [self._row(step, shape, row, known) for row in step.rows]
        if step.op == "INSERT":
            self.rows[step.table] += len(rows)
        return self._text(step, shape, len(rows)), [value for row in rows for value in row]

    def _text(self, step: Step, shape: Shape, count: int) -> str:
        key = (step.op, step.table, count)
        if key not in self._statements:
            names = ", ".join(f'"{name}"' for name in shape.columns)
            if step.op == "INSERT":
                marks = "(" + ", ".join(f"%s::{shape.types[name]}" for name in shape.columns) + ")"
                self._statements[key] = (
                    f'insert into "{step.table}" ({names}) overriding system value values {", ".join([marks] * count)}'
                )
            else:
                changed = ", ".join(f'"{name}" = %s::{shape.types[name]}' for name in self._changed(shape))
                end = "id = %s" if "id" in shape.columns else "merchant_id = %s"
                self._statements[key] = f'update "{step.table}" set {changed} where {end}'
        return self._statements[key]

    def _changed(self, shape: Shape) -> list[str]:
        return [name for name in shape.columns if name not in {"id", "merchant_id"}]

    def _row(self, step: Step, shape: Shape, row: Row, known: dict[str, dict[int, int]]) -> list[Any]:
        if "id" in row and row["id"] not in known.setdefault(step.table, {}):
            known[step.table][row["id"]] = next(self.ids)
        if step.table in {"ledger_entry", "ledger_head"}:
            self.ledger_seq += step.table == "ledger_entry"
            row = {**row, "seq": self.ledger_seq}
        new = {name: self._value(step.table, shape, row, name, known) for name in shape.columns}
        if step.op == "INSERT":
            return list(new.values())
        return [*(new[name] for name in self._changed(shape)), new.get("id", self.merchant_id)]

    def _value(self, table: str, shape: Shape, row: Row, name: str, known: dict[str, dict[int, int]]) -> Any:  # noqa: PLR0911
        value = row.get(name)
        if value is None:
            return None
        if name == "merchant_id":
            return self.merchant_id
        if name == "id":
            return known[table][value]
        if name == "subject_id":
            return known[SUBJECTS[row["book"]]][value]
        if name in shape.points_at:
            return known.get(shape.points_at[name], {}).get(value, value)
        if name in shape.unique_texts:
            return self._unlike(shape.types[name], value)
        return json.dumps(value) if shape.types[name] in {"jsonb", "json"} else value

    def _unlike(self, kind: str, value: str) -> str:
        """Another value of the same length."""
        if kind == "uuid":
            return str(uuid.uuid4())
        end = f"{self.nth:08d}"
        return value[: -len(end)] + end if len(value) > len(end) else f"{value}{end}"
