"""What is said of an intent, and what helps while somebody waits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from makegood.cases import words
from makegood.cases.states import Wait
from makegood.conversations.triage.states import Intent
from makegood.kit.pages.language import text_language
from makegood.policy.vocabulary import FACTS

THANKED: dict[str, str | Promise] = {
    Intent.CANCEL: _("You asked to cancel the order."),
    Intent.REFUSE: _("You wrote that you do not want to accept the parcel."),
    Intent.RETURN: _("You asked to send the goods back."),
    Intent.EXCHANGE: _("You asked for other goods in their place."),
    Intent.WHERE_IS_IT: _("You asked where your parcel is."),
    Intent.REFUND_STATUS: _("You asked where your money is."),
    Intent.DAMAGED: _("We are sorry to read that something is not as it should be with what you received."),
    Intent.WRONG: _("We are sorry to read that what you received is not what you expected."),
    Intent.COUNTERFEIT: _("You wrote that you doubt that the goods are genuine; we take this seriously."),
    Intent.SERVICE_COMPLAINT: _("We are sorry to read that you were not content with our service."),
    Intent.APPEAL: _("You wrote that you do not agree with the decision."),
    Intent.SUGGESTION: _("Thank you for the idea."),
    Intent.PRAISE: _("Thank you for the kind words."),
}

TIPS: dict[str, str | Promise] = {
    Wait.MERCHANT_ANSWER: _("A tip: clear photos and the order number in one message save questions back and forth."),
    Wait.CUSTOMER_EVIDENCE: _(
        "A tip: photos of the whole item, of the place in question and of the label on the parcel are mostly enough."
    ),
    Wait.CUSTOMER_SHIP_BACK: _(
        "A tip: keep the carrier's receipt with the tracking number; it shows when the goods were handed over."
    ),
    Wait.CARRIER_RECALL: _("A tip: if the parcel is brought all the same, you need not accept it."),
    Wait.MERCHANT_PAY: _("A tip: money comes back the way it was paid; look at that account first."),
    Wait.APPEAL_WINDOW: _("A tip: an appeal needs something new, such as a photo, a report or a receipt."),
    Wait.CALL_BACK: _("A tip: have the order number at hand when we call."),
}


def needed_said(need: Mapping[str, Any]) -> str:
    """Something that is needed, in the reader's language."""
    kinds = [str(kind) for kind in need["kind"]] if isinstance(need.get("kind"), list) else []
    spec = FACTS.get(str(need.get("fact", "")))
    said = [words.evidence_said(kind) for kind in kinds if kind != "fact"]
    return _now(" or ").join(said) if said else (spec.label(text_language()) if spec else "")
