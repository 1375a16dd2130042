"""Letters that wait to be sent to customers; until a mail channel is connected an operator reads them here."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from makegood.kit.tenant_models import TenantModel


class Letter(TenantModel):
    """A short letter to a contact. One that concerns nobody known is written too, so that both take the same time."""

    to_kind = models.CharField(max_length=10)
    to_value = models.CharField(max_length=200, blank=True)
    language = models.CharField(max_length=10)
    subject = models.CharField(max_length=200)
    body = models.TextField()
    written_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["merchant_id", "expires_at"], name="letter_by_expiry")]
