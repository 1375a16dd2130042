"""Facts that rules of the United States and of card networks ask for, beside the common ones."""

from __future__ import annotations

from makegood.policy.vocabulary.types import FactSpec

GIVEN: tuple[FactSpec, ...] = ()
DERIVED: tuple[FactSpec, ...] = ()
VALUES: dict[str, tuple[str, str]] = {}
