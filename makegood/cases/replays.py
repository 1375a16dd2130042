"""Stored decisions as cases to decide anew: the facts of each decision in force, as rows of facts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import polars as pl

from makegood.kit import db
from makegood.policy.engines.claims import REFERENCE, frame_of
from makegood.policy.facts import Facts

BATCH = 5_000
_FACTS = """
select d.id, c.ref, d.facts
  from cases_decision d join cases_case c on c.merchant_id = d.merchant_id and c.id = d.case_id
 where not d.superseded and d.facts <> '' and d.id > %s
 order by d.id limit %s
"""


@db.query
def stored_facts(*, after: int, limit: int) -> list[tuple[int, str, str]]:
    """Facts of decisions in force, letter for letter, in the order in which they were made: id, case, facts."""
    return [(row["id"], row["ref"], row["facts"]) for row in db.fetch(_FACTS, [after, limit])]


@db.query
def count_stored() -> int:
    """How many decisions in force have their facts kept."""
    row = db.fetch_one("select count(*) as n from cases_decision where not superseded and facts <> ''")
    return int(row["n"]) if row else 0


def stored_cases(batch: int = BATCH, *, told: Callable[[int], None] = lambda _done: None) -> Iterator[pl.DataFrame]:
    """Frames of them, one row an asked line; each batch is a transaction of its own.

    ``told`` hears how many decisions were read so far, each time the frame before was dealt with.
    """
    after = done = 0
    while rows := stored_facts(after=after, limit=batch):
        told(done)
        after, done = rows[-1][0], done + len(rows)
        lines = [{**row, REFERENCE: ref} for _, ref, facts in rows for row in Facts.from_json(json.loads(facts)).rows]
        yield frame_of(lines)
    told(done)
