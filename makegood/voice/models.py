"""Tables of the customer's voice. Words stand here only, so that they can be erased here."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from makegood.cases.models import Case
from makegood.customers.models import Customer
from makegood.kit.tenant_models import TenantModel, points_at
from makegood.orders.models import Order


class Feedback(TenantModel):
    """What a customer said of a case at its end; said again, the later word counts."""

    case = points_at(Case, "feedback")
    order = points_at(Order, "feedback", null=True)
    customer = points_at(Customer, "feedback")
    rating = models.PositiveSmallIntegerField()  # 1 bad to 5 good
    words = models.TextField(blank=True)
    language = models.CharField(max_length=10)
    said_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["merchant_id", "case"], name="feedback_once_a_case"),
            models.CheckConstraint(condition=models.Q(rating__gte=1, rating__lte=5), name="feedback_rating"),
        ]
        indexes: ClassVar = [models.Index(fields=["merchant_id", "said_at"], name="feedback_by_time")]
