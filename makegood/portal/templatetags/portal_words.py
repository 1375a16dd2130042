"""How places and turns are said to the customer they are about."""

from __future__ import annotations

from datetime import datetime

from django import template
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from makegood.cases.states import Party
from makegood.kit.pages.language import text_language
from makegood.kit.pages.templatetags.pages import from_now, is_past
from makegood.policy.words import tell_was

register = template.Library()

# The policy's words for where goods are, as one says them to the person who has them.
PLACES: dict[str, str | Promise] = {
    "not_shipped": gettext_lazy("not sent yet"),
    "in_transit": gettext_lazy("on its way to you"),
    "at_door": gettext_lazy("at your door"),
    "with_customer": gettext_lazy("with you"),
    "returning": gettext_lazy("on its way back to us"),
    "lost": gettext_lazy("lost on the way"),
    "back": gettext_lazy("back with us"),
}


@register.filter
def place_said(place: str) -> str:
    """Where units are, said to the customer."""
    return str(PLACES.get(place) or tell_was(place, text_language()))


@register.simple_tag
def turn_said(party: str, due: datetime) -> str:
    """Whose turn it is, and until when; what is late is said to be."""
    when = {"due": from_now(due)}
    if is_past(due):
        if party == Party.CUSTOMER:
            return _("Your turn; it was due %(due)s") % when
        if party == Party.CARRIER:
            return _("The carrier's turn; it was due %(due)s") % when
        return _("Our turn; it was due %(due)s") % when
    if party == Party.CUSTOMER:
        return _("Your turn, %(due)s") % when
    if party == Party.CARRIER:
        return _("The carrier's turn, %(due)s") % when
    return _("Our turn, %(due)s") % when
