"""Tables of cases. The history (case events) is append-only and chained; the case row is its present state."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from makegood.cases.states import (
    DeadlineState,
    GoodsState,
    Kind,
    MoneyState,
    Party,
    RemedyState,
    State,
)  # fmt: skip
from makegood.customers.models import Customer
from makegood.kit.tenant_models import TenantModel, points_at
from makegood.orders.models import Line, Order, Payment


class Case(TenantModel):
    """One request for one customer about one order or service, on four axes."""

    ref = models.CharField(max_length=20)
    order = points_at(Order, "cases", null=True)
    customer = points_at(Customer, "cases")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    reason = models.CharField(max_length=40)
    claimant = models.CharField(max_length=8, default="customer")  # customer|seller
    channel = models.CharField(max_length=10)  # portal|chat|mail|phone|api|import|desk|carrier
    language = models.CharField(max_length=10)
    request_key = models.CharField(max_length=255)
    details = models.JSONField(default=dict)  # what was asked beyond lines: new address, method, remedy sought

    state = models.CharField(max_length=10, choices=State.choices)
    goods_state = models.CharField(max_length=12, choices=GoodsState.choices, default=GoodsState.NONE)
    money_state = models.CharField(max_length=10, choices=MoneyState.choices, default=MoneyState.NONE)
    waiting_on = models.CharField(max_length=10, choices=Party.choices, default=Party.NOBODY)
    due_at = models.DateTimeField(null=True)  # of the open deadline that comes first
    escalated = models.BooleanField(default=False)

    assigned_to = models.BigIntegerField(null=True)
    snoozed_until = models.DateTimeField(null=True)  # staff put it off; anybody else's step ends that
    opened_by = models.CharField(max_length=60)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    # The case of the same customer that this one is part of; the database holds that it is the same customer's.
    merged_into = models.ForeignKey(
        "self", models.DO_NOTHING, db_constraint=False, db_index=False, related_name="merged", null=True
    )
    # When things last happened, by event kind; a fold of the history, kept here so that deadlines cost no scan.
    marks = models.JSONField(default=dict)
    event_seq = models.IntegerField(default=0)
    event_hash = models.CharField(max_length=64, default="")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["merchant_id", "ref"], name="case_ref_once"),
            models.UniqueConstraint(fields=["merchant_id", "request_key"], name="case_once_per_request"),
            models.CheckConstraint(
                condition=models.Q(order__isnull=False) | models.Q(kind__in=["complaint", "suggestion"]),
                name="case_about_an_order",
            ),
            models.CheckConstraint(
                condition=models.Q(merged_into__isnull=True) | ~models.Q(merged_into=models.F("id")),
                name="case_not_part_of_itself",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["merchant_id", "order"], name="case_by_order"),
            models.Index(fields=["merchant_id", "customer"], name="case_by_customer"),
            models.Index(
                fields=["merchant_id", "due_at", "id"],
                name="case_open",
                include=["waiting_on", "assigned_to", "opened_at"],  # so that the overview reads no row
                condition=models.Q(closed_at__isnull=True),
            ),
            models.Index(fields=["merchant_id", "id"], name="case_newest"),
            models.Index(
                fields=["merchant_id", "state", "due_at", "id"],
                name="case_queue_by_state",
                condition=models.Q(closed_at__isnull=True),
            ),
            models.Index(
                fields=["merchant_id", "assigned_to", "due_at", "id"],
                name="case_queue_of_person",
                condition=models.Q(closed_at__isnull=True, assigned_to__isnull=False),
            ),
            models.Index(
                fields=["merchant_id", "due_at", "id"],
                name="case_queue_escalated",
                condition=models.Q(closed_at__isnull=True, escalated=True),
            ),
            models.Index(
                fields=["merchant_id", "snoozed_until"],
                name="case_asleep",
                condition=models.Q(closed_at__isnull=True, snoozed_until__isnull=False),
            ),
            models.Index(
                fields=["merchant_id", "merged_into"],
                name="case_parts",
                condition=models.Q(merged_into__isnull=False),
            ),
        ]


class CaseLine(TenantModel):
    """Units of a line asked for; ``wanted_sku`` where an exchange or change names another item."""

    case = points_at(Case, "lines")
    line = points_at(Line, "+")
    quantity = models.PositiveIntegerField()
    wanted_sku = models.CharField(max_length=120, blank=True)
    made_good = models.PositiveIntegerField(default=0)  # units refunded or replaced by this case
    received = models.PositiveIntegerField(default=0)
    accepted = models.PositiveIntegerField(default=0)
    rejected = models.PositiveIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["merchant_id", "case", "line", "wanted_sku"], name="case_line_once"),
            models.CheckConstraint(condition=models.Q(quantity__gt=0), name="case_line_asks_for_something"),
            models.CheckConstraint(
                condition=models.Q(quantity__gte=models.F("made_good")), name="case_line_made_good_within_asked"
            ),
            models.CheckConstraint(
                condition=models.Q(quantity__gte=models.F("received"))
                & models.Q(received__gte=models.F("accepted") + models.F("rejected")),
                name="case_line_no_more_inspected_than_received",
            ),
        ]


class CaseEvent(TenantModel):
    """One step of a case's history. ``data`` holds no personal text: texts are kept apart, by digest."""

    case = points_at(Case, "events")
    seq = models.IntegerField()
    kind = models.CharField(max_length=40)
    actor = models.CharField(max_length=60)
    happened_at = models.DateTimeField()
    data = models.JSONField(default=dict)
    prev_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["merchant_id", "case", "seq"], name="case_event_once")]


