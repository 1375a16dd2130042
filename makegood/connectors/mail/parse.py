"""A raw mail as people and rules read it: pure, and never failing. What cannot be read is named in ``defects``."""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.errors import MessageError
from email.message import Message
from typing import Any, cast

from makegood.connectors.mail import html as pages
from makegood.connectors.mail.decoding import clean, decode_header, decode_text
from makegood.connectors.mail.headers import NOBODY, addresses, first_address, ids, moment
from makegood.connectors.mail.packed import TNEF_TYPES, unpack_tnef, unpack_uu
from makegood.connectors.mail.quotes import cut
from makegood.connectors.mail.shapes import Address, Attached, ParsedMail, Report

DEEPEST = 25
MOST_PARTS = 400
LONGEST_TEXT = 200_000
# What the standard parser raises on mails that break the rules badly enough; each was met.
BROKEN = (MessageError, ValueError, LookupError, TypeError, AttributeError, AssertionError, RecursionError)
_POLICY = policy.compat32  # it reads no header before it is asked to: policy.default fails on broken ones
_ENDING = {"text/plain": "txt", "text/html": "html", "image/jpeg": "jpg", "image/png": "png", "message/rfc822": "eml"}
_REPORTS = {
    "message/delivery-status": "delivery",
    "message/global-delivery-status": "delivery",
    "message/feedback-report": "feedback",
    "message/disposition-notification": "receipt",
    "message/global-disposition-notification": "receipt",
}
_REPORT_TYPES = {
    "delivery-status": "delivery",
    "feedback-report": "feedback",
    "disposition-notification": "receipt",
}


@dataclass
class _Found:
    """What the walk over the parts gathers."""

    plain: list[str] = field(default_factory=list)
    html: list[str] = field(default_factory=list)
    files: list[Attached] = field(default_factory=list)
    defects: list[str] = field(default_factory=list)
    kind: str = ""
    status: list[str] = field(default_factory=list)
    returned: list[str] = field(default_factory=list)
    parts: int = 0


def parse(raw: bytes) -> ParsedMail:
    """Read a mail. A part that cannot be read is kept as a file; the rest is read all the same."""
    data = _line_ends(raw)
    try:
        message = message_from_bytes(data, policy=_POLICY)
        headers = _headers(message)
        found = _Found()
        _walk(message, found, 0)
    except BROKEN as broken:
        return unreadable(raw, type(broken).__name__)
    return _put_together(headers, found)


def unreadable(raw: bytes, why: str) -> ParsedMail:
    """What can be shown of a mail that nothing can be made of: its beginning as text."""
    text = decode_text(raw[:20_000])
    return ParsedMail(
        "", (), (), NOBODY, NOBODY, (), (), "", None, text, text, "", "", (), Report(), {}, (f"unreadable:{why}",)
    )


def _line_ends(raw: bytes) -> bytes:
    """Old mails end lines with CR alone, which the standard parser takes for one line."""
    data = raw.removeprefix(b"\xef\xbb\xbf")
    if data.startswith(b"From ") and b":" not in data.split(b"\n", 1)[0].split(b" ")[1]:
        data = data.split(b"\n", 1)[-1]  # the line that parts mails in an mbox file
    return data if b"\n" in data or b"\r" not in data else data.replace(b"\r", b"\n")


def _headers(message: Message[str, str]) -> dict[str, tuple[str, ...]]:
    headers: dict[str, list[str]] = {}
    for name, value in list(message.raw_items())[:1000]:
        headers.setdefault(str(name).lower(), []).append(str(value)[:100_000])
    return {name: tuple(values) for name, values in headers.items()}


def _put_together(headers: dict[str, tuple[str, ...]], found: _Found) -> ParsedMail:
    def first(name: str) -> str:
        return headers[name][0] if name in headers else ""

    def people(name: str) -> tuple[Address, ...]:
        return tuple(one for value in headers.get(name, ())[:20] for one in addresses(value))

    html = "\n".join(found.html)
    text = clean("\n\n".join(part.strip("\n") for part in found.plain if part.strip()))[:LONGEST_TEXT]
    if not text.strip() and html:
        text = pages.as_text(html)[:LONGEST_TEXT]
    fresh, quoted = cut(text)
    sender = first_address(first("from"))
    return ParsedMail(
        message_id=next(iter(ids(first("message-id"))), ""),
        in_reply_to=ids(first("in-reply-to"), 10),
        references=ids(" ".join(headers.get("references", ()))),
        sender=sender if sender.value else _first_of(people("sender"), sender),
        reply_to=_first_of(people("reply-to"), NOBODY),
        to=people("to"),
        cc=people("cc"),
        subject=clean(decode_header(first("subject")[:8000]))[:1000],
        date=moment(first("date")),
        text=text,
        fresh=fresh,
        quoted=quoted,
        html=pages.make_safe(html) if html else "",
        attachments=tuple(found.files),
        report=Report(found.kind, "\n\n".join(found.status)[:20_000], "\n\n".join(found.returned)[:20_000]),
        headers=headers,
        defects=tuple(dict.fromkeys(found.defects)),
    )


def _first_of(people: tuple[Address, ...], otherwise: Address) -> Address:
    return people[0] if people else otherwise


