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


class PolicyTrial(TenantModel):
    """A draft being tried on past cases by a job. ``content`` is the draft as it was when the trial was asked for."""

    ref = models.CharField(max_length=20)
    draft = models.CharField(max_length=20)
    revision = models.PositiveIntegerField()
    content = models.JSONField()
    pack = models.CharField(max_length=64)
    decisions = models.PositiveBigIntegerField()  # stored decisions to try it on
    done = models.PositiveBigIntegerField(default=0)
    started_by = models.CharField(max_length=60)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    result = models.JSONField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["merchant_id", "ref"], name="trial_ref_once"),
            models.UniqueConstraint(
                fields=["merchant_id", "draft", "revision"],
                condition=models.Q(finished_at__isnull=True),
                name="one_trial_at_a_time",
            ),
        ]
        indexes: ClassVar = [models.Index("merchant_id", "draft", "id", name="policy_trial_by_draft")]


class PolicyEvent(TenantModel):
    """What was done to drafts and releases, by whom. Never changed itself."""

    what = models.CharField(max_length=40)
    subject = models.CharField(max_length=80)
    actor = models.CharField(max_length=60)
    details = models.JSONField(default=dict)
    happened_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [models.Index("merchant_id", "subject", "id", name="policy_event_by_subject")]
