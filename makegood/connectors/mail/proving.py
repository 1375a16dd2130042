"""Whether a mail's sender is who it says: what the mailbox's own server found out. Pure; after RFC 8601 and 7489.

Anybody can write any address into ``From``. The receiving server checks it (SPF, DKIM, DMARC) and notes the outcome in
``Authentication-Results`` under its own name; a note under another name may have been written by the sender.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import unquote
from enum import StrEnum

from makegood.connectors.mail.shapes import ParsedMail

LONGEST = 20_000
_QUOTED = r'"(?:[^"\\]|\\.)*"'
_TOKEN = re.compile(rf"(?P<name>[A-Za-z][\w.-]*)(?:/\d+)?\s*=\s*(?P<value>{_QUOTED}|[^\s;\"]+)")
_SERVER = re.compile(rf"\s*(?P<id>{_QUOTED}|[^\s;]+)(?:\s+\d+)?\s*$")


class Proof(StrEnum):
    """``NOT_LOOKED``: no server is named whose word counts, so that the address is taken as it stands."""

    NOT_LOOKED = "not_looked"
    PROVEN = "proven"
    UNPROVEN = "unproven"


@dataclass(frozen=True, slots=True)
class Finding:
    """One method's outcome with the properties it rests on, names and values in lower case."""

    method: str
    result: str
    properties: dict[str, str]


def prove_sender(mail: ParsedMail, *, server: str) -> Proof:
    """The finding of ``server``, the name under which the mailbox's server notes what it found out.

    DMARC decides where it was looked at; else a DKIM signature or an SPF pass of the domain in ``From``, or of one
    above or below it. Without any of these the sender is unproven, as with more than one address in ``From``.
    """
    if not server:
        return Proof.NOT_LOOKED
    domain = mail.sender.value.rpartition("@")[2]
    if not domain or len(mail.every("from")) != 1:
        return Proof.UNPROVEN
    found = _findings_of(mail, server)
    dmarc = [one for one in found if one.method == "dmarc"]
    if any(one.result in {"pass", "fail"} for one in dmarc):
        passed = all(one.result == "pass" and one.properties.get("header.from", domain) == domain for one in dmarc)
        return Proof.PROVEN if passed else Proof.UNPROVEN
    return Proof.PROVEN if any(_vouches(one, domain) for one in found) else Proof.UNPROVEN


def _vouches(found: Finding, domain: str) -> bool:
    if found.result != "pass":
        return False
    if found.method == "dkim":
        signed = found.properties.get("header.d") or found.properties.get("header.i", "").rpartition("@")[2]
        return _aligned(signed, domain)
    if found.method == "spf":
        return _aligned(found.properties.get("smtp.mailfrom", "").rpartition("@")[2], domain)
    return False


def _aligned(one: str, other: str) -> bool:
    """The same domain, or one below the other; a bare top-level name stands for nobody."""
    if "." not in one or "." not in other:
        return False
    return one == other or one.endswith(f".{other}") or other.endswith(f".{one}")


def _findings_of(mail: ParsedMail, server: str) -> list[Finding]:
    """Of the uppermost note of that server: it stands above all that came with the mail."""
    for header in mail.every("authentication-results"):
        whose, *parts = list(_parts(_without_comments(header[:LONGEST])))
        if (named := _SERVER.match(whose)) and unquote(named["id"]).lower() == server.lower():
            return [one for part in parts if (one := _finding(part))]
    return []


def _finding(part: str) -> Finding | None:
    told = [(one["name"].lower(), unquote(one["value"]).lower()) for one in _TOKEN.finditer(part)]
    if not told:
        return None
    (method, result), *properties = told
    return Finding(method, result, dict(properties))


def _parts(header: str) -> Iterator[str]:
    """Between semicolons that stand in no quotes; at least one part."""
    start, quoted, escaped = 0, False, False
    for at, char in enumerate(header):
        if escaped:
            escaped = False
        elif char == "\\":
            escaped = quoted
        elif char == '"':
            quoted = not quoted
        elif char == ";" and not quoted:
            yield header[start:at]
            start = at + 1
    yield header[start:]


def _without_comments(header: str) -> str:
    """Comments may be nested, and hold what looks like an outcome."""
    kept: list[str] = []
    depth, quoted, escaped = 0, False, False
    for char in header:
        if escaped:
            escaped = False
        elif char == "\\":
            escaped = True
        elif char == '"' and depth == 0:
            quoted = not quoted
        elif char == "(" and not quoted:
            depth += 1
            continue
        elif char == ")" and depth:
            depth -= 1
            kept.append(" ")
            continue
        if not depth:
            kept.append(char)
    return "".join(kept)
