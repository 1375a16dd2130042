"""The demo shop: one merchant with its staff, loaded once; signing in as each shows what each role sees."""

from __future__ import annotations

from datetime import datetime

from makegood.accounts import commands, queries
from makegood.accounts.actors import Actor
from makegood.accounts.states import Role
from makegood.kit import tenancy

SLUG = "lantern"
PASSWORD = "lantern-demo"  # noqa: S105 - told to everybody who starts the demo

STAFF = (
    ("mei@lantern.example", "陈梅 Mei", Role.AGENT),
    ("arne@lantern.example", "Arne", Role.REVIEWER),
    ("lin@lantern.example", "林悦 Yue", Role.MANAGER),
    ("zhou@lantern.example", "周灯 Deng", Role.OWNER),
)
SHOPS = (
    ("online", "灯笼家居官网", "Lantern Home online", "online"),
    ("west-lake", "灯笼家居西湖店", "Lantern Home, West Lake", "offline"),
    ("wechat", "灯笼家居微店", "Lantern Home on WeChat", "micro"),
)


def load_demo_shop(*, at: datetime) -> list[str]:
    """Make the shop where it is not there yet; the lines that tell how to sign in."""
    actor = Actor.system("demo")
    try:
        merchant_id = queries.merchant_id_by_slug(SLUG)
    except queries.MerchantUnknown:
        merchant_id = commands.open_merchant(
            slug=SLUG,
            name_zh="灯笼家居",
            name_en="Lantern Home",
            market="CN",
            currency="CNY",
            time_zone="Asia/Shanghai",
            at=at,
        )
    with tenancy.acting_for(merchant_id):
        known = {shop.slug for shop in queries.shops()}
        for slug, name_zh, name_en, kind in SHOPS:
            if slug not in known:
                commands.open_shop(slug=slug, name_zh=name_zh, name_en=name_en, kind=kind, actor=actor, at=at)
        hired = {staff.email for staff in queries.staff_list()}
        for email, name, role in STAFF:
            if email not in hired:
                commands.invite_staff(email=email, name=name, role=role, password=PASSWORD, actor=actor, at=at)
    return [f"{SLUG} / {email} / {PASSWORD}  ({role})" for email, _, role in STAFF]
