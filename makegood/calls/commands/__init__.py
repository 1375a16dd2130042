"""Commands on calls."""

from makegood.calls.commands.carding import attach_call, note_call
from makegood.calls.commands.recording import fetch_recording, open_recording, open_transcript
from makegood.calls.commands.taking import connect_line, take_events
from makegood.calls.commands.verifying import check_call_code, check_call_facts, send_call_code

__all__ = [
    "attach_call",
    "check_call_code",
    "check_call_facts",
    "connect_line",
    "fetch_recording",
    "note_call",
    "open_recording",
    "open_transcript",
    "send_call_code",
    "take_events",
]
