"""The four axes of a case, who may be waited for, and what silence means.

Decision, goods, money and clock move on their own; the one coarse status a customer sees is derived from
them in ``rules.status_of`` and never stored.
"""

from __future__ import annotations

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Kind(TextChoices):
    CANCELLATION = "cancellation", _("cancellation")
    CHANGE = "change", _("change")
    REFUSAL = "refusal", _("refused delivery")
    RETURN = "return", _("return")
    EXCHANGE = "exchange", _("exchange")
    CLAIM = "claim", _("claim")
    COMPLAINT = "complaint", _("complaint")
    SUGGESTION = "suggestion", _("suggestion")


class State(TextChoices):
    """The decision axis."""

    RECEIVED = "received", _("received")
    VERIFYING = "verifying", _("being verified")
    PLANNED = "planned", _("decision proposed")
    APPROVED = "approved", _("approved")
    DENIED = "denied", _("denied")
    APPEALED = "appealed", _("appealed")
    WITHDRAWN = "withdrawn", _("withdrawn")
    LAPSED = "lapsed", _("lapsed")


# The only moves of the decision axis. Nothing returns to an earlier state by resetting it: reopening is a
# move of its own, and an approval can only be followed by an appeal that adds to it.
MOVES: dict[str, frozenset[str]] = {
    State.RECEIVED: frozenset({State.VERIFYING, State.PLANNED, State.WITHDRAWN, State.LAPSED}),
    State.VERIFYING: frozenset({State.VERIFYING, State.PLANNED, State.WITHDRAWN, State.LAPSED}),
    State.PLANNED: frozenset(
        {State.VERIFYING, State.PLANNED, State.APPROVED, State.DENIED, State.WITHDRAWN, State.LAPSED}
    ),
    State.APPROVED: frozenset({State.APPEALED, State.LAPSED}),
    State.DENIED: frozenset({State.APPEALED}),
    State.APPEALED: frozenset({State.APPROVED, State.DENIED}),
    State.WITHDRAWN: frozenset({State.VERIFYING}),
    State.LAPSED: frozenset({State.VERIFYING}),
}

UNDECIDED = frozenset({State.RECEIVED, State.VERIFYING, State.PLANNED})


class GoodsState(TextChoices):
    """The goods axis: where the asked units are on their way; the ledger's goods book holds the units."""

    NONE = "none", _("no goods move")
    RECALLING = "recalling", _("recall asked of the carrier")
    MISSED = "missed", _("recall missed")
    AUTHORISED = "authorised", _("waiting for the goods to be sent back")
    COMING_BACK = "coming_back", _("goods are coming back")
    RECEIVED = "received", _("goods received, to be inspected")
    ACCEPTED = "accepted", _("goods accepted")
    REJECTED = "rejected", _("goods sent back to the customer")
    LOST = "lost", _("goods lost")


class MoneyState(TextChoices):
    """The money axis: what was promised and what became of it; the ledger holds the amounts."""

    NONE = "none", _("nothing promised")
    HELD = "held", _("promised, waits for the goods")
    PROMISED = "promised", _("promised, to be paid")
    PAID = "paid", _("paid")
    TROUBLED = "troubled", _("payment needs a person")


class Party(TextChoices):
    CUSTOMER = "customer", _("customer")
    MERCHANT = "merchant", _("merchant")
    REVIEWER = "reviewer", _("reviewer")
    CARRIER = "carrier", _("carrier")
    GATEWAY = "gateway", _("payment provider")
    NOBODY = "nobody", _("nobody")


class Wait(TextChoices):
    """What is waited for; each has a party, a length in the merchant's settings and a consequence."""

    MERCHANT_ANSWER = "merchant_answer", _("the merchant's decision")
    CUSTOMER_EVIDENCE = "customer_evidence", _("evidence from the customer")
    CARRIER_RECALL = "carrier_recall", _("the carrier's answer to the recall")
    CUSTOMER_SHIP_BACK = "customer_ship_back", _("the goods to be sent back")
    CARRIER_RETURN = "carrier_return", _("the goods to arrive")
    MERCHANT_INSPECT = "merchant_inspect", _("inspection of the goods")
    MERCHANT_PAY = "merchant_pay", _("payment")
    CUSTOMER_PAY = "customer_pay", _("the price difference from the customer")
    APPEAL_WINDOW = "appeal_window", _("an appeal, if you want one")
    REVIEWER_ANSWER = "reviewer_answer", _("the reviewer's decision")
    CALL_BACK = "call_back", _("the call we promised")
    STAFF_STATEMENT = "staff_statement", _("the statement of the person complained about")


