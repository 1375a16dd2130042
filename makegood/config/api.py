"""The JSON API: /api/v1, its document at /api/v1/openapi.json, every failure a problem document."""

from __future__ import annotations

from typing import Any

import structlog
from django.conf import settings
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja import errors as ninja_errors
from ninja.openapi.schema import OpenAPISchema
from ninja.parser import Parser

from makegood.accounts.api import KEYED, Bearer
from makegood.accounts.queries import TokenInvalid
from makegood.calls.api import router as calls
from makegood.cases.api import router as cases
from makegood.config import problems
from makegood.config.openapi import describe_problems, name_permissions
from makegood.conversations.api import router as replies
from makegood.kit import errors, wire
from makegood.orders.api import router as orders
from makegood.policy.api import router as quotes
from makegood.settlement.api import router as gateways
from makegood.webhooks.api import router as webhooks

log = structlog.get_logger()

_JSON = "application/json"


class StrictParser(Parser):
    """Reads bodies within bounds and only what says that it is JSON."""

    def parse_body(self, request: HttpRequest) -> Any:
        if request.content_type != _JSON:
            raise problems.MediaUnsupported((request.content_type or "")[:80], field="Content-Type", rule=_JSON)
        return wire.read_json(request.body)


class Api(NinjaAPI):
    """Ninja's API, whose document tells the truth about errors and request keys."""

    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        document = super().get_openapi_schema(**options)
        keyed = {
            self.get_openapi_operation_id(operation)
            for router in self._get_bound_routers()
            for view in router.path_operations.values()
            for operation in view.operations
            if getattr(operation.view_func, KEYED, False)
        }
        describe_problems(document, keyed=keyed)
        needed = {
            self.get_openapi_operation_id(operation): str(one.what)
            for router in self._get_bound_routers()
            for view in router.path_operations.values()
            for operation in view.operations
            for one in operation.auth_callbacks
            if isinstance(one, Bearer)
        }
        name_permissions(document, needed)
        return document

    def validation_error_from_error_contexts(self, error_contexts: list[Any]) -> ninja_errors.ValidationError:
        """The framework drops what was sent; a refusal names it."""
        refused = super().validation_error_from_error_contexts(error_contexts)
        sent = [
            found.get("input")
            for context in error_contexts
            for found in context.pydantic_validation_error.errors(include_url=False, include_context=False)
        ]
        for error, value in zip(refused.errors, sent, strict=True):
            error["input"] = value
        return refused

    def get_openapi_operation_id(self, operation: Any) -> str:
        return str(operation.view_func.__name__)


def build_api() -> Api:
    api = Api(
        title="Makegood",
        version="1",
        urls_namespace="api",
        parser=StrictParser(),
        docs_url=None,
        openapi_url="/openapi.json",
        description="After-sales: orders in, cases, decisions, payouts. Errors are problem documents (RFC 9457).",
    )
    handlers: dict[Any, Any] = {
        errors.DomainError: problems.problem,
        ninja_errors.ValidationError: _validation,
        ninja_errors.HttpError: _http,
        Http404: _nothing_there,
        Exception: failed,
    }
    for kind, handler in handlers.items():
        api.add_exception_handler(kind, handler)
    for router in (orders, cases, quotes, gateways, webhooks, calls, replies):
        api.add_router("", router)
    return api


def _nothing_there(request: HttpRequest, _: Http404) -> HttpResponse:
    return problems.problem(request, problems.AddressUnknown())


def _validation(request: HttpRequest, refused: ninja_errors.ValidationError) -> HttpResponse:
    return problems.problem(request, problems.RequestMalformed(), parts=problems.parts_of_validation(refused.errors))


def _http(request: HttpRequest, refused: ninja_errors.HttpError) -> HttpResponse:
    # The framework says "cannot parse" for whatever the parser raised; the cause knows better.
    if isinstance(refused.__cause__, errors.DomainError):
        return problems.problem(request, refused.__cause__)
    if refused.status_code == 401:
        return problems.problem(request, TokenInvalid(field="Authorization", rule="Bearer"))
    return problems.problem(request, problems.RequestMalformed())


def failed(request: HttpRequest, error: Exception) -> HttpResponse:
    """What no rule foresaw: the reader gets a number, the log everything else."""
    if isinstance(error, RequestDataTooBig | TooManyFieldsSent | TooManyFilesSent):
        return problems.problem(request, problems.BodyTooLarge(rule=str(settings.DATA_UPLOAD_MAX_MEMORY_SIZE)))
    if problems.is_database_unavailable(error):
        log.error("database_unavailable", exc_info=error)
        return problems.problem(request, problems.Unavailable())
    log.error("request_failed", exc_info=error)
    return problems.problem(request, problems.Defect(rule=request.META.get("makegood.request_id", "")))


api = build_api()
