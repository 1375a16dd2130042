"""What a gateway's answer means for a payout, when to ask again, shares of points. Pure: no clock, no Django."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from makegood.connectors.gateways import Accepted, Confirmed, Declined, GatewayAnswer, Unanswered
from makegood.kit.money import Money
from makegood.settlement.states import MOVES, PayoutState, Trouble

LEASE = timedelta(minutes=2)  # after sending: by then the answer is here, or nobody waits for it any more
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=5), timedelta(minutes=15)
POLL, POLL_MAX = timedelta(minutes=10), timedelta(hours=24)  # looking again at what was accepted
# Gateways remember idempotency keys for 24 hours at least; an hour less, for clocks that differ.
KEY_MEMORY = timedelta(hours=23)
# No gateway is still working on a request after this long.
WORKED_ON_AT_MOST = timedelta(hours=1)
SILENCE_MAX = timedelta(days=3)
SENDS_MAX = 5
ANSWERED_FAILURE = "HTTP 5"  # how a gateway's own failure begins; a cut connection says something else

_KEYS = uuid.UUID("6d1c6c1e-8d0f-5f0f-9a34-6a1d2f0f6c55")


def payout_key(*, merchant: str, case: str, round_: int, seq: int, payment: str, nth: int) -> uuid.UUID:
    """The one key of a payout, from what names it for ever: public references, not row numbers.

    A database put back from a backup gives row numbers out again, to other things; the same promise of the same case
    makes the same key, and so is not paid again.
    """
    return uuid.uuid5(_KEYS, "\x1f".join([merchant, case, str(round_), str(seq), payment, str(nth)]))


@dataclass(frozen=True, slots=True)
class Standing:
    """A payout as the rules see it."""

    state: str
    amount: Money
    attempts: int
    looks: int
    promised_at: datetime
    sent_at: datetime | None
    last_sent_at: datetime | None


@dataclass(frozen=True, slots=True)
class Step:
    """Where a payout goes: ``state``, what troubles it, when to look again, the gateway's reference."""

    state: str
    trouble: str = ""
    wait: timedelta | None = None
    reference: str = ""


def may_move(source: str, target: str) -> bool:
    return source == target or target in MOVES[source]


def backoff(tries: int, jitter: float) -> timedelta:
    """Doubled with every try, and spread by ``jitter`` in [0, 1) so that those who fell together part."""
    return min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(tries, 20)) * (0.5 + jitter)


def poll(looks: int, jitter: float) -> timedelta:
    return min(POLL_MAX, POLL * 2.0 ** min(looks, 20)) * (0.5 + jitter)


def must_look_first(standing: Standing, at: datetime) -> bool:
    """Whether a payout that we never sent could have been sent by an earlier life of this database."""
    return at - standing.promised_at > KEY_MEMORY


def after_answer(  # noqa: PLR0911 - one line an answer
    standing: Standing, answer: GatewayAnswer, *, looked_up: bool, at: datetime, jitter: float
) -> Step:
    """What follows from an answer, given to the request itself or to a look-up."""
    match answer:
        case Confirmed(reference, amount):
            if amount != standing.amount:
                return Step(PayoutState.PERSON, Trouble.AMOUNT_DIFFERS, reference=reference)
            return Step(PayoutState.CONFIRMED, reference=reference)
        case Accepted(reference, amount):
            if amount != standing.amount:
                return Step(PayoutState.PERSON, Trouble.AMOUNT_DIFFERS, reference=reference)
            return Step(PayoutState.ACCEPTED, wait=poll(standing.looks, jitter), reference=reference)
        case Declined(_, _, reference):
            if standing.state == PayoutState.CONFIRMED and looked_up:
                return Step(PayoutState.REVERSED, Trouble.TAKEN_BACK, reference=reference or "")
            return Step(PayoutState.REFUSED, Trouble.DECLINED, reference=reference or "")
        case Unanswered(why):
            return _unanswered(standing, why, at=at, jitter=jitter)


def _unanswered(standing: Standing, why: str, *, at: datetime, jitter: float) -> Step:
    if why.startswith("several refunds"):
        return Step(PayoutState.PERSON, Trouble.SEVERAL_REFUNDS)
    if standing.state == PayoutState.ACCEPTED:
        return Step(PayoutState.ACCEPTED, wait=poll(standing.looks, jitter))
    if at - (standing.sent_at or at) > SILENCE_MAX:
        return Step(PayoutState.PERSON, Trouble.SILENT_TOO_LONG)
    return Step(PayoutState.UNKNOWN, wait=backoff(standing.looks, jitter))


def after_nothing_found(standing: Standing) -> Step:
    """The gateway answered, and has no refund under the key so far: the same request again, within bounds."""
    if standing.state == PayoutState.ACCEPTED:
        return Step(PayoutState.PERSON, Trouble.LOST_AT_GATEWAY)
    if standing.attempts >= SENDS_MAX:
        return Step(PayoutState.PERSON, Trouble.TAKES_NOTHING)
    return Step(PayoutState.SENDING, wait=LEASE)


def may_be_replaced(standing: Standing, last_words: str, at: datetime) -> bool:
    """Whether nothing can come any more of what was sent, once the look-up has found nothing.

    Its last request was answered, if only with a failure, or is older than any gateway could still be working on.
    """
    if standing.last_sent_at is None or last_words.startswith(ANSWERED_FAILURE):
        return True
    return at - standing.last_sent_at > WORKED_ON_AT_MOST


def share_of_points(points: int, refunded: int, paid: int) -> int:
    """Of points earned by paying ``paid``, those that go with the part ``refunded`` of it so far; all at the end.

    Rounded down, in the customer's favour; by the sum so far and not by each refund, so that rounding loses nothing.
    """
    return points if paid <= 0 or refunded >= paid else points * refunded // paid
