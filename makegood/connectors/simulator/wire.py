"""Stripe's wire format on the server side: nested forms in, objects and errors out."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

Params = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP answer; ``saved``: an idempotency key remembers it; ``cut``: the connection breaks in its middle."""

    status: int
    body: bytes
    saved: bool = True
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False


class Refusal(Exception):
    """Ends a call with an error object. ``saved`` False: refused before execution began."""

    def __init__(self, status: int, message: str, *, saved: bool = True, **error: str) -> None:
        self.status, self.saved = status, saved
        self.error = {"type": "invalid_request_error", "message": message, **error}
        super().__init__(message)

    def reply(self) -> Reply:
        return Reply(self.status, json.dumps({"error": self.error}).encode(), saved=self.saved)


def done(thing: object) -> Reply:
    return Reply(200, json.dumps(thing).encode())


def bad_parameter(name: str, message: str, code: str = "parameter_invalid") -> Refusal:
    return Refusal(400, message, saved=False, param=name, code=code)


def read_form(text: str) -> Params:
    """``a=1&b[c]=2&d[0]=3`` into nested dicts. Raises Refusal for what cannot be nested."""
    params: Params = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        head, *rest = name.replace("]", "").split("[")
        place = params
        for inner in rest:
            nested = place.setdefault(head, {})
            if not isinstance(nested, dict):
                raise bad_parameter(name, f"Invalid parameter: {name}")
            place, head = nested, inner
        place[head] = value
    return params


def only(params: Params, *allowed: str) -> None:
    """Refuse every parameter that is not known, as Stripe does."""
    for name in params:
        if name not in allowed and name != "expand":
            raise bad_parameter(name, f"Received unknown parameter: {name}", "parameter_unknown")


def whole_number(params: Params, name: str, *, at_least: int = 1, at_most: int = 99_999_999_999) -> int:
    value = params.get(name)
    if value is None:
        raise bad_parameter(name, f"Missing required param: {name}.", "parameter_missing")
    if not (isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 13):
        raise bad_parameter(name, f"Invalid integer: {value}", "parameter_invalid_integer")
    if not at_least <= int(value) <= at_most:
        raise bad_parameter(name, f"{name} must be between {at_least} and {at_most}", "parameter_invalid_integer")
    return int(value)


def metadata(params: Params) -> dict[str, str]:
    """Up to 50 keys of 40 characters with values of 500."""
    given = params.get("metadata", {})
    if not isinstance(given, dict) or len(given) > 50:
        raise bad_parameter("metadata", "Metadata must be a hash of at most 50 keys")
    for name, value in given.items():
        if len(name) > 40 or not isinstance(value, str) or len(value) > 500:
            raise bad_parameter(f"metadata[{name}]", "Metadata keys have 40 characters and values 500 at most")
    return {name: value for name, value in given.items() if value}
