"""A case decided by packs written in a test."""

from __future__ import annotations

from typing import Any

from makegood.policy.decide import decide
from makegood.policy.facts import Facts
from makegood.policy.outcome import Outcome
from makegood.policy.packs import Pack
from tests.policy.cases import PACKS


def decided(facts: dict[str, Any], *packs: Pack) -> Outcome:
    return decide(Facts.from_json(facts), packs, by=PACKS.combination())
