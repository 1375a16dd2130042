"""A refused request comes back on the same page, in words, with the status its kind has."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext

from makegood.kit import errors
from makegood.kit.pages.moments import moment_said

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?([+-]\d\d:\d\d|Z)")

_STATUS: tuple[tuple[type[errors.DomainError], int], ...] = (
    (errors.Unknown, 404),
    (errors.Forbidden, 403),
    (errors.Refused, 409),
    (errors.Malformed, 422),
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a page shows of an error: its sentence in the reader's language, code, field and status."""

    code: str
    field: str
    text: str
    status: int


def refusal_of(error: errors.DomainError) -> Refusal:
    """The error as a page shows it: moments, which programs are told in ISO 8601, as people say them here."""
    text = _MOMENT.sub(
        lambda found: moment_said(datetime.fromisoformat(found[0]), timezone.get_current_timezone_name()), tell(error)
    )
    return Refusal(error.code, error.field, text, status_of(error))


def status_of(error: errors.DomainError) -> int:
    """404 unknown, 403 forbidden, 409 refused, 422 malformed."""
    return next(status for kind, status in _STATUS if isinstance(error, kind))


def tell(error: errors.DomainError) -> str:
    """The sentence in the language in use; English where a translation is broken."""
    try:
        return error.sentence(gettext(error.message))
    except (KeyError, IndexError, ValueError):
        return error.sentence()
