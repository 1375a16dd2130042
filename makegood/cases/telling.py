"""What a customer is told of a wait, on pages and in mails: who does what, and what silence means."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from makegood.cases.states import Wait

# What a customer is told of a wait: who does what. Silence is said by its own name.
NOW: dict[str, str | Promise] = {
    Wait.MERCHANT_ANSWER: _("We look at your request and decide."),
    Wait.CUSTOMER_EVIDENCE: _("We need something from you: see below."),
    Wait.CARRIER_RECALL: _("The carrier tries to stop the parcel."),
    Wait.CUSTOMER_SHIP_BACK: _("Please send the goods back and tell us the tracking number."),
    Wait.CARRIER_RETURN: _("The goods are on their way to us."),
    Wait.MERCHANT_INSPECT: _("We look at the goods that came back."),
    Wait.MERCHANT_PAY: _("Your payment is on its way."),
    Wait.APPEAL_WINDOW: _("If you disagree you can appeal with something new."),
    Wait.REVIEWER_ANSWER: _("A second person, who did not decide before, looks at your appeal."),
    Wait.CUSTOMER_PAY: _("We wait for you to pay the price difference."),
    Wait.CALL_BACK: _("We promised to call you."),
    Wait.STAFF_STATEMENT: _("The person you complained about was asked for their side."),
}

# When the customer is silent, or we are: what then happens to the customer.
SILENCE: dict[str, str | Promise] = {
    "escalate": _("If we stay silent, a manager takes over."),
    "auto_approve": _("If we stay silent, what was proposed counts as approved."),
    "auto_refund": _("If we stay silent, the goods count as accepted and you are paid."),
    "recall_missed": _("If the carrier stays silent, the parcel counts as not stopped; you can refuse or return it."),
    "close": _("If nothing comes from you, the request is closed. You can reopen it."),
    "treat_as_lost": _("If nothing arrives, the goods count as lost on the way and a person decides."),
    "appeal_lapses": _("If you do nothing, the decision becomes final."),
}
