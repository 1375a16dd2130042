"""Secrets of gateways at rest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from makegood.kit import vault
from makegood.kit.vault import SecretsSealedElsewhere

__all__ = ["SecretsSealedElsewhere", "seal", "unseal"]

_PURPOSE = "makegood/settlement/gateway-secrets/1"


def seal(secrets: Mapping[str, Any]) -> str:
    return vault.seal(secrets, purpose=_PURPOSE)


def unseal(sealed: str, *, gateway: str) -> dict[str, Any]:
    """Raises SecretsSealedElsewhere."""
    return vault.unseal(sealed, purpose=_PURPOSE, name=gateway)
