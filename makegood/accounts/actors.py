"""Who acts: every command is told, every event row names it, every permission is asked of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Self

from makegood.accounts.states import ALLOWED, May, Role
from makegood.kit import errors

Kind = Literal["customer", "staff", "integration", "system", "carrier", "gateway"]

# Parties without a role: what they may do follows from what they are. A customer is besides held to cases and
# orders of their own by the query that finds them.
_ALLOWED_BY_KIND: dict[str, frozenset[str]] = {
    "customer": frozenset({May.FILE}),
    "carrier": frozenset({May.WRITE_ORDERS, May.FILE}),  # a refusal at the door is filed by its report
    "gateway": frozenset({May.CONFIRM_PAYOUT}),
    # Consequences of silence are carried out without a person; judging an appeal is left to one.
    "system": frozenset(May.values) - {May.REVIEW},
}


class NotAllowed(errors.Forbidden):
    code = "not_allowed"
    message = "{actor} may not do this: it needs the permission {rule}."


@dataclass(frozen=True, slots=True)
class Actor:
    """A party of one request. ``scopes`` narrows what ``role`` allows; None narrows nothing.

    ``only_customer`` holds an integration to the records of one customer, as a customer is held to their own.
    """

    kind: Kind
    id: int | None = None
    label: str = ""
    role: str = ""
    scopes: frozenset[str] | None = field(default=None)
    only_customer: int | None = None

    @property
    def key(self) -> str:
        """How event rows name the actor: ``staff:12``, ``customer:7``, ``system:clock``."""
        return f"{self.kind}:{self.label if self.id is None else self.id}"

    @property
    def held_to(self) -> int | None:
        """The customer whose records alone this actor may touch; None where all of the merchant's are open."""
        return self.id if self.kind == "customer" else self.only_customer

    def may(self, what: May) -> bool:
        allowed = ALLOWED.get(self.role, frozenset()) if self.role else _ALLOWED_BY_KIND.get(self.kind, frozenset())
        return what in allowed and (self.scopes is None or what in self.scopes)

    @classmethod
    def system(cls, label: str) -> Self:
        """Makegood itself; ``label`` says which part: ``clock``, ``import``, ``cli``."""
        return cls("system", label=label)

    @classmethod
    def staff(cls, id: int, name: str, role: Role | str) -> Self:  # noqa: A002 - the field's name
        return cls("staff", id=id, label=name, role=str(role))

    @classmethod
    def customer(cls, id: int, name: str = "") -> Self:  # noqa: A002 - the field's name
        return cls("customer", id=id, label=name)


def require(actor: Actor, what: May) -> None:
    """Raise NotAllowed unless the actor may do this."""
    if not actor.may(what):
        raise NotAllowed(actor.kind, field="actor", rule=str(what), actor=actor.role or actor.kind)
