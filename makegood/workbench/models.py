"""Tables of the workbench. What a person keeps for themselves goes with them; nothing here is a case's history."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from makegood.accounts.models import Staff
from makegood.cases.models import Case
from makegood.kit.tenant_models import TenantModel, points_at
from makegood.workbench.states import OutgoingState


class Keymap(TenantModel):
    """The keys a member of staff chose, by act; what is left out is as usual."""

    staff = points_at(Staff, "+")
    keys = models.JSONField(default=dict)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["merchant_id", "staff"], name="keymap_once")]


class Presence(TenantModel):
    """Who looks at a case or writes a reply on it; true until some seconds after ``seen_at``."""

    staff = points_at(Staff, "+")
    case = points_at(Case, "+")
    doing = models.CharField(max_length=8)  # viewing|replying
    seen_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["merchant_id", "case", "staff"], name="presence_once")]


class Outgoing(TenantModel):
    """A reply that goes out when it falls due, and can be taken back until then.

    ``seen`` is the last event its writer saw. What is sent or taken back keeps no words here.
    """

    case = points_at(Case, "+")
    staff = points_at(Staff, "+")
    body = models.TextField()
    seen = models.IntegerField()
    written_at = models.DateTimeField()
    due_at = models.DateTimeField()
    state = models.CharField(max_length=8, choices=OutgoingState.choices, default=OutgoingState.WAITING)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["due_at"], name="outgoing_due", condition=models.Q(state="waiting")),
            models.Index(
                fields=["merchant_id", "staff"],
                name="outgoing_of_staff",
                condition=models.Q(state__in=["waiting", "stopped"]),
            ),
        ]


class Macro(TenantModel):
    """Steps that are done together, or a snippet of words where it has a reply only. ``staff`` is null where shared.

    ``steps``: reply_zh, reply_en, note, tag, assign (me), snooze (hours); what is left out is not done.
    """

    staff = points_at(Staff, "+", null=True)
    name = models.CharField(max_length=60)
    steps = models.JSONField(default=dict)
    then = models.CharField(max_length=5, default="stay")  # stay|next|close

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["merchant_id", "staff", "name"], name="macro_name_once", nulls_distinct=False
            )
        ]
