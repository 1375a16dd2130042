"""The words a rule may use: every fact with its type, unit, place in the document and names in both languages.

One file per field of rules; ``FACTS`` is all of them by name.
"""

from __future__ import annotations

from makegood.policy.vocabulary import amazon, america, china, common, derived, europe
from makegood.policy.vocabulary.common import (
    CONDITIONS,
    EVIDENCE,
    FAULTS,
    KINDS,
    METHODS,
    ORDER_STATES,
    POSITIONS,
    WANTS,
)
from makegood.policy.vocabulary.types import FactSpec, FactType

__all__ = [
    "CONDITIONS", "EVIDENCE", "FACTS", "FAULTS", "KINDS", "METHODS", "ORDER_STATES", "POSITIONS", "VALUES", "WANTS",
    "FactSpec", "FactType",
]  # fmt: skip

FIELDS = (china, europe, america, amazon)
FACTS: dict[str, FactSpec] = {
    spec.name: spec
    for spec in sorted(
        [
            *common.GIVEN,
            *derived.DERIVED,
            *derived.EVIDENCE_FACTS,
            *(spec for field in FIELDS for spec in (*field.GIVEN, *field.DERIVED)),
        ],
        key=lambda spec: spec.name,
    )
}
# Values of choices in words, for sentences to people: value -> (zh-Hans, en).
VALUES: dict[str, tuple[str, str]] = common.VALUES | {
    value: words for field in FIELDS for value, words in field.VALUES.items()
}
