"""How good readings are: right and wrong by intent, macro-F1, the confusion, and what asking where unsure does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from makegood.conversations.triage.reading import read


@dataclass(frozen=True, slots=True)
class Measured:
    """``confusion`` counts (what it was, what was read). Sure ones are those that ask nobody."""

    sentences: int
    right: int
    sure: int
    sure_and_right: int
    f1: dict[str, float]
    confusion: dict[tuple[str, str], int]

    @property
    def macro_f1(self) -> float:
        return sum(self.f1.values()) / len(self.f1)


def measure(labelled: Iterable[tuple[str, str]]) -> Measured:
    """``labelled``: intent and text. Intents that never occur in it count in no mean; reading one is still an error."""
    pairs: Counter[tuple[str, str]] = Counter()
    sure = sure_and_right = 0
    for intent, text in labelled:
        found = read(text)
        pairs[intent, found.intent.value] += 1
        sure += found.is_sure
        sure_and_right += found.is_sure and found.intent == intent
    f1 = {}
    for intent in sorted({was for was, _read in pairs}):
        right = pairs[intent, intent]
        said = sum(n for (_was, as_what), n in pairs.items() if as_what == intent)
        were = sum(n for (was, _read), n in pairs.items() if was == intent)
        f1[intent] = 2 * right / (said + were)
    right = sum(n for (was, as_what), n in pairs.items() if was == as_what)
    return Measured(sum(pairs.values()), right, sure, sure_and_right, f1, dict(pairs))
