"""Tables of how staff arrange their work: tags, views, and acts on many cases."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from makegood.cases.models import Case
from makegood.cases.states import BulkAction, BulkState, ItemState
from makegood.kit.tenant_models import TenantModel, points_at


class CaseTag(TenantModel):
    """A word that staff put on a case to find it by; nothing follows from it."""

    case = points_at(Case, "tags")
    tag = models.CharField(max_length=40)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["merchant_id", "case", "tag"], name="case_tag_once"),
        ]
        indexes: ClassVar = [models.Index(fields=["merchant_id", "tag", "case"], name="case_by_tag")]


class SavedView(TenantModel):
    """A list of the queue under a name: the query of its address. Of one person, or for everybody."""

    name = models.CharField(max_length=60)
    query = models.CharField(max_length=1000)
    staff_id = models.BigIntegerField()
    shared = models.BooleanField(default=False)
    saved_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["merchant_id", "staff_id", "name"],
                condition=models.Q(shared=False),
                name="view_name_once_a_person",
            ),
            models.UniqueConstraint(
                fields=["merchant_id", "name"], condition=models.Q(shared=True), name="shared_view_name_once"
            ),
        ]


class Bulk(TenantModel):
    """One act on many cases, chosen when it was made; carried out case by case by a job."""

    ref = models.CharField(max_length=20)
    action = models.CharField(max_length=10, choices=BulkAction.choices)
    arguments = models.JSONField(default=dict)
    staff_id = models.BigIntegerField()
    state = models.CharField(max_length=10, choices=BulkState.choices)
    undoes_id = models.BigIntegerField(null=True)
    cut = models.BooleanField(default=False)  # more cases matched than one bulk takes
    made_at = models.DateTimeField()
    begun_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["merchant_id", "ref"], name="bulk_ref_once"),
            models.UniqueConstraint(fields=["merchant_id", "undoes_id"], name="bulk_undone_once"),
        ]


class BulkItem(TenantModel):
    """One case of a bulk: ``before`` is what an undo puts back, ``told`` why it was refused, in both languages."""

    bulk = points_at(Bulk, "items")
    case = points_at(Case, "+")
    decision_id = models.BigIntegerField(null=True)  # the one in force when the cases were chosen
    state = models.CharField(max_length=10, choices=ItemState.choices)
    code = models.CharField(max_length=60, blank=True)
    told = models.JSONField(default=dict)
    before = models.JSONField(default=dict)
    done_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["merchant_id", "bulk", "case"], name="case_once_in_a_bulk"),
        ]
        indexes: ClassVar = [models.Index(fields=["merchant_id", "bulk", "state", "id"], name="bulk_items_left")]
