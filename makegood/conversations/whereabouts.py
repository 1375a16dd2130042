"""Where is my case: its true state in words, the same by chat, phone and mail as on the portal.

Only what the case itself holds is said: nothing is promised here, and nothing of what is internal is looked at.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils import translation
from django.utils.translation import gettext as _

from makegood.accounts import queries as accounts
from makegood.accounts.actors import Actor
from makegood.cases import queries as cases
from makegood.cases.history import CaseUnknown
from makegood.cases.queries import CaseView, DeadlineView
from makegood.cases.states import Kind, Wait
from makegood.cases.telling import NOW, SILENCE
from makegood.cases.words import said
from makegood.kit.money import Money
from makegood.kit.pages.language import babel_locale
from makegood.kit.pages.moments import moment_said
from makegood.ledger.states import POINT

CASES_AT_MOST = 5


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """``sentences`` in the language asked for; ``status``, ``waiting_on`` and ``due_at`` are the case's own."""

    ref: str
    status: str
    waiting_on: str
    due_at: datetime | None
    closed: bool
    sentences: tuple[str, ...]

    @property
    def text(self) -> str:
        return "\n".join(self.sentences)


def whereabouts(ref: str, *, actor: Actor, language: str) -> Whereabouts:
    """The true state of one case for who may know it: its customer, or staff on their behalf.

    ``language`` is ``zh-hans`` or ``en``. Raises CaseUnknown, the same for a case that is somebody else's.
    """
    view = cases.case_view(ref)
    if actor.held_to not in {None, view.customer_id} or actor.kind not in {"customer", "staff", "integration"}:
        raise CaseUnknown(ref, field="case", rule="known_case")
    return tell(view, language=language)


def whereabouts_of(customer_id: int, *, language: str) -> tuple[Whereabouts, ...]:
    """Where the open cases of a person stand, the newest first; where none is open, where the last one ended."""
    rows = cases.cases_page(cases.Filters(customer_id=customer_id, open_only=True), limit=CASES_AT_MOST).rows
    if not rows:
        rows = cases.cases_page(cases.Filters(customer_id=customer_id), limit=1).rows
    return tuple(tell(cases.case_view(row.ref), language=language) for row in rows)


def tell(view: CaseView, *, language: str) -> Whereabouts:
    """Say where a case stands; whether the reader may know it was asked before."""
    zone = accounts.merchant().time_zone
    with translation.override(language):
        sentences = (*_headline(view), *_money(view), *_waits(view, zone))
    return Whereabouts(
        ref=view.ref,
        status=str(view.status),
        waiting_on=view.waiting_on,
        due_at=view.due_at,
        closed=view.closed_at is not None,
        sentences=tuple(sentences),
    )


def _headline(view: CaseView) -> Iterable[str]:
    about = _(" about order %(order)s") % {"order": view.order_number} if view.order_number else ""
    yield _("Case %(ref)s (%(kind)s%(about)s): %(status)s.") % {
        "ref": view.ref,
        "kind": said(view.kind, "Kind"),
        "about": about,
        "status": said(view.status, "Status"),
    }


def _money(view: CaseView) -> Iterable[str]:
    """What was told to be granted, and what of it has been paid; a proposal is told to nobody."""
    told = [one for one in view.decisions if one.communicated_at is not None]
    remedies = [
        remedy
        for one in told
        for remedy in one.remedies
        if remedy.state in {"promised", "released", "paid"} and remedy.amount_minor and remedy.currency != POINT
    ]
    for currency in dict.fromkeys(remedy.currency for remedy in remedies):
        of = [remedy for remedy in remedies if remedy.currency == currency]
        granted = Money(sum(one.amount_minor for one in of), currency)
        paid = Money(sum(one.amount_minor for one in of if one.state == "paid"), currency)
        yield _("Granted: %(granted)s; paid so far: %(paid)s.") % {
            "granted": granted.words(babel_locale()),
            "paid": paid.words(babel_locale()),
        }


def _waits(view: CaseView, zone: str) -> Iterable[str]:
    if view.closed_at is not None:
        yield _("It was finished on %(when)s.") % {"when": moment_said(view.closed_at, zone)}
        if view.state in {"withdrawn", "lapsed"}:
            yield _("You can reopen it.")
        return
    waits = sorted(view.open_deadlines, key=lambda one: (one.due_at is None, one.due_at or one.starts_at))
    for one in waits:
        yield from _wait(one, zone, kind=view.kind)
    if not waits:
        yield _("Nothing has to be done by you.")


def _wait(one: DeadlineView, zone: str, *, kind: str) -> Iterable[str]:
    if kind == Kind.COMPLAINT and one.wait == Wait.MERCHANT_ANSWER:
        yield _("We look into what you told us and hear both sides.")
    elif one.wait == Wait.CUSTOMER_EVIDENCE:
        yield _("We need something from you.")
    else:
        yield str(NOW.get(one.wait, said(one.wait, "Wait")))
    if one.due_at is None:
        yield _("Our own clock stands still until you have answered.")
    else:
        yield _("Who must act: %(who)s, until %(when)s.") % {
            "who": said(one.party, "Party"),
            "when": moment_said(one.due_at, zone),
        }
        yield str(SILENCE.get(one.silence, said(one.silence, "Silence")))
