"""Reading one message: what it probably wants, how sure that is, and the kind and reason of a case it would make.

A proposal for a person or a policy, never a decision. Where the model is not sure the proposal asks: it names the two
likeliest intents and no kind.
"""

from __future__ import annotations

from dataclasses import dataclass

from makegood.conversations.triage import facts
from makegood.conversations.triage.cues import cues_in
from makegood.conversations.triage.facts import Amount
from makegood.conversations.triage.features import features, folded
from makegood.conversations.triage.model import shipped
from makegood.conversations.triage.reasons import case_of
from makegood.conversations.triage.states import Intent, Urgency

SURE = 0.6  # measured in docs/reference/figures.md: below it an agent is asked


@dataclass(frozen=True, slots=True)
class Reading:
    """``likelihood`` is that of ``intent``; ``words`` are those in the text that point to it, where there are any."""

    intent: Intent
    likelihood: float
    second: Intent
    words: str
    urgency: Urgency
    urgent_words: str
    language: str
    order_numbers: tuple[str, ...]
    amounts: tuple[Amount, ...]
    case: tuple[str, str] | None

    @property
    def is_sure(self) -> bool:
        return self.likelihood >= SURE

    @property
    def wish(self) -> str:
        """``kind/reason`` as the desk's form names it; empty where there is nothing to propose."""
        return "/".join(self.case) if self.case else ""


def read(text: str) -> Reading:
    """What a message says; pure, and the same for the same text and release."""
    model = shipped()
    seen = features(text)
    ranked = sorted(zip(model.likelihoods(seen), model.intents, strict=True), reverse=True)
    likelihood, best = ranked[0]
    if not seen:
        likelihood, best = 0.0, Intent.OTHER.value
    second = next(intent for _share, intent in ranked if intent != best)
    plain = folded(text)
    urgency, urgent_words = facts.urgency_of(text, best)
    return Reading(
        intent=Intent(best),
        likelihood=likelihood,
        second=Intent(second),
        words=cues_in(plain).get(best, ""),
        urgency=urgency,
        urgent_words=urgent_words,
        language=facts.language_of(text),
        order_numbers=facts.order_numbers(text),
        amounts=facts.amounts(text),
        case=case_of(best, plain) if likelihood >= SURE else None,
    )
