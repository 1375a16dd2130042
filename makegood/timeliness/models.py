"""Tables of promises in time."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from makegood.cases.models import Case
from makegood.customers.models import Customer
from makegood.kit.tenant_models import TenantModel, points_at
from makegood.timeliness.states import Goal, GoalState


class Target(TenantModel):
    """How soon cases of a kind, value and customer are answered, in working minutes; 0 where nothing is promised."""

    kind = models.CharField(max_length=12, blank=True)  # empty: every kind
    from_minor = models.BigIntegerField(default=0)  # what was paid for the order, in the merchant's currency
    customer = points_at(Customer, "targets", null=True)
    first_reply = models.PositiveIntegerField(default=0)
    next_reply = models.PositiveIntegerField(default=0)
    resolution = models.PositiveIntegerField(default=0)
    made_at = models.DateTimeField()  # cases opened before were promised nothing by it
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["merchant_id"], name="target_in_force", condition=models.Q(ended_at__isnull=True))
        ]


class Promise(TenantModel):
    """One promise about one case, as its history says; ``worked`` minutes once it ended."""

    case = points_at(Case, "promises")
    goal = models.CharField(max_length=12, choices=Goal.choices)
    kind = models.CharField(max_length=12)
    starts_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)  # null while paused
    allowed = models.PositiveIntegerField()
    state = models.CharField(max_length=8, choices=GoalState.choices)
    ended_at = models.DateTimeField(null=True)
    worked = models.PositiveIntegerField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["merchant_id", "case", "goal", "starts_at"], name="promise_once")
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["merchant_id", "due_at"], name="promise_due", condition=models.Q(ended_at__isnull=True)
            ),
            models.Index(fields=["merchant_id", "goal", "kind", "ended_at"], name="promise_past"),
        ]


class Standing(TenantModel):
    """How far the history of a case has been looked at."""

    case = points_at(Case, "standings")
    event_seq = models.IntegerField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["merchant_id", "case"], name="standing_once")]


class HandOver(TenantModel):
    """Cases that one member of staff gave to another at the end of a shift."""

    from_staff = models.BigIntegerField()
    to_staff = models.BigIntegerField()
    cases = models.JSONField(default=list)  # refs
    note = models.TextField(blank=True)
    at = models.DateTimeField()
