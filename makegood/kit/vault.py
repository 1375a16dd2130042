"""Secrets at rest: sealed with a key derived from the installation's own, one key for each purpose."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

from django.conf import settings

from makegood.kit import errors


class SecretsSealedElsewhere(errors.Refused):
    """The installation's secret key is not the one they were sealed with, or they were tampered with."""

    code = "secrets_sealed_elsewhere"
    message = "The secrets of {value} cannot be opened with this installation's key. Connect it again."


def seal(secrets: Mapping[str, Any], *, purpose: str) -> str:
    """Encrypted and authenticated (Fernet: AES-128-CBC, HMAC-SHA256), as text.

    What is sealed for one purpose does not open for another.
    """
    return str(_box(purpose).encrypt(json.dumps(secrets, sort_keys=True).encode()).decode())


def unseal(sealed: str, *, purpose: str, name: str) -> dict[str, Any]:
    """``name`` is what the secrets are of, for the error. Raises SecretsSealedElsewhere."""
    from cryptography.fernet import InvalidToken  # noqa: PLC0415 - loaded only where something is about to be opened

    if not sealed:
        return {}
    try:
        opened: dict[str, Any] = json.loads(_box(purpose).decrypt(sealed.encode()))
    except InvalidToken as refused:
        raise SecretsSealedElsewhere(name, field="secrets", rule="sealed_with_this_key") from refused
    return opened


def _box(purpose: str) -> Any:
    from cryptography.fernet import Fernet  # noqa: PLC0415 - same

    # The secret key is long and random, so one keyed hash derives a key from it; the purpose keeps uses apart.
    key = hmac.new(str(settings.SECRET_KEY).encode(), purpose.encode(), hashlib.sha256).digest()
    return Fernet(base64.urlsafe_b64encode(key))
