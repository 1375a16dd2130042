"""Files packed in other ways than MIME: Outlook's winmail.dat, and uuencoded lines in the text."""

from __future__ import annotations

import binascii
import logging
import re
import struct
from typing import Any

from makegood.connectors.mail.decoding import clean, decode_text
from makegood.connectors.mail.html import as_text
from makegood.connectors.mail.shapes import Attached

TNEF_TYPES = {"application/ms-tnef", "application/vnd.ms-tnef"}
_UU = re.compile(r"^begin(?:-base64)? [0-7]{3,4} ([^\n]{1,200})\n(.*?)^(?:end|====)[ \t]*$", re.MULTILINE | re.DOTALL)
_UU_END = re.compile(r"^(?:end|====)[ \t]*$", re.MULTILINE)
# It logs what it finds odd in a stranger's file.
logging.getLogger("tnefparse").setLevel(logging.CRITICAL)


def unpack_tnef(data: bytes) -> tuple[str, list[Attached]] | None:
    """Text and files of a winmail.dat; None where it cannot be read, and is kept as it came."""
    # Its tables take a while to load.
    from tnefparse import TNEF  # type: ignore[import-untyped]  # noqa: PLC0415

    try:
        read = TNEF(data)
        files = [
            Attached(
                clean(str(one.long_filename() or "file")).strip() or "file",
                "application/octet-stream",
                bytes(one.data or b""),
            )
            for one in read.attachments
        ]
        text, whole = _tnef_text(read), [file for file in files if file.data]
    # The library checks no lengths: a cut or forged file fails in any of these ways.
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, struct.error, UnicodeError, OverflowError):
        return None
    return (text, whole) if text or whole else None


def _tnef_text(read: Any) -> str:
    for part, turn in (("body", clean), ("htmlbody", as_text)):
        found = getattr(read, part, None)
        if isinstance(found, bytes):
            found = decode_text(found)
        if isinstance(found, str) and found.strip():
            return turn(found).strip()
    return ""


def unpack_uu(text: str) -> tuple[str, list[Attached]]:
    """The text without its uuencoded files, and the files."""
    files: list[Attached] = []

    def take(found: re.Match[str]) -> str:
        data = bytearray()
        for line in found[2].splitlines():
            try:
                data += binascii.a2b_uu(line)
            except binascii.Error:
                # Mailers that cut trailing blanks leave lines short; so many bytes are meant as the first sign says.
                try:
                    data += binascii.a2b_uu(line[: 1 + ((((ord(line[0]) - 32) & 63) * 4 + 5) // 3)])
                except (binascii.Error, IndexError):
                    return found[0]
        if not data:
            return found[0]
        files.append(Attached(found[1].strip(), "application/octet-stream", bytes(data)))
        return f"[{found[1].strip()}]"

    # Only up to the last end: behind it every "begin" would be followed to the end of the text in vain.
    ends = [found.end() for found in _UU_END.finditer(text)]
    if not ends or "\nbegin" not in f"\n{text}":
        return text, files
    return _UU.sub(take, text[: ends[-1]]) + text[ends[-1] :], files
