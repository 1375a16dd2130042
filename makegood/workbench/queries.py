"""Reading the workbench."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from makegood.kit import db
from makegood.kit.asking import Question, answer
from makegood.workbench.states import ACTS

SEEN_FOR = timedelta(seconds=25)  # a page says every ten seconds that it is still open


@dataclass(frozen=True, slots=True)
class Someone:
    """A colleague on a case: what they do is viewing or replying."""

    name: str
    doing: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """A reply of one's own that goes out when it falls due, or was stopped."""

    id: int
    ref: str
    body: str
    due_at: datetime
    state: str


Keys = dict[str, tuple[str, ...]]


def keys_of(staff_id: int) -> Keys:
    """Every act with the keys this person has for it."""
    return answer(asking_keys(staff_id))


def asking_keys(staff_id: int) -> Question[Keys]:
    return Question(("select keys from workbench_keymap where staff_id = %s", [staff_id]), read=_keys)


def _keys(rows: Sequence[Mapping[str, Any]]) -> Keys:
    chosen = db.read_json(rows[0]["keys"]) if rows else {}
    return {act.name: tuple(chosen.get(act.name, act.keys)) for act in ACTS}


@db.query
def people_on(refs: Sequence[str], *, but: int | None, at: datetime) -> dict[str, list[Someone]]:
    """Who is on these cases now, beside oneself; those who write a reply first."""
    found: dict[str, list[Someone]] = defaultdict(list)
    for row in db.fetch(
        "select c.ref, s.name, p.doing from workbench_presence p join cases_case c on c.id = p.case_id"
        " join accounts_staff s on s.id = p.staff_id where c.ref = any(%s) and p.seen_at > %s and p.staff_id <> %s"
        " order by p.doing, s.name",
        [list(refs), at - SEEN_FOR, but or 0],
    ):
        found[row["ref"]].append(Someone(row["name"], row["doing"]))
    return dict(found)


def waiting_of(staff_id: int) -> list[Waiting]:
    """Replies of this person that are on their way or were stopped, the last first."""
    return answer(asking_waiting(staff_id))


def asking_waiting(staff_id: int) -> Question[list[Waiting]]:
    sql = (
        "select w.id, c.ref, w.body, w.due_at, w.state from workbench_outgoing w join cases_case c on c.id = w.case_id"
        " where w.staff_id = %s and w.state in ('waiting', 'stopped') order by w.id desc limit 20"
    )
    return Question((sql, [staff_id]), read=lambda rows: [Waiting(**row) for row in rows])


@dataclass(frozen=True, slots=True)
class MacroView:
    """A macro: its steps, and whether everybody has it."""

    id: int
    name: str
    steps: dict[str, str]
    then: str
    shared: bool


def macros_of(staff_id: int) -> list[MacroView]:
    """Own macros and shared ones, by name."""
    return answer(asking_macros(staff_id))


def asking_macros(staff_id: int) -> Question[list[MacroView]]:
    sql = (
        'select id, name, steps, "then", staff_id is null as shared from workbench_macro'
        " where staff_id = %s or staff_id is null order by name, id"
    )
    return Question(
        (sql, [staff_id]),
        read=lambda rows: [MacroView(**{**row, "steps": db.read_json(row["steps"])}) for row in rows],
    )