def _walk(part: Message[str, str], found: _Found, depth: int) -> None:
    found.parts += 1
    found.defects += [type(defect).__name__ for defect in part.defects]
    if found.parts > MOST_PARTS or depth > DEEPEST:
        found.defects.append("TooManyParts")
        return
    media_type = clean(part.get_content_type())
    if media_type == "multipart/report" and not found.kind:
        found.kind = _REPORT_TYPES.get(_param(part, "report-type").lower(), "")
    if media_type in _REPORTS:
        found.kind = _REPORTS[media_type]
        found.status.append(clean(_as_written(part)))
        return
    payload = part.get_payload()
    if isinstance(payload, list) and media_type.startswith("message/"):
        _nested(part, payload, found, depth)
    elif isinstance(payload, list) and media_type == "multipart/alternative":
        _alternative(payload, found, depth)
    elif isinstance(payload, list):
        for child in cast("list[Message[str, str]]", payload):
            _walk(child, found, depth + 1)
    else:
        _leaf(part, media_type, found)


def _alternative(children: list[Any], found: _Found, depth: int) -> None:
    """The same words in several forms: plain text is read, HTML kept beside it to be shown."""
    inner = _Found(parts=found.parts)
    for child in children:
        _walk(child, inner, depth + 1)
    if not any(part.strip() for part in inner.plain) and inner.html:
        inner.plain = [pages.as_text("\n".join(inner.html))]
    found.plain += inner.plain
    found.html += inner.html
    _take_over(inner, found)


def _nested(part: Message[str, str], payload: list[Any], found: _Found, depth: int) -> None:
    """A mail within the mail: a file to open, its words to read, its own files brought out as well."""
    for child in payload:
        inner = _Found(parts=found.parts)
        _walk(child, inner, depth + 1)
        headers = _headers(child)
        written = _as_written(child)
        # A mail sent back with a report, or lying bare in one, is the returned one and nobody's words.
        if found.kind:
            found.returned.append(clean(written))
            found.defects += inner.defects
            continue
        subject = clean(decode_header(headers.get("subject", ("",))[0]))[:200]
        told = [
            f"{name.title()}: {clean(decode_header(headers[name][0]))}"
            for name in ("from", "date", "subject")
            if name in headers
        ]
        words = "\n\n".join(inner.plain) or pages.as_text("\n".join(inner.html))
        found.plain.append("\n".join(["-" * 20, *told, "", words.strip()]))
        name = _file_name(part) or f"{subject or 'message'}.eml"
        found.files.append(Attached(name[:200], "message/rfc822", _bytes_of(child)))
        inner.plain, inner.html = [], []
        _take_over(inner, found)


def _take_over(inner: _Found, found: _Found) -> None:
    found.parts = inner.parts
    found.files += inner.files
    found.defects += inner.defects
    found.status += inner.status
    found.returned += inner.returned
    found.kind = found.kind or inner.kind


def _leaf(part: Message[str, str], media_type: str, found: _Found) -> None:
    data = _decoded(part, found)
    name = _file_name(part)
    disposition = str(part.get("content-disposition") or "").strip().lower()
    content_id = next(iter(ids(str(part.get("content-id") or ""))), "")
    if media_type in {"text/rfc822-headers", "text/rfc822-header", "message/rfc822-headers"}:
        found.returned.append(decode_text(data, _param(part, "charset")))
        return
    if media_type in TNEF_TYPES or name.lower() == "winmail.dat":
        if unpacked := unpack_tnef(data):
            found.plain += [unpacked[0]] if unpacked[0] and not any(one.strip() for one in found.plain) else []
            found.files += unpacked[1]
            return
        found.defects.append("TnefUnreadable")
    is_file = disposition.startswith("attachment") or (name and not disposition.startswith("inline"))
    if media_type in {"text/plain", "text/html", "text/enriched", "text/richtext"} and not is_file:
        text = decode_text(data, _param(part, "charset"))
        if media_type == "text/plain":
            text, files = unpack_uu(text)
            found.files += files
            found.plain.append(text)
        elif media_type == "text/html":
            found.html.append(text)
        else:
            found.plain.append(re.sub(r"</?[A-Za-z-]{1,20}>", "", text))
        return
    if not data and not name:
        return
    if media_type.startswith(("text/", "multipart/", "message/")) and not is_file and not name:
        found.plain.append(
            decode_text(data, _param(part, "charset"))
        )  # text/markdown, or parts whose boundary is missing
        return
    inline = bool(content_id) or disposition.startswith("inline")
    name = name or f"file-{len(found.files) + 1}.{_ENDING.get(media_type, 'bin')}"
    found.files.append(Attached(name[:200], media_type[:100], data, content_id[:200], inline=inline))


def _decoded(part: Message[str, str], found: _Found) -> bytes:
    """The bytes of a part whose transfer encoding may be wrong; then as they stand."""
    try:
        data = part.get_payload(decode=True)
    except (*BROKEN, binascii.Error):
        found.defects.append("TransferEncodingBroken")
        data = None
    if isinstance(data, bytes):
        return data
    payload = part.get_payload()
    return payload.encode("utf-8", "surrogateescape") if isinstance(payload, str) else b""


def _file_name(part: Message[str, str]) -> str:
    """The declared name of a file, from either header, in any of the ways it is encoded."""
    try:
        name = part.get_filename() or ""
    except BROKEN:
        name = ""
    if isinstance(name, str) and not name.isascii():
        name = decode_text(name.encode("utf-8", "surrogateescape"))
    return re.sub(r"[\n\t]", " ", clean(decode_header(name))).strip()


def _param(part: Message[str, str], name: str) -> str:
    try:
        value = part.get_param(name)
    except BROKEN:
        return ""
    if isinstance(value, tuple):
        value = value[2]
    return clean(str(value or ""))


def _as_written(part: Message[str, str]) -> str:
    return decode_text(_bytes_of(part))


def _bytes_of(part: Message[str, str]) -> bytes:
    """A part as bytes again; where the standard library cannot, what its text holds."""
    try:
        return part.as_bytes(policy=_POLICY)
    except BROKEN:
        return str(part.get_payload()).encode("utf-8", "surrogateescape")
