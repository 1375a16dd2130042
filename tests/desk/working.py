"""A member of staff at the desk, for tests."""

from __future__ import annotations

import itertools
from typing import Any

from django.test import Client
from django.utils import timezone

from makegood.accounts import commands as accounts
from makegood.accounts import queries
from makegood.accounts.actors import Actor
from makegood.accounts.models import Staff

PASSWORD = "a-long-enough-word"
_numbers = itertools.count(1)


def hire(role: str = "agent") -> Staff:
    return accounts.invite_staff(
        email=f"{role}{next(_numbers)}@example.com",
        name=f"Ann the {role}",
        role=role,
        password=PASSWORD,
        actor=Actor.system("test"),
        at=timezone.now(),
    )


class Member:
    """Signed in, sends forms and reads pages."""

    def __init__(self, role: str = "agent", *, language: str = "en", signed_in: bool = True) -> None:
        self.staff = hire(role)
        self.client = Client(headers={"Accept-Language": language})
        self.base = f"/desk/{queries.merchant().slug}"
        if signed_in:
            answer = self.sign_in()
            assert answer.status_code == 302, answer.content.decode()

    @classmethod
    def of(cls, other: Member) -> Member:
        """The same person in another browser, not signed in yet."""
        twin = cls.__new__(cls)
        twin.staff, twin.base = other.staff, other.base
        twin.client = Client(headers={"Accept-Language": "en"})
        return twin

    @property
    def actor(self) -> Actor:
        return queries.actor_of_staff(self.staff)

    def sign_in(self, password: str = PASSWORD, **more: Any) -> Any:
        return self.post("/sign-in", {"email": self.staff.email, "password": password, **more})

    def get(self, path: str, **more: Any) -> Any:
        return self.client.get(self.base + path, **more)

    def post(self, path: str, form: dict[str, Any] | None = None) -> Any:
        return self.client.post(self.base + path, form or {})

    def do(self, ref: str, action: str, **form: Any) -> Any:
        return self.post(f"/cases/{ref}/do/{action}", form)
