"""What a tool is: a function over a session, the permission it needs, and what its hints promise."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from django.db import connection
from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from makegood.accounts.actors import require
from makegood.accounts.states import May
from makegood.kit import db, errors
from makegood.kit.telling import tell
from makegood.mcp.session import Session

log = structlog.get_logger()

Document = dict[str, Any]


class ToolUnknown(errors.Unknown):
    code = "tool_unknown"
    message = "There is no tool {value} in this session."


class ArgumentMalformed(errors.Malformed):
    code = "argument_malformed"
    message = "{field}: {value} does not fit ({rule})."


class ToolFailed(errors.Refused):
    code = "tool_failed"
    message = "Something went wrong on our side; nothing was changed by {value}."


@dataclass(frozen=True, slots=True)
class Tool:
    """``reads`` changes nothing; ``again`` is harmless when repeated; ``gives`` moves goods or money, or ends a case.

    ``for_customers`` tells whether sessions held to one customer have it.
    """

    name: str
    work: Callable[..., Document]
    needs: May
    reads: bool
    again: bool
    gives: bool
    for_customers: bool
    arguments: type[BaseModel]

    def open_to(self, session: Session) -> bool:
        return session.actor.may(self.needs) and (self.for_customers or session.customer_id is None)


TOOLS: dict[str, Tool] = {}


def tool(
    needs: May, *, reads: bool = False, again: bool = False, gives: bool = False, for_customers: bool = True
) -> Callable[[Callable[..., Document]], Callable[..., Document]]:
    """Register a function of a session; its other arguments become the tool's, its docstring what agents read."""

    def register(work: Callable[..., Document]) -> Callable[..., Document]:
        name = work.__name__
        if name in TOOLS:
            raise ValueError(name)
        fields: dict[str, Any] = {
            parameter.name: (
                parameter.annotation,
                ... if parameter.default is inspect.Parameter.empty else parameter.default,
            )
            for parameter in parameters_of(work)
        }
        shape: type[BaseModel] = create_model(name, __config__=ConfigDict(extra="forbid"), **fields)
        TOOLS[name] = Tool(name, work, needs, reads, again or reads, gives, for_customers, shape)
        return work

    return register


def parameters_of(work: Callable[..., Document]) -> list[inspect.Parameter]:
    """What a tool takes beside the session."""
    return list(inspect.signature(work, eval_str=True).parameters.values())[1:]


def tools_for(session: Session) -> list[Tool]:
    return [one for one in TOOLS.values() if one.open_to(session)]


def use(session: Session, name: str, arguments: Mapping[str, Any]) -> Document:
    """Use one tool. Raises ToolUnknown, NotAllowed, ArgumentMalformed, and what the command behind it raises."""
    found = TOOLS.get(name)
    if found is None or not (found.for_customers or session.customer_id is None):
        raise ToolUnknown(name, field="tool", rule="tool_of_the_session")
    with session.in_sight():
        require(session.actor, found.needs)
        given = read_arguments(found, arguments)
        return found.work(session, **given)


def read_arguments(found: Tool, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Raises ArgumentMalformed, naming the first argument that does not fit."""
    try:
        read = found.arguments.model_validate(dict(arguments))
    except ValidationError as refused:
        first = refused.errors(include_url=False)[0]
        told = first.get("input")
        value = told if isinstance(told, str | int | float) else None
        field = ".".join(str(step) for step in first["loc"]) or "arguments"
        raise ArgumentMalformed(value, field=field, rule=str(first["type"])) from None
    given = {name: getattr(read, name) for name in type(read).model_fields}
    # PostgreSQL stores no NUL in texts: refused here once, for every argument however deep it lies.
    if (bad := _nul_in(read.model_dump(mode="json"))) is not None:
        raise ArgumentMalformed(None, field=bad, rule="no_NUL_character")
    return given


def _nul_in(value: object, where: str = "arguments") -> str | None:
    if isinstance(value, str):
        return where if "\0" in value else None
    parts: list[tuple[object, object]] = []
    if isinstance(value, dict):
        parts = [(name, name) for name in value] + list(value.items())
    elif isinstance(value, list):
        parts = list(enumerate(value))
    return next((found for name, part in parts if (found := _nul_in(part, str(name)[:80])) is not None), None)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the agent is told; ``refused`` where it is a refusal: code, words, field and rule."""

    document: Document
    refused: bool = False


def answer(
    session: Session,
    name: str,
    arguments: Mapping[str, Any],
    *,
    renew: Callable[[Session], Session] | None = None,
) -> Answer:
    """Use a tool and turn every refusal into its stable code and its words; what nobody foresaw gets a log entry."""
    try:
        if renew is not None:
            session = renew(session)
        if connection.in_atomic_block:  # a rehearsal: what loses there cannot be begun anew
            return Answer(use(session, name, arguments))
        return Answer(db.with_retries(lambda: use(session, name, arguments)))
    except errors.DomainError as refusal:
        return Answer(refusal_of(session, refusal), refused=True)
    except Exception:
        log.exception("tool_failed", tool=name)
        return Answer(refusal_of(session, ToolFailed(name, field="tool")), refused=True)


def refusal_of(session: Session, refusal: errors.DomainError) -> Document:
    with session.in_sight():
        words = tell(refusal)
    return {
        "code": refusal.code,
        "detail": words,
        "field": refusal.field,
        "rule": refusal.rule,
        "value": refusal.value,
    }
