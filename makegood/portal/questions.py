"""Questions that people ask by name: each an address that can be said aloud, already answered with an example."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Question:
    """``start`` are the values of the form: days as ``-10d`` before today, evidence under ``have``."""

    slug: str
    title: str | Promise
    start: Mapping[str, str]


QUESTIONS: tuple[Question, ...] = (
    Question(
        "refused-on-amazon",
        _("I refused a parcel from Amazon: what do I get back?"),
        {"market": "US", "platform": "amazon", "what": "refusal.changed_mind", "ships": "platform", "parcel": "back",
         "condition": "intact", "paid": "100", "shipping": "5.99", "ordered": "-10d", "back": "-1d"},
    ),
    Question(
        "damaged-at-the-door",
        _("I refused a damaged parcel from Tmall: what do I get back?"),
        {"market": "CN", "platform": "tmall", "what": "refusal.damaged_on_arrival", "ships": "seller",
         "parcel": "at_door", "paid": "299", "shipping": "12", "ordered": "-5d", "have": "photo"},
    ),
    Question(
        "seven-days-no-reason",
        _("I sent it back within seven days without a reason: who pays what?"),
        {"market": "CN", "platform": "taobao", "what": "return.changed_mind", "ships": "seller",
         "parcel": "with_customer", "condition": "intact", "paid": "199", "shipping": "10", "ordered": "-6d",
         "delivered": "-3d"},
    ),
    Question(
        "never-arrived",
        _("My parcel never arrived: what am I owed?"),
        {"market": "GB", "platform": "amazon", "what": "claim.not_received", "ships": "seller", "parcel": "lost",
         "paid": "45", "shipping": "3.99", "ordered": "-20d", "promised": "-10d"},
    ),
    Question(
        "withdraw-in-europe",
        _("I withdraw from an online purchase in the EU: what do I get back?"),
        {"market": "DE", "platform": "own-store", "what": "return.changed_mind", "ships": "seller",
         "parcel": "with_customer", "condition": "intact", "paid": "80", "shipping": "4.90", "ordered": "-9d",
         "delivered": "-5d"},
    ),
    Question(
        "fake-goods",
        _("What I bought is fake: how much compensation?"),
        {"market": "CN", "platform": "pinduoduo", "what": "claim.counterfeit", "ships": "seller",
         "parcel": "with_customer", "paid": "260", "shipping": "0", "ordered": "-12d", "delivered": "-8d",
         "have": "photo report"},
    ),
    Question(
        "fba-return-missing",
        _("I sell on Amazon and a customer's return never came back to stock: what does Amazon owe me?"),
        {"market": "US", "platform": "amazon", "what": "seller-claim.customer_return_not_received",
         "ships": "platform", "paid": "60", "shipping": "0", "ordered": "-110d", "delivered": "-105d",
         "refunded": "-90d", "f.line.fees": "9"},
    ),
)  # fmt: skip
BY_SLUG = {question.slug: question for question in QUESTIONS}
