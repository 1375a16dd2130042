"""Where an endpoint and a delivery stand, and which events can be chosen."""

from __future__ import annotations

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class EndpointState(TextChoices):
    ACTIVE = "active", _("active")
    PAUSED = "paused", _("paused")
    DISABLED = "disabled", _("switched off after failures")


class DeliveryState(TextChoices):
    DUE = "due", _("to be sent")
    DELIVERED = "delivered", _("delivered")
    FAILED = "failed", _("given up")
    HELD = "held", _("held back")


TEST = "test"
PREFIX = "case."

# Kinds of case events; an event is named ``case.<kind>``. A test compares them with the reference of events.
KINDS = (
    "address_changed",
    "appeal_decided",
    "appeal_filed",
    "appeal_reviewed_first",
    "appeal_window_passed",
    "approved",
    "approved_first",
    "assigned",
    "call_back_made",
    "call_back_promised",
    "call_noted",
    "case_filed",
    "case_given_back",
    "case_merged",
    "case_reopened",
    "case_taken_in",
    "case_unmerged",
    "closed",
    "conversation_attached",
    "deadline_passed",
    "decided",
    "decided_by_hand",
    "denied",
    "difference_due",
    "difference_paid",
    "escalated",
    "evidence_asked",
    "evidence_brought",
    "exchange_blocked",
    "finding_recorded",
    "goods_coming_back",
    "goods_inspected",
    "goods_lost",
    "goods_received",
    "goods_rejected",
    "items_changed",
    "lapsed",
    "mail_bounced",
    "message_written",
    "messages_came_back",
    "note_written",
    "payment_changed",
    "payment_resumed",
    "payment_troubled",
    "promise_missed",
    "recall_called_off",
    "recall_intercepted",
    "recall_missed",
    "recall_requested",
    "recording_heard",
    "remedies_released",
    "remedy_given_up",
    "remedy_paid",
    "replacement_sent",
    "return_authorised",
    "snoozed",
    "tagged",
    "statement_asked",
    "statement_given",
    "taken_over",
    "units_unaccounted",
    "withdrawn",
)
EVENTS = tuple(PREFIX + kind for kind in KINDS)
