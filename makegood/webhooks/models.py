"""Tables of webhooks: endpoints, the deliveries they are owed, and every attempt."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from makegood.kit.tenant_models import TenantModel, points_at
from makegood.webhooks.states import DeliveryState, EndpointState


class Endpoint(TenantModel):
    """An address of the merchant. ``events`` are those chosen, all where empty; secrets are sealed."""

    ref = models.CharField(max_length=20)
    url = models.CharField(max_length=500)
    label = models.CharField(max_length=80)
    events = models.JSONField(default=list)
    secrets = models.TextField()  # sealed: current, previous, and until when the previous one signs too
    state = models.CharField(max_length=10, choices=EndpointState.choices)
    why = models.CharField(max_length=20, blank=True)  # why it was switched off: gone, failing
    failing_since = models.DateTimeField(null=True)
    last_success_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["merchant_id", "ref"], name="endpoint_once")]


class Delivery(TenantModel):
    """One event owed to one endpoint: written by the database in the transaction of the event itself."""

    endpoint = points_at(Endpoint, "deliveries")
    event_id = models.BigIntegerField(null=True)  # of the case's history; none for a test
    kind = models.CharField(max_length=60)
    webhook_id = models.CharField(max_length=40)
    state = models.CharField(max_length=10, choices=DeliveryState.choices)
    attempts = models.PositiveIntegerField()
    next_at = models.DateTimeField()
    created_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["merchant_id", "endpoint", "event_id"], name="delivery_once")
        ]
        indexes: ClassVar = [
            models.Index(fields=["endpoint", "next_at"], condition=models.Q(state="due"), name="delivery_next"),
            models.Index(fields=["next_at"], condition=models.Q(state="due"), name="delivery_due"),
            models.Index(fields=["merchant_id", "endpoint", "id"], name="delivery_by_endpoint"),
        ]


class Attempt(TenantModel):
    """One try. Never changed."""

    delivery = points_at(Delivery, "tries")
    number = models.PositiveIntegerField()
    started_at = models.DateTimeField()
    milliseconds = models.PositiveIntegerField()
    status = models.PositiveIntegerField(null=True)
    failure = models.CharField(max_length=60, blank=True)
    request_head = models.TextField()
    response_head = models.TextField(blank=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["merchant_id", "delivery", "id"], name="attempt_by_delivery")]
