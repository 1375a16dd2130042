"""Signing secrets of endpoints: made, sealed, and two of them while one takes over from the other."""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from makegood.kit import vault

_PURPOSE = "makegood/webhooks/signing-secrets/1"


@dataclass(frozen=True, slots=True)
class Secrets:
    """``previous`` signs too until ``previous_until``."""

    current: str
    previous: str = ""
    previous_until: datetime | None = None

    @classmethod
    def fresh(cls) -> Self:
        return cls(_new())

    def rotated(self, *, until: datetime) -> Self:
        return type(self)(_new(), self.current, until)

    def signing(self, at: datetime) -> tuple[str, ...]:
        """Every secret that signs now, the current one first."""
        both = self.previous and self.previous_until is not None and at < self.previous_until
        return (self.current, self.previous) if both else (self.current,)

    def sealed(self) -> str:
        until = self.previous_until.isoformat() if self.previous_until else ""
        told = {"current": self.current, "previous": self.previous, "previous_until": until}
        return vault.seal(told, purpose=_PURPOSE)

    @classmethod
    def unsealed(cls, sealed: str, *, ref: str) -> Self:
        """Raises SecretsSealedElsewhere."""
        told = vault.unseal(sealed, purpose=_PURPOSE, name=ref)
        until = datetime.fromisoformat(told["previous_until"]) if told["previous_until"] else None
        return cls(told["current"], told["previous"], until)


def _new() -> str:
    """256 random bits in the form that the libraries of Standard Webhooks read."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
