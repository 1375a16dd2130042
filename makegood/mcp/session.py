"""Who uses the tools, and whose records they may touch: every tool is given a session and asks it for records."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from django.utils import translation

from makegood.accounts import queries as accounts
from makegood.accounts.actors import Actor
from makegood.cases import queries as cases
from makegood.customers import queries as customers
from makegood.kit import errors, tenancy
from makegood.kit.refs import normalize_ref
from makegood.orders import queries as orders

LANGUAGES = {"zh-hans": "zh-Hans", "en": "en"}


class CustomerNotNamed(errors.Malformed):
    code = "customer_not_named"
    message = "{field}: name the customer; this session is not held to one."


class SessionHeld(errors.Forbidden):
    code = "session_held"
    message = "This session is held to another customer than {value}."


@dataclass(frozen=True, slots=True)
class Session:
    """An integration at one merchant. ``actor.only_customer`` holds it to one customer's records."""

    merchant_id: int
    actor: Actor
    language: str = "en"  # as Django names it

    @property
    def customer_id(self) -> int | None:
        return self.actor.held_to

    @contextmanager
    def in_sight(self) -> Iterator[None]:
        """The merchant's rows in sight, refusals in the session's language."""
        with tenancy.acting_for(self.merchant_id), translation.override(self.language):
            yield

    def key(self, name: str) -> str:
        """A request key that no other token and no other customer's session can meet."""
        return f"mcp:{self.actor.key}:{self.customer_id or ''}:{name}"[:255]

    def order(self, number: str) -> orders.OrderView:
        """Raises OrderUnknown, for another customer's too."""
        found = orders.order_by_number(number.strip())
        if self.customer_id not in {None, found.customer.id}:
            raise orders.OrderUnknown(number, field="order")
        return found

    def case(self, ref: str) -> cases.CaseView:
        """Raises CaseUnknown, for another customer's too."""
        found = cases.case_view(normalize_ref(ref))
        if self.customer_id not in {None, found.customer_id}:
            raise cases.CaseUnknown(ref, field="case", rule="known_case")
        return found

    def customer(self, reference: str = "") -> customers.CustomerRow:
        """The customer of the session, or the one named. Raises CustomerUnknown, CustomerNotNamed."""
        if self.customer_id is not None:
            own = customers.customer_by_id(self.customer_id)
            if reference not in {"", own.reference}:
                raise customers.CustomerUnknown(reference, field="customer")
            return own
        if not reference:
            raise CustomerNotNamed(field="customer", rule="known_customer")
        return customers.customer_by_reference(reference)


def open_session(secret: str, *, customer: str = "", language: str = "en", at: datetime) -> Session:
    """The session of a bearer token; ``customer`` is the reference of the customer it is for, if it is for one.

    Raises TokenInvalid, CustomerUnknown, SessionHeld.
    """
    merchant_id = accounts.merchant_id_in_token(secret)
    if merchant_id is None:
        raise accounts.TokenInvalid(field="Authorization", rule="Bearer")
    with tenancy.acting_for(merchant_id):
        actor = accounts.actor_of_token(secret, at=at)
        return hold(Session(merchant_id, actor, language), customer)


def hold(session: Session, customer: str) -> Session:
    """The session held to the customer of this reference; one that is held already stays so.

    Raises CustomerUnknown, SessionHeld.
    """
    if not customer:
        return session
    try:
        found = customers.customer_by_reference(customer)
    except customers.CustomerUnknown:
        if session.customer_id is not None:
            raise SessionHeld(customer, field="customer", rule="the_session_s_own") from None
        raise
    if session.customer_id not in {None, found.id}:
        raise SessionHeld(customer, field="customer", rule="the_session_s_own")
    return replace(session, actor=replace(session.actor, only_customer=found.id))
