"""Makes the OpenAPI document say what really happens: problem documents, request keys, answers to everything."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from http.client import responses as reasons
from typing import Any

from makegood.config.problems import MEDIA_TYPE

_PROBLEM = {
    "type": "object",
    "description": "A problem document (RFC 9457). `code` is stable; `title` and `detail` follow Accept-Language.",
    "required": ["type", "title", "status", "detail", "code", "request_id"],
    "properties": {
        "type": {"type": "string", "examples": ["urn:makegood:problem:order_unknown"]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string", "examples": ["order_unknown"]},
        "request_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["in", "pointer", "code", "value", "rule", "detail"],
                "properties": {
                    "in": {"type": "string"},
                    "pointer": {"type": "string", "description": "JSON pointer (RFC 6901) to the field"},
                    "code": {"type": "string"},
                    "value": {"type": ["string", "null"]},
                    "rule": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}
_KEY = {
    "in": "header",
    "name": "Idempotency-Key",
    "required": True,
    "description": "Names this request: sent again with the same key and body, the first answer is given again.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
}
_ALWAYS = (401, 403, 404, 405, 429, 500, 503)
_WITH_BODY = (413, 415, 422)
_WITH_KEY = (400, 409, 422)


PERMISSION = "x-permission"


def name_permissions(document: dict[str, Any], needed: Mapping[str, str]) -> None:
    """Say in the document which permission the token of each operation must hold."""
    for path in document["paths"].values():
        for operation in path.values():
            if what := needed.get(operation["operationId"]):
                operation[PERMISSION] = what


def describe_problems(document: dict[str, Any], *, keyed: Collection[str]) -> None:
    """Change the document in place; ``keyed`` are the operations that take a request key."""
    document.setdefault("components", {}).setdefault("schemas", {})["Problem"] = _PROBLEM
    for path in document["paths"].values():
        for operation in path.values():
            _describe(operation, keyed=operation["operationId"] in keyed)


def _describe(operation: dict[str, Any], *, keyed: bool) -> None:
    statuses = set(_ALWAYS)
    if operation.get("parameters"):
        statuses.add(422)
    if operation.get("requestBody"):
        statuses.update(_WITH_BODY)
    if keyed:
        statuses.update(_WITH_KEY)
        operation["parameters"] = [*operation.get("parameters", []), _KEY]
    answers: dict[Any, Any] = operation["responses"]
    for status in [status for status in answers if int(status) >= 400]:
        statuses.add(int(answers.pop(status) and status))
    for status in sorted(statuses):
        answers[status] = {
            "description": reasons[status],
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
