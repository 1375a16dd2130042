"""What is promised in time, and where such a promise stands."""

from __future__ import annotations

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Goal(TextChoices):
    FIRST_REPLY = "first_reply", _("first reply")
    NEXT_REPLY = "next_reply", _("next reply")
    RESOLUTION = "resolution", _("decision told")


class GoalState(TextChoices):
    OPEN = "open", _("open")
    PAUSED = "paused", _("paused")
    MET = "met", _("kept")
    MISSED = "missed", _("missed")
