"""The reference of the JSON API as a page of our own, made of the very document that programs read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from http.client import responses as reasons
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from makegood.config.api import api
from makegood.config.openapi import PERMISSION

Schema = Mapping[str, Any]
_SHAPES = "#/components/schemas/"


@dataclass(frozen=True, slots=True)
class Kind:
    """What a value is: words of JSON (``text``, ``list``, …), the shape it has where it has a name, its limits."""

    word: str
    shape: str = ""
    limits: tuple[str, ...] = ()
    nullable: bool = False


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    kind: Kind
    required: bool
    told: str
    default: str


@dataclass(frozen=True, slots=True)
class Answer:
    status: str
    reason: str
    kind: Kind | None


@dataclass(frozen=True, slots=True)
class Operation:
    """One route with everything a caller has to know."""

    id: str
    method: str
    path: str
    told: str
    permission: str
    keyed: bool
    parameters: tuple[Field, ...]
    body: Kind | None
    fields: tuple[Field, ...]  # of a form with a file
    media: str
    answers: tuple[Answer, ...]
    problems: tuple[Answer, ...]
    example: str


@dataclass(frozen=True, slots=True)
class Shape:
    name: str
    told: str
    fields: tuple[Field, ...]


@require_GET
def reference(request: HttpRequest) -> HttpResponse:
    """Every route and every shape on one page, without a script."""
    groups, shapes = _read()
    return render(request, "pages/api_reference.html", {"groups": groups, "shapes": shapes})


@lru_cache(maxsize=1)
def _read() -> tuple[dict[str, list[Operation]], list[Shape]]:
    document = api.get_openapi_schema()
    schemas: Schema = document["components"]["schemas"]
    groups: dict[str, list[Operation]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            found = _operation(path, method, operation, schemas)
            groups.setdefault(operation.get("tags", ["other"])[0], []).append(found)
    shapes = [
        Shape(name, schema.get("description", ""), tuple(_fields(schema))) for name, schema in sorted(schemas.items())
    ]
    return groups, shapes


def _operation(path: str, method: str, operation: Schema, schemas: Schema) -> Operation:
    content: Schema = operation.get("requestBody", {}).get("content", {})
    media = next(iter(content), "")
    sent: Schema = content[media].get("schema", {}) if media else {}
    given = tuple(_parameters(operation.get("parameters", [])))
    answers = tuple(_answers(operation["responses"]))
    keyed = any(one.name == "Idempotency-Key" for one in given)
    return Operation(
        id=operation["operationId"],
        method=method.upper(),
        path=path,
        told=operation.get("description", ""),
        permission=operation.get(PERMISSION, ""),
        keyed=keyed,
        parameters=tuple(one for one in given if one.name != "Idempotency-Key"),
        body=_kind(sent) if sent and media == "application/json" else None,
        fields=tuple(_fields(sent)) if media and media != "application/json" else (),
        media=media,
        answers=tuple(one for one in answers if int(one.status) < 400),
        problems=tuple(one for one in answers if int(one.status) >= 400),
        example=_example(path, method.upper(), media, sent, schemas, keyed=keyed, open=not operation.get("security")),
    )


def _parameters(parameters: list[Schema]) -> Iterator[Field]:
    for one in parameters:
        schema = one.get("schema", {})
        yield Field(one["name"], _kind(schema), bool(one.get("required")), one.get("description", ""), _default(schema))


def _answers(answers: Mapping[Any, Schema]) -> Iterator[Answer]:
    for status, answer in answers.items():
        media: Schema = next(iter(answer.get("content", {}).values()), {})
        schema = media.get("schema", {})
        yield Answer(str(status), reasons[int(status)], _kind(schema) if schema else None)


def _fields(schema: Schema) -> Iterator[Field]:
    required = set(schema.get("required", []))
    for name, about in schema.get("properties", {}).items():
        yield Field(name, _kind(about), name in required, about.get("description", ""), _default(about))


def _default(schema: Schema) -> str:
    return json.dumps(schema["default"], ensure_ascii=False) if "default" in schema else ""


_WORDS = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false"}
_LIMITS = ("minLength", "maxLength", "minimum", "maximum", "minItems", "maxItems", "pattern", "format")


def _kind(schema: Schema) -> Kind:  # noqa: PLR0911 - one return a sort of schema
    """What a schema says in a few words; shapes of our own by their name."""
    if "$ref" in schema:
        return Kind("shape", schema["$ref"].removeprefix(_SHAPES))
    if "anyOf" in schema:
        kinds = [_kind(one) for one in schema["anyOf"] if one.get("type") != "null"]
        nullable = len(kinds) < len(schema["anyOf"])
        if len(kinds) == 1:
            return Kind(kinds[0].word, kinds[0].shape, kinds[0].limits, nullable=nullable)
        return Kind(" or ".join(one.word for one in kinds), nullable=nullable)
    if "enum" in schema or "const" in schema:
        values = schema.get("enum", [schema.get("const")])
        return Kind(" | ".join(map(str, values)))
    limits = tuple(f"{name} {schema[name]}" for name in _LIMITS if name in schema)
    kind = schema.get("type", "anything")
    if isinstance(kind, list):
        plain: str = next(one for one in kind if one != "null")
        return Kind(_WORDS.get(plain, plain), limits=limits, nullable="null" in kind)
    if kind == "array":
        inner = _kind(schema.get("items", {}))
        return Kind(f"list of {inner.word}", inner.shape, limits)
    if kind == "object":
        return Kind("object", limits=limits)
    return Kind(_WORDS.get(str(kind), str(kind)), limits=limits)


def _example(path: str, method: str, media: str, sent: Schema, schemas: Schema, *, keyed: bool, open: bool) -> str:  # noqa: A002 - reads as what it is
    """A call that can be copied into a terminal."""
    lines = [f"curl -X {method} $HOST{path}"]
    if not open:
        lines.append('-H "Authorization: Bearer $TOKEN"')
    if keyed:
        lines.append('-H "Idempotency-Key: $(uuidgen)"')
    if media == "application/json":
        body = json.dumps(_sample(sent, schemas), ensure_ascii=False, indent=2)
        lines += ['-H "Content-Type: application/json"', f"-d '{body}'"]
    elif media:
        lines += [f"-F {name}={'@photo.jpg' if name == 'file' else '…'}" for name in sent.get("required", [])]
    return " \\\n  ".join(lines)


def _sample(schema: Schema, schemas: Schema, depth: int = 0) -> Any:  # noqa: PLR0911 - one return a sort of schema
    """A small document that fits: what must be given, with the examples that the shape itself has."""
    if "$ref" in schema:
        return _sample(schemas[schema["$ref"].removeprefix(_SHAPES)], schemas, depth)
    if schema.get("examples"):
        return schema["examples"][0]
    if "anyOf" in schema:
        return _sample(schema["anyOf"][0], schemas, depth)
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type")
    if kind == "object" or "properties" in schema:
        required = schema.get("required", [])
        return {name: _sample(schema["properties"][name], schemas, depth + 1) for name in required if depth < 4}
    if kind == "array":
        return [_sample(schema.get("items", {}), schemas, depth + 1)] if depth < 3 else []
    return {"string": "…", "integer": 1, "number": 1, "boolean": True}.get(str(kind), {})
