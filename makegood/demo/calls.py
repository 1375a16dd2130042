"""Calls of the demo shop: signed events of a call centre, taken as they would be over HTTP."""

from __future__ import annotations

import json
import secrets
from datetime import datetime, timedelta
from typing import Any

from makegood.accounts.actors import Actor
from makegood.calls import commands
from makegood.calls.models import Call
from makegood.cases.models import Case
from makegood.connectors.phone import own
from makegood.demo.people import PEOPLE
from makegood.kit import db

_OURS = "+862155500000"
_SPEAKER = "bai-lu"


def receive_calls(agent: Actor, *, at: datetime) -> None:
    """One call that an agent took and wrote down, with a call back promised; one that nobody took."""
    line = _Line(secrets.token_urlsafe(24), at=at)
    spoken = at - timedelta(hours=3)
    number = f"+86{PEOPLE[_SPEAKER].phone}"
    line.tell("ringing", "demo-1", number, at=spoken)
    line.tell("answered", "demo-1", number, at=spoken + timedelta(seconds=9))
    line.tell("ended", "demo-1", number, at=spoken + timedelta(minutes=4), seconds=231)
    line.tell("ringing", "demo-2", f"+86{PEOPLE['shen-he'].phone}", at=at - timedelta(minutes=50))
    line.tell("ended", "demo-2", f"+86{PEOPLE['shen-he'].phone}", at=at - timedelta(minutes=49), answered=False)
    found = _open_case_of(_SPEAKER)
    if found is not None:
        _write_down(*found, agent, at=spoken + timedelta(minutes=5))


class _Line:
    """The call centre's side: it signs what it tells with the secret both know."""

    def __init__(self, secret: str, *, at: datetime) -> None:
        self._secret, self._at, self._told = secret, at, 0
        commands.connect_line(source="own", secrets=[secret], actor=Actor.system("demo"), at=at)

    def tell(self, kind: str, call: str, number: str, *, at: datetime, **more: Any) -> None:
        self._told += 1
        event = {"type": f"call.{kind}", "call": call, "at": at.isoformat(), "from": number, "to": _OURS, **more}
        body = json.dumps(event).encode()
        signed = own.sign(body, self._secret, event=f"demo-event-{self._told}", at=self._at)
        commands.take_events(source="own", headers=signed, body=body, at=self._at)


def _write_down(case_ref: str, order_number: str, agent: Actor, *, at: datetime) -> None:
    """The caller proves who they are, and what they said stands on their case."""
    ref = _ref_of("demo-1")
    answers = {"order_number": order_number, "name": PEOPLE[_SPEAKER].name}
    commands.check_call_facts(ref=ref, answers=answers, actor=agent, at=at)
    commands.attach_call(ref=ref, case_ref=case_ref, actor=agent, at=at)
    commands.note_call(
        ref=ref,
        said="白女士来电询问进度。已说明目前在等什么，并约好明天回电。",
        call_back_at=at + timedelta(days=1),
        actor=agent,
        at=at,
    )


@db.query
def _ref_of(key: str) -> str:
    return str(Call.objects.values_list("ref", flat=True).get(key=key))


@db.query
def _open_case_of(person: str) -> tuple[str, str] | None:
    """Their last open case about an order, and the order's number."""
    found = Case.objects.filter(customer__reference=person, closed_at__isnull=True, order__isnull=False)
    return found.order_by("-id").values_list("ref", "order__number").first()
