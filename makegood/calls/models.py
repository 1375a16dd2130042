"""Tables of telephone calls. The number and what was said identify a person and are erased here."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from makegood.calls.states import CallState, RecordingState
from makegood.cases.models import Case
from makegood.conversations.models import Conversation, Message
from makegood.customers.models import Customer
from makegood.kit.tenant_models import TenantModel, points_at


class PhoneLine(TenantModel):
    """A call centre that tells us of calls. ``sealed`` holds the secrets it signs with."""

    source = models.CharField(max_length=10)  # own|twilio
    url = models.CharField(max_length=500, blank=True)  # the address given to it, where its signature covers that
    account = models.CharField(max_length=80, blank=True)  # whose recordings are fetched
    sealed = models.TextField()
    connected_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["merchant_id", "source"], name="phone_line_once")]


class Call(TenantModel):
    """One call: a fold of its events, in whatever order they came. ``customer`` is set once the caller is verified."""

    ref = models.CharField(max_length=20)
    source = models.CharField(max_length=10)
    key = models.CharField(max_length=120)
    direction = models.CharField(max_length=3)
    number = models.CharField(max_length=200, blank=True)  # of the other side, E.164 where it can be read
    ours = models.CharField(max_length=200, blank=True)
    agent = models.CharField(max_length=200, blank=True)  # as the call centre names who answered
    state = models.CharField(max_length=10, choices=CallState.choices)
    rang_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField()  # when the first event came
    customer = points_at(Customer, "calls", null=True)
    verified_how = models.CharField(max_length=10, blank=True)  # code|facts
    verified_by = models.CharField(max_length=60, blank=True)
    verified_at = models.DateTimeField(null=True)
    case = points_at(Case, "calls", null=True)
    conversation = points_at(Conversation, "calls", null=True)
    recording_url = models.CharField(max_length=500, blank=True)
    recording_state = models.CharField(
        max_length=10, choices=RecordingState.choices, default="", db_default="", blank=True
    )
    recording_sha256 = models.CharField(max_length=64, blank=True)
    recording_type = models.CharField(max_length=60, blank=True)
    recording_size = models.BigIntegerField(default=0, db_default=0)
    seconds = models.IntegerField(null=True)
    transcript = models.TextField(blank=True)
    transcript_message = points_at(Message, "+", null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["merchant_id", "ref"], name="call_ref_once"),
            models.UniqueConstraint(fields=["merchant_id", "source", "key"], name="call_once"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["merchant_id", "seen_at"], name="call_newest"),
            models.Index(fields=["merchant_id", "case"], name="call_by_case"),
        ]


class CallSignal(TenantModel):
    """An event of a call that was put into effect; its key keeps it from counting twice."""

    call = points_at(Call, "signals")
    key = models.CharField(max_length=200)
    kind = models.CharField(max_length=12)
    happened_at = models.DateTimeField()
    came_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["merchant_id", "key"], name="call_signal_once")]


class CallCheck(TenantModel):
    """A try to verify a caller: how, which answers were asked (never what was said), and whether it held."""

    call = points_at(Call, "checks")
    how = models.CharField(max_length=10)
    asked = models.JSONField(default=list)
    passed = models.BooleanField()
    by = models.CharField(max_length=60)
    at = models.DateTimeField()


class CallOpening(TenantModel):
    """Who opened a recording or transcript, and when."""

    call = points_at(Call, "openings")
    what = models.CharField(max_length=12)
    by = models.CharField(max_length=60)
    at = models.DateTimeField()
