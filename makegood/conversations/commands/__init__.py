"""Everything that changes a conversation."""

from makegood.conversations.commands.intake import read_mail, store_mail
from makegood.conversations.commands.letters import write_letter

__all__ = ["read_mail", "store_mail", "write_letter"]
