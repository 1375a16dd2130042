"""Everything that changes the workbench: one transaction each."""

from makegood.workbench.commands.keying import choose_keys, usual_keys
from makegood.workbench.commands.macros import drop_macro, keep_macro
from makegood.workbench.commands.outgoing import forget_replies, leave_reply, send_reply, take_back
from makegood.workbench.commands.presence import be_on_case, leave_case

__all__ = [
    "be_on_case",
    "choose_keys",
    "drop_macro",
    "forget_replies",
    "keep_macro",
    "leave_case",
    "leave_reply",
    "send_reply",
    "take_back",
    "usual_keys",
]
