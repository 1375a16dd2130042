"""The life of a payout, what may trouble it, and what a person may do then."""

from __future__ import annotations

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class PayoutState(TextChoices):
    INTENDED = "intended", _("to be sent")
    SENDING = "sending", _("sent, no answer yet")
    ACCEPTED = "accepted", _("accepted, not yet paid")
    CONFIRMED = "confirmed", _("paid")
    REFUSED = "refused", _("refused by the gateway")
    UNKNOWN = "unknown", _("no answer: must be looked up")
    REVERSED = "reversed", _("paid, then taken back")
    VOID = "void", _("given up")
    PERSON = "person", _("with a person")


# A payout leaves ``unknown`` only by being looked up at the gateway, never by a call with a new key.
MOVES: dict[str, frozenset[str]] = {
    PayoutState.INTENDED: frozenset(
        {
            PayoutState.SENDING,
            PayoutState.UNKNOWN,  # promised so long ago that the gateway is asked before anything is sent
            PayoutState.ACCEPTED,  # by hand: a person was told
            PayoutState.CONFIRMED,  # inside: store credit, coupon, points
            PayoutState.PERSON,
            PayoutState.VOID,
        }
    ),
    PayoutState.SENDING: frozenset(
        {PayoutState.CONFIRMED, PayoutState.ACCEPTED, PayoutState.REFUSED, PayoutState.UNKNOWN, PayoutState.PERSON}
    ),
    PayoutState.UNKNOWN: frozenset(
        {PayoutState.SENDING, PayoutState.CONFIRMED, PayoutState.ACCEPTED, PayoutState.REFUSED, PayoutState.PERSON}
    ),
    PayoutState.ACCEPTED: frozenset({PayoutState.CONFIRMED, PayoutState.REFUSED, PayoutState.PERSON, PayoutState.VOID}),
    PayoutState.CONFIRMED: frozenset({PayoutState.REVERSED}),
    PayoutState.REFUSED: frozenset({PayoutState.CONFIRMED, PayoutState.VOID}),
    PayoutState.PERSON: frozenset(
        {
            PayoutState.INTENDED,  # the dispute that held it was won
            PayoutState.UNKNOWN,  # a person asks for another look
            PayoutState.ACCEPTED,
            PayoutState.CONFIRMED,
            PayoutState.REFUSED,
            PayoutState.VOID,
        }
    ),
    PayoutState.REVERSED: frozenset({PayoutState.VOID}),
    PayoutState.VOID: frozenset(),
}

# Where a look-up may still change what we know; ``confirmed`` only by being taken back.
OPEN = (PayoutState.SENDING, PayoutState.UNKNOWN, PayoutState.ACCEPTED, PayoutState.PERSON, PayoutState.REFUSED)
# Nothing happens here before a person acts.
NEEDS_PERSON = (PayoutState.PERSON, PayoutState.REFUSED, PayoutState.REVERSED)


class Trouble(TextChoices):
    """Why a payout is with a person, in words."""

    AMOUNT_DIFFERS = "amount_differs", _("the gateway paid another amount or currency than was asked")
    SEVERAL_REFUNDS = "several_refunds", _("several refunds at the gateway carry the key of this payout")
    TAKES_NOTHING = "takes_nothing", _("the gateway has failed every time and has nothing in its books")
    SILENT_TOO_LONG = "silent_too_long", _("the gateway has not said for days what became of it")
    LOST_AT_GATEWAY = "lost_at_gateway", _("the gateway had accepted it and knows it no longer")
    NOT_CONNECTED = "not_connected", _("the gateway is not connected")
    UNPAYABLE = "unpayable", _("the gateway cannot express this amount")
    DECLINED = "declined", _("the gateway refused")
    TAKEN_BACK = "taken_back", _("the gateway paid and took it back later")
    DISPUTED = "disputed", _("the payment was charged back; nothing more is sent through it")
    RATE_MISSING = "rate_missing", _("the order does not say how many points were paid")


# Gateways that are entries of our own ledger, and the one that is a person.
INSIDE = frozenset({"store_credit", "coupon", "points"})
MANUAL = "manual"


class NoticeTrouble(TextChoices):
    """Why a gateway's message waits for a person."""

    UNKNOWN_PAYOUT = "unknown_payout", _("it names a payout that is not known here")
    MADE_ELSEWHERE = "made_elsewhere", _("a refund that was not made here")
    UNKNOWN_PAYMENT = "unknown_payment", _("it names a payment that is not known here")
    UNCLEAR = "unclear", _("it is about money and cannot be understood")
    GIVEN_UP = "given_up", _("money went out for a payout that had been given up")
    LOSS = "loss", _("more was charged back than was left of the payment")


class DisputeState(TextChoices):
    OPENED = "opened", _("charged back, contested")
    WON = "won", _("charged back, won")
    LOST = "lost", _("charged back, lost")
