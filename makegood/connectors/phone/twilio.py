"""Twilio: the signature over address and sorted fields, and the callbacks of calls, recordings and transcriptions.

The signature says nothing of time, so an old message can be sent again; its key makes that harmless.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime
from urllib.parse import parse_qs

from makegood.connectors.phone.shapes import CallEvent, CallEventForged, CallEventMalformed, Kind, Turn

HEADER = "x-twilio-signature"
_KINDS: dict[str, Kind] = {
    "queued": "ringing", "initiated": "ringing", "ringing": "ringing", "in-progress": "answered",
    "completed": "ended", "busy": "ended", "no-answer": "ended", "failed": "ended", "canceled": "ended",
}  # fmt: skip


def sign(url: str, fields: Mapping[str, Sequence[str]], token: str) -> str:
    """The header for a form posted to this address: HMAC-SHA1 over the address and each name and value, sorted."""
    said = url + "".join(name + value for name in sorted(fields) for value in sorted(set(fields[name])))
    return base64.b64encode(hmac.new(token.encode(), said.encode(), hashlib.sha1).digest()).decode()


def read(headers: Mapping[str, str], body: bytes, *, url: str, secrets: Sequence[str], at: datetime) -> list[CallEvent]:
    """Verify, then read. ``url`` is the address as it was given to Twilio.

    Raises CallEventForged, CallEventMalformed.
    """
    try:
        fields = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=200)
    except ValueError:
        raise CallEventForged(rule="form_unreadable") from None
    given = next((value for name, value in headers.items() if name.lower() == HEADER), "")
    matches = [hmac.compare_digest(sign(url, fields, one).encode(), given.encode()) for one in secrets if one.strip()]
    if not any(matches):
        raise CallEventForged(rule="no_known_secret_signed_it")
    event = _event({name: values[0].replace("\0", "") for name, values in fields.items()}, at=at)
    return [event] if event else []


def _event(told: Mapping[str, str], *, at: datetime) -> CallEvent | None:
    call = told.get("CallSid", "")
    if not 0 < len(call) <= 120:
        raise CallEventMalformed(call[:40], field="CallSid", rule="text_of_1_to_120")
    outgoing = told.get("Direction", "inbound").startswith("outbound")
    kind, key, recording = _kind(told, call)
    if kind is None:
        return None
    seconds = told.get("RecordingDuration" if kind == "recording" else "CallDuration", "")
    text = told.get("TranscriptionText", "")
    return CallEvent(
        key=key[:200],
        call=call,
        kind=kind,
        happened_at=_moment(told, at),
        direction="out" if outgoing else "in",
        other=told.get("To" if outgoing else "From", "")[:200],
        ours=told.get("From" if outgoing else "To", "")[:200],
        answered=None if kind != "ended" else told.get("CallStatus") == "completed",
        seconds=int(seconds) if seconds.isdecimal() and len(seconds) < 7 else None,
        recording=recording[:500],
        turns=(Turn("", text[:5_000]),) if kind == "transcript" else (),
    )


def _kind(told: Mapping[str, str], call: str) -> tuple[Kind | None, str, str]:
    if told.get("TranscriptionText"):
        return "transcript", f"{call}:transcript:{told.get('TranscriptionSid', '')}", ""
    if told.get("RecordingUrl"):
        done = told.get("RecordingStatus", "completed") == "completed"
        return "recording" if done else None, f"{call}:recording:{told.get('RecordingSid', '')}", told["RecordingUrl"]
    status = told.get("CallStatus", "")
    return _KINDS.get(status), f"{call}:{status}", ""


def _moment(told: Mapping[str, str], at: datetime) -> datetime:
    """What Twilio says of the time; where it says none, now."""
    for name in ("Timestamp", "RecordingStartTime"):
        try:
            return datetime.strptime(told.get(name, ""), "%a, %d %b %Y %H:%M:%S %z")  # RFC 2822
        except ValueError:
            continue
    return at
