"""States of mails and messages."""

from __future__ import annotations

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class RawState(TextChoices):
    STORED = "stored", _("stored")
    READ = "read", _("read")


class Direction(TextChoices):
    IN = "in", _("received")
    OUT = "out", _("sent")


class SendState(TextChoices):
    """Where a message is on its way. ``unsure``: the connection broke before the answer, and nobody can know."""

    RECEIVED = "received", _("received")
    QUEUED = "queued", _("waits to be sent")
    SENDING = "sending", _("being sent")
    SENT = "sent", _("handed to the mail server")
    UNSURE = "unsure", _("perhaps sent")
    FAILED = "failed", _("refused")
    HELD = "held", _("not sent: too many automatic letters")
    BOUNCED = "bounced", _("came back")


class Waits(TextChoices):
    """Why an agent must look at a conversation."""

    LETTER = "letter", _("a letter waits for an answer")
    ALIKE = "alike", _("a letter may be about a case there is")
    BOUNCE = "bounce", _("a letter came back")
    STRANGER = "stranger", _("somebody else wrote about this case")
    UNPROVEN = "unproven", _("the sender may be somebody else")
    UNREADABLE = "unreadable", _("a mail could not be read")
    NOT_SENT = "not_sent", _("a reply was not sent")


class Outcome(TextChoices):
    """What became of a mail that came in."""

    OPENED_CASE = "opened_case", _("opened a case")
    OPENED = "opened", _("opened a conversation")
    JOINED = "joined", _("joined a conversation")
    KEPT = "kept", _("kept without effect")
    DUPLICATE = "duplicate", _("received before")
