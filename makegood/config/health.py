"""Whether the process lives, and whether it can work: for load balancers and monitors."""

from __future__ import annotations

from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse

from makegood.accounts import environment


def alive(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok"})


def ready(request: HttpRequest) -> JsonResponse:
    """503 until the database answers and knows our tables. Says nothing that a stranger should not know."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("select to_regclass('accounts_installation') is not null")
            migrated = bool(cursor.fetchone()[0])
        held = migrated and environment.payouts_held()
    except DatabaseError:
        return JsonResponse({"status": "database unreachable"}, status=503)
    if not migrated:
        return JsonResponse({"status": "database not migrated"}, status=503)
    return JsonResponse({"status": "ok", "payouts": "held" if held else "open"})
