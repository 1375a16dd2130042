"""The words of a mail about a case: what happened, why, who must act by when, what silence means, and the link."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.core import signing
from django.urls import reverse
from django.utils.translation import gettext as _

from makegood.cases import words
from makegood.cases.history import TOLD_CHANNELS as CHANNELS
from makegood.cases.queries import CaseView, DeadlineView, EventView
from makegood.cases.states import Party, Wait
from makegood.cases.telling import NOW, SILENCE
from makegood.cases.tracking import tracking_token
from makegood.kit import errors
from makegood.kit.money import Money
from makegood.kit.pages.language import babel_locale, is_chinese, text_language
from makegood.kit.pages.templatetags.pages import due_words
from makegood.policy.vocabulary import FACTS

__all__ = ["CHANNELS", "OPTIONAL", "Composing", "Context", "Mail", "of_deadline", "of_events", "read_choice"]

# What nobody must be told by law: that it is over. Reminders are optional too.
OPTIONAL = frozenset({"closed"})
_SALT = "makegood.mails"


class MailLinkUnknown(errors.Unknown):
    code = "mail_link_unknown"
    message = "This link is not one of ours."


@dataclass(frozen=True, slots=True)
class Context:
    """Whose mail it is. ``contact_id``: where this mail is one that can be declined."""

    merchant_id: int
    merchant_slug: str
    merchant_name: str
    contact_id: int | None = None


@dataclass(frozen=True, slots=True)
class Mail:
    subject: str
    body: str


Composing = Callable[[Context], Mail]


def of_events(view: CaseView, events: Sequence[EventView], context: Context) -> Mail:
    """A mail about what happened at one moment, in the language in use."""
    kinds = [one.kind for one in events]
    head = _("Your request %(ref)s: %(what)s.") % {
        "ref": view.ref,
        "what": _joined(words.event_said(kind) for kind in kinds),
    }
    parts = [head]
    for event in events:
        parts += _told(view, event)
    parts += list(_next(view))
    weighty = [kind for kind in kinds if kind not in OPTIONAL] or kinds
    subject = f"{words.event_said(weighty[-1])} [{view.ref}]"
    return Mail(subject, "\n\n".join([*parts, *_foot(view, context, asks="closed" in kinds)]))


def of_deadline(view: CaseView, deadline: DeadlineView, context: Context) -> Mail:
    """A reminder of something that is the customer's turn."""
    parts = [_("A reminder about your request %(ref)s.") % {"ref": view.ref}, _wait(deadline)]
    return Mail(
        _("It is your turn: [%(ref)s]") % {"ref": view.ref},
        "\n\n".join([*parts, *_foot(view, context, asks=False)]),
    )


def _joined(texts: Iterator[str]) -> str:
    return ("、" if is_chinese() else ", ").join(dict.fromkeys(texts))


def _told(view: CaseView, event: EventView) -> list[str]:
    if event.kind == "case_filed":
        what = f"{words.said(view.kind, 'Kind')} · {words.reason_said(view.kind, view.reason)}"
        lines = [f"{line.quantity} × {line.title}" for line in view.lines]
        return [_("What you asked for: %(what)s") % {"what": what}, *(["\n".join(lines)] if lines else [])]
    if event.kind == "evidence_asked":
        needed = [_needed(one) for one in event.data.get("needed", [])]
        return [_("To decide we need:"), "\n".join(f"- {one}" for one in needed)] if needed else []
    if event.kind in {"approved", "denied", "appeal_decided"}:
        return _decision(view)
    if event.kind == "remedy_paid":
        return _paid(view)
    return []


def _needed(need: dict[str, object]) -> str:
    kinds = [str(kind) for kind in need["kind"]] if isinstance(need["kind"], list) else []
    spec = FACTS.get(str(need.get("fact", "")))
    said = [words.evidence_said(kind) for kind in kinds if kind != "fact"]
    return _(" or ").join(said) if said else (spec.label(text_language()) if spec else "")


