"""Stripe's webhook signature, checked on the raw bytes with the time given as an argument."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from makegood.connectors.gateways import (
    WEBHOOK_TOLERANCE,
    GatewayEvent,
    WebhookForged,
    WebhookMalformed,
    WebhookStale,
)
from makegood.connectors.stripe import parse

SIGNATURE_HEADER = "stripe-signature"


def sign(body: bytes, secret: str, at: datetime) -> str:
    """The header Stripe would send for these bytes at this time."""
    seconds = int(at.timestamp())
    return f"t={seconds},v1={_signature(body, secret, seconds)}"


def read(headers: Mapping[str, str], body: bytes, *, secrets: Sequence[str], at: datetime) -> list[GatewayEvent]:
    """Verify, then read. Raises WebhookForged, WebhookStale, WebhookMalformed."""
    verify(headers, body, secrets=secrets, at=at)
    try:
        return [parse.event(json.loads(body))]
    except (ValueError, RecursionError) as problem:  # Unreadable and JSON errors are ValueErrors
        raise WebhookMalformed(rule=str(problem)[:200]) from problem


def verify(headers: Mapping[str, str], body: bytes, *, secrets: Sequence[str], at: datetime) -> None:
    """Raise WebhookForged unless one of the secrets signed exactly these bytes, WebhookStale if not just now."""
    header = next((value for name, value in headers.items() if name.lower() == SIGNATURE_HEADER), "")
    seconds, given = _read_header(header)
    known = [_signature(body, secret, seconds) for secret in secrets if secret.strip()]
    # Every pair is compared, in constant time each, so that the time taken tells nothing about which one fitted.
    matches = [hmac.compare_digest(ours.encode(), theirs.encode()) for ours in known for theirs in given]
    if not any(matches):
        raise WebhookForged(rule="no_known_secret_signed_it")
    # Only now is the time believable. Too far ahead is refused as well: such a signature would live for ever.
    if abs(at.timestamp() - seconds) > WEBHOOK_TOLERANCE.total_seconds():
        signed_at = datetime.fromtimestamp(seconds, UTC).isoformat() if seconds < 2**40 else str(seconds)
        raise WebhookStale(signed_at)


def _read_header(header: str) -> tuple[int, list[str]]:
    times, signatures = [], []
    for part in header.split(","):
        name, _, value = part.strip().partition("=")
        if name == "t" and value.isascii() and value.isdigit() and len(value) <= 12:
            times.append(int(value))
        elif name == "v1" and value.isascii():
            signatures.append(value)
    if len(times) != 1 or not signatures:
        raise WebhookForged(rule="signature_header_missing_or_unreadable")
    return times[0], signatures


def _signature(body: bytes, secret: str, seconds: int) -> str:
    return hmac.new(secret.encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
