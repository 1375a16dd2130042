"""Events of calls come in: signed, perhaps twice, late, or in the wrong order. The call is their fold."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from makegood.accounts import queries as accounts
from makegood.accounts.actors import Actor, require
from makegood.accounts.states import May
from makegood.calls.models import Call, PhoneLine
from makegood.calls.states import SOURCES, CallState, RecordingState
from makegood.connectors.phone import own, twilio
from makegood.connectors.phone.shapes import CallEvent, CallEventForged, Turn
from makegood.customers.rules import ContactMalformed, normalize_contact
from makegood.kit import db, errors, jobs, refs, vault

PURPOSE = "makegood/calls/line-secrets/1"
SECRET_LENGTH_MIN = 16


class PhoneLineMalformed(errors.Malformed):
    code = "phone_line_malformed"
    message = "{field}: {value} cannot be used for a call centre ({rule})."


@db.command
def connect_line(
    *, source: str, secrets: list[str], url: str = "", account: str = "", actor: Actor, at: datetime
) -> PhoneLine:
    """Let a call centre tell of calls; again to change its secrets (several while one is being replaced).

    Raises NotAllowed, PhoneLineMalformed.
    """
    require(actor, May.MANAGE)
    if source not in SOURCES:
        raise PhoneLineMalformed(source, field="source", rule="|".join(SOURCES))
    if not secrets or any(len(secret) < SECRET_LENGTH_MIN for secret in secrets):
        raise PhoneLineMalformed(None, field="secrets", rule=f"at_least_{SECRET_LENGTH_MIN}_characters")
    if source == "twilio" and not url.startswith(("https://", "http://")):
        raise PhoneLineMalformed(url, field="url", rule="address_given_to_twilio")
    sealed = vault.seal({"secrets": secrets}, purpose=PURPOSE)
    line, _made = PhoneLine.objects.update_or_create(
        source=source, defaults={"url": url, "account": account, "sealed": sealed, "connected_at": at}
    )
    return line


def take_events(*, source: str, headers: Mapping[str, str], body: bytes, at: datetime) -> int:
    """Verify a message and put its events into effect; how many were new.

    Raises CallEventForged, CallEventMalformed.
    """
    line, secrets = line_with_secrets(source)
    if source == "twilio":
        events = twilio.read(headers, body, url=line.url, secrets=secrets, at=at)
    else:
        events = own.read(headers, body, secrets=secrets, at=at)
    return sum(_take(source=source, event=event, at=at) for event in events)


@db.query
def line_with_secrets(source: str) -> tuple[PhoneLine, list[str]]:
    """Raises CallEventForged where no such call centre is connected: who asks learns nothing else."""
    line = PhoneLine.objects.filter(source=source).first()
    if line is None:
        raise CallEventForged(rule="no_known_secret_signed_it")
    opened = vault.unseal(line.sealed, purpose=PURPOSE, name=source)
    return line, [str(one) for one in opened.get("secrets", [])]


@db.command
def _take(*, source: str, event: CallEvent, at: datetime) -> bool:
    """Put one event into effect; False where it was before."""
    call = _call_of(source, event, at=at)
    fresh = db.fetch_one(
        "insert into calls_callsignal (call_id, key, kind, happened_at, came_at) values (%s, %s, %s, %s, %s)"
        " on conflict (merchant_id, key) do nothing returning id",
        [call.id, f"{source}:{event.key}"[:200], event.kind, event.happened_at, at],
    )
    if fresh is None:
        return False
    _fold(call, event)
    if event.kind == "recording" and event.recording and not call.recording_state:
        call.recording_url, call.recording_state = event.recording, RecordingState.WAITS
        jobs.leave("calls.fetch_recording", call_id=call.id)
    if event.kind == "transcript" and event.turns:
        call.transcript = "\n".join(filter(None, [call.transcript, *map(_line, event.turns)]))[:500_000]
    call.save()
    if call.conversation_id is not None:
        from makegood.calls.commands.carding import carry_transcript  # noqa: PLC0415 - carding knows taking

        carry_transcript(call, at=at)
    return True


def _call_of(source: str, event: CallEvent, *, at: datetime) -> Call:
    """The call, locked; made by whichever of its events comes first."""
    db.execute(
        "insert into calls_call (ref, source, key, direction, number, ours, agent, state, seen_at, verified_how,"
        " verified_by, recording_url, recording_sha256, recording_type, transcript)"
        " values (%s, %s, %s, %s, '', '', '', %s, %s, '', '', '', '', '', '')"
        " on conflict (merchant_id, source, key) do nothing",
        [refs.new_ref("T"), source, event.call, event.direction, CallState.RINGING, at],
    )
    return Call.objects.select_for_update().get(source=source, key=event.call)


def _fold(call: Call, event: CallEvent) -> None:
    """What the event says, wherever in the order it belongs: the earliest ringing, the first answer, the last end."""
    if event.other and not call.number:
        call.number = _number(event.other)
    call.ours = call.ours or event.ours
    call.agent = event.agent or call.agent
    if event.direction == "out":
        call.direction = "out"
    at = event.happened_at
    if event.kind == "ringing":
        call.rang_at = min(call.rang_at or at, at)
    elif event.kind == "answered":
        call.answered_at = min(call.answered_at or at, at)
    elif event.kind == "ended":
        call.ended_at = max(call.ended_at or at, at)
        if event.answered and call.answered_at is None and event.seconds:
            call.answered_at = at
    if event.seconds is not None and event.kind in {"ended", "recording"}:
        call.seconds = event.seconds
    call.state = state_of(call)


def state_of(call: Call) -> str:
    if call.ended_at is not None:
        return CallState.ENDED if call.answered_at is not None else CallState.MISSED
    return CallState.ANSWERED if call.answered_at is not None else CallState.RINGING


def _number(text: str) -> str:
    try:
        return normalize_contact("phone", text, region=accounts.merchant().market)
    except ContactMalformed:
        return text[:60]


def _line(turn: Turn) -> str:
    return f"{turn.who}: {turn.text}" if turn.who else turn.text