class CaseText(TenantModel):
    """Words of a person: statement, reply, note, grounds. Erasing a person deletes ``body`` and ``salt``."""

    case = points_at(Case, "texts")
    kind = models.CharField(max_length=12)  # statement|message|note|grounds
    author = models.CharField(max_length=60)
    internal = models.BooleanField(default=False)
    body = models.TextField(blank=True)
    salt = models.CharField(max_length=32, blank=True)
    digest = models.CharField(max_length=64)
    written_at = models.DateTimeField()
    came_by = points_at(Case, "+", null=True)  # the merged case it was written to; it goes back there

    class Meta:
        indexes: ClassVar = [models.Index(fields=["merchant_id", "case"], name="case_text_by_case")]
        constraints: ClassVar = [
            # A note, or a side's words on a complaint, can be made nothing else later; nothing else is kept from the
            # customer by a flag alone.
            models.CheckConstraint(
                condition=models.Q(kind__in=["note", "side"], internal=True)
                | (~models.Q(kind__in=["note", "side"]) & models.Q(internal=False)),
                name="case_text_note_is_internal",
            ),
        ]


class Evidence(TenantModel):
    """A file brought by a party; its content lies outside the database under its hash."""

    case = points_at(Case, "evidence")
    kind = models.CharField(max_length=24)  # photo|proof_of_return|receipt|report|carrier_scan|purchase_proof
    of_line = models.CharField(max_length=80, blank=True)
    party = models.CharField(max_length=10)
    sha256 = models.CharField(max_length=64)
    media_type = models.CharField(max_length=60)
    size = models.BigIntegerField()
    name = models.CharField(max_length=200)
    brought_by = models.CharField(max_length=60)
    brought_at = models.DateTimeField()
    came_by = points_at(Case, "+", null=True)  # as of a text
    erased_at = models.DateTimeField(null=True)  # its person was forgotten: the file and its name are gone

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["merchant_id", "case", "sha256", "kind"], name="evidence_once"),
        ]


class Finding(TenantModel):
    """What verification established: a fact of the policy vocabulary, with who, how and when. The latest counts."""

    case = points_at(Case, "findings")
    fact = models.CharField(max_length=60)
    value = models.JSONField()
    how = models.CharField(max_length=200)
    found_by = models.CharField(max_length=60)
    found_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["merchant_id", "case"], name="finding_by_case")]


class Decision(TenantModel):
    """What was decided on which facts under which policy; facts and outcome are kept letter for letter."""

    case = points_at(Case, "decisions")
    round = models.PositiveSmallIntegerField()
    facts = models.TextField()
    outcome = models.TextField()
    policy_hash = models.CharField(max_length=64)
    verdict = models.CharField(max_length=14)
    currency = models.CharField(max_length=3, blank=True)
    total_minor = models.BigIntegerField(default=0)
    by_hand = models.BooleanField(default=False)
    why = models.TextField(blank=True)
    decided_by = models.CharField(max_length=60)
    decided_at = models.DateTimeField()
    approved_by = models.CharField(max_length=60, blank=True)
    second_by = models.CharField(max_length=60, blank=True)
    communicated_at = models.DateTimeField(null=True)
    superseded = models.BooleanField(default=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["merchant_id", "case"], condition=models.Q(superseded=False), name="one_decision_in_force"
            ),
            models.UniqueConstraint(fields=["merchant_id", "case", "round"], name="decision_round_once"),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["merchant_id", "communicated_at"],
                name="decision_told",
                condition=models.Q(superseded=False, communicated_at__isnull=False),
            ),
        ]


