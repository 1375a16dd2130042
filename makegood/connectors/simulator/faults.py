"""Faults on demand: what shall go wrong, for which calls, and how often."""

from __future__ import annotations

import itertools
import threading
from dataclasses import dataclass, field
from typing import Any

# Between client and gateway: these hit any call, repetitions included.
NETWORK = frozenset(
    {"drop_request", "delay", "drop_answer", "cut_answer", "garbage_body", "webhook_first", "unavailable"}
)
# Inside the gateway: these hit an execution, never a replay of a remembered answer.
EXECUTION = frozenset(
    {
        "status_500_before",
        "status_500_after_doing",
        "wrong_amount",
        "wrong_currency",
        "decline",
        "accept_then_fail",
        "accept_then_succeed",
        "accept",
        "requires_action",
    }
)


@dataclass(slots=True)
class Fault:
    """What goes wrong ``on`` a method and path.

    ``times`` calls are left (None: until cleared); only calls under the idempotency ``key``, where given.
    """

    id: int
    kind: str
    on: str
    times: int | None
    key: str | None
    settings: dict[str, Any] = field(default_factory=dict)
    hits: int = 0

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "fault": self.kind,
            "on": self.on,
            "times": self.times,
            "key": self.key,
            "hits": self.hits,
            **self.settings,
        }


class Faults:
    """The list in order of arrival; each call takes the first delay and the first other fault that fits."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ids = itertools.count(1)
        self._faults: list[Fault] = []

    def add(self, wanted: dict[str, Any]) -> Fault:
        """``{"fault", "on"?, "times"?, "key"?, …settings}``. Raises ValueError for an unknown fault."""
        rest = dict(wanted)
        kind = rest.pop("fault", None)
        if kind not in NETWORK | EXECUTION:
            raise ValueError(f"unknown fault {kind}")
        fault = Fault(
            id=next(self._ids),
            kind=kind,
            on=rest.pop("on", "POST /v1/refunds"),
            times=rest.pop("times", 1),
            key=rest.pop("key", None),
            settings=rest,
        )
        with self._lock:
            self._faults.append(fault)
        return fault

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def as_json(self) -> list[dict[str, Any]]:
        with self._lock:
            return [fault.as_json() for fault in self._faults]

    def take(self, kinds: frozenset[str], call: str, key: str | None) -> list[Fault]:
        """The faults that hit this call, counted as used."""
        if not self._faults:
            return []
        taken: list[Fault] = []
        with self._lock:
            for fault in self._faults:
                fits = fault.kind in kinds and call.startswith(fault.on) and fault.key in (None, key)
                free = all((other.kind == "delay") != (fault.kind == "delay") for other in taken)
                if fits and free and (fault.times is None or fault.times > 0):
                    fault.hits += 1
                    fault.times = None if fault.times is None else fault.times - 1
                    taken.append(fault)
        return taken
