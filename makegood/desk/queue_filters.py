"""The filters of the queue as they stand in its address, and what they mean."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import parse_qsl, urlencode

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from makegood.accounts.actors import Actor
from makegood.accounts.models import Merchant
from makegood.cases.listing import SORTS
from makegood.cases.shapes import Filters
from makegood.cases.states import Kind, Party, State
from makegood.customers import queries as customers
from makegood.customers.rules import ContactMalformed, guess_kind
from makegood.kit import errors, refs
from makegood.kit.money import Money
from makegood.policy.reasons import TREE

REASONS = {reason.code: reason for leaves in TREE.values() for reason in leaves}

# Every name that the address of the queue may hold; views are saved and bulks begun by the same.
NAMES = (
    "q", "kind", "reason", "state", "waiting_on", "assignee", "shop", "market", "due", "from", "to", "tag", "opened",
    "mine", "escalated", "snoozed", "all", "sort",
)  # fmt: skip
DUE: tuple[tuple[str, str | Promise, timedelta], ...] = (
    ("overdue", _("overdue"), timedelta(0)),
    ("today", _("within a day"), timedelta(days=1)),
    ("week", _("within a week"), timedelta(days=7)),
)
OPENED: tuple[tuple[str, str | Promise, timedelta], ...] = (
    ("day", _("less than a day"), timedelta(days=1)),
    ("week", _("less than a week"), timedelta(days=7)),
    ("older", _("more than a week"), timedelta(days=7)),
    ("old", _("more than 30 days"), timedelta(days=30)),
)
SORT_NAMES: tuple[tuple[str, str | Promise], ...] = (
    ("due", _("due first")),
    ("newest", _("newest first")),
    ("oldest", _("oldest first")),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for: its words as they were given, what they mean, and in which order."""

    words: Mapping[str, str]
    filters: Filters
    sort: str
    refusal: errors.DomainError | None = None

    @property
    def query(self) -> str:
        """The same as an address says it, one spelling for one list."""
        return urlencode({name: value for name, value in self.words.items() if value})


def read_query(query: str, merchant: Merchant, actor: Actor, *, at: datetime) -> Asked:
    """As ``read``, of a query kept as text."""
    return read(dict(parse_qsl(query)), merchant, actor, at=at)


def read(given: Mapping[str, str], merchant: Merchant, actor: Actor, *, at: datetime) -> Asked:
    """Values that nobody knows filter nothing; an amount that cannot be read is told."""
    words = {name: _plain(given.get(name, "")) for name in NAMES}
    everything = bool(words["all"] or words["q"])
    sort = words["sort"] if words["sort"] in SORTS else ("newest" if everything else "due")
    refusal: errors.DomainError | None = None
    amounts: dict[str, int | None] = {"from": None, "to": None}
    for name in amounts:
        try:
            amounts[name] = _minor(words[name], merchant, name)
        except errors.DomainError as malformed:
            refusal = malformed
    search, people = _search(words["q"], merchant)
    asleep = bool(words["snoozed"])
    return Asked(
        words,
        Filters(
            state=words["state"] if words["state"] in State.values else "",
            kind=words["kind"] if words["kind"] in Kind.values else "",
            reason=words["reason"] if words["reason"] in REASONS else "",
            waiting_on=words["waiting_on"] if words["waiting_on"] in Party.values else "",
            assigned_to=_assignee(words, actor),
            unassigned=words["assignee"] == "none",
            shop=words["shop"][:40],
            market=words["market"][:2].upper(),
            tag=words["tag"].lower().lstrip("#")[:40],
            escalated=bool(words["escalated"]),
            due_before=_moment(words["due"], DUE, at, sign=1),
            opened_from=_moment(words["opened"], OPENED[:2], at, sign=-1),
            opened_before=_moment(words["opened"], OPENED[2:], at, sign=-1),
            awake_at=None if asleep or everything or sort != "due" else at,
            asleep_at=at if asleep else None,
            open_only=not everything,
            currency=merchant.currency,
            value_from=amounts["from"],
            value_to=amounts["to"],
            customers=people,
            search=search,
        ),
        sort,
        refusal,
    )


def _plain(text: str) -> str:
    """Full-width letters and digits as a Chinese keyboard writes them are the plain ones."""
    return unicodedata.normalize("NFKC", text).replace("\0", "").strip()[:200]


def _assignee(words: Mapping[str, str], actor: Actor) -> int | None:
    chosen = words["assignee"]
    if words["mine"] or chosen == "me":
        return actor.id
    return int(chosen) if chosen.isascii() and chosen.isdecimal() and len(chosen) < 18 else None


def _moment(
    word: str, choices: tuple[tuple[str, str | Promise, timedelta], ...], at: datetime, *, sign: int
) -> datetime | None:
    found = [length for name, _label, length in choices if name == word]
    return at + sign * found[0] if found else None


def _minor(text: str, merchant: Merchant, field: str) -> int | None:
    """Raises AmountMalformed."""
    return Money.parse(text.replace(",", ""), merchant.currency, field=field).minor if text else None


def _search(text: str, merchant: Merchant) -> tuple[str, tuple[int, ...]]:
    """A reference or order number to look for, or the people meant by a name, e-mail address or phone."""
    if not text:
        return "", ()
    if text.upper().startswith("C-"):
        return refs.normalize_ref(text), ()
    try:
        found = customers.customers_by_contact(guess_kind(text), text, region=merchant.market)
        if found:
            return "", tuple(one.id for one in found)
    except ContactMalformed:
        pass
    named = () if any(letter.isdecimal() for letter in text) else customers.customers_named(text)
    return ("", named) if named else (text, ())
