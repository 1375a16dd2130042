"""A table of figures: for a page, where each figure opens its cases, and for files, raw or as people read it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from makegood.insight.slices import Slice
from makegood.kit.money import Money


@dataclass(frozen=True, slots=True)
class Column:
    """``type`` is text, count, money or time."""

    key: str
    title: str
    type: str = "text"
    bar: bool = False  # drawn as a bar beside its figure, and in the picture of the table


@dataclass(frozen=True, slots=True)
class Cell:
    """``value``: a code or text, a count, Money, a moment, or None; ``said``: a code in the reader's language.

    ``behind`` are the cases that it counts.
    """

    value: Any
    behind: Slice | None = None
    said: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    key: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""

    def most(self, column: Column) -> int:
        """The largest value of a column, for its bars; at least 1."""
        at = self.columns.index(column)
        return max((size_of(row[at].value) for row in self.rows), default=0) or 1


def size_of(value: Any) -> int:
    """How long a bar for a value is, beside others of its column."""
    return value.minor if isinstance(value, Money) else value if isinstance(value, int) else 0


def raw_head(columns: Sequence[Column]) -> list[str]:
    """Names of the columns of a raw file; money takes two."""
    head: list[str] = []
    for column in columns:
        head += [f"{column.key}_minor", f"{column.key}_currency"] if column.type == "money" else [column.key]
    return head


def raw_row(columns: Sequence[Column], row: Iterable[Any]) -> list[str | int]:
    """Codes, whole minor units and moments in UTC."""
    told: list[str | int] = []
    for column, value in zip(columns, row, strict=True):
        if column.type == "money":
            told += ["", ""] if value is None else [value.minor, value.currency]
        elif isinstance(value, datetime):
            told.append(value.astimezone(UTC).isoformat())
        else:
            told.append(value if isinstance(value, int) else str(value or ""))
    return told


def json_row(columns: Sequence[Column], row: Iterable[Any]) -> dict[str, Any]:
    """As the API writes it: money with its currency, moments in RFC 3339."""

    def told(value: Any) -> Any:
        if isinstance(value, Money):
            return value.as_json()
        return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value

    return {column.key: told(value) for column, value in zip(columns, row, strict=True)}
