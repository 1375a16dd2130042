"""Following a case without signing in: an unguessable signed token, and a view without anything personal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.core import signing

from makegood.accounts.queries import merchant
from makegood.cases.history import CaseUnknown
from makegood.cases.parts import whole_ref
from makegood.cases.queries import CaseView, case_view
from makegood.kit import tenancy

_SALT = "makegood.track"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened, in the words of the event kinds a customer may see."""

    kind: str
    happened_at: datetime


@dataclass(frozen=True, slots=True)
class Tracked:
    """What whoever holds the link may see: no name, address, text, file or order number."""

    ref: str
    merchant_zh: str
    merchant_en: str
    kind: str
    status: str
    waiting_on: str
    due_at: datetime | None
    provisional: bool
    silence: str
    opened_at: datetime
    closed_at: datetime | None
    currency: str
    granted_minor: int
    paid_minor: int
    steps: tuple[Step, ...]


# Events a stranger with the link may learn of; everything else stays inside.
PUBLIC_EVENTS = frozenset(
    {
        "case_filed",
        "evidence_asked",
        "evidence_brought",
        "approved",
        "denied",
        "recall_requested",
        "recall_intercepted",
        "recall_missed",
        "return_authorised",
        "goods_coming_back",
        "goods_received",
        "goods_inspected",
        "goods_rejected",
        "goods_lost",
        "remedies_released",
        "remedy_paid",
        "statement_asked",
        "statement_given",
        "appeal_filed",
        "appeal_decided",
        "withdrawn",
        "lapsed",
        "case_reopened",
        "closed",
    }
)


def tracking_token(ref: str) -> str:
    """The token of a case of the merchant in sight: an HMAC over merchant and reference, good as long as the key."""
    return _signer().sign(f"{tenancy.require_merchant_id()}.{ref}")


def read_token(token: str) -> tuple[int, str]:
    """Merchant id and case reference. Raises CaseUnknown for anything that we did not sign."""
    try:
        merchant_id, _, ref = _signer().unsign(token).partition(".")
        return int(merchant_id), ref
    except (signing.BadSignature, ValueError):
        raise CaseUnknown("of this link", field="token", rule="known_link") from None


def _signer() -> signing.Signer:
    return signing.Signer(key=settings.SIGNING_KEY, salt=_SALT)


def track(token: str) -> Tracked:
    """What the holder of the link may see; where the case is part of another now, of that. Raises CaseUnknown."""
    merchant_id, ref = read_token(token)
    with tenancy.acting_for(merchant_id):
        return redact(case_view(whole_ref(ref)))


def redact(case: CaseView) -> Tracked:
    """Leave out everything that tells who or what it is about."""
    owner = merchant()
    nearest = next((d for d in case.open_deadlines if d.due_at == case.due_at), None)
    remedies = [remedy for decision in case.decisions for remedy in decision.remedies]
    money = [r for r in remedies if r.state in {"promised", "released", "paid"} and r.currency != "POINT"]
    return Tracked(
        ref=case.ref,
        merchant_zh=owner.name_zh,
        merchant_en=owner.name_en,
        kind=case.kind,
        status=case.status,
        waiting_on=case.waiting_on,
        due_at=case.due_at,
        provisional=nearest.provisional if nearest else False,
        silence=nearest.silence if nearest else "",
        opened_at=case.opened_at,
        closed_at=case.closed_at,
        currency=money[0].currency if money else "",
        granted_minor=sum(r.amount_minor for r in money),
        paid_minor=sum(r.amount_minor for r in money if r.state == "paid"),
        steps=tuple(Step(e.kind, e.happened_at) for e in case.events if e.kind in PUBLIC_EVENTS),
    )
