"""Where a call stands, and what is kept of it."""

from __future__ import annotations

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class CallState(TextChoices):
    RINGING = "ringing", _("ringing")
    ANSWERED = "answered", _("on the line")
    ENDED = "ended", _("call ended")
    MISSED = "missed", _("nobody answered")


class RecordingState(TextChoices):
    NONE = "", _("no recording")
    WAITS = "waits", _("recording is being fetched")
    KEPT = "kept", _("recording kept")
    FAILED = "failed", _("recording could not be fetched")


class Opened(TextChoices):
    RECORDING = "recording", _("heard the recording")
    TRANSCRIPT = "transcript", _("read the transcript")


SOURCES = ("own", "twilio")
