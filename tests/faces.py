"""Every page that shows data, from the tables of addresses themselves: what is not visited says why."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from django.contrib.staticfiles import finders
from django.db.backends.utils import CursorWrapper
from django.urls import reverse

from makegood.desk import urls as desk_urls
from makegood.kit.postgres.backend.base import DatabaseWrapper
from makegood.portal import urls as portal_urls

# Below /desk/<merchant>/ and /s/<merchant>/: addresses that are no page of data to look at.
NOT_VISITED = {
    "desk:views": "takes a form",
    "desk:bulk_failures": "a file",
    "desk:sign_in": "asked of who is not signed in",
    "desk:sign_out": "takes a form",
    "desk:second_step": "asked of who is half signed in",
    "desk:passkey_options": "answers a script, not a person",
    "desk:passkey_begin": "answers a script, not a person",
    "desk:passkey_add": "takes a form",
    "desk:presence": "answers a script, not a person",
    "desk:presences": "answers a script, not a person",
    "desk:preview": "approves and takes it back: a command, no page of data",
    "desk:palette": "answers a script, not a person",
    "desk:take_back": "takes a form",
    "desk:unmerge": "takes a form",
    "desk:next_case": "leads to another page",
    "desk:act": "takes a form",
    "desk:explanation_pdf": "a file",
    "desk:receipt": "a file",
    "desk:evidence": "a file",
    "desk:thumbnail": "a file",
    "desk:live": "a stream",
    "desk:large": "a file",
    "desk:statement": "takes a form",
    "desk:review": "needs an appeal",
    "desk:conversation": "needs a letter; its parts are those of the case page",
    "desk:attend": "takes a form",
    "desk:message_file": "a file",
    "desk:call": "needs a call from outside",
    "desk:call_transcript": "needs a call from outside",
    "desk:call_recording": "a file",
    "desk:mail": "the original of one letter",
    "desk:overview_file": "a file",
    "desk:policy_draft": "needs a draft; measured with the policy",
    "desk:policy_check": "takes a form",
    "desk:policy_past_cases": "needs a draft; works in a job",
    "desk:policy_trial_file": "a file",
    "desk:welcome": "needs a letter",
    "desk:forgotten": "asked of who is not signed in",
    "desk:webhook": "needs an address of the merchant's",
    "desk:delivery": "needs an address of the merchant's",
    "portal:code": "asked of who is half proved",
    "portal:leave": "takes a form",
    "portal:live": "a stream",
    "portal:act": "takes a form",
    "portal:explanation_pdf": "a file",
    "portal:receipt": "a file",
    "portal:evidence": "a file",
    "portal:thumbnail": "a file",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Face:
    """A page by the name of its address, and where it is."""

    name: str
    path: str


def names() -> list[str]:
    """Every address of desk and portal by name."""
    tables = (("desk", desk_urls.urlpatterns), ("portal", portal_urls.urlpatterns))
    return [f"{space}:{one.name}" for space, table in tables for one in table]


def faces(slug: str, *, case: str, order: str, person: int, bulk: str, pack: str = "house") -> Iterator[Face]:
    """The pages that are visited, about these rows; a new address fails here until it is given its words."""
    words: Mapping[str, tuple[Any, ...]] = {
        "desk:bulk": (bulk,),
        "desk:order": (order,),
        "desk:customer": (person,),
        **{f"desk:{name}": (case,) for name in ("case", "audit", "explanation", "look", "merge")},
        "desk:policy_pack": (pack,),
        "portal:order": (order,),
        "portal:ask": ("return", order),
        "portal:write": ("service",),
        **{f"portal:{name}": (case,) for name in ("case", "explanation")},
    }
    for name in names():
        if name not in NOT_VISITED:
            yield Face(name, reverse(name, args=[slug, *words.get(name, ())]))
    for query in ("?all=1", "?kind=return&sort=oldest", "?tag=nothing", "?from=1&to=100000", "?q=B12"):
        yield Face(f"desk:queue{query}", reverse("desk:queue", args=[slug]) + query)


def first_load_bytes(page: bytes) -> int:
    """The page and every file of ours that it names, or that such a script imports, each compressed."""
    waiting = [name.decode() for name in set(re.findall(rb'(?:href|src)="/static/([^"?]+)"', page))]
    total, seen = len(gzip.compress(page, 6)), set(waiting)
    while waiting:
        name = waiting.pop()
        found = finders.find(name)
        if found is None:
            raise LookupError(name)
        content = Path(str(found)).read_bytes()
        total += len(gzip.compress(content, 6))
        if name.endswith(".js"):
            for other in re.findall(r'(?:from|import) "\./([\w.-]+)"', content.decode()):
                beside = f"{name.rpartition('/')[0]}/{other}"
                if beside not in seen:
                    seen.add(beside)
                    waiting.append(beside)
    return total


@contextmanager
def asked() -> Iterator[list[int]]:
    """Counts, in one number, the questions put to the database: statements that travel together are one round trip.

    What begins and ends a transaction and names the merchant travels along, and is not counted.
    """
    count = [0]
    run, execute = DatabaseWrapper._run, CursorWrapper.execute

    def counted_run(self: Any, statements: list[Any]) -> Any:
        count[0] += any(not statement.bare for statement in statements)
        return run(self, statements)

    def counted_execute(self: Any, *arguments: Any, **named: Any) -> Any:
        count[0] += 1
        return execute(self, *arguments, **named)

    with (
        patch.object(DatabaseWrapper, "_run", counted_run),
        patch.object(CursorWrapper, "execute", counted_execute),
    ):
        yield count
