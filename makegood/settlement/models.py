"""Tables of payouts, of what gateways told us, and of coupons."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from makegood.cases.models import Case, Remedy, RemedyShare
from makegood.customers.models import Customer
from makegood.kit.tenant_models import TenantModel, points_at
from makegood.settlement.states import DisputeState, PayoutState


class Payout(TenantModel):
    """One execution of a remedy (or of one share of it) through a gateway. ``key`` is derived once, from this row."""

    ref = models.CharField(max_length=20)
    case = points_at(Case, "payouts")
    remedy = points_at(Remedy, "payouts")
    share = points_at(RemedyShare, "payouts", null=True)
    gateway = models.CharField(max_length=20)
    payment_reference = models.CharField(max_length=200, blank=True)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=8, blank=True)
    key = models.UUIDField()
    state = models.CharField(max_length=10, choices=PayoutState.choices)
    attempts = models.PositiveIntegerField(default=0)
    gateway_reference = models.CharField(max_length=200, blank=True)
    trouble = models.CharField(max_length=200, blank=True)
    replaces = models.BigIntegerField(null=True)
    to_method = models.CharField(max_length=120, blank=True)  # the saved method that gets store credit
    round = models.PositiveSmallIntegerField(default=0)  # how often it was paid and taken back
    looks = models.PositiveIntegerField(default=0)  # conversations with the gateway since it last said something
    promised_at = models.DateTimeField(db_default=Now())
    confirmed_by = models.CharField(max_length=60, blank=True)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    last_sent_at = models.DateTimeField(null=True)
    next_try_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["key"], name="payout_key_once"),
            models.UniqueConstraint(fields=["merchant_id", "ref"], name="payout_ref_once"),
            models.UniqueConstraint(
                fields=["merchant_id", "remedy", "share"],
                condition=~models.Q(state__in=["void"]),
                nulls_distinct=False,
                name="one_live_payout_a_share",
            ),
            models.CheckConstraint(condition=models.Q(amount_minor__gte=0), name="payout_not_negative"),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["next_try_at"],
                name="payout_to_try",
                condition=models.Q(state__in=["intended", "sending", "unknown", "accepted"]),
            ),
            models.Index(fields=["merchant_id", "gateway_reference"], name="payout_by_reference"),
            models.Index(fields=["merchant_id", "case"], name="payout_by_case"),
        ]


class PayoutEvent(TenantModel):
    """One step in a payout's life: what was tried, what was answered, who confirmed."""

    payout = points_at(Payout, "events")
    kind = models.CharField(max_length=24)
    happened_at = models.DateTimeField()
    actor = models.CharField(max_length=60)
    data = models.JSONField(default=dict)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["merchant_id", "payout"], name="payout_event_by_payout")]


class GatewayNotice(TenantModel):
    """A gateway's message, kept once however often it comes."""

    gateway = models.CharField(max_length=20)
    event_id = models.CharField(max_length=200)
    kind = models.CharField(max_length=30)
    body = models.JSONField()
    received_at = models.DateTimeField()
    applied_at = models.DateTimeField(null=True)
    trouble = models.CharField(max_length=200, blank=True)
    seen_by = models.CharField(max_length=60, blank=True)  # the person who dealt with it

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["merchant_id", "gateway", "event_id"], name="gateway_notice_once"),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["received_at"], name="gateway_notice_to_read", condition=models.Q(applied_at__isnull=True)
            ),
        ]


class Dispute(TenantModel):
    """A chargeback of a payment: money the card network took, and how it ended."""

    gateway = models.CharField(max_length=20)
    reference = models.CharField(max_length=200)
    payment_id = models.BigIntegerField()
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    state = models.CharField(max_length=8, choices=DisputeState.choices)
    taken = models.JSONField(default=dict)  # minor units by where they came from: available, payouts, beyond
    opened_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["merchant_id", "gateway", "reference"], name="dispute_once"),
        ]


class Coupon(TenantModel):
    """A coupon given as a remedy or restored; its value is in the ledger (book ``coupon``)."""

    customer = points_at(Customer, "coupons")
    code = models.CharField(max_length=40)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    issued_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True)
    payout = points_at(Payout, "coupons", null=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["merchant_id", "code"], name="coupon_code_once")]


class GatewayAccount(TenantModel):
    """How a merchant reaches a gateway. Secrets are encrypted with the installation's key."""

    gateway = models.CharField(max_length=20)
    settings = models.JSONField(default=dict)
    secrets = models.TextField(blank=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["merchant_id", "gateway"], name="gateway_once")]
