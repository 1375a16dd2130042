"""The four ways a request can fail, and what every refusal tells: code, field, value, rule.

A concrete error is defined beside the function that raises it, as a subclass with its own ``code``.
The code is API: it is the translation key, the log key and a line of ``docs/reference/errors.md``.
"""

from __future__ import annotations

from typing import Any, ClassVar


class DomainError(Exception):
    """A request that cannot be done, with a stable code and the words to explain it.

    ``message`` is an English format string over ``field``, ``value`` and the keyword details; it is
    also the msgid of its translation.
    """

    code: ClassVar[str] = ""
    message: ClassVar[str] = ""

    def __init__(self, value: object = None, *, field: str = "", rule: str = "", **details: Any) -> None:
        self.field = field
        self.value = None if value is None else str(value)[:200]
        self.rule = rule
        self.details = details
        super().__init__(self.sentence())

    def sentence(self, template: str | None = None) -> str:
        """Say what is wrong in words; ``template`` is the translated message."""
        words = {"field": self.field, "value": self.value, "rule": self.rule, **self.details}
        return (template or self.message or self.code).format(**words)


class Unknown(DomainError):
    """There is no such thing, or it is not yours: the answer is the same for both."""


class Forbidden(DomainError):
    """You are known, and may not do this."""


class Refused(DomainError):
    """The thing is there, the request is well formed, and the rules or its state say no."""


class Malformed(DomainError):
    """What was sent cannot be understood: names the field, its value and the rule it breaks."""


def all_errors(kind: type[DomainError] = DomainError) -> list[type[DomainError]]:
    """Every concrete error class known to the process, for the reference page and its test."""
    found = []
    for child in kind.__subclasses__():
        found += [child] if child.code else []
        found += all_errors(child)
    return found
