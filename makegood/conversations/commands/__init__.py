"""Everything that changes a conversation."""

from makegood.conversations.commands.attending import attach_to_case, set_aside
from makegood.conversations.commands.fetching import fetch_mailbox
from makegood.conversations.commands.intake import read_mail, store_mail
from makegood.conversations.commands.letters import write_letter
from makegood.conversations.commands.mailboxes import connect_mailbox, disconnect_mailbox
from makegood.conversations.commands.noticing import NEAR, choose_mails, remind_customers, tell_customer
from makegood.conversations.commands.replying import reply_without_case, send_reply, take_reply_back
from makegood.conversations.commands.sending import send_again, send_letter, send_message
from makegood.conversations.commands.trying import try_mailbox

__all__ = [
    "NEAR",
    "attach_to_case",
    "choose_mails",
    "connect_mailbox",
    "disconnect_mailbox",
    "fetch_mailbox",
    "read_mail",
    "remind_customers",
    "reply_without_case",
    "send_again",
    "send_letter",
    "send_message",
    "send_reply",
    "set_aside",
    "store_mail",
    "take_reply_back",
    "tell_customer",
    "try_mailbox",
    "write_letter",
]
