"""What a customer says at the end is kept once a case, with its order, and forgotten with its person."""

from __future__ import annotations

from typing import Any

import pytest

from makegood.accounts.actors import Actor
from makegood.cases import commands as cases
from makegood.cases.history import CaseUnknown
from makegood.cases.models import Case
from makegood.kit import db
from makegood.orders.queries import OrderView
from makegood.voice.commands import NotOverYet, RatingMalformed, forget_words, give_feedback
from makegood.voice.models import Feedback
from makegood.voice.queries import feedback_of, latest_feedback
from tests.portal.visiting import Visitor, page
from tests.shop import NOON, ask, sell

pytestmark = pytest.mark.usefixtures("merchant")


def over() -> tuple[Case, OrderView]:
    """A case that is finished, and its order."""
    order = sell()
    case = ask(order, "return", "changed_mind")
    cases.withdraw_case(ref=case.ref, actor=Actor.customer(order.customer.id), at=NOON)
    return case, order


@pytest.mark.parametrize(
    ("language", "rating", "thanks"), [("zh-CN", "４", "感谢您的评价"), ("en-GB", "5", "Thank you for telling us.")]
)
def test_a_rating_with_words_is_kept_with_case_and_order(language: str, rating: str, thanks: str) -> None:
    case, order = over()
    visitor = Visitor(language)
    visitor.prove(order)

    answer = visitor.post(f"/cases/{case.ref}/do/rate", {"rating": rating, "words": "很快 quick"})
    assert thanks in page(visitor.client.get(answer.headers["Location"]))
    again = visitor.post(f"/cases/{case.ref}/do/rate", {"rating": "2", "words": "in the end not"})
    assert again.status_code == 302

    said = feedback_of(case.id)
    assert said is not None
    assert (said.case_ref, said.order_number, said.rating, said.words) == (case.ref, order.number, 2, "in the end not")
    assert [one.rating for one in latest_feedback()] == [2]


def test_only_its_customer_speaks_only_at_the_end_and_only_on_the_scale() -> None:
    case, order = over()
    mine: dict[str, Any] = {"words": "", "language": "en", "at": NOON, "actor": Actor.customer(order.customer.id)}
    with pytest.raises(CaseUnknown):
        give_feedback(ref=case.ref, rating=5, **{**mine, "actor": Actor.customer(order.customer.id + 1)})
    with pytest.raises(RatingMalformed):
        give_feedback(ref=case.ref, rating=6, **mine)
    running = ask(order, "return", "changed_mind")
    with pytest.raises(NotOverYet):
        give_feedback(ref=running.ref, rating=5, **mine)
    with db.atomically():
        assert Feedback.objects.count() == 0


def test_words_are_forgotten_with_their_person_and_the_rating_stays() -> None:
    case, order = over()
    give_feedback(
        ref=case.ref, rating=1, words="I, Wang", language="en", actor=Actor.customer(order.customer.id), at=NOON
    )
    assert [forget_words(customer_id=order.customer.id) for _ in range(2)] == [1, 0]

    said = feedback_of(case.id)
    assert said is not None
    assert (said.rating, said.words) == (1, "")
