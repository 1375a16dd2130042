"""What a message can want, and how soon somebody should look at it."""

from __future__ import annotations

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Intent(TextChoices):
    CANCEL = "cancel", _("cancel an order")
    REFUSE = "refuse", _("refuse a delivery")
    RETURN = "return", _("return goods or have the money back")
    EXCHANGE = "exchange", _("exchange goods")
    WHERE_IS_IT = "where_is_it", _("where the parcel is")
    REFUND_STATUS = "refund_status", _("where the refund is")
    DAMAGED = "damaged", _("damaged or defective goods")
    WRONG = "wrong", _("wrong or missing goods")
    COUNTERFEIT = "counterfeit", _("counterfeit goods")
    SERVICE_COMPLAINT = "service_complaint", _("complaint about service")
    APPEAL = "appeal", _("challenge a decision")
    SUGGESTION = "suggestion", _("suggestion")
    PRAISE = "praise", _("praise")
    OTHER = "other", _("something else")


class Urgency(TextChoices):
    HIGH = "high", _("urgent")
    NORMAL = "normal", _("normal")
    LOW = "low", _("can wait")
