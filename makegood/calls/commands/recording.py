"""Recordings and transcripts: fetched once, kept apart, and every opening written down before anything is shown."""

from __future__ import annotations

import base64
from datetime import datetime
from pathlib import Path

import structlog
from django.conf import settings

from makegood.accounts.actors import Actor, require
from makegood.accounts.states import May
from makegood.calls.commands.taking import line_with_secrets
from makegood.calls.models import Call, CallOpening
from makegood.calls.queries import CallUnknown
from makegood.calls.states import Opened, RecordingState
from makegood.cases import history
from makegood.kit import db, errors, files, outgoing, tenancy

log = structlog.get_logger()
BYTES_MAX = 100_000_000
SOUNDS = (
    (b"RIFF", "audio/wav"), (b"ID3", "audio/mpeg"), (b"\xff\xfb", "audio/mpeg"), (b"\xff\xf3", "audio/mpeg"),
    (b"OggS", "audio/ogg"), (b"fLaC", "audio/flac"),
)  # fmt: skip


class RecordingMissing(errors.Unknown):
    code = "recording_missing"
    message = "There is no such recording or transcript."


def fetch_recording(*, call_id: int) -> None:
    """Fetch and keep what the call centre recorded; again changes nothing. A failing source is tried again later."""
    call = _waiting(call_id)
    if call is None:
        return
    headers = {}
    if call.source == "twilio":
        line, secrets = line_with_secrets("twilio")
        headers["Authorization"] = "Basic " + base64.b64encode(f"{line.account}:{secrets[0]}".encode()).decode()
    try:
        data = outgoing.read_whole(outgoing.check_url(call.recording_url), headers, bytes_max=BYTES_MAX)
    except (outgoing.AddressMalformed, outgoing.AddressRefused) as refused:
        log.warning("recording_refused", call=call.ref, code=refused.code)
        _settle(call_id=call_id, sha256="", media_type="", size=0)
        return
    sound = next((kind for magic, kind in SOUNDS if data.startswith(magic)), "")
    if not sound:
        log.warning("recording_is_no_sound", call=call.ref)
        _settle(call_id=call_id, sha256="", media_type="", size=0)
        return
    owner = str(tenancy.require_merchant_id())
    sha256 = files.keep(data, uploads=Path(settings.UPLOADS_DIR), owner=owner)
    _settle(call_id=call_id, sha256=sha256, media_type=sound, size=len(data))


@db.query
def _waiting(call_id: int) -> Call | None:
    return Call.objects.filter(id=call_id, recording_state=RecordingState.WAITS).first()


@db.command
def _settle(*, call_id: int, sha256: str, media_type: str, size: int) -> None:
    call = Call.objects.select_for_update().get(id=call_id)
    call.recording_sha256, call.recording_type, call.recording_size = sha256, media_type, size
    call.recording_state = RecordingState.KEPT if sha256 else RecordingState.FAILED
    call.save(update_fields=["recording_sha256", "recording_type", "recording_size", "recording_state"])


@db.command
def open_recording(*, ref: str, actor: Actor, at: datetime) -> Call:
    """Write down who is about to hear it, then give it. Raises NotAllowed, CallUnknown, RecordingMissing."""
    call = _open(ref, Opened.RECORDING, actor=actor, at=at)
    if not call.recording_sha256:
        raise RecordingMissing(field="call", rule="kept")
    return call


@db.command
def open_transcript(*, ref: str, actor: Actor, at: datetime) -> str:
    """As ``open_recording``, the words. Raises NotAllowed, CallUnknown, RecordingMissing."""
    call = _open(ref, Opened.TRANSCRIPT, actor=actor, at=at)
    if not call.transcript:
        raise RecordingMissing(field="call", rule="kept")
    return call.transcript


def _open(ref: str, what: Opened, *, actor: Actor, at: datetime) -> Call:
    require(actor, May.HANDLE)
    found = Call.objects.filter(ref=ref[:20]).first()
    if found is None:
        raise CallUnknown(ref, field="call")
    if found.case_id is not None:
        case = history.lock_case_by_id(found.case_id)
        history.record(case, "recording_heard", actor=actor.key, at=at, call=found.ref, what=str(what))
        history.save(case)
    CallOpening.objects.create(call=found, what=what, by=actor.key, at=at)
    return found
