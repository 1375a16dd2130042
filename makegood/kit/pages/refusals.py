"""A refused request comes back on the same page, in words, with the status its kind has."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext

from makegood.kit import errors

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
    """The error as a page shows it."""
    return Refusal(error.code, error.field, tell(error), status_of(error))


def status_of(error: errors.DomainError) -> int:
    """404 unknown, 403 forbidden, 409 refused, 422 malformed."""
    return next(status for kind, status in _STATUS if isinstance(error, kind))


def tell(error: errors.DomainError) -> str:
    """The sentence in the language in use; English where a translation is broken."""
    try:
        return error.sentence(gettext(error.message))
    except (KeyError, IndexError, ValueError):
        return error.sentence()
