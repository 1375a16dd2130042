"""Read a large JSON document of the shape ``{section: {key: record}}`` one record at a time."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from typing import Any

from makegood.connectors.charsets import FileUnreadable, open_bytes

CHUNK = 256 * 1024
RECORD_MAX = 16 * 1024 * 1024  # characters of one record; more means that a bracket was never closed
_SPACE = re.compile(r"[\s,]*")


class CutOff(Exception):
    """The document ends within a record or section."""


class _Text:
    """The part of the document that is still to be read."""

    def __init__(self, path: str, chunks: Iterator[str]) -> None:
        self.path = path
        self._chunks = chunks
        self._text = ""
        self._at = 0
        self._decoder = json.JSONDecoder()

    def _more(self) -> bool:
        chunk = next(self._chunks, "")
        self._text = self._text[self._at :] + chunk
        self._at = 0
        return bool(chunk)

    def peek(self) -> str:
        """Skip space and commas and return the next character. Raises CutOff at the end."""
        while True:
            found = _SPACE.match(self._text, self._at)
            self._at = found.end() if found else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                raise CutOff

    def take(self, wanted: str) -> None:
        char = self.peek()
        if char != wanted:
            raise FileUnreadable(self.path, field="file", rule=f"{wanted} expected in the JSON document, not {char}")
        self._at += 1

    def value(self) -> Any:
        """Read one whole value. Raises CutOff, FileUnreadable."""
        self.peek()
        while True:
            try:
                value, self._at = self._decoder.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                if len(self._text) - self._at > RECORD_MAX:
                    rule = f"not JSON ({error.msg})"
                    raise FileUnreadable(self.path, field="file", rule=rule) from None
                if not self._more():
                    raise CutOff from None
            else:
                return value


def _chunks(path: str) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    with open_bytes(path) as file:
        try:
            while chunk := file.read(CHUNK):
                yield decoder.decode(chunk)
        except UnicodeDecodeError:
            raise FileUnreadable(path, field="file", rule="the JSON document is not UTF-8") from None
        except EOFError:
            return  # a cut gzip file: the record that lacks its end says so


def read_sections(path: str) -> Iterator[tuple[str, str, Any]]:
    """Yield ``(section, key, record)`` in the order of the document; memory holds one record.

    Raises FileUnreadable where it is no such document and CutOff where it ends too early.
    """
    text = _Text(path, _chunks(path))
    try:
        text.take("{")
    except CutOff:
        raise FileUnreadable(path, field="file", rule="the file is empty") from None
    while text.peek() != "}":
        section = text.value()
        text.take(":")
        text.take("{")
        while text.peek() != "}":
            key = text.value()
            text.take(":")
            yield str(section), str(key), text.value()
        text.take("}")
