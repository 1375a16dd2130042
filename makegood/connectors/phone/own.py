"""Our own format: JSON, signed as the Standard Webhooks specification says; documented for any call centre."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from makegood.connectors.phone.shapes import (
    KINDS,
    TOLERANCE,
    TURNS_MAX,
    CallEvent,
    CallEventForged,
    CallEventMalformed,
    Turn,
)


def sign(body: bytes, secret: str, *, event: str, at: datetime) -> dict[str, str]:
    """The three headers that go with these bytes."""
    seconds = str(int(at.timestamp()))
    return {
        "webhook-id": event,
        "webhook-timestamp": seconds,
        "webhook-signature": f"v1,{_signature(body, secret, event, seconds)}",
    }


def read(headers: Mapping[str, str], body: bytes, *, secrets: Sequence[str], at: datetime) -> list[CallEvent]:
    """Verify, then read. Raises CallEventForged, CallEventMalformed."""
    event = verify(headers, body, secrets=secrets, at=at)
    try:
        told = json.loads(body)
    except (ValueError, RecursionError) as odd:
        raise CallEventMalformed("body", field="body", rule="json_object") from odd
    if not isinstance(told, dict):
        raise CallEventMalformed("body", field="body", rule="json_object")
    return [_event(event, told)]


def verify(headers: Mapping[str, str], body: bytes, *, secrets: Sequence[str], at: datetime) -> str:
    """The event's id, where one of the secrets signed exactly these bytes just now. Raises CallEventForged."""
    given = {name.lower(): value for name, value in headers.items()}
    event, seconds = given.get("webhook-id", ""), given.get("webhook-timestamp", "")
    theirs = [part[3:] for part in given.get("webhook-signature", "").split(" ") if part.startswith("v1,")]
    if not (event and theirs and seconds.isascii() and seconds.isdigit() and len(seconds) <= 12):
        raise CallEventForged(rule="signature_headers_missing_or_unreadable")
    ours = [_signature(body, secret, event, seconds) for secret in secrets if secret.strip()]
    matches = [hmac.compare_digest(one.encode(), other.encode()) for one in ours for other in theirs]
    if not any(matches):
        raise CallEventForged(rule="no_known_secret_signed_it")
    if abs(at.timestamp() - int(seconds)) > TOLERANCE.total_seconds():
        raise CallEventForged(rule="signed_too_long_ago")
    return event[:200]


def _signature(body: bytes, secret: str, event: str, seconds: str) -> str:
    signed = f"{event}.{seconds}.".encode() + body
    return base64.b64encode(hmac.new(secret.encode(), signed, hashlib.sha256).digest()).decode()


def _event(key: str, told: Mapping[str, Any]) -> CallEvent:
    kind = str(told.get("type", "")).removeprefix("call.")
    if kind not in KINDS:
        raise CallEventMalformed(kind[:40], field="type", rule="|".join(f"call.{one}" for one in KINDS))
    call = told.get("call")
    if not isinstance(call, str) or not 0 < len(call) <= 120:
        raise CallEventMalformed(str(call)[:40], field="call", rule="text_of_1_to_120")
    direction = told.get("direction", "in")
    if direction not in {"in", "out"}:
        raise CallEventMalformed(str(direction)[:40], field="direction", rule="in|out")
    seconds = told.get("seconds")
    if seconds is not None and (not isinstance(seconds, int) or isinstance(seconds, bool) or not 0 <= seconds < 10**6):
        raise CallEventMalformed(str(seconds)[:40], field="seconds", rule="whole_seconds")
    answered = told.get("answered")
    return CallEvent(
        key=key,
        call=call,
        kind=kind,
        happened_at=_moment(told.get("at")),
        direction=direction,
        other=_text(told, "to" if direction == "out" else "from"),
        ours=_text(told, "from" if direction == "out" else "to"),
        agent=_text(told, "agent"),
        answered=answered if isinstance(answered, bool) else None,
        seconds=seconds,
        recording=_text(told, "recording", most=500),
        turns=_turns(told.get("turns", [])),
    )


def _text(told: Mapping[str, Any], name: str, *, most: int = 200) -> str:
    value = told.get(name, "")
    if not isinstance(value, str) or len(value) > most:
        raise CallEventMalformed(str(value)[:40], field=name, rule=f"text_of_at_most_{most}")
    return value.replace("\0", "")


def _moment(value: object) -> datetime:
    try:
        at = datetime.fromisoformat(str(value))
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise CallEventMalformed(str(value)[:40], field="at", rule="time_with_offset")
    return at


def _turns(value: object) -> tuple[Turn, ...]:
    if not isinstance(value, list) or len(value) > TURNS_MAX:
        raise CallEventMalformed("turns", field="turns", rule=f"at_most_{TURNS_MAX}")
    turns = []
    for one in value:
        if not isinstance(one, dict) or not isinstance(one.get("text"), str):
            raise CallEventMalformed("turns", field="turns", rule="who_and_text")
        who = str(one.get("who", ""))
        turns.append(Turn(who if who in {"caller", "agent"} else "", one["text"].replace("\0", "")[:5_000]))
    return tuple(turns)
