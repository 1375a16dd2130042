"""Tables of the workbench. What a person keeps for themselves goes with them; nothing here is a case's history."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from makegood.accounts.models import Staff
from makegood.kit.tenant_models import TenantModel, points_at


class Keymap(TenantModel):
    """The keys a member of staff chose, by act; what is left out is as usual."""

    staff = points_at(Staff, "+")
    keys = models.JSONField(default=dict)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["merchant_id", "staff"], name="keymap_once")]
