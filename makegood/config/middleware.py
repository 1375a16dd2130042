"""What surrounds every request: its number, its log line, whose rows are in sight, and headers that protect."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable

import structlog
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from makegood.accounts import queries
from makegood.config import problems
from makegood.kit import tenancy

log = structlog.get_logger()

Handler = Callable[[HttpRequest], HttpResponseBase]

API = "/api/"
_GIVEN_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_QUIET = {"/healthz", "/readyz"}


class RequestId:
    """A number for every request, in its answer, its log lines and its problem document."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        given = request.headers.get("X-Request-Id", "")
        request_id = given if _GIVEN_ID.fullmatch(given) else uuid.uuid4().hex
        request.META["makegood.request_id"] = request_id
        started = time.perf_counter()
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            response = self.get_response(request)
            if request.path not in _QUIET:
                match = request.resolver_match
                # The route and not the address: addresses hold references and tokens of customers.
                log.info(
                    "request",
                    method=request.method,
                    route=match.route if match else None,
                    status=response.status_code,
                    problem=request.META.get("makegood.problem"),
                    milliseconds=round((time.perf_counter() - started) * 1000, 1),
                )
        response["X-Request-Id"] = request_id
        if request.META.get("makegood.replayed"):
            response["Idempotent-Replayed"] = "true"
        return response


class ProtectiveHeaders:
    """Headers no page may forget, beside those Django's own middleware sets."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response.setdefault("Permissions-Policy", "camera=(self), geolocation=(), microphone=(), payment=()")
        response.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        # Pages hold personal data: what a page does not allow to be kept is not kept by anyone.
        if not request.path.startswith(f"/{settings.STATIC_URL.strip('/')}/"):
            response.setdefault("Cache-Control", "no-store")
        return response


class BoundedBody:
    """Refuses by the length a client declares, before a byte of the body is read; and NUL in an address or a form."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if "\x00" in request.path or "%00" in request.META.get("QUERY_STRING", ""):
            return problems.problem(request, problems.AddressUnknown())
        form = request.content_type == "multipart/form-data"
        limit = settings.UPLOAD_BYTES_MAX if form else settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        length = request.META.get("CONTENT_LENGTH") or "0"
        if not length.isdigit() or int(length) > limit:
            return problems.problem(request, problems.BodyTooLarge(rule=str(limit)))
        # The database takes no NUL, and no form of a page has a use for one. The API reads its forms itself.
        if request.method == "POST" and not request.path.startswith(API):
            for field, values in request.POST.lists():
                if any("\x00" in text for text in (field, *values)):
                    return problems.problem(request, problems.FieldMalformed(field=field[:80], rule="no_nul"))
        return self.get_response(request)


class MerchantInSight:
    """Whose rows a request may see: the merchant of its token or of its session, else nobody's.

    A token's number only points row-level security at a merchant; the route's ``bearer`` still has to find
    the token among that merchant's. Pages that name a merchant by address use ``accounts.sight.of_slug``.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        merchant_id = _merchant_of(request)
        if merchant_id is None:
            with tenancy.acting_for_nobody():
                return self.get_response(request)
        with tenancy.acting_for(merchant_id), structlog.contextvars.bound_contextvars(merchant=merchant_id):
            return self.get_response(request)


def _merchant_of(request: HttpRequest) -> int | None:
    if request.path.startswith(API):
        scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
        return queries.merchant_id_in_token(secret.strip()) if scheme.lower() == "bearer" else None
    if settings.SESSION_COOKIE_NAME in request.COOKIES:
        kept = request.session.get("merchant_id")
        return kept if isinstance(kept, int) else None
    return None


class ApiProblems:
    """Under /api/ nothing answers with a page: what Django refuses by itself becomes a problem document."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if not request.path.startswith(API) or response.status_code < 400:
            return response
        if response.headers.get("Content-Type", "").startswith(problems.MEDIA_TYPE):
            return response
        if response.status_code == 405:
            headers = {"Allow": response.headers.get("Allow", "")}
            return problems.problem(request, problems.MethodNotAllowed(request.method), headers=headers)
        if response.status_code == 404:
            return problems.problem(request, problems.AddressUnknown())
        if response.status_code >= 500:
            return problems.problem(request, problems.Defect(rule=request.META.get("makegood.request_id", "")))
        return problems.problem(request, problems.RequestMalformed())
