"""Secrets of gateways at rest: sealed with a key derived from the installation's own."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

from django.conf import settings

from makegood.kit import errors

_PURPOSE = b"makegood/settlement/gateway-secrets/1"


class SecretsSealedElsewhere(errors.Refused):
    """The installation's secret key is not the one they were sealed with, or they were tampered with."""

    code = "secrets_sealed_elsewhere"
    message = "The secrets of the gateway {value} cannot be opened with this installation's key. Connect it again."


def seal(secrets: Mapping[str, Any]) -> str:
    """Encrypted and authenticated (Fernet: AES-128-CBC, HMAC-SHA256), as text."""
    return str(_box().encrypt(json.dumps(secrets, sort_keys=True).encode()).decode())


def unseal(sealed: str, *, gateway: str) -> dict[str, Any]:
    """Raises SecretsSealedElsewhere."""
    from cryptography.fernet import InvalidToken  # noqa: PLC0415 - loaded only where money is about to move

    if not sealed:
        return {}
    try:
        opened: dict[str, Any] = json.loads(_box().decrypt(sealed.encode()))
    except InvalidToken as refused:
        raise SecretsSealedElsewhere(gateway, field="gateway", rule="sealed_with_this_key") from refused
    return opened


def _box() -> Any:
    from cryptography.fernet import Fernet  # noqa: PLC0415 - same

    # The secret key is long and random, so one keyed hash derives a key from it; the purpose keeps uses apart.
    key = hmac.new(str(settings.SECRET_KEY).encode(), _PURPOSE, hashlib.sha256).digest()
    return Fernet(base64.urlsafe_b64encode(key))
