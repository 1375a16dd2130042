"""The port to outside money: what settlement may ask of any gateway, and the only answers there are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from makegood.kit import errors
from makegood.kit.money import Money

WEBHOOK_TOLERANCE = timedelta(minutes=5)
KEY_LENGTH_MAX = 255  # the shortest limit among gateways for an idempotency key (Stripe)


class WebhookForged(errors.Forbidden):
    code = "webhook_forged"
    message = "The webhook is not signed with a secret known here ({rule})."


class WebhookStale(errors.Forbidden):
    code = "webhook_stale"
    message = "The webhook was signed at {value}, more than five minutes from now."


class WebhookMalformed(errors.Malformed):
    """Signed by the gateway, yet not an event: nothing was read from it."""

    code = "webhook_malformed"
    message = "The webhook is signed, but its body is not an event of this gateway ({rule})."


class AmountUnpayable(errors.Refused):
    """The gateway cannot express the amount; it is refused rather than rounded."""

    code = "gateway_amount_unpayable"
    message = "{field}: {value} cannot be paid through {gateway} ({rule})."


class GatewayUnreachable(errors.Refused):
    """A reading call got no usable answer; it changed nothing and may simply be repeated."""

    code = "gateway_unreachable"
    message = "The gateway {gateway} gave no usable answer: {value}."


@dataclass(frozen=True, slots=True)
class RefundRequest:
    """One execution of a promise.

    ``key`` is derived once from the payout and never made anew, however often the request is repeated: it is the
    gateway's idempotency key and is also stored at the gateway beside the refund, where it outlives the gateway's
    memory for keys. ``payment_reference`` is the gateway's own name for the payment.
    """

    key: str
    payment_reference: str
    amount: Money
    payout_ref: str
    metadata: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not (0 < len(self.key) <= KEY_LENGTH_MAX and self.key.isascii() and self.key.isprintable()):
            raise ValueError("a payout key is 1 to 255 printable ASCII characters")
        if self.amount.minor <= 0:
            raise ValueError("a refund pays more than nothing")


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The money went out. ``amount`` is what the gateway says went out: compare it with what was asked."""

    reference: str
    amount: Money


@dataclass(frozen=True, slots=True)
class Accepted:
    """The gateway (or a person) took the request; whether the money goes out is told later."""

    reference: str
    amount: Money


@dataclass(frozen=True, slots=True)
class Declined:
    """A definite refusal: under this key nothing moved and nothing will. ``reference`` where a dead refund exists."""

    code: str
    message: str
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class Unanswered:
    """Nobody knows whether the money moved. Left only by looking up, never by a fresh key."""

    why: str


GatewayAnswer = Confirmed | Accepted | Declined | Unanswered


class RefundStatus(StrEnum):
    SUCCEEDED = "succeeded"
    PENDING = "pending"
    FAILED = "failed"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class RefundSeen:
    """A refund in the gateway's books, for reconciliation.

    ``payment_names`` are all names by which the gateway knows the payment. ``payout_key`` is None for refunds made
    elsewhere (the gateway's own pages). ``amount`` is None where what the gateway ``said`` is no whole number of minor
    units here.
    """

    reference: str
    payment_names: tuple[str, ...]
    payout_key: str | None
    amount: Money | None
    said: str
    status: RefundStatus
    created_at: datetime


class GatewayEventKind(StrEnum):
    REFUND_SUCCEEDED = "refund_succeeded"
    REFUND_FAILED = "refund_failed"
    REFUND_UPDATED = "refund_updated"
    DISPUTE_OPENED = "dispute_opened"
    DISPUTE_WON = "dispute_won"
    DISPUTE_LOST = "dispute_lost"
    IGNORED = "ignored"
    UNCLEAR = "unclear"  # about money, signed, and in words this version does not know: for a person


@dataclass(frozen=True, slots=True)
class GatewayEvent:
    """One told change; may come twice, late and out of order, so it is a reason to look, not a state.

    ``reference`` names the refund or the dispute. ``payment_reference`` is the first of ``payment_names``. ``detail``
    is the gateway's own word (event type, status, reason) for the timeline.
    """

    event_id: str
    kind: GatewayEventKind
    reference: str | None
    payment_reference: str | None
    payout_key: str | None
    amount: Money | None
    happened_at: datetime
    detail: str = ""
    payment_names: tuple[str, ...] = ()


class Gateway(Protocol):
    """What settlement needs of a gateway. No method retries; none is called inside a database transaction."""

    @property
    def name(self) -> str: ...

    def check_amount(self, amount: Money) -> None:
        """Raise AmountUnpayable where the gateway cannot express the amount exactly."""

    def refund(self, request: RefundRequest) -> GatewayAnswer:
        """Ask once. Never raises for anything the gateway or the network does."""

    def find(self, key: str, payment_reference: str, reference: str | None) -> GatewayAnswer | None:
        """Look up what became of a key; None: the gateway answered, and has no refund under it so far.

        After None repeat under the same key. Void the payout only if its last request was answered or is long past:
        the gateway may still be working on one we stopped waiting for. Unanswered: the look-up itself failed, or
        found what only a person can judge.
        """

    def list_refunds(self, since: datetime, until: datetime) -> Iterator[RefundSeen]:
        """Refunds created in ``[since, until)``, newest first. Raises GatewayUnreachable midway."""

    def read_webhook(
        self, headers: Mapping[str, str], body: bytes, *, secrets: Sequence[str], at: datetime
    ) -> list[GatewayEvent]:
        """Verify the raw bytes against any of ``secrets`` (several while one is being replaced), then read them.

        Raises WebhookForged, WebhookStale, WebhookMalformed.
        """
