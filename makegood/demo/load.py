"""Load the demo shop, once."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from makegood.accounts import commands as accounts
from makegood.accounts import queries as merchants
from makegood.accounts.actors import Actor
from makegood.accounts.states import ShopKind
from makegood.cases import commands as cases
from makegood.cases.models import Case
from makegood.demo.calls import receive_calls
from makegood.demo.gateway import DemoGateway
from makegood.demo.goods import catalogue
from makegood.demo.letters import receive_letters
from makegood.demo.people import PASSWORD, PEOPLE, STAFF, Colleague
from makegood.demo.promises import keep_promises, promise_answers
from makegood.demo.stage import Stage
from makegood.demo.stories import STORIES
from makegood.kit import db, tenancy
from makegood.orders import staging

SLUG = "dusk-and-dawn"
VISITOR = "lin-wan"
STORY_LASTS = timedelta(days=60)
_SYSTEM = Actor.system("demo")

_SETTINGS: dict[str, Any] = {
    # The shop's own promise decides, so that the story stays the same whatever packs are shipped beside it.
    "packs": ["house"],
    "approval_limits": {
        "agent": {"CNY": 500_00, "EUR": 70_00, "JPY": 10_000, "KWD": 20_000},
        "reviewer": {"CNY": 5_000_00, "EUR": 700_00, "JPY": 100_000, "KWD": 200_000},
        "manager": {"CNY": 50_000_00, "EUR": 7_000_00, "JPY": 1_000_000, "KWD": 2_000_000},
        "owner": {"CNY": 1_000_000_00, "EUR": 100_000_00, "JPY": 20_000_000, "KWD": 40_000_000},
    },
    "two_people_above": {"CNY": 2_000_00},
    # Two months of working days, which late in a year reach past the holidays published so far.
    "waits": {"appeal_window": {"days": 40, "unit": "working"}},
}

_SHOPS = (
    ("online", "暮光家居网店", "Dusk & Dawn online", ShopKind.ONLINE, "own-store"),
    ("lakeside", "暮光家居湖滨店", "Dusk & Dawn, Lakeside", ShopKind.OFFLINE, "own-store"),
    ("wechat", "暮光家居微店", "Dusk & Dawn micro-shop", ShopKind.MICRO, "wechat-store"),
)


_BUDGETS = (("goodwill-cny", "goodwill", "2000.00"), ("obligations-cny", "obligation", "5000.00"))


@dataclass(frozen=True, slots=True)
class SignIn:
    """Who can sign in to the demo's desk."""

    email: str
    name: str
    role: str
    password: str


@dataclass(frozen=True, slots=True)
class DemoSummary:
    """What to tell the person who started the demo. ``loaded``: it was loaded just now."""

    loaded: bool
    merchant_slug: str
    portal_url: str
    desk_url: str
    order_number: str  # of somebody who waits for something, to be looked up in the portal
    order_email: str
    sign_ins: tuple[SignIn, ...]

    def lines(self) -> list[str]:
        """Ready to be printed."""
        people = [f"  {one.role:<9} {one.email:<30} {one.password}" for one in self.sign_ins]
        return [
            f"portal  {self.portal_url}",
            f"  order {self.order_number}, {self.order_email}; the code is shown on the page",
            f"desk    {self.desk_url}",
            *people,
        ]


def load_demo(*, at: datetime, base_url: str, gateway: DemoGateway | None = None) -> DemoSummary:
    """Bring the demo shop in, as it would stand at ``at``; nothing happens where it was loaded before.

    ``base_url`` is where the pages are served, such as ``http://127.0.0.1:8000``. Cards are charged through
    ``gateway``, which is connected anew at every start; without one they count as paid by hand. A load that was
    cut off is left as it is and begun again under the next slug. Deterministic but for refs.
    """
    slug, merchant_id, loaded = _place(at - STORY_LASTS)
    with tenancy.acting_for(merchant_id):
        if gateway is not None:
            gateway.connect(at=at)
        if not loaded:
            _load(merchant_id, at=at, gateway=gateway)
        number = _order_of(VISITOR)
    base = base_url.rstrip("/")
    sign_ins = tuple(SignIn(one.email, one.name, one.role, PASSWORD) for one in STAFF)
    return DemoSummary(
        loaded=not loaded,
        merchant_slug=slug,
        portal_url=f"{base}/s/{slug}/",
        desk_url=f"{base}/desk/{slug}/",
        order_number=number,
        order_email=PEOPLE[VISITOR].email,
        sign_ins=sign_ins,
    )


@db.query
def _order_of(person: str) -> str:
    """Number of the order of theirs that a case is waiting about; "" where there is none."""
    waiting = Case.objects.filter(order__customer__reference=person, closed_at__isnull=True, waiting_on="customer")
    return str(waiting.order_by("-id").values_list("order__number", flat=True).first() or "")


@db.query
def _complained(person: str) -> str:
    """Number of the order about which they complained."""
    found = Case.objects.filter(order__customer__reference=person, kind="complaint").order_by("id")
    return str(found.values_list("order__number", flat=True).first() or "")


def _place(opened: datetime) -> tuple[str, int, bool]:
    """Slug and id of the demo's merchant, and whether all of it is there."""
    for n in itertools.count(1):
        slug = SLUG if n == 1 else f"{SLUG}-{n}"
        try:
            merchant_id = merchants.merchant_id_by_slug(slug)
        except merchants.MerchantUnknown:
            return slug, _open(slug, opened), False
        with tenancy.acting_for(merchant_id):
            # Whoever is invited last says that the load came to its end.
            if any(one.role == STAFF[-1].role for one in merchants.staff_list()):
                return slug, merchant_id, True
    raise AssertionError("counting has no end")


def _open(slug: str, at: datetime) -> int:
    return accounts.open_merchant(
        slug=slug,
        name_zh="暮光家居",
        name_en="Dusk & Dawn Home",
        market="CN",
        currency="CNY",
        time_zone="Asia/Shanghai",
        at=at,
        settings=_SETTINGS,
    )


def _load(merchant_id: int, *, at: datetime, gateway: DemoGateway | None) -> None:
    opened = at - STORY_LASTS
    for slug, name_zh, name_en, kind, platform in _SHOPS:
        accounts.open_shop(
            slug=slug, name_zh=name_zh, name_en=name_en, kind=kind, actor=_SYSTEM, at=opened, platform=platform
        )
    *people, last = STAFF
    staff = {one.role: _invite(one, opened) for one in people}
    with db.atomically():
        staging.store_catalogue(catalogue())
    for name, purpose, amount in _BUDGETS:
        cases.open_budget(name=name, purpose=purpose, asset="CNY", amount=amount, actor=staff["manager"], at=opened)
    promise_answers(staff["manager"], at=at)
    stage = Stage(at=at, uploads=settings.UPLOADS_DIR, owner=str(merchant_id), staff=staff, gateway=gateway)
    stage.play(STORIES)
    receive_letters(order_of_anna=_complained("anna-falk"), at=at)
    receive_calls(staff["agent"], at=at)
    keep_promises(at=at)
    _invite(last, opened)


def _invite(who: Colleague, at: datetime) -> Actor:
    invited = accounts.invite_staff(
        email=who.email, name=who.name, role=who.role, language=who.language, password=PASSWORD, actor=_SYSTEM, at=at
    )
    return merchants.actor_of_staff(invited)