class Budget(TenantModel):
    """Money above what was paid, that somebody approved: goodwill, or damages owed by law or promise."""

    name = models.CharField(max_length=80)
    purpose = models.CharField(max_length=12)  # goodwill|obligation
    asset = models.CharField(max_length=8)  # a currency, or POINT
    opened_by = models.CharField(max_length=60)
    opened_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["merchant_id", "name"], name="budget_name_once")]


class Remedy(TenantModel):
    """One part of a decision. Amounts are minor units of ``currency`` (or points where it is POINT)."""

    decision = points_at(Decision, "remedies")
    case = points_at(Case, "remedies")
    seq = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=16)
    line = points_at(Line, "+", null=True)
    quantity = models.PositiveIntegerField(null=True)
    amount_minor = models.BigIntegerField(default=0)
    currency = models.CharField(max_length=8, blank=True)
    borne_by = models.CharField(max_length=10, blank=True)
    due_by = models.DateTimeField(null=True)
    after = models.CharField(max_length=12, blank=True)
    rule = models.CharField(max_length=60, blank=True)
    state = models.CharField(max_length=10, choices=RemedyState.choices, default=RemedyState.PLANNED)
    budget = points_at(Budget, "remedies", null=True)
    released_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["merchant_id", "decision", "seq"], name="remedy_once"),
            models.CheckConstraint(condition=models.Q(amount_minor__gte=0), name="remedy_not_negative"),
        ]
        indexes: ClassVar = [models.Index(fields=["merchant_id", "case"], name="remedy_by_case")]


class RemedyShare(TenantModel):
    """The part of a refund that goes back through one payment; the shares of a remedy sum to it."""

    remedy = points_at(Remedy, "shares")
    payment = points_at(Payment, "+")
    amount_minor = models.BigIntegerField()
    to_method = models.CharField(max_length=120, blank=True)  # a saved method, where not the original one

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["merchant_id", "remedy", "payment"], name="share_once"),
            models.CheckConstraint(condition=models.Q(amount_minor__gt=0), name="share_of_something"),
        ]


class Appeal(TenantModel):
    """A challenge to a decision with new evidence, before somebody who did not decide it."""

    case = points_at(Case, "appeals")
    round = models.PositiveSmallIntegerField()
    decision = points_at(Decision, "appeals")
    filed_by = models.CharField(max_length=60)
    filed_at = models.DateTimeField()
    reviewer = models.CharField(max_length=60, blank=True)
    outcome = models.CharField(max_length=10, blank=True)  # upheld|partly|granted
    # Above the two-person limit, until a second agrees: what the first would grant ({"by", "outcome", "remedies"}).
    proposed = models.JSONField(default=dict, blank=True)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["merchant_id", "case", "round"], name="appeal_round_once"),
            models.UniqueConstraint(
                fields=["merchant_id", "case"], condition=models.Q(decided_at__isnull=True), name="one_open_appeal"
            ),
        ]


class Deadline(TenantModel):
    """Who must act by when, and what silence means. Swept in batches by the index on open due times."""

    case = points_at(Case, "deadlines")
    wait = models.CharField(max_length=20)
    party = models.CharField(max_length=10)
    silence = models.CharField(max_length=16)
    starts_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)  # null while paused
    provisional = models.BooleanField(default=False)
    state = models.CharField(max_length=8, choices=DeadlineState.choices)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["merchant_id", "case", "wait"],
                condition=models.Q(state__in=["open", "paused"]),
                name="one_open_deadline_a_wait",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["due_at"], name="deadline_due", condition=models.Q(state="open")),
            models.Index(fields=["merchant_id", "case"], name="deadline_by_case"),
        ]


class ParcelFollowed(TenantModel):
    """How far a parcel's events have been carried into the goods book."""

    parcel_id = models.BigIntegerField()
    account = models.CharField(max_length=16)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["merchant_id", "parcel_id"], name="parcel_followed_once")
        ]


from makegood.cases.arranged import Bulk, BulkItem, CaseTag, SavedView  # noqa: E402, F401 - Django finds tables here
