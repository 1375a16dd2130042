"""Tables of figures as files: CSV, XLSX and JSON, raw or as people read them, and PNG."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

from makegood.insight.tables import Cell, Column, Table, json_row, raw_head, raw_row, size_of
from makegood.kit import paper, sheets
from makegood.kit.money import Money

# Of the cases behind a figure in one file; a narrower slice has the rest.
CASES_MAX = 100_000
Rows = Iterable[Sequence[Cell]]


def as_csv(columns: Sequence[Column], rows: Rows, *, raw: bool, told: Callable[[Cell], str]) -> Iterator[str]:
    """Lines of a CSV file: codes and minor units where ``raw``, else as ``told`` says each cell."""
    if raw:
        return sheets.csv_lines(raw_head(columns), (raw_row(columns, _values(row)) for row in rows))
    lines = ([cell.value if isinstance(cell.value, int) else told(cell) for cell in row] for row in rows)
    return sheets.csv_lines([column.title for column in columns], lines)


def as_xlsx(title: str, columns: Sequence[Column], rows: Rows, *, raw: bool, zone: ZoneInfo) -> bytes:
    """A workbook: raw as the CSV is, else with money and moments as such, in the merchant's zone."""
    if raw:
        return sheets.xlsx(title, raw_head(columns), (raw_row(columns, _values(row)) for row in rows))

    def shown(cell: Cell) -> Any:
        if isinstance(cell.value, datetime):
            return cell.value.astimezone(zone)
        return cell.said or cell.value

    return sheets.xlsx(title, [column.title for column in columns], ([shown(cell) for cell in row] for row in rows))


def as_json(key: str, columns: Sequence[Column], rows: Rows) -> Iterator[str]:
    """One document, written as it is read: the name of the table and its rows, as the API writes values."""
    yield f'{{"table": {json.dumps(key)}, "rows": ['
    for number, row in enumerate(rows):
        told = json.dumps(json_row(columns, _values(row)), ensure_ascii=False)
        yield f"{',' if number else ''}\n{told}"
    yield "\n]}\n"


def as_png(table: Table, *, subtitle: str, told: Callable[[Cell], str]) -> bytes:
    """The table as a picture, with bars. Raises PaperUnavailable."""
    most = {column.key: table.most(column) for column in table.columns if column.bar}

    def drawn(column: Column, cell: Cell) -> str | dict[str, Any]:
        said = told(cell)
        return {"said": said, "share": max(0, size_of(cell.value)) / most[column.key]} if column.bar else said

    return paper.picture(
        files("makegood.insight").joinpath("picture.typ").read_text(encoding="utf-8"),
        {
            "title": table.title,
            "subtitle": subtitle,
            "columns": [
                {"title": column.title, "bar": column.bar, "number": column.type in {"count", "money"}}
                for column in table.columns
            ],
            "rows": [[drawn(*pair) for pair in zip(table.columns, row, strict=True)] for row in table.rows],
        },
    )


def _values(row: Sequence[Cell]) -> list[int | str | Money | datetime | None]:
    return [cell.value for cell in row]
