"""Writing down what customers say."""

from __future__ import annotations

from datetime import datetime

from makegood.accounts.actors import Actor
from makegood.cases import history
from makegood.cases.states import State
from makegood.kit import db, errors
from makegood.voice.models import Feedback

WORDS_AT_MOST = 5000


class NotOverYet(errors.Refused):
    code = "not_over_yet"
    message = "This request is not finished yet: say what you think of it at its end."


class RatingMalformed(errors.Malformed):
    code = "rating_malformed"
    message = "{field}: {value} is not a rating ({rule})."


@db.command
def give_feedback(*, ref: str, rating: int, words: str, language: str, actor: Actor, at: datetime) -> Feedback:
    """A customer says how it went, 1 bad to 5 good; said again, the later word takes the place of the earlier.

    Raises CaseUnknown (also for somebody else's case), NotOverYet, RatingMalformed.
    """
    case = history.lock_case(ref, actor)
    if case.closed_at is None and case.state != State.DENIED:
        raise NotOverYet(ref, field="case", rule="closed_case")
    if not 1 <= rating <= 5:
        raise RatingMalformed(rating, field="rating", rule="1 to 5")
    said, _new = Feedback.objects.update_or_create(
        case_id=case.id,
        defaults={
            "order_id": case.order_id,
            "customer_id": case.customer_id,
            "rating": rating,
            "words": words.replace("\0", "")[:WORDS_AT_MOST],
            "language": language,
            "said_at": at,
        },
    )
    return said


@db.command
def forget_words(*, customer_id: int) -> int:
    """Erase the words of a person; the ratings stay. How many there were."""
    return Feedback.objects.filter(customer_id=customer_id).exclude(words="").update(words="")
