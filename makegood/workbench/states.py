"""What can be done by a key at the desk, with the key it has until a person chooses another."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that keys do. ``where`` is list, case or everywhere; ``keys`` are those it has from the start."""

    name: str
    where: str
    label: str | Promise
    keys: tuple[str, ...]


ACTS: tuple[Act, ...] = (
    Act("next", "list", _("next row; in a case the next case"), ("j",)),
    Act("previous", "list", _("previous row; in a case the previous case"), ("k",)),
    Act("open", "list", _("open it"), ("o", "Enter")),
    Act("select", "list", _("select the row"), ("x",)),
    Act("search", "list", _("search"), ("/",)),
    Act("reply", "case", _("reply to the customer"), ("r",)),
    Act("note", "case", _("internal note"), ("n",)),
    Act("assign", "case", _("assign"), ("a",)),
    Act("snooze", "case", _("snooze"), ("s",)),
    Act("resolve", "case", _("to the form that settles it"), ("e",)),
    Act("decision", "case", _("to the decision"), ("d",)),
    Act("evidence", "case", _("look at the evidence"), ("v",)),
    Act("macro", "case", _("use a macro"), ("m",)),
    Act("send", "case", _("send the form you type in"), ("Mod+Enter",)),
    Act("send_next", "case", _("send, then the next case"), ("Mod+Shift+Enter",)),
    Act("palette", "everywhere", _("find a command, case, order or page"), ("Mod+k",)),
    Act("queue", "everywhere", _("back to the queue"), ("u",)),
    Act("help", "everywhere", _("this list"), ("?",)),
)
ACT_NAMES = frozenset(act.name for act in ACTS)


class OutgoingState(TextChoices):
    """A reply waits its seconds; then it is sent, was taken back, or is stopped by what arrived meanwhile."""

    WAITING = "waiting", _("goes out in a moment")
    SENT = "sent", _("sent")
    UNDONE = "undone", _("taken back")
    STOPPED = "stopped", _("stopped: something newer arrived")
