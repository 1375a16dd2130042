"""Typed slots and the sentences that hold them: a slot without a value drops its sentence. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from babel.dates import format_date

from makegood.kit.money import Money
from makegood.kit.pages.language import babel_locale

_NAME = re.compile(r"[^\W\d_]+(?:[ ·.'\u2019-]+[^\W\d_]+){0,5}\.?")
LONGEST_NAME = 40


@dataclass(frozen=True, slots=True)
class Slot:
    """A value with the place it comes from (``decision.remedies[0].amount``)."""

    name: str
    value: Money | date | int | str
    source: str

    @property
    def kind(self) -> str:
        if isinstance(self.value, Money):
            return "money"
        if isinstance(self.value, date):
            return "date"
        return "number" if isinstance(self.value, int) else "text"

    def words(self) -> str:
        """As the customer reads it, in the language in use."""
        if isinstance(self.value, Money):
            return self.value.words(babel_locale())
        if isinstance(self.value, date):
            return format_date(self.value, "long", locale=babel_locale())
        return str(self.value)


@dataclass(frozen=True, slots=True)
class Sentence:
    """``part``: greeting, acknowledgement, facts, decision, next, options, tip or close."""

    part: str
    text: str
    slots: tuple[Slot, ...] = ()


def say(part: str, words: str, *slots: Slot | None) -> tuple[Sentence, ...]:
    """The sentence with its slots filled in, once; nothing where one has no value, or where there are no words."""
    held = [one for one in slots if one is not None and one.value != ""]
    if not words or len(held) != len(slots):
        return ()
    return (Sentence(part, words % {one.name: one.words() for one in held}, tuple(held)),)


def due_day(due: datetime) -> date:
    """The last day on which something can be done: due at midnight is the day before. ``due`` is in its zone."""
    return (due - timedelta(minutes=1)).date() if (due.hour, due.minute) == (0, 0) else due.date()


def plain_name(name: str) -> str:
    """The name where it is one; empty where it is no name but a text."""
    name = " ".join(name.split())
    return name if len(name) <= LONGEST_NAME and _NAME.fullmatch(name) else ""


def joined(sentences: Iterable[Sentence]) -> str:
    """The body of the reply: a paragraph for each part, in the order of the sentences."""
    paragraphs: dict[str, list[str]] = {}
    for one in sentences:
        paragraphs.setdefault(one.part, []).append(one.text)
    return "\n\n".join("\n".join(lines) for lines in paragraphs.values())