def _decision(view: CaseView) -> list[str]:
    told = [one for one in view.decisions if one.communicated_at is not None]
    if not told:
        return []
    last = told[-1]
    said = words.explain(last)
    parts = []
    if said.remedies:
        total = Money(last.total_minor, last.currency).words(babel_locale())
        parts.append(_("You get: %(total)s") % {"total": total})
        parts.append("\n".join(f"- {words.in_table(words.REMEDIES, one.kind)}{_amount(one)}" for one in said.remedies))
    if last.by_hand and last.why:
        parts.append(last.why)
    reasons = dict.fromkeys(str(one["text"]) for one in (*said.refused, *said.referred) if one.get("text"))
    if reasons:
        parts.append(_("Not granted, and why:") + "\n" + "\n".join(f"- {one}" for one in reasons))
    changing = dict.fromkeys(str(text) for one in said.refused for text in one.get("would_change", ()))
    if changing:
        parts.append(_("What would change it:") + "\n" + "\n".join(f"- {one}" for one in changing))
    return parts


def _amount(remedy: words.RemedySaid) -> str:
    text = f": {remedy.text}" if remedy.text else ""
    if remedy.borne_by == "customer" or not remedy.amount_minor:
        return text
    said = str(remedy.amount_minor) if remedy.currency == "POINT" else ""
    said = said or Money(remedy.amount_minor, remedy.currency).words(babel_locale())
    return f" {said}{text}"


def _paid(view: CaseView) -> list[str]:
    paid = [r for one in view.decisions for r in one.remedies if r.state == "paid" and r.currency != "POINT"]
    if not paid:
        return []
    total = Money(sum(one.amount_minor for one in paid), paid[0].currency).words(babel_locale())
    return [_("Paid so far: %(total)s. It may take your bank a few days to show it.") % {"total": total}]


def _next(view: CaseView) -> Iterator[str]:
    waits = sorted(view.open_deadlines, key=lambda one: (one.due_at is None, one.due_at or one.starts_at))
    if waits:
        yield _("What happens next:") + "\n" + "\n".join(f"- {_wait(one)}" for one in waits)


def _wait(deadline: DeadlineView) -> str:
    said = str(NOW.get(deadline.wait, ""))
    if deadline.due_at is None:
        return said
    due = {"due": due_words(deadline.due_at)}
    if deadline.wait == Wait.APPEAL_WINDOW:
        turn = _("Possible until %(due)s.") % due
    elif deadline.party == Party.CUSTOMER:
        turn = _("Your turn, until %(due)s.") % due
    elif deadline.party == Party.CARRIER:
        turn = _("The carrier's turn, until %(due)s.") % due
    else:
        turn = _("Our turn, until %(due)s.") % due
    silence = str(SILENCE.get(deadline.silence, ""))
    return ("" if is_chinese() else " ").join(part for part in (said, turn, silence) if part)


def _foot(view: CaseView, context: Context, *, asks: bool) -> Iterator[str]:
    base = settings.PUBLIC_URL
    if asks:
        place = reverse("portal:case", args=[context.merchant_slug, view.ref])
        yield _("How did we do? A word from you helps: %(link)s") % {"link": f"{base}{place}#rate"}
    yield _("See where it stands: %(link)s") % {"link": base + reverse("track", args=[tracking_token(view.ref)])}
    yield _("To add something, reply to this mail. It was written automatically.")
    yield context.merchant_name
    if context.contact_id is not None:
        yield _("No more reminders: %(link)s") % {"link": choice_link(context.merchant_id, context.contact_id)}


def choice_link(merchant_id: int, contact_id: int) -> str:
    """The address at which whoever got a mail declines those that can be declined."""
    token = _signer().sign(f"{merchant_id}.{contact_id}")
    return settings.PUBLIC_URL + str(reverse("mail_choice", args=[token]))


def decline_link_in(body: str) -> str:
    """The link of ours by which this mail's like are declined; empty where they cannot be."""
    start = settings.PUBLIC_URL + str(reverse("mail_choice", args=["x"]))[:-1]
    found = re.search(re.escape(start) + r"[\w.:-]+", body)
    return found[0] if found else ""


def read_choice(token: str) -> tuple[int, int]:
    """Merchant and contact of a link. Raises MailLinkUnknown for anything that we did not sign."""
    try:
        merchant_id, _dot, contact_id = _signer().unsign(token).partition(".")
        return int(merchant_id), int(contact_id)
    except (signing.BadSignature, ValueError):
        raise MailLinkUnknown("link", field="token") from None


def _signer() -> signing.Signer:
    return signing.Signer(key=settings.SIGNING_KEY, salt=_SALT)
