"""Addresses, ids and dates out of headers, however they were written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from makegood.connectors.mail.decoding import clean, decode_header
from makegood.connectors.mail.shapes import Address

LONGEST = 20_000
NOBODY = Address("", "")
_ID = re.compile(r"<([^<>\s\x00-\x1f]{1,250})>")
_BARE = re.compile(r"[^\s<>()\[\],;:\"\\]{1,64}@[^\s<>()\[\],;:\"\\@]{1,190}")
_COMMENT = re.compile(r"\(([^()]*)\)")


def addresses(value: str, most: int = 100) -> tuple[Address, ...]:
    """Everybody named in an address header; what holds no address is left out."""
    found = (_address(chunk) for chunk in _chunks(value[:LONGEST]))
    return tuple(one for one in found if one.value)[:most]


def first_address(value: str) -> Address:
    """The first address, or only a name where there is none."""
    if named := addresses(value, 1):
        return named[0]
    return Address(decode_header(value[:400])[:200], "")


def _chunks(value: str) -> Iterator[str]:
    """The members of a list, parted by commas that stand in no quotes, brackets or comments."""
    start = depth = 0
    quoted = escaped = False
    for at, char in enumerate(value):
        if escaped:
            escaped = False
        elif char == "\\":
            escaped = quoted
        elif char == '"':
            quoted = not quoted
        elif quoted:
            continue
        elif char in "(<":
            depth += 1
        elif char in ")>":
            depth = max(0, depth - 1)
        elif char in ",;" and depth == 0:
            yield value[start:at]
            start = at + 1
    yield value[start:]


def _address(chunk: str) -> Address:
    before, bracket, after = chunk.rpartition("<")
    if bracket and "@" in after:
        name, place = before, after.partition(">")[0]
    else:
        name = " ".join(_COMMENT.findall(chunk))
        place = _COMMENT.sub(" ", chunk).rpartition(":")[2]  # a group has its name before the colon
    value = place.strip().strip("'\"").removeprefix("mailto:")
    if not (whole := _BARE.fullmatch(value)):
        whole = _BARE.search(value)
    named = decode_header(name.strip()).strip("\"' ")[:200]
    return Address(named, clean(whole[0]).lower().rstrip(".")[:200] if whole else "")


def ids(value: str, most: int = 60) -> tuple[str, ...]:
    """Message ids in their order, without brackets; where they are too many, the first and the last ones."""
    value = clean(value[: LONGEST * 4])
    found = tuple(dict.fromkeys(_ID.findall(value)))
    if not found and (bare := value.strip()) and "@" in bare and not re.search(r"\s", bare):
        found = (bare[:250],)
    return found if len(found) <= most else (found[0], *found[-(most - 1) :])


def moment(value: str) -> datetime | None:
    """When a mail says it was sent, in UTC; None where it says nothing that can be."""
    try:
        at = parsedate_to_datetime(value.encode("ascii", "ignore").decode()[:200])
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError, AttributeError):
        return None
    return at if 1990 <= at.year <= 2100 else None