class Silence(TextChoices):
    """What happens when a deadline passes."""

    ESCALATE = "escalate", _("a manager takes over")
    AUTO_APPROVE = "auto_approve", _("what was proposed counts as approved")
    AUTO_REFUND = "auto_refund", _("the goods count as accepted and the refund is paid")
    RECALL_MISSED = "recall_missed", _("the recall counts as missed")
    CLOSE = "close", _("the case is closed; it can be reopened")
    TREAT_AS_LOST = "treat_as_lost", _("the goods count as lost and a person decides")
    APPEAL_LAPSES = "appeal_lapses", _("the decision becomes final")


# wait -> (who must act, what silence means, unit of its length)
WAITS: dict[str, tuple[Party, Silence]] = {
    Wait.MERCHANT_ANSWER: (Party.MERCHANT, Silence.ESCALATE),
    Wait.CUSTOMER_EVIDENCE: (Party.CUSTOMER, Silence.CLOSE),
    Wait.CARRIER_RECALL: (Party.CARRIER, Silence.RECALL_MISSED),
    Wait.CUSTOMER_SHIP_BACK: (Party.CUSTOMER, Silence.CLOSE),
    Wait.CARRIER_RETURN: (Party.CARRIER, Silence.TREAT_AS_LOST),
    Wait.MERCHANT_INSPECT: (Party.MERCHANT, Silence.AUTO_REFUND),
    Wait.MERCHANT_PAY: (Party.MERCHANT, Silence.ESCALATE),
    Wait.CUSTOMER_PAY: (Party.CUSTOMER, Silence.ESCALATE),
    Wait.APPEAL_WINDOW: (Party.CUSTOMER, Silence.APPEAL_LAPSES),
    Wait.REVIEWER_ANSWER: (Party.REVIEWER, Silence.ESCALATE),
    Wait.CALL_BACK: (Party.MERCHANT, Silence.ESCALATE),
    Wait.STAFF_STATEMENT: (Party.MERCHANT, Silence.ESCALATE),
}


class DeadlineState(TextChoices):
    OPEN = "open", _("open")
    PAUSED = "paused", _("paused")
    MET = "met", _("met")
    PASSED = "passed", _("passed")


class RemedyState(TextChoices):
    """A remedy is planned, promised when approved, released once its condition is met, then paid or not."""

    PLANNED = "planned", _("proposed")
    PROMISED = "promised", _("promised")
    RELEASED = "released", _("being paid")
    PAID = "paid", _("paid")
    VOID = "void", _("void")


class Status(TextChoices):
    """What the customer sees."""

    WITH_US = "with_us", _("we are working on it")
    WITH_YOU = "with_you", _("we need something from you")
    ON_THE_WAY = "on_the_way", _("goods are on the way")
    PAYING = "paying", _("approved, payment under way")
    DONE = "done", _("done")
    DENIED = "denied", _("denied")
    UNDER_APPEAL = "under_appeal", _("under appeal")
    CLOSED = "closed", _("closed")


# Kinds and claim reasons that reserve units of a line while they are open: two cases cannot ask for the same unit.
RESERVING_KINDS = frozenset({Kind.CANCELLATION, Kind.REFUSAL, Kind.RETURN, Kind.EXCHANGE})
RESERVING_CLAIMS = frozenset(
    {"not_received", "damaged", "wrong_item", "missing_part", "counterfeit", "defective", "unsafe_food", "fraud"}
)
KINDS_WITHOUT_ORDER = frozenset({Kind.COMPLAINT, Kind.SUGGESTION})


class BulkAction(TextChoices):
    """What can be done to many cases at once; each case by the command that does it to one."""

    ASSIGN = "assign", _("assign")
    SNOOZE = "snooze", _("put off")
    TAG = "tag", _("tag")
    REPLY = "reply", _("reply")
    DENY = "deny", _("deny")
    APPROVE = "approve", _("approve")
    UNDO = "undo", _("undo")


class BulkState(TextChoices):
    DRAFT = "draft", _("to be confirmed")
    RUNNING = "running", _("under way")
    DONE = "done", _("finished")
    DROPPED = "dropped", _("not begun")


class ItemState(TextChoices):
    WAITING = "waiting", _("waiting")
    DONE = "done", _("done")
    REFUSED = "refused", _("refused")


# What can be taken back without anybody outside having noticed; a word told and money promised cannot.
UNDOABLE = frozenset({BulkAction.ASSIGN, BulkAction.SNOOZE, BulkAction.TAG})
