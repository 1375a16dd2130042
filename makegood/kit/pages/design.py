"""A page that shows what pages are made of: the letters, the colours, the spaces, each component with its words."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

TYPE_STEPS = ("2xl", "xl", "l", "m", "s", "xs")
SPACES = range(1, 9)
# Letters on the ground they are made for; the browser test of this page holds every pair to WCAG's contrast.
PAIRS = (
    ("ink", "paper"),
    ("ink-soft", "paper"),
    ("ink", "sheet"),
    ("ink-soft", "sheet"),
    ("ink-soft", "sunk"),
    ("pine", "sheet"),
    ("pine", "pine-wash"),
    ("on-fill", "pine-fill"),
    ("seal", "sheet"),
    ("seal", "seal-wash"),
    ("on-fill", "seal-fill"),
    ("amber", "amber-wash"),
    ("sky", "sky-wash"),
)


@require_safe
def design(request: HttpRequest) -> HttpResponse:
    """Tokens and components in the reader's language, in the colours the device asks for."""
    context = {"type_steps": TYPE_STEPS, "spaces": SPACES, "pairs": PAIRS}
    return render(request, "pages/design.html", context)
