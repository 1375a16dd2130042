"""Tables of a merchant's own policy: drafts that are being edited, and releases that decide."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from makegood.kit.tenant_models import TenantModel


class PolicyDraft(TenantModel):
    """A pack that is being edited. ``content`` is the written pack; ``revision`` goes up with every change."""

    ref = models.CharField(max_length=20)
    pack = models.CharField(max_length=64)
    base_hash = models.CharField(max_length=32)  # the published pack it began as
    content = models.JSONField()
    revision = models.PositiveIntegerField(default=1)
    started_by = models.CharField(max_length=60)
    started_at = models.DateTimeField()
    changed_by = models.CharField(max_length=60)
    changed_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)  # published or discarded

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["merchant_id", "ref"], name="draft_ref_once"),
        ]


class PolicyRelease(TenantModel):
    """A published version. Its content is never changed, so that decisions made with it replay for ever."""

    pack = models.CharField(max_length=64)
    version = models.CharField(max_length=80)
    hash = models.CharField(max_length=32)
    content = models.JSONField()
    valid_from = models.DateField()
    note = models.CharField(max_length=500)
    released_by = models.CharField(max_length=60)
    released_at = models.DateTimeField()
    withdrawn_by = models.CharField(max_length=60, blank=True)
    withdrawn_at = models.DateTimeField(null=True)  # before its first day: it never decided

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["merchant_id", "pack", "valid_from"],
                condition=models.Q(withdrawn_at__isnull=True),
                name="one_release_a_day",
            ),
        ]


class PolicyEvent(TenantModel):
    """What was done to drafts and releases, by whom. Never changed itself."""

    what = models.CharField(max_length=40)
    subject = models.CharField(max_length=80)
    actor = models.CharField(max_length=60)
    details = models.JSONField(default=dict)
    happened_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [models.Index("merchant_id", "subject", "id", name="policy_event_by_subject")]
