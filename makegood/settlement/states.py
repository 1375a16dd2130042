"""The life of a payout."""

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
    VOID = "void", _("given up before it was sent")
    PERSON = "person", _("with a person")


# A payout leaves ``unknown`` only by being looked up at the gateway, never by a call with a new key.
MOVES: dict[str, frozenset[str]] = {
    PayoutState.INTENDED: frozenset({PayoutState.SENDING, PayoutState.VOID, PayoutState.CONFIRMED}),
    PayoutState.SENDING: frozenset(
        {PayoutState.CONFIRMED, PayoutState.ACCEPTED, PayoutState.REFUSED, PayoutState.UNKNOWN, PayoutState.PERSON}
    ),
    PayoutState.UNKNOWN: frozenset(
        {PayoutState.SENDING, PayoutState.CONFIRMED, PayoutState.ACCEPTED, PayoutState.REFUSED, PayoutState.PERSON}
    ),
    PayoutState.ACCEPTED: frozenset({PayoutState.CONFIRMED, PayoutState.REFUSED, PayoutState.PERSON}),
    PayoutState.CONFIRMED: frozenset({PayoutState.REVERSED}),
    PayoutState.REFUSED: frozenset({PayoutState.PERSON, PayoutState.VOID}),
    PayoutState.PERSON: frozenset({PayoutState.CONFIRMED, PayoutState.REFUSED, PayoutState.VOID}),
    PayoutState.REVERSED: frozenset({PayoutState.PERSON}),
    PayoutState.VOID: frozenset(),
}
