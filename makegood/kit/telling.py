"""An error in words of the language in use."""

from __future__ import annotations

from django.utils.translation import gettext

from makegood.kit.errors import DomainError


def tell(error: DomainError) -> str:
    """The translated sentence; English where a translation is broken."""
    try:
        return error.sentence(gettext(error.message))
    except (KeyError, IndexError, ValueError):
        return error.sentence()
