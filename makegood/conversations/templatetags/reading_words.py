"""A filter that reads a message where a page shows it. Readings are never stored: a better model reads anew."""

from __future__ import annotations

from django import template

from makegood.conversations.triage.reading import Reading, read

register = template.Library()


@register.filter
def as_read(text: str) -> Reading | None:
    """None for a text that says nothing."""
    return read(text) if text and text.strip() else None
