"""What is noted of who took figures away."""

from __future__ import annotations

from datetime import datetime

from makegood.accounts.actors import Actor, require
from makegood.accounts.commands import record_event
from makegood.accounts.states import May
from makegood.kit import db


@db.command
def note_export(*, what: str, query: str, actor: Actor, at: datetime) -> None:
    """Note that somebody took a table (``at_risk.csv``) of what the query asks. Raises NotAllowed."""
    require(actor, May.OVERSEE)
    record_event("figures_exported", f"figures:{what}", actor, at, query=query)
