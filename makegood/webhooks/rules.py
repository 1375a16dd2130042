"""When a delivery is tried again and when an endpoint is given up. Pure: no Django, no clock, no network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

# The waits that the Standard Webhooks specification suggests; each is spread by a quarter either way.
WAITS_S = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
ATTEMPTS_MAX = len(WAITS_S) + 1
RETRY_AFTER_MAX_S = 86_400
GIVE_UP_AFTER = timedelta(days=5)
"""An endpoint that failed for so long without one success between is switched off."""
GONE = 410

Verdict = Literal["delivered", "again", "failed"]


@dataclass(frozen=True, slots=True)
class Next:
    """What becomes of a delivery; ``wait_s`` seconds until the next attempt. ``switch_off`` says why, or nothing."""

    verdict: Verdict
    wait_s: float = 0.0
    switch_off: str = ""


def after_attempt(
    *,
    attempts: int,
    status: int | None,
    retry_after: str,
    failing_since: datetime | None,
    at: datetime,
    spread: float,
) -> Next:
    """What follows from an answer, or from none (``status`` None); ``spread`` in 0…1 parts those who fell together.

    ``attempts`` counts this one too. Only 2xx is a success; a redirect is not followed and so is none.
    """
    if status is not None and 200 <= status < 300:
        return Next("delivered")
    if status == GONE:
        return Next("failed", switch_off="gone")
    switch_off = "failing" if failing_since is not None and at - failing_since >= GIVE_UP_AFTER else ""
    if attempts >= ATTEMPTS_MAX or switch_off:
        return Next("failed", switch_off=switch_off)
    wait = WAITS_S[attempts - 1] * (0.75 + spread / 2)
    return Next("again", wait_s=max(wait, _asked_wait(retry_after)))


def _asked_wait(retry_after: str) -> float:
    """Seconds of a Retry-After header; a date or nonsense asks for nothing more than the usual wait."""
    text = retry_after.strip()
    return float(min(int(text), RETRY_AFTER_MAX_S)) if text.isascii() and text.isdigit() and len(text) < 9 else 0.0


def head(lines: Mapping[str, str], first: str, *, hidden: tuple[str, ...] = ()) -> str:
    """A request or response head as text for the log, at most 2,000 characters, without what must stay secret."""
    told = [first, *(f"{name}: {'…' if name.lower() in hidden else value}" for name, value in lines.items())]
    return "\n".join(told).replace("\0", "")[:2_000]
