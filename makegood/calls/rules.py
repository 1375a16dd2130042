"""Which answers of a caller count as proof, and how a call's events make its state. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

# Answers a caller can be asked for; the caller must know so many, and none may be wrong.
FACTS = ("order_number", "email", "postcode", "name")
NEEDED = 2
TRIES = 3


def same(one: str, other: str) -> bool:
    """Whether a caller said what we hold, however it was typed."""
    return bool(_folded(one)) and _folded(one) == _folded(other)


def _folded(text: str) -> str:
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text).casefold())


def proves(answers: Mapping[str, str], held: Mapping[str, tuple[str, ...]]) -> bool:
    """Whether these answers prove the person of whom this is held: enough right, none wrong."""
    said = {fact: text for fact, text in answers.items() if fact in FACTS and _folded(text)}
    right = [fact for fact, text in said.items() if any(same(text, one) for one in held.get(fact, ()))]
    return len(right) == len(said) and len(right) >= NEEDED
