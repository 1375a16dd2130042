"""Facts that rules of the European Union and of the United Kingdom ask for, beside the common ones."""

from __future__ import annotations

from makegood.policy.vocabulary.types import FactSpec

GIVEN: tuple[FactSpec, ...] = ()
DERIVED: tuple[FactSpec, ...] = ()
VALUES: dict[str, tuple[str, str]] = {}
