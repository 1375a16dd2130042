"""Quotes over HTTP: what is owed on facts that the caller sends; nothing is stored."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router
from pydantic import RootModel

from makegood.accounts.api import bearer
from makegood.accounts.states import May
from makegood.policy import quote as quotes

router = Router(tags=["quotes"])


class FactsIn(RootModel[dict[str, Any]]):
    """A case as in the contract's "Facts and quotes"; every name is listed in docs/reference/facts.md."""


@router.post("/quotes", auth=bearer(May.READ), response={200: dict[str, Any]})
def quote(
    request: HttpRequest,
    body: FactsIn,
    pack: Annotated[list[str], Query()] = [],  # noqa: B006 - a fresh list is read for every request
    on: date | None = None,
    lang: str = "en",
    explain: bool = False,  # noqa: FBT001, FBT002 - a parameter of the query
) -> dict[str, Any]:
    """What is owed on these facts, which rule says so, and what was refused for which reason."""
    return quotes.quote(body.root, pack_ids=pack or None, on=on, lang=lang, explained=explain)
