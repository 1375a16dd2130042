"""Tables as files that people open in a spreadsheet: CSV and XLSX in which nothing is computed."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from makegood.kit.money import Money, exponent

# What Excel holds: rows of a sheet below its head, and characters of a cell.
XLSX_ROWS, XLSX_CELL = 1_048_575, 32_767
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠")


def defuse(cell: str) -> str:
    """Keep a spreadsheet from computing a cell that somebody else wrote."""
    return "'" + cell if cell.startswith(_FORMULA) else cell


def csv_lines(head: Sequence[str], rows: Iterable[Sequence[str | int | Decimal]]) -> Iterator[str]:
    """CSV with a byte order mark, so that spreadsheets read Chinese; texts are defused, numbers are as they are."""
    yield "\ufeff"
    for row in itertools.chain([head], rows):
        line = io.StringIO()
        csv.writer(line).writerow([defuse(cell) if isinstance(cell, str) else cell for cell in row])
        yield line.getvalue()


def xlsx(title: str, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """A workbook of one sheet: texts are texts whatever they begin with, money and moments have their formats.

    Moments are written as the wall clock of their own zone. Rows and characters beyond what Excel holds are left out.
    """
    import xlsxwriter  # type: ignore[import-untyped] # noqa: PLC0415 - loaded only where a workbook is made

    with TemporaryDirectory(prefix="makegood-sheet-") as folder:
        file = Path(folder) / "sheet.xlsx"
        options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "tmpdir": folder}
        with xlsxwriter.Workbook(str(file), options) as book:
            formats: dict[str, Any] = {"head": book.add_format({"bold": True, "bottom": 1})}
            sheet = book.add_worksheet(title[:31].translate(str.maketrans("[]:*?/\\", "       ")))
            sheet.freeze_panes(1, 0)
            for at, name in enumerate(head):
                sheet.write_string(0, at, name, formats["head"])
                sheet.set_column(at, at, max(10, min(40, len(name) * 2)))
            for number, row in enumerate(rows, start=1):
                if number > XLSX_ROWS:
                    break
                for at, value in enumerate(row):
                    _write(book, sheet, formats, number, at, value)
        return file.read_bytes()


def _write(book: Any, sheet: Any, formats: dict[str, Any], row: int, column: int, value: Any) -> None:
    if isinstance(value, Money):
        places = exponent(value.currency)
        form = f'#,##0{"." + "0" * places if places else ""} "{value.currency}"'
        if form not in formats:
            formats[form] = book.add_format({"num_format": form})
        sheet.write_number(row, column, float(value.decimal()), formats[form])
    elif isinstance(value, datetime):
        if "time" not in formats:
            formats["time"] = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        sheet.write_datetime(row, column, value.replace(tzinfo=None), formats["time"])
    elif isinstance(value, int):
        sheet.write_number(row, column, value)
    elif value is not None and value != "":
        sheet.write_string(row, column, str(value)[:XLSX_CELL])
