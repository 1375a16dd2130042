"""Read a delimited text file row by row: encoding, delimiter, headings, and a reason for every broken row."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from makegood.connectors.charsets import Encoding, FileUnreadable, declared, detect_encoding, open_bytes
from makegood.connectors.reasons import RowRefused
from makegood.connectors.records import Reject
from makegood.kit import errors

__all__ = ["Encoding", "Table", "TableRow", "detect_encoding"]

DELIMITERS = ",;\t|"
ROW_LINES_MAX = 100  # physical lines of one row; more means that a quotation mark was never closed
_WRONG = "\udcff"  # stands for bytes that are not of the encoding; no decoder yields it otherwise

# (line the row begins at, its cells, why it cannot be used or None)
TableRow = tuple[int, list[str], RowRefused | None]


def _mark_wrong_bytes(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return _WRONG, error.end


codecs.register_error("makegood.mark", _mark_wrong_bytes)


class ColumnsMissing(errors.Malformed):
    code = "columns_missing"
    message = "{value}: the heading lacks {columns}."


class HeadingRepeated(errors.Malformed):
    code = "heading_repeated"
    message = "{value}: the heading names {columns} more than once."


class Table:
    """A delimited file. ``heading`` holds the names as the program knows them, ``titles`` as the file writes them.

    ``names`` maps a folded title (see ``fold``) to a known name; other titles stay as they are. ``needed`` are known
    names that must be there. Raises FileUnreadable, EncodingUnknown, ColumnsMissing, HeadingRepeated.
    Memory does not grow with the file.
    """

    def __init__(
        self,
        path: str,
        *,
        encoding: str | None = None,
        names: Mapping[str, str] | None = None,
        needed: Collection[str] = (),
    ) -> None:
        self.path = path
        self.encoding = declared(encoding) if encoding else detect_encoding(path)
        self.unterminated = 0  # line number of a last line without line end; 0 while none was met
        self.delimiter, self.titles, self.heading_line = self._read_heading()
        known = names or {}
        self.heading = [known.get(fold(title), title) for title in self.titles]
        self._check_heading(set(known.values()), needed)
        self.index = {name: place for place, name in enumerate(self.heading) if name}

    def _read_heading(self) -> tuple[str, list[str], int]:
        with ExitStack() as stack:
            lines = self._lines(stack)
            try:
                first = next((line for line in lines if line.strip()), "")
                skipped = 0
                if first[:4].lower() == "sep=" and len(first.strip()) == 5:
                    chosen, first, skipped = first[4], next(lines, ""), 1
                else:
                    chosen = max(DELIMITERS, key=_outside_quotes(first).count)
            except EOFError:
                first, chosen, skipped = "", ",", 0
            if not first.strip():
                raise FileUnreadable(self.path, field="file", rule="the file is empty")
            if _WRONG in first or "\0" in first:
                raise FileUnreadable(self.path, field="file", rule=f"the heading is not {self.encoding.name}")
            titles = next(csv.reader([first], delimiter=chosen))
            return chosen, [title.strip() for title in titles], skipped + 1

    def _check_heading(self, known: set[str], needed: Collection[str]) -> None:
        twice = sorted({name for name in self.heading if name and self.heading.count(name) > 1})
        if twice:
            raise HeadingRepeated(self.path, field="heading", rule="each column once", columns=", ".join(twice))
        lacking = [name for name in needed if name not in self.heading]
        if lacking:
            raise ColumnsMissing(
                self.path, field="heading", rule="needed columns", columns=", ".join(lacking), known=sorted(known)
            )

    def _lines(self, stack: ExitStack) -> Iterator[str]:
        raw = stack.enter_context(open_bytes(self.path))
        text = io.TextIOWrapper(raw, encoding=self.encoding.name, errors="makegood.mark", newline="")
        for line_no, line in enumerate(text, 1):
            if line_no == 1 and line[:1] == "\ufeff":
                line = line[1:]  # noqa: PLW2901 - the byte order mark is no part of the first title
            if line[-1] not in "\r\n":
                self.unterminated = line_no
            yield line

    def rows(self) -> Iterator[TableRow]:
        """Yield every row after the heading with the line it begins at; blank rows are left out.

        A row that cannot be read comes with its reason: ``row_too_short``, ``row_too_long``, ``encoding_error``,
        ``nul_byte``, ``quotes_broken``, ``file_cut``.
        """
        with ExitStack() as stack:
            yield from self._rows(self._lines(stack))

    def _rows(self, lines: Iterator[str]) -> Iterator[TableRow]:
        reader = csv.reader(lines, delimiter=self.delimiter, strict=True)
        width = len(self.titles)
        last = 0
        heading_to_come = True
        while True:
            line = last + 1
            problem = None
            try:
                cells = next(reader)
            except StopIteration:
                return
            except EOFError:
                yield line, [], RowRefused("file_cut")
                return
            except csv.Error as error:
                cells, problem = [], RowRefused("quotes_broken", value=error)
            last = reader.line_num
            if heading_to_come:
                heading_to_come = last < self.heading_line or not any(cells)
                continue
            if len(cells) != width or last - line > ROW_LINES_MAX:
                if not problem and not any(cell.strip() for cell in cells):
                    continue
                problem = problem or self._misshapen(cells, line, last)
            yield line, cells, problem or self._unclean("".join(cells))

    def _unclean(self, text: str) -> RowRefused | None:
        if _WRONG in text:
            return RowRefused("encoding_error", encoding=self.encoding.name)
        return RowRefused("nul_byte") if "\0" in text else None

    def _misshapen(self, cells: list[str], line: int, last: int) -> RowRefused | None:
        width = len(self.titles)
        if last - line > ROW_LINES_MAX:
            return RowRefused("quotes_broken", value=f"{line}–{last}")
        if len(cells) < width:
            return RowRefused("row_too_short", value=len(cells), expected=width)
        if any(cell.strip() for cell in cells[width:]):
            return RowRefused("row_too_long", value=len(cells), expected=width)
        del cells[width:]  # a row of a spreadsheet often ends in empty cells
        return None

    def source(self, line: int, cells: Sequence[str]) -> dict[str, Any]:
        """Give the original row with its line number, as ``OrderRecord.source`` keeps it."""
        return {"line": line, "row": dict(zip(self.titles, cells, strict=False))}

    def reject(self, line: int, cells: Sequence[str], refused: RowRefused) -> Reject:
        """Put a refusal into words, with the row; lone surrogates of wrong bytes become U+FFFD."""
        row = {
            title: cell.replace(_WRONG, "\ufffd").replace("\0", "\ufffd")
            for title, cell in zip(self.titles, cells, strict=False)
        }
        return refused.reject(line, row)


def fold(title: str) -> str:
    """Fold a title for comparison: no case, spaces, hyphens, underscores or brackets' width."""
    folded = title.strip().casefold().replace("（", "(").replace("）", ")")
    return folded.replace(" ", "").replace("_", "").replace("-", "")


def _outside_quotes(line: str) -> str:
    return "".join(line.split('"')[::2])
