"""Replies that are proposed, over HTTP."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils import timezone, translation
from ninja import Router, Schema

from makegood.accounts.api import bearer
from makegood.accounts.states import May
from makegood.cases.queries import case_view
from makegood.conversations.suggesting.composing import suggest
from makegood.conversations.suggesting.slots import Sentence

router = Router(tags=["cases"])


class SlotOut(Schema):
    """A value in a sentence. ``kind``: money, date, number or text; ``source`` is where it stands."""

    name: str
    kind: str
    words: str
    source: str


class SentenceOut(Schema):
    """``part``: greeting, acknowledgement, facts, decision, next, options, tip or close."""

    part: str
    text: str
    slots: list[SlotOut]


class SuggestedReply(Schema):
    """``body`` is what would be sent; nothing is sent by asking for it."""

    language: str
    body: str
    sentences: list[SentenceOut]


@router.get("/cases/{ref}/suggested-reply", auth=bearer(May.HANDLE), response={200: SuggestedReply})
def show_suggested_reply(request: HttpRequest, ref: str) -> SuggestedReply:
    """Compose the reply that the case proposes now; it says no more than decision, facts and deadlines hold."""
    found = suggest(case_view(ref), at=timezone.now())
    with translation.override(found.language):
        sentences = [_sentence(one) for one in found.sentences]
    return SuggestedReply(language=found.language, body=found.body, sentences=sentences)


def _sentence(said: Sentence) -> SentenceOut:
    slots = [SlotOut(name=one.name, kind=one.kind, words=one.words(), source=one.source) for one in said.slots]
    return SentenceOut(part=said.part, text=said.text, slots=slots)
