"""One shape for what a call centre tells, whichever it is; and the two ways its word is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from makegood.kit import errors

Kind = Literal["ringing", "answered", "ended", "recording", "transcript"]
KINDS: tuple[Kind, ...] = ("ringing", "answered", "ended", "recording", "transcript")
TOLERANCE = timedelta(minutes=5)
TURNS_MAX = 2_000


class CallEventForged(errors.Forbidden):
    code = "call_event_forged"
    message = "This event was not signed with a secret that is known here ({rule})."


class CallEventMalformed(errors.Malformed):
    code = "call_event_malformed"
    message = "{field}: {value} cannot be read as an event of a call ({rule})."


@dataclass(frozen=True, slots=True)
class Turn:
    """Words of one side in a transcript; ``who`` is caller, agent or empty where it is not known."""

    who: str
    text: str


@dataclass(frozen=True, slots=True)
class CallEvent:
    """``key`` is the same for the same event however often it is sent; ``call`` names the call at its source.

    ``other`` is the number of the other side as the source writes it, ``ours`` the line of the merchant.
    """

    key: str
    call: str
    kind: Kind
    happened_at: datetime
    direction: str = "in"
    other: str = ""
    ours: str = ""
    agent: str = ""
    answered: bool | None = None  # with ``ended``: whether anybody answered; None where it is not said
    seconds: int | None = None
    recording: str = ""  # where it can be fetched
    turns: tuple[Turn, ...] = ()
    more: Mapping[str, Any] = field(default_factory=dict)
