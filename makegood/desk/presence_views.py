"""Who else is on a case, what arrived since it was opened, and taking a reply back."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from makegood.accounts.actors import Actor
from makegood.accounts.models import Merchant
from makegood.cases import queries as cases
from makegood.cases.newer import newer_than
from makegood.cases.queries import CaseView
from makegood.cases.shapes import TextView
from makegood.desk.members import for_staff
from makegood.kit import errors
from makegood.workbench import commands
from makegood.workbench.queries import Someone, people_on

REPLY_AGAIN = "reply_again"  # the session's key for words that were taken back
WRITTEN = frozenset({"message_written", "note_written", "appeal_filed"})


def said(people: Sequence[Someone]) -> str:
    """Who is there, as a sentence."""
    parts = []
    for one in people:
        words = _("%(name)s is replying") if one.doing == "replying" else _("%(name)s is looking at this")
        parts.append(words % {"name": one.name})
    return " · ".join(parts)


@require_POST
@for_staff
def presence(request: HttpRequest, merchant: Merchant, actor: Actor, ref: str) -> JsonResponse:
    """Told every some seconds by an open case page; answers who else is there and what arrived since."""
    found, at = cases.case_place(ref), timezone.now()
    doing = request.POST.get("doing", "")
    if doing == "gone":
        commands.leave_case(case_id=found.id, actor=actor)
        return _told({})
    commands.be_on_case(case_id=found.id, replying=doing == "replying", actor=actor, at=at)
    people = people_on([found.ref], but=actor.id, at=at).get(found.ref, [])
    seen = request.POST.get("seen", "")
    count = len(newer_than(found.id, int(seen), but=actor.key)) if seen.isdecimal() and len(seen) < 10 else 0
    return _told({
        "people": said(people), "replying": any(one.doing == "replying" for one in people),
        "newer": newer_said(count) if count else "",
    })  # fmt: skip


@require_GET
@for_staff
def presences(request: HttpRequest, merchant: Merchant, actor: Actor) -> JsonResponse:
    """Who is on the cases of a list."""
    refs = request.GET.get("refs", "")[:4000].split(",")[:200]
    found = people_on(refs, but=actor.id, at=timezone.now())
    return _told(
        {
            "cases": {
                ref: {"people": said(people), "replying": people[0].doing == "replying"}
                for ref, people in found.items()
            }
        }
    )


def newer_said(count: int) -> str:
    if count == 1:
        return _("1 new thing since you opened this")
    return _("%(count)s new things since you opened this") % {"count": count}


def arrived_since(request: HttpRequest, found: CaseView, actor: Actor) -> list[TextView]:
    """What others wrote after the event that was on the page when it was opened."""
    seen = request.POST.get("seen", "")
    after = int(seen) if seen.isdecimal() and len(seen) < 10 else 0
    written = {(one.actor, one.happened_at) for one in found.events if one.seq > after and one.kind in WRITTEN}
    return [text for text in found.texts if text.author != actor.key and (text.author, text.written_at) in written]


@require_POST
@for_staff
def take_back(request: HttpRequest, merchant: Merchant, actor: Actor, number: int) -> HttpResponse:
    """Undo sending: the words are in the reply box again."""
    try:
        case_id, words = commands.take_back(outgoing_id=number, actor=actor)
    except errors.Refused:
        messages.error(request, _("Too late: it has been sent."))
        return redirect("desk:case", merchant.slug, request.POST.get("ref", "")[:20] or "-")
    ref = cases.case_ref_of(case_id)
    request.session[REPLY_AGAIN] = {"ref": ref, "body": words}
    messages.success(request, _("Taken back; nothing was sent."))
    return redirect("desk:case", merchant.slug, ref)


def words_taken_back(request: HttpRequest, ref: str) -> str:
    """What was just taken back on this case or conversation, once."""
    again = request.session.get(REPLY_AGAIN)
    if request.method != "GET" or not again or again["ref"] != ref:
        return ""
    del request.session[REPLY_AGAIN]
    return str(again["body"])


def _told(answer: dict[str, object]) -> JsonResponse:
    response = JsonResponse(answer)
    response["Cache-Control"] = "no-store"
    return response
