"""Tables of the tenant itself: merchants, shops, staff, tokens, answered requests, this installation."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models

from makegood.accounts.states import FactorKind, Role, ShopKind
from makegood.kit.tenant_models import CurrentMerchant, TenantModel, points_at


class Merchant(models.Model):
    """The tenant. ``settings`` holds calendar, durations and limits; see ``accounts.rules.MerchantSettings``."""

    id = models.BigAutoField(primary_key=True)
    slug = models.SlugField(max_length=40, unique=True)
    name_zh = models.CharField(max_length=120)
    name_en = models.CharField(max_length=120)
    market = models.CharField(max_length=2)
    currency = models.CharField(max_length=3)
    time_zone = models.CharField(max_length=60)
    settings = models.JSONField(default=dict)
    created_at = models.DateTimeField()

    def name(self, language: str) -> str:
        return self.name_zh if language.lower().startswith("zh") else self.name_en


class Shop(TenantModel):
    """A place of sale and contact of a merchant."""

    slug = models.SlugField(max_length=40)
    name_zh = models.CharField(max_length=120)
    name_en = models.CharField(max_length=120)
    kind = models.CharField(max_length=10, choices=ShopKind.choices)
    platform = models.CharField(max_length=40, default="own-store")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["merchant_id", "slug"], name="shop_once")]


class Staff(AbstractBaseUser):
    """A person who works for one merchant; the same person at two merchants is two rows."""

    id = models.BigAutoField(primary_key=True)
    merchant_id = models.BigIntegerField(db_default=CurrentMerchant(), editable=False)
    email = models.EmailField()
    name = models.CharField(max_length=120)
    role = models.CharField(max_length=12, choices=Role.choices)
    language = models.CharField(max_length=10, default="zh-hans")
    is_active = models.BooleanField(default=True)

    USERNAME_FIELD = "id"
    EMAIL_FIELD = "email"

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["merchant_id", "email"], name="staff_email_once")]


class Factor(TenantModel):
    """What a member of staff proves themselves with beside the password.

    ``secret`` is sealed (app), the public key (passkey), or a keyed hash (recovery code, deleted when used);
    ``counter`` is the last step or count that was seen, so that nothing is accepted twice.
    """

    staff = points_at(Staff, "factors")
    kind = models.CharField(max_length=10, choices=FactorKind.choices)
    label = models.CharField(max_length=80)
    secret = models.TextField()
    counter = models.BigIntegerField(default=0)
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["merchant_id", "staff"], name="factor_by_staff")]


class Sitting(TenantModel):
    """One sign-in of a member of staff in one browser; ended, its session opens nothing any more."""

    staff = points_at(Staff, "sittings")
    opened_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    address = models.CharField(max_length=45)
    browser = models.CharField(max_length=200)
    proved_by = models.CharField(max_length=10, blank=True)  # kind of the second factor

    class Meta:
        indexes: ClassVar = [models.Index(fields=["merchant_id", "staff", "id"], name="sitting_by_staff")]


class ApiToken(TenantModel):
    """A bearer token; only the hash of its secret is kept. ``customer_id`` holds it to one customer's records."""

    label = models.CharField(max_length=80)
    secret_hash = models.CharField(max_length=64)
    scopes = models.JSONField(default=list)
    role = models.CharField(max_length=12, choices=Role.choices, default=Role.INTEGRATION)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)
    customer_id = models.BigIntegerField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["merchant_id", "secret_hash"], name="token_secret_once")
        ]


class AnsweredRequest(TenantModel):
    """One request key, one effect: the answer given the first time, given again to every retry."""

    route = models.CharField(max_length=120)
    key = models.CharField(max_length=255)
    body_sha256 = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    answer = models.JSONField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["merchant_id", "route", "key"], name="request_answered_once")
        ]


class Installation(models.Model):
    """The one row that says which deployment this database belongs to and whether money may leave it."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    environment = models.UUIDField()
    payouts_held = models.BooleanField(default=False)
    held_because = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.CheckConstraint(condition=models.Q(id=1), name="one_installation")]


class AccountEvent(TenantModel):
    """What changed about staff, tokens, shops and settings, by whom. Never changed itself."""

    what = models.CharField(max_length=40)
    subject = models.CharField(max_length=60)  # such as staff:12
    actor = models.CharField(max_length=60)
    details = models.JSONField(default=dict)
    happened_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [models.Index("merchant_id", "subject", "id", name="account_event_by_subject")]


class Tries(models.Model):
    """How often somebody tried something in one window; see ``accounts.limits``. Of no merchant, holds only hashes."""

    bucket = models.CharField(primary_key=True, max_length=64)
    opened_at = models.DateTimeField()
    closes_at = models.DateTimeField()
    count = models.PositiveIntegerField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["closes_at"], name="tries_by_close")]
