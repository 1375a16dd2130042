"""The one table from domain error to HTTP, and problems as RFC 9457 documents in the reader's language."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _
from psycopg.errors import ReadOnlySqlTransaction

from makegood.accounts.answers import IdempotencyKeyMissing, RequestInProgress
from makegood.accounts.limits import TooManyTries
from makegood.accounts.queries import TokenInvalid
from makegood.connectors.gateways import WebhookForged, WebhookStale
from makegood.kit import db, errors
from makegood.kit.telling import tell

MEDIA_TYPE = "application/problem+json"


class RequestMalformed(errors.Malformed):
    code = "request_malformed"
    message = "The request does not fit this route."


class FieldMalformed(errors.Malformed):
    code = "field_malformed"
    message = "{field}: {value} does not fit ({rule})."


class FieldMissing(errors.Malformed):
    code = "field_missing"
    message = "{field} is missing."


class FieldNotKnown(errors.Malformed):
    code = "field_not_known"
    message = "{field}: there is no field of this name here."


class BodyTooLarge(errors.Malformed):
    code = "body_too_large"
    message = "The body is larger than {rule} bytes."


class MediaUnsupported(errors.Malformed):
    code = "media_unsupported"
    message = "{field}: {value} is not understood here; send {rule}."


class AddressUnknown(errors.Unknown):
    code = "address_unknown"
    message = "There is nothing at this address."


class MethodNotAllowed(errors.Refused):
    code = "method_not_allowed"
    message = "{value} is not possible at this address."


class CrossSite(errors.Forbidden):
    code = "cross_site_request"
    message = "This form was not sent from our own page, or the page is too old. Load it again."


class Defect(errors.Refused):
    code = "internal_error"
    message = "Something went wrong on our side. Nothing was changed. Tell us the number {rule}."


class Unavailable(errors.Refused):
    code = "temporarily_unavailable"
    message = "The database cannot be reached just now. Nothing was changed; try again in a moment."


def is_database_unavailable(error: BaseException | None) -> bool:
    """Whether it is the database that cannot do its work now: gone, full, or only to be read (faults 25 to 28)."""
    return isinstance(error, OperationalError | InterfaceError) or isinstance(
        getattr(error, "__cause__", None), ReadOnlySqlTransaction
    )


# The nearest class in a domain error's family decides.
STATUS: dict[type[errors.DomainError], int] = {
    errors.Unknown: 404,
    errors.Forbidden: 403,
    errors.Refused: 409,
    errors.Malformed: 422,
    TokenInvalid: 401,
    WebhookForged: 401,
    WebhookStale: 401,
    IdempotencyKeyMissing: 400,
    BodyTooLarge: 413,
    MediaUnsupported: 415,
    TooManyTries: 429,
    MethodNotAllowed: 405,
    Defect: 500,
    Unavailable: 503,
    db.DatabaseBusy: 503,
}

TITLES = {
    400: _("Bad request"),
    401: _("Not signed in"),
    403: _("Not allowed"),
    404: _("Not found"),
    405: _("Not possible here"),
    409: _("Refused"),
    413: _("Too large"),
    415: _("Not understood"),
    422: _("Not understood"),
    429: _("Too many tries"),
    500: _("Our mistake"),
    503: _("Not available now"),
}


def status_of(kind: type[errors.DomainError]) -> int:
    """The HTTP status of an error class."""
    return next(STATUS[family] for family in kind.__mro__ if family in STATUS)


def pointer_of(field: str) -> str:
    """A JSON pointer from ``lines[0].quantity``."""
    parts = re.sub(r"\[(\d+)\]", r".\1", field).split(".")
    return "/" + "/".join(part.replace("~", "~0").replace("/", "~1") for part in parts)


def problem(
    request: HttpRequest,
    error: errors.DomainError,
    *,
    parts: Iterable[Mapping[str, Any]] = (),
    headers: Mapping[str, str] | None = None,
) -> HttpResponse:
    """The answer to a request that failed with this error."""
    status = status_of(type(error))
    document: dict[str, Any] = {
        "type": f"urn:makegood:problem:{error.code}",
        "title": gettext(TITLES.get(status, TITLES[400])),
        "status": status,
        "detail": tell(error),
        "code": error.code,
        "request_id": request.META.get("makegood.request_id", ""),
    }
    # An error about several things at once brings its own parts.
    listed = list(parts) or list(getattr(error, "parts", ())) or ([part_of(error)] if error.field else [])
    if listed:
        document["errors"] = listed
    response = HttpResponse(json.dumps(document, ensure_ascii=False), content_type=MEDIA_TYPE, status=status)
    if isinstance(error, TokenInvalid):
        response["WWW-Authenticate"] = 'Bearer realm="makegood"'
    if isinstance(error, TooManyTries):
        response["Retry-After"] = str(error.details["wait_seconds"])
    if isinstance(error, RequestInProgress | Unavailable | db.DatabaseBusy):
        response["Retry-After"] = "1"
    for name, value in (headers or {}).items():
        response[name] = value
    response["Cache-Control"] = "no-store"
    request.META["makegood.problem"] = error.code
    return response


def part_of(error: errors.DomainError, *, where: str = "body") -> dict[str, Any]:
    """Which field, what it said, which rule it breaks."""
    return {
        "in": where,
        "pointer": pointer_of(error.field),
        "code": error.code,
        "value": error.value,
        "rule": error.rule,
        "detail": tell(error),
    }


def parts_of_validation(found: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The fields a request's own shape refuses, as the framework found them; at most 100."""
    parts = []
    for one, _number in zip(found, range(100), strict=False):
        location = [str(step) for step in one.get("loc", ())]
        where = location[0] if location else "body"
        # The framework names the body's parameter after the body itself: body, orders_in, lines, 0.
        steps = location[2:] if where in {"body", "form", "file"} and len(location) > 1 else location[1:]
        field = ".".join(steps) or where
        kind = str(one.get("type", ""))
        value = one.get("input")
        told = value if isinstance(value, str | int | float | bool) else None
        error: errors.DomainError
        if kind == "missing":
            error = FieldMissing(field=field, rule="required")
        elif kind == "extra_forbidden":
            error = FieldNotKnown(field=field, rule="known_fields_only")
        else:
            error = FieldMalformed(told, field=field, rule=_rule_of(kind, one.get("ctx")))
        part = part_of(error, where={"form": "body", "file": "body"}.get(where, where))
        part["pointer"] = "/" + "/".join(step.replace("~", "~0").replace("/", "~1") for step in steps)
        parts.append(part)
    return parts


def _rule_of(kind: str, context: object) -> str:
    if isinstance(context, Mapping):
        limits = [f"{name}={value}" for name, value in context.items() if isinstance(value, str | int | float)]
        return " ".join([kind, *limits])[:200]
    return kind
