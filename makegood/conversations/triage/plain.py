"""Whether a message asks for one thing so plainly that it may open a case without a person. Pure."""

from __future__ import annotations

import re

from makegood.conversations.triage.cues import cues_in
from makegood.conversations.triage.features import folded
from makegood.conversations.triage.reading import Reading
from makegood.conversations.triage.states import Intent

PLAIN = 0.75  # surer than a proposal: nobody looks before the case is there
# Ways out that a customer can ask for; words for two of them in one message are not plain.
_WAYS = frozenset({Intent.CANCEL, Intent.REFUSE, Intent.RETURN, Intent.EXCHANGE})
_OPENS = _WAYS | {Intent.DAMAGED, Intent.WRONG, Intent.COUNTERFEIT, Intent.WHERE_IS_IT}
_MONEY = re.compile(r"退款|退钱|给我退|\brefund|\bmoney back|\breimbursement|\brebate")
# "return the lamp": what is sent back has a name; as a hint to the model it would say too little.
_SENDS_BACK = re.compile(r"\breturn(?:ing)? (?:the|my|this|that|it)\b")
_NOT_COME = re.compile(
    r"(?:没|未|没有)收到|还没(?:到|收到)|not (?:yet )?(?:received|arrived|come)|didn't (?:arrive|come)|"
    r"(?:hasn't|has not|never) (?:arrived|come|came)"
)


def plainly(text: str, reading: Reading) -> tuple[str, str] | None:
    """Kind and reason of the case that a message asks for; None where an agent must look.

    Who asks where the parcel is wants an answer; who says that it has not come makes a claim. Where the money is, and
    what a person complains about, is always for a person.
    """
    if reading.case is None or reading.likelihood < PLAIN or reading.intent not in _OPENS:
        return None
    plain = folded(text)
    ways = {Intent(intent): words for intent, words in cues_in(plain).items() if intent in _WAYS}
    if _SENDS_BACK.search(plain):
        ways.setdefault(Intent.RETURN, "")
    if reading.intent == Intent.CANCEL and _MONEY.search(ways.get(Intent.RETURN, "")):
        ways.pop(Intent.RETURN)  # who cancels wants the money back: that is one wish
    if len(ways) > 1 or (ways and reading.intent in _WAYS and reading.intent not in ways):
        return None
    if reading.intent == Intent.WHERE_IS_IT and not _NOT_COME.search(plain):
        return None
    return reading.case
