"""What the letters of a conversation propose to the agent who makes a case of it; the agent decides."""

from __future__ import annotations

from makegood.conversations.queries import ConversationView, conversation_view
from makegood.conversations.triage.reading import Reading, read
from makegood.kit import errors


def reading_of(found: ConversationView) -> Reading | None:
    """All that people wrote to us in it, read together; None where nobody wrote."""
    written = [one.body for one in found.messages if one.direction == "in" and not one.automatic and one.body.strip()]
    return read("\n".join([found.subject, *written])) if written else None


def reading_for(ref: str) -> Reading | None:
    """By reference; a conversation that does not exist proposes nothing, and filing with it says so."""
    if not ref:
        return None
    try:
        return reading_of(conversation_view(ref))
    except errors.Unknown:
        return None
