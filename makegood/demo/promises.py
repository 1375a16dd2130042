"""How soon the demo shop answers: two rows of promises, looked at as the worker would."""

from __future__ import annotations

from datetime import datetime, timedelta

from makegood.accounts.actors import Actor
from makegood.timeliness import commands

SINCE = timedelta(days=9)
HOUR = 60  # working minutes


def promise_answers(manager: Actor, *, at: datetime) -> None:
    """Within a working day for everybody, sooner where something arrived broken or wrong."""
    for kind, first, following, decision in (("", 8, 8, 40), ("claim", 4, 8, 24)):
        commands.set_target(
            kind=kind,
            from_minor=0,
            customer_id=None,
            minutes={"first_reply": first * HOUR, "next_reply": following * HOUR, "resolution": decision * HOUR},
            actor=manager,
            at=at - SINCE,
        )


def keep_promises(*, at: datetime) -> None:
    """Compute what was promised about every case opened since."""
    while commands.look_at_cases(at=at):
        pass
