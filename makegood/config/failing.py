"""The page shown where no rule foresaw what happened, and where the database cannot do its work."""

from __future__ import annotations

import sys

from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.template.loader import render_to_string
from django.utils.translation import gettext

from makegood.config import problems
from makegood.kit.telling import tell


def failed_page(request: HttpRequest) -> HttpResponse:
    """503 and when to come again where the database is to blame, else 500 and a number to tell us.

    Called while the exception is being handled; under /api/ it answers with a problem document.
    """
    told: problems.Unavailable | problems.Defect
    if problems.is_database_unavailable(sys.exc_info()[1]):
        told = problems.Unavailable()
    else:
        told = problems.Defect(rule=request.META.get("makegood.request_id", ""))
    if request.path.startswith("/api/"):
        return problems.problem(request, told)
    status = problems.status_of(type(told))
    # Without the context processors: messages and session would be read from the database that may be gone.
    shown = {
        "headline": gettext(problems.TITLES[status]),
        "words": tell(told),
        "request": request,
        "csrf_token": get_token(request),
    }
    response = HttpResponse(render_to_string("500.html", shown), status=status)
    if status == 503:
        response["Retry-After"] = "1"
    request.META["makegood.problem"] = told.code
    return response
