"""Tables of people. What identifies a person stands here only, so that it can be erased here."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from makegood.kit.tenant_models import TenantModel, points_at


class Customer(TenantModel):
    """A person known to a merchant. ``reference`` is the source's id of the person."""

    reference = models.CharField(max_length=120)
    name = models.CharField(max_length=200, blank=True)
    language = models.CharField(max_length=10, blank=True)
    address = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    erased_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["merchant_id", "reference"], name="customer_once")]
        indexes: ClassVar = [models.Index(fields=["merchant_id", "name"], name="customer_by_name")]


class Contact(TenantModel):
    """An address by which a person is known: ``kind`` is email or phone, ``value`` is normalised.

    ``undeliverable_at``: when what was sent there came back for good; nothing is sent there until a sign of life.
    """

    customer = points_at(Customer, "contacts")
    kind = models.CharField(max_length=10)
    value = models.CharField(max_length=200)
    undeliverable_at = models.DateTimeField(null=True)
    undeliverable_why = models.CharField(max_length=200, blank=True, default="", db_default="")
    less_mail_at = models.DateTimeField(null=True)  # since when reminders are declined

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["merchant_id", "customer", "kind", "value"], name="contact_once"),
        ]
        indexes: ClassVar = [models.Index(fields=["merchant_id", "kind", "value"], name="contact_by_value")]


class SavedMethod(TenantModel):
    """A customer's way to pay or be paid: card, wallet, bank, gift_card, store_credit.

    The balance of a gift card or store credit is in the ledger (book ``credit``, subject this row).
    """

    customer = points_at(Customer, "methods")
    reference = models.CharField(max_length=120)
    kind = models.CharField(max_length=20)
    label = models.CharField(max_length=120, blank=True)
    source = models.JSONField(default=dict)
    opening_minor = models.BigIntegerField(default=0)
    currency = models.CharField(max_length=3, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["merchant_id", "customer", "reference"], name="method_once")
        ]


class OneTimeCode(TenantModel):
    """A code sent to a contact to prove that the person asking holds it."""

    purpose = models.CharField(max_length=40)
    subject = models.CharField(max_length=120)
    code_hash = models.CharField(max_length=64)
    attempts = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["merchant_id", "subject", "created_at"], name="code_by_subject")]
