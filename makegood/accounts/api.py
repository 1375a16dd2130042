"""What every route of the JSON API shares: who bears the token, what it may do, one effect per request key."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from typing import Any

from django.http import HttpRequest
from ninja.security import HttpBearer
from pydantic_core import to_jsonable_python

from makegood.accounts import answers, queries
from makegood.accounts.actors import Actor, require
from makegood.accounts.answers import Answer
from makegood.accounts.states import May
from makegood.kit import db, errors, tenancy

KEYED = "takes_idempotency_key"


class TokenHeld(errors.Forbidden):
    """These routes show all of the merchant's records; such a token would have to be checked in each of them."""

    code = "token_held_to_customer"
    message = "This token is held to one customer's records; it opens the tools for AI agents alone."


class Bearer(HttpBearer):
    """An access token whose role and scopes hold one permission; ``request.auth`` is then its Actor."""

    def __init__(self, what: May) -> None:
        super().__init__()
        self.what = what

    def authenticate(self, request: HttpRequest, token: str) -> Actor:
        """Raises TokenInvalid, TokenHeld, NotAllowed."""
        # The middleware has already put the merchant named in the token in sight; row-level security then
        # lets only that merchant's tokens be found, so that a forged number opens nothing.
        if tenancy.current_merchant_id() is None:
            raise queries.TokenInvalid(field="Authorization", rule="Bearer")
        actor = queries.actor_of_token(token, at=datetime.now(UTC))
        if actor.held_to is not None:
            raise TokenHeld(field="Authorization", rule="token_of_the_merchant")
        require(actor, self.what)
        return actor


def bearer(what: May) -> Bearer:
    """The ``auth=`` of a route."""
    return Bearer(what)


def actor_of(request: HttpRequest) -> Actor:
    """Who asks, once the route's ``bearer`` let them in."""
    actor = getattr(request, "auth", None)
    if not isinstance(actor, Actor):
        raise TypeError("the route has no bearer")
    return actor


def once(view: Callable[..., Any]) -> Callable[..., Any]:
    """Make a route's view answer each ``Idempotency-Key`` once; below the router's decorator.

    The view calls one command and returns the body, or ``(status, body)``. Effect and answer commit together;
    a retry gets the same answer, with ``Idempotent-Replayed: true``. Where two transactions got in each other's way it
    is tried again: nothing of the first try was kept (fault 32).
    """

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> tuple[int, Any]:
        key = answers.read_key(request.headers.get("Idempotency-Key"))

        def effect() -> Answer:
            result = view(request, *args, **kwargs)
            status, body = result if isinstance(result, tuple) else (200, result)
            return Answer(status, to_jsonable_python(body))

        given = db.with_retries(
            lambda: answers.answer_once(
                route=_route_of(request),
                key=key,
                body_sha256=_fingerprint(request),
                effect=effect,
                at=datetime.now(UTC),
            )
        )
        if given.replayed:
            request.META["makegood.replayed"] = "true"
        return given.status, given.body

    answer.__dict__[KEYED] = True
    # Annotations are resolved here: the API framework would look for their names in this module.
    answer.__dict__["__signature__"] = inspect.signature(view, eval_str=True)
    return answer


def _route_of(request: HttpRequest) -> str:
    match = request.resolver_match
    return f"{request.method} {match.route if match else request.path}"[:120]


def _fingerprint(request: HttpRequest) -> str:
    """Method, address with its values, and body; of a form its parts, for its boundary differs on every try."""
    head = (request.method or "", request.get_full_path())
    if request.content_type != "multipart/form-data":
        return answers.fingerprint(*head, request.body)
    parts: list[str | bytes] = []
    for name in sorted(request.POST):
        parts += [name, *map(str, request.POST.getlist(name))]
    for name in sorted(request.FILES):
        for file in request.FILES.getlist(name):
            digest = hashlib.sha256()
            for chunk in file.chunks():
                digest.update(chunk)
            file.seek(0)
            parts += [name, file.name or "", digest.digest()]
    return answers.fingerprint(*head, *parts)
