"""Filters that say mails and conversations in words."""

from __future__ import annotations

from django import template
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from makegood.connectors.mail.html import make_safe
from makegood.conversations.states import SendState, Waits

register = template.Library()

KINDS = {
    "letter": _("letter"),
    "reply": _("reply"),
    "acknowledgement": _("automatic acknowledgement"),
    "notice": _("automatic notice"),
    "bounce": _("returned mail"),
    "out_of_office": _("out-of-office note"),
    "auto_reply": _("automatic mail"),
    "mailing_list": _("mailing list"),
    "receipt": _("read receipt"),
    "loop": _("mail of our own"),
}
_SEND_TONES = {"sent": "good", "queued": "info", "sending": "info", "unsure": "wait", "held": "line"}


@register.filter
def mail_kind_said(kind: str) -> str:
    return gettext(KINDS[kind]) if kind in KINDS else kind


@register.filter
def waits_said(why: str) -> str:
    return str(Waits(why).label) if why in Waits.values else why


@register.filter
def waits_tone(why: str) -> str:
    return {Waits.LETTER: "info", Waits.ALIKE: "wait"}.get(Waits(why), "bad") if why in Waits.values else "bad"


@register.filter
def send_said(state: str) -> str:
    return str(SendState(state).label) if state in SendState.values else state


@register.filter
def send_tone(state: str) -> str:
    return _SEND_TONES.get(state, "bad")


@register.filter
def already_safe(html: str) -> SafeString:
    """HTML of a mail, cleaned once more on its way into the page: what the row holds is not taken on trust."""
    return mark_safe(make_safe(html))  # noqa: S308 - made safe in the same line
