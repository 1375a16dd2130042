"""Questions to the database that know what their rows mean, so that several of them can travel together.

A query is written as a question once; asked alone it is one round trip, and a page that needs many of them
asks all in one (``ask``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

from django.db import models

from makegood.kit import db

R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)
M = TypeVar("M", bound=models.Model)
Rows = list[dict[str, Any]]


class NotAsked(RuntimeError):
    """The answer of a question was read before it was asked: a defect."""


class Question(Generic[R_co]):
    """``statements`` that need not wait for one another; ``read`` makes the answer of the rows of each."""

    def __init__(self, *statements: tuple[str, db.Params], read: Callable[..., R_co]) -> None:
        self.statements = statements
        self._read = read
        self._answer: list[R_co] = []

    def take(self, rows: list[Rows]) -> None:
        self._answer = [self._read(*rows)]

    @property
    def answer(self) -> R_co:
        """Raises NotAsked."""
        if not self._answer:
            raise NotAsked
        return self._answer[0]


def known(answer: R) -> Question[R]:
    """A question of which the answer is known already."""
    return Question(read=lambda: answer)


def joined(read: Callable[..., R], *questions: Question[Any]) -> Question[R]:
    """One question of several; ``read`` makes its answer of theirs."""

    def read_all(*rows: Rows) -> R:
        left, answers = list(rows), []
        for one in questions:
            count = len(one.statements)
            one.take(left[:count])
            answers.append(one.answer)
            left = left[count:]
        return read(*answers)

    return Question(*(statement for one in questions for statement in one.statements), read=read_all)


@db.query
def ask(*questions: Question[Any]) -> None:
    """Put all of these in one round trip; each holds its answer then."""
    said = [statement for one in questions for statement in one.statements]
    rows = db.fetch_each(*said) if said else []
    for one in questions:
        count = len(one.statements)
        one.take(rows[:count])
        rows = rows[count:]


def answer(question: Question[R]) -> R:
    """What one question gives when it is asked alone."""
    ask(question)
    return question.answer


def instance(model: type[M], row: Mapping[str, Any]) -> M:
    """A row of ``select *`` as Django's own loading would give it."""
    names, values = [], []
    for field in model._meta.concrete_fields:  # noqa: SLF001 - Django documents it
        names.append(field.attname)
        value = row[str(field.column)]
        values.append(db.read_json(value) if isinstance(field, models.JSONField) else value)
    return model.from_db("default", names, values)
