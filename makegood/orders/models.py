"""Tables of what was sold, paid and sent. After-sales never edits them: what came back is in the ledger."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from makegood.customers.models import Customer
from makegood.kit.tenant_models import TenantModel, points_at


class Order(TenantModel):
    """One sale. Amounts are minor units of ``currency``; ``number`` is the shop's order number."""

    number = models.CharField(max_length=80)
    customer = points_at(Customer, "orders")
    shop_slug = models.CharField(max_length=40, blank=True)
    currency = models.CharField(max_length=3)
    ordered_at = models.DateTimeField(null=True)
    state = models.CharField(max_length=12, default="open")  # open|cancelled|returned: what the source says
    market = models.CharField(max_length=2, blank=True)
    platform = models.CharField(max_length=40, default="own-store")
    channel = models.CharField(max_length=10, default="distance")
    fulfilled_by = models.CharField(max_length=10, default="seller")
    shipping_minor = models.BigIntegerField(default=0)
    shipping_tax_minor = models.BigIntegerField(default=0)
    discount_minor = models.BigIntegerField(default=0)
    address = models.JSONField(default=dict)
    shipped_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    promised_by = models.DateTimeField(null=True)
    attributes = models.JSONField(default=dict)  # terms of the sale: free shipping threshold, points earned, coupons
    remarks = ArrayField(models.CharField(max_length=60), default=list)
    source = models.JSONField(default=list)  # the original rows
    source_format = models.CharField(max_length=40)
    source_digest = models.CharField(max_length=64)  # of the record it was last told in
    # of all the records one telling came in
    part_digests = ArrayField(models.CharField(max_length=64), default=list, db_default=[])
    import_id = models.BigIntegerField(null=True)  # the import that told it last
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["merchant_id", "number"], name="order_number_once"),
            models.CheckConstraint(
                condition=models.Q(shipping_minor__gte=0, discount_minor__gte=0), name="order_amounts_not_negative"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["merchant_id", "customer"], name="order_by_customer")]


class Line(TenantModel):
    """A line of an order. ``paid_minor`` is what was paid for all its units, discounts and tax included."""

    order = points_at(Order, "lines")
    number = models.CharField(max_length=80)
    sku = models.CharField(max_length=120)
    title = models.CharField(max_length=400)
    category = models.CharField(max_length=80, blank=True)
    product = models.CharField(max_length=120, blank=True)
    options = models.JSONField(default=dict)
    quantity = models.PositiveIntegerField()
    unit_minor = models.BigIntegerField(null=True)
    discount_minor = models.BigIntegerField(default=0)
    tax_minor = models.BigIntegerField(default=0)
    paid_minor = models.BigIntegerField(null=True)
    returned_before = models.PositiveIntegerField(default=0)
    cancelled_before = models.PositiveIntegerField(default=0)
    attributes = models.JSONField(default=dict)  # facts for policy: confirmed_no_return, promotion, opened …

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["merchant_id", "order", "number"], name="line_number_once"),
            models.CheckConstraint(
                condition=models.Q(quantity__gte=models.F("returned_before") + models.F("cancelled_before")),
                name="line_no_more_back_than_sold",
            ),
        ]


class Payment(TenantModel):
    """Money taken for an order; ``gateway`` is what can give it back."""

    order = points_at(Order, "payments")
    reference = models.CharField(max_length=120)
    method = models.CharField(max_length=20)
    method_reference = models.CharField(max_length=120, blank=True)  # customers.SavedMethod.reference
    captured_minor = models.BigIntegerField()
    refunded_before_minor = models.BigIntegerField(default=0)
    captured_at = models.DateTimeField(null=True)
    gateway = models.CharField(max_length=20, default="manual")
    gateway_reference = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["merchant_id", "order", "reference"], name="payment_once"),
            models.CheckConstraint(
                condition=models.Q(refunded_before_minor__gte=0)
                & models.Q(captured_minor__gte=models.F("refunded_before_minor")),
                name="payment_refunded_within_captured",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["merchant_id", "gateway_reference"], name="payment_by_gateway")]


class Parcel(TenantModel):
    """A parcel on its way to the customer or back. ``position`` is folded from its events by rank and time."""

    order = points_at(Order, "parcels")
    reference = models.CharField(max_length=120)  # tracking number
    carrier = models.CharField(max_length=80, blank=True)
    direction = models.CharField(max_length=8, default="out")  # out|back
    position = models.CharField(max_length=20, default="not_shipped")
    # what the source says beside the events
    told_position = models.CharField(max_length=20, default="not_shipped", db_default="not_shipped")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["merchant_id", "order", "reference"], name="parcel_once")
        ]
        indexes: ClassVar = [models.Index(fields=["merchant_id", "reference"], name="parcel_by_reference")]


class ParcelLine(TenantModel):
    """How many units of a line a parcel holds."""

    parcel = points_at(Parcel, "contents")
    line = points_at(Line, "+")
    quantity = models.PositiveIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["merchant_id", "parcel", "line"], name="parcel_line_once")
        ]


class ParcelEvent(TenantModel):
    """What a carrier reported. Never changed; late and doubled reports are harmless."""

    parcel = points_at(Parcel, "events")
    kind = models.CharField(max_length=24)
    happened_at = models.DateTimeField()
    received_at = models.DateTimeField()
    text = models.CharField(max_length=400, blank=True)
    source_key = models.CharField(max_length=120)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["merchant_id", "parcel", "source_key"], name="parcel_event_once"),
        ]


class CatalogItem(TenantModel):
    """A thing that can be sent in exchange; items of one ``product`` may be exchanged for one another."""

    sku = models.CharField(max_length=120)
    product = models.CharField(max_length=120)
    title = models.CharField(max_length=400)
    price_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    available = models.BooleanField()
    options = models.JSONField(default=dict)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["merchant_id", "sku"], name="catalog_sku_once")]
        indexes: ClassVar = [models.Index(fields=["merchant_id", "product"], name="catalog_by_product")]


class Import(TenantModel):
    """One file read, so that reading it can be resumed and its counts told."""

    format = models.CharField(max_length=40)
    file_name = models.CharField(max_length=200)
    file_sha256 = models.CharField(max_length=64)
    encoding = models.CharField(max_length=40, blank=True)
    state = models.CharField(max_length=12)  # running|done
    last_line = models.BigIntegerField(default=0)
    counts = models.JSONField(default=dict)
    rejects_file = models.CharField(max_length=400, blank=True)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar = [models.Index("merchant_id", "file_sha256", name="import_by_file")]
