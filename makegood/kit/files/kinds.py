"""What a file is, told by its content alone; everything that is not on the list is refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

import filetype  # type: ignore[import-untyped]

from makegood.kit import errors

HEAD = 64 * 1024
"""So much of the beginning is looked at before anything else is read."""

ACCEPTED = "JPEG, PNG, WebP, HEIC, GIF, PDF, plain text, MP4, MOV"

SIGNATURES = (
    (re.compile(rb"\xff\xd8\xff"), "image/jpeg"),
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "image/png"),
    (re.compile(rb"GIF8[79]a"), "image/gif"),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), "image/webp"),
    (re.compile(rb"%PDF-[12]\.\d"), "application/pdf"),
    (re.compile(rb"\xff\xfe..|\xfe\xff..", re.DOTALL), "text/plain"),  # UTF-16 with a byte order mark
)

HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
MP4_BRANDS = {b"isom", b"iso2", b"iso3", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1", b"M4V ", b"MSNV"}
OTHER_BRANDS = {b"avif", b"avis", b"M4A ", b"crx "}

ARCHIVE_END = b"PK\x05\x06"
ARCHIVE_END_WITHIN = 65_557  # a zip is found by this record, which may be followed by a comment of 64 KiB
MARKUP = re.compile(
    r"<\s*(!doctype|html|head|body|script|svg|iframe|object|embed|meta|link|\?xml)\b|<\?(xml|php)", re.IGNORECASE
)
# Asked before the signatures of foreign formats, which are as short as "BM" and "MZ" and begin many a sentence;
# such a format has zeros or other control bytes in its head.
CONTROL_BYTES = re.compile(rb"[\x00-\x08\x0b\x0e-\x1f\x7f]")
PROGRAM_TEXTS = {b"%!": "application/postscript", b"{\\rtf": "application/rtf", b"#!": "text/x-script"}
CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\ufffe\uffff]")

MOST_BOXES = 100_000


class FileTypeRefused(errors.Malformed):
    code = "file_type_refused"
    message = (
        "{field}: {value} is not taken ({rule}); accepted are JPEG, PNG, WebP, HEIC, GIF, PDF, plain text, MP4, MOV."
    )


def sniff(head: bytes, *, field: str) -> str:
    """The media type of a file by its first bytes (up to HEAD). Raises FileTypeRefused."""
    for signature, media_type in SIGNATURES:
        if signature.match(head):
            return media_type
    if head[4:8] == b"ftyp" and (found := _of_brands(head)):
        return found
    if not CONTROL_BYTES.search(head):
        for program, media_type in PROGRAM_TEXTS.items():
            if head.startswith(program):
                raise FileTypeRefused(media_type, field=field, rule="accepted_type")
        return "text/plain"
    known = filetype.guess(head)
    raise FileTypeRefused(known.mime if known else "application/octet-stream", field=field, rule="accepted_type")


def _of_brands(head: bytes) -> str | None:
    size = int.from_bytes(head[:4], "big")
    brands = [head[8:12], *(head[at : at + 4] for at in range(16, min(size, 256), 4))]
    if OTHER_BRANDS & set(brands[:1]) or b"avif" in brands:
        return None
    if brands[0] in HEIC_BRANDS:
        return "image/heic"
    if brands[0] == b"qt  ":
        return "video/quicktime"
    return "video/mp4" if MP4_BRANDS & set(brands) else None


def check_pdf(file: BinaryIO, size: int, *, field: str) -> None:
    """A document from its first byte to its last, with no archive hidden behind it. Raises FileTypeRefused.

    Scripts inside are not looked for: the file is kept as it is and never shown inline.
    """
    file.seek(max(0, size - ARCHIVE_END_WITHIN))
    tail = file.read()
    end = tail.rfind(b"%%EOF")
    if end < 0 or tail[end + len(b"%%EOF") :].strip(b"\r\n\t \0"):
        raise FileTypeRefused("application/pdf", field=field, rule="pdf_ends_with_%%EOF")
    if ARCHIVE_END in tail:
        raise FileTypeRefused("application/pdf", field=field, rule="no_archive_inside")


def read_text(raw: bytes, *, field: str) -> str:
    """Plain text in UTF-8, UTF-16 with a byte order mark, or GB18030. Raises FileTypeRefused.

    Markup and control characters are refused: what a browser might take for a page is no plain text.
    """
    encodings = ("utf-16",) if raw.startswith((b"\xff\xfe", b"\xfe\xff")) else ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        break
    else:
        raise FileTypeRefused("application/octet-stream", field=field, rule="text_utf-8_utf-16_or_gb18030")
    if CONTROL.search(text):
        raise FileTypeRefused("application/octet-stream", field=field, rule="text_without_control_characters")
    if text.lstrip().startswith("<") or MARKUP.search(text):
        raise FileTypeRefused("text/html", field=field, rule="text_without_markup")
    return text


def check_video(file: BinaryIO, size: int, media_type: str, *, field: str) -> None:
    """Boxes fill the file exactly, with samples and a picture track among them. Raises FileTypeRefused.

    Whatever is appended to a film cannot pass for a further box, so it is found here.
    """
    boxes = list(_boxes(file, 0, size, media_type, field=field))
    names = {name for name, _, _ in boxes}
    if b"moov" not in names or not names & {b"mdat", b"moof"}:
        raise FileTypeRefused(media_type, field=field, rule="video_has_index_and_samples")
    path: tuple[bytes, ...] = (b"trak", b"mdia", b"hdlr")
    inside = [box for box in boxes if box[0] == b"moov"]
    for wanted in path:
        inside = [
            child
            for _, begin, end in inside
            for child in _boxes(file, begin, end, media_type, field=field)
            if child[0] == wanted
        ]
    if not any(_handler(file, begin) == b"vide" for _, begin, _ in inside):
        raise FileTypeRefused(media_type, field=field, rule="video_has_a_picture_track")


def _boxes(file: BinaryIO, at: int, end: int, media_type: str, *, field: str) -> Iterator[tuple[bytes, int, int]]:
    """Name, begin and end of content of each box between two offsets (ISO 14496-12, 4.2)."""
    for _ in range(MOST_BOXES):
        # QuickTime may close a list of boxes with four zero bytes.
        if at == end or (at + 4 == end and _read(file, at, 4) == bytes(4)):
            return
        header = _read(file, at, 16)
        length, name, begin = int.from_bytes(header[:4], "big"), header[4:8], at + 8
        if length == 1:
            length, begin = int.from_bytes(header[8:16], "big"), at + 16
        elif length == 0:
            length = end - at
        if len(header) < 8 or length < begin - at or at + length > end:
            break
        yield name, begin, at + length
        at += length
    raise FileTypeRefused(media_type, field=field, rule="video_boxes_fill_the_file")


def _handler(file: BinaryIO, begin: int) -> bytes:
    return _read(file, begin + 8, 4)


def _read(file: BinaryIO, at: int, count: int) -> bytes:
    file.seek(at)
    return file.read(count)
