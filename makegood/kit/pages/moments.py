"""How a moment is said in plain text, in the reader's language and in a zone: letters and chats have no ``<time>``."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime
from django.utils.translation import gettext as _

from makegood.kit.pages.language import babel_locale


def moment_said(at: datetime, zone: str) -> str:
    """``18 Nov 2026, 17:30``; a midnight is the end of the day before, as deadlines are meant."""
    here, locale = at.astimezone(ZoneInfo(zone)), babel_locale()
    if (here.hour, here.minute, here.second) == (0, 0, 0):
        return _("end of %(day)s") % {"day": format_date(here.date() - timedelta(days=1), "medium", locale=locale)}
    return str(format_datetime(here, "medium", tzinfo=here.tzinfo, locale=locale)).replace(
        format_datetime(here, ":ss", locale=locale, tzinfo=here.tzinfo), "", 1
    )
