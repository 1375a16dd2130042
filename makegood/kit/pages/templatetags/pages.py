"""How times, money and sizes are said on every page, in the reader's language and the merchant's time zone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from babel.dates import format_date, format_datetime, format_timedelta
from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from makegood.kit.money import Money
from makegood.kit.pages.language import babel_locale, text_language

register = template.Library()


@register.simple_tag
def lang() -> str:
    return text_language()


@register.filter
def money(minor: int, currency: str) -> str:
    """``{{ line.paid_minor|money:order.currency }}``; points are counted, not priced."""
    if currency == "POINT":
        return _("%(count)s points") % {"count": minor}
    return Money(minor, currency).words(babel_locale()) if currency else "—"


@register.filter
def amount(minor: int, currency: str) -> str:
    """The plain decimal string that forms take."""
    return Money(minor, currency).amount()


def _local(at: datetime) -> datetime:
    return timezone.localtime(at)


def minute_said(at: datetime) -> str:
    """Day and minute in the merchant's zone, as plain text."""
    here, locale = _local(at), babel_locale()
    shown = format_datetime(here, "medium", tzinfo=here.tzinfo, locale=locale)
    return shown.replace(format_datetime(here, ":ss", locale=locale, tzinfo=here.tzinfo), "", 1)


@register.simple_tag
def when(at: datetime | None, form: str = "minute") -> str | SafeString:
    """A ``<time>`` in the merchant's zone; ``form`` is minute, day or due (midnight is the end of the day before)."""
    if at is None:
        return ""
    here, locale = _local(at), babel_locale()
    if form == "due" and (here.hour, here.minute) == (0, 0):
        last_day = format_date(here.date() - timedelta(days=1), "medium", locale=locale)
        said = _("end of %(day)s") % {"day": last_day}
        return format_html('<time datetime="{}">{}</time>', here.isoformat(), said)
    shown = format_date(here.date(), "medium", locale=locale) if form == "day" else minute_said(at)
    full = format_datetime(here, "full", tzinfo=here.tzinfo, locale=locale)
    return format_html('<time datetime="{}" title="{}">{}</time>', here.isoformat(), full, shown)


def due_words(at: datetime) -> str:
    """A due time as plain text with its zone, for mails; midnight is the end of the day before."""
    here, locale = _local(at), babel_locale()
    if (here.hour, here.minute) == (0, 0):
        said = _("end of %(day)s") % {"day": format_date(here.date() - timedelta(days=1), "medium", locale=locale)}
    else:
        said = format_datetime(here, "medium", tzinfo=here.tzinfo, locale=locale)
        said = said.replace(format_datetime(here, ":ss", locale=locale, tzinfo=here.tzinfo), "", 1)
    return f"{said} ({here.tzinfo})"


@register.filter
def from_now(at: datetime | None) -> str:
    """``in 3 days``, ``2 hours ago``, by calendar of the reader's language."""
    if at is None:
        return ""
    return str(format_timedelta(at - timezone.now(), add_direction=True, threshold=1.2, locale=babel_locale()))


@register.filter
def is_past(at: datetime | None) -> bool:
    return at is not None and at < timezone.now()


@register.filter
def is_near(at: datetime | None) -> bool:
    """Due within a day."""
    return at is not None and timezone.now() <= at < timezone.now() + timedelta(days=1)


@register.filter
def file_size(size: int) -> str:
    return f"{size / 1_000_000:.1f} MB" if size >= 100_000 else f"{max(1, size // 1000)} kB"


@register.filter
def item(mapping: Any, key: Any) -> Any:
    """``mapping[key]``, or "" where there is none."""
    try:
        return mapping[key]
    except (KeyError, IndexError, TypeError):
        return ""


@register.filter
def words(text: str) -> list[str]:
    """For loops over a few names written in a template."""
    return text.split()


@register.filter
def person(people: Mapping[str, str], key: object) -> str:
    """The name of an actor's key (``staff:3``), or of a member of staff by number."""
    return people.get(str(key)) or people.get(f"staff:{key}") or str(key).partition(":")[0]


@register.simple_tag(takes_context=True)
def query_with(context: template.Context, **changed: object) -> str:
    """The query of this address with some parameters changed; an empty value takes one away."""
    query = context["request"].GET.copy()
    for name, value in changed.items():
        if value in {"", None}:
            query.pop(name, None)
        else:
            query[name] = str(value)
    return f"?{query.urlencode()}"


@register.filter
def as_json(document: object) -> str:
    """A document as people read it; escaped like all text."""
    return json.dumps(document, ensure_ascii=False, indent=2, default=str)
