"""Tables of the ledger. Rows are written by the database function ``ledger_post`` alone."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from makegood.kit.tenant_models import CurrentMerchant, TenantModel, points_at


class Head(models.Model):
    """The end of a merchant's chain; its row lock puts the merchant's entries in one order."""

    merchant_id = models.BigIntegerField(primary_key=True, db_default=CurrentMerchant())
    seq = models.BigIntegerField(default=0)
    hash = models.CharField(max_length=64, default="")


class Account(TenantModel):
    """A balance: ``asset`` units held by ``name`` in ``book`` for ``subject_id``."""

    book = models.CharField(max_length=10)
    subject_id = models.BigIntegerField()
    name = models.CharField(max_length=16)
    asset = models.CharField(max_length=8)
    balance = models.BigIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["merchant_id", "book", "subject_id", "name", "asset"], name="ledger_account_once"
            ),
            models.CheckConstraint(
                condition=models.Q(balance__gte=0) | models.Q(name__startswith="~"), name="ledger_account_floor"
            ),
        ]


class Entry(TenantModel):
    """One event of the ledger; ``request_key`` makes it happen once."""

    seq = models.BigIntegerField()
    kind = models.CharField(max_length=40)
    request_key = models.CharField(max_length=200)
    order_id = models.BigIntegerField(null=True)
    cause = models.CharField(max_length=80)
    happened_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    prev_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["merchant_id", "seq"], name="ledger_entry_in_order"),
            models.UniqueConstraint(fields=["merchant_id", "request_key"], name="ledger_entry_once"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["merchant_id", "order_id", "seq"], name="ledger_entry_by_order"),
            models.Index(fields=["merchant_id", "happened_at"], name="ledger_entry_by_time"),
        ]


class Posting(TenantModel):
    """One side of a move; ``balance_after`` is the account's balance once it was applied."""

    entry = points_at(Entry, "postings")
    account = points_at(Account, "postings")
    amount = models.BigIntegerField()
    balance_after = models.BigIntegerField()

    class Meta:
        constraints: ClassVar = [models.CheckConstraint(condition=~models.Q(amount=0), name="ledger_posting_moves")]
        indexes: ClassVar = [
            models.Index(fields=["merchant_id", "entry"], name="ledger_posting_by_entry"),
            models.Index(fields=["merchant_id", "account"], name="ledger_posting_by_account"),
        ]
