"""The file of rows that could not be imported: where, what, why in both languages, and the row itself."""

from __future__ import annotations

import csv
import io
import json
import os
from pathlib import Path
from typing import IO

from makegood.connectors.records import Reject
from makegood.kit.sheets import defuse

COLUMNS = ("line", "field", "value", "code", "reason_en", "reason_zh", "row")


class RejectsFile:
    """Appends to ``path`` as CSV in UTF-8 with a byte order mark; made with the first reject.

    ``size`` is how much of an earlier attempt stands: the rest was written by a batch that never committed.
    """

    def __init__(self, path: Path, *, size: int = 0) -> None:
        self.path = path
        self.size = size
        self._file: IO[bytes] | None = None

    def append(self, rejects: list[Reject]) -> None:
        """Write the rejects and bring them to the disk, before the batch they belong to commits."""
        if not rejects:
            return
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\r\n")
        file = self._open()
        if self.size == 0:
            text.write("\ufeff")
            writer.writerow(COLUMNS)
        for reject in rejects:
            told = (reject.field, reject.value, reject.code, reject.reason_en, reject.reason_zh)
            row = json.dumps(dict(reject.row), ensure_ascii=False, default=str)
            writer.writerow([reject.line, *(defuse(cell.replace("\0", "\ufffd")) for cell in (*told, row))])
        file.write(text.getvalue().encode(errors="replace"))
        file.flush()
        os.fsync(file.fileno())
        self.size = file.tell()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def _open(self) -> IO[bytes]:
        if self._file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("r+b" if self.path.exists() else "w+b")
            self._file.truncate(self.size)
            self._file.seek(self.size)
        return self._file
