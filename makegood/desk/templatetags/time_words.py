"""Words about promises in time."""

from __future__ import annotations

from django import template
from django.utils.translation import gettext as _

from makegood.timeliness.states import Goal, GoalState

register = template.Library()

_TONES = {"open": "info", "paused": "line", "met": "good", "missed": "bad"}


@register.filter
def goal_said(goal: str) -> str:
    return str(Goal(goal).label)


@register.filter
def goal_state_said(state: str) -> str:
    return str(GoalState(state).label)


@register.filter
def goal_tone(state: str) -> str:
    return _TONES.get(state, "line")


@register.filter
def hours_said(minutes: int | None) -> str:
    """``3 h 20 min`` of working time."""
    if minutes is None:
        return ""
    hours, rest = divmod(minutes, 60)
    if not hours:
        return _("%(minutes)s min") % {"minutes": rest}
    if not rest:
        return _("%(hours)s h") % {"hours": hours}
    return _("%(hours)s h %(minutes)s min") % {"hours": hours, "minutes": rest}
