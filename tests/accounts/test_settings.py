"""What a merchant settles for itself, and what is usual where it settles nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from makegood.accounts import commands, queries
from makegood.accounts.actors import Actor, NotAllowed
from makegood.accounts.rules import Length, MerchantSettings, SettingMalformed, Wait, read_settings
from makegood.accounts.states import Role
from makegood.kit import errors, tenancy
from makegood.kit.money import Money
from tests.conftest import NOON, open_merchant

OWNER = Actor.staff(1, "Ana", Role.OWNER)


def read(settings: Any, currency: str = "CNY") -> MerchantSettings:
    return read_settings(settings, currency=currency, market="CN", time_zone="Asia/Shanghai")


def test_nothing_said_means_the_usual() -> None:
    usual = read({})

    assert usual.waits[Wait.MERCHANT_ANSWER] == Length(2, "working")
    assert set(usual.waits) == set(Wait)
    assert (usual.appeal_rounds_max, usual.reallocation, usual.languages) == (2, "keep", ("zh-hans", "en"))
    assert not usual.needs_two_people(Money(10**14, "CNY"))


def test_a_wait_over_a_chinese_holiday_ends_after_it() -> None:
    # 1 to 7 October 2026 are free, Saturday the 10th is worked in exchange.
    due = read({}).due(Wait.MERCHANT_ANSWER, datetime(2026, 9, 30, 8, 0, tzinfo=UTC))

    assert due is not None
    assert due.at == datetime(2026, 10, 9, 16, 0, tzinfo=UTC)


def test_limits_are_per_role_and_currency_and_absent_means_no() -> None:
    usual, yen = read({}), read({}, "JPY")

    assert usual.may_approve("agent", Money(50_000, "CNY"))
    assert not usual.may_approve("agent", Money(50_001, "CNY"))
    assert not usual.may_approve("owner", Money(1, "USD"))
    assert not usual.may_approve("integration", Money(1, "CNY"))
    assert yen.approval_limit("agent", "JPY") == Money(500, "JPY")


def test_own_settings_win_over_the_usual() -> None:
    own = read(
        {
            "calendar": {"zone": "Europe/Berlin", "hours": "always"},
            "waits": {"merchant_answer": {"days": 1}, "appeal_window": {"days": 14, "unit": "working"}},
            "approval_limits": {"agent": {"EUR": 100}},
            "two_people_above": {"EUR": 5_000},
            "reallocation": "reclaim_share",
            "evidence": {"files_max": 3},
        }
    )

    assert own.calendar.zone == "Europe/Berlin"
    assert own.waits[Wait.MERCHANT_ANSWER] == Length(1, "working")
    assert own.waits[Wait.APPEAL_WINDOW] == Length(14, "working")
    assert own.may_approve("agent", Money(100, "EUR"))
    assert not own.may_approve("owner", Money(1, "EUR"))
    assert own.needs_two_people(Money(5_001, "EUR"))
    assert not own.needs_two_people(Money(5_000, "EUR"))
    assert own.evidence.files_max == 3


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ([], "settings"),
        ({"calender": {}}, "settings"),
        ({"waits": {"merchant_answer": {"days": -1}}}, "waits.merchant_answer.days"),
        ({"waits": {"merchant_answer": {"days": True}}}, "waits.merchant_answer.days"),
        ({"waits": {"merchant_answer": {"days": 1, "unit": "weeks"}}}, "waits.merchant_answer.unit"),
        ({"waits": {"lunch": {"days": 1}}}, "waits"),
        ({"approval_limits": {"boss": {}}}, "approval_limits"),
        ({"approval_limits": {"agent": {"CNY": 1.5}}}, "approval_limits.agent.CNY"),
        ({"approval_limits": {"agent": {"XYZ": 1}}}, "currency"),
        ({"two_people_above": {"CNY": -1}}, "two_people_above.CNY"),
        ({"packs": "house"}, "packs"),
        ({"appeal_rounds_max": 11}, "appeal_rounds_max"),
        ({"reallocation": "whatever"}, "reallocation"),
        ({"evidence": {"bytes_max": 0}}, "evidence.bytes_max"),
        ({"languages": []}, "languages"),
        ({"languages": ["tlh"]}, "languages"),
        ({"calendar": {"zone": "Mars/Olympus", "hours": "always"}}, "zone"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(settings: Any, field: str) -> None:
    with pytest.raises(errors.Malformed) as refused:
        read(settings)

    assert refused.value.field == field


def test_changed_settings_are_seen_at_once_and_by_this_merchant_only(merchant: int) -> None:
    queries.settings_of_merchant()

    commands.change_settings(settings={"appeal_rounds_max": 1}, actor=OWNER, at=NOON)

    assert queries.settings_of_merchant().appeal_rounds_max == 1
    with tenancy.acting_for(open_merchant()):
        assert queries.settings_of_merchant().appeal_rounds_max == 2


def test_settings_are_read_before_they_are_kept(merchant: int) -> None:
    with pytest.raises(SettingMalformed):
        commands.change_settings(settings={"appeal_rounds_max": -1}, actor=OWNER, at=NOON)
    with pytest.raises(NotAllowed):
        commands.change_settings(settings={}, actor=Actor.staff(2, "Bo", Role.MANAGER), at=NOON)

    assert queries.settings_of_merchant().appeal_rounds_max == 2


def test_a_merchant_is_opened_once_per_slug() -> None:
    def open_it(**change: str) -> int:
        given: dict[str, Any] = {
            "slug": "lantern",
            "name_zh": "灯",
            "name_en": "Lantern",
            "market": "CN",
            "currency": "CNY",
        }
        return commands.open_merchant(**(given | change), time_zone="Asia/Shanghai", at=NOON)

    merchant_id = open_it()

    assert queries.merchant_id_by_slug("lantern") == merchant_id
    assert merchant_id in queries.merchant_ids()
    with pytest.raises(commands.NameTaken):
        open_it()
    with pytest.raises(commands.AccountFieldMalformed):
        open_it(slug="Not A Slug")
    with pytest.raises(errors.Malformed):
        open_it(slug="other", currency="ABC")
    with pytest.raises(queries.MerchantUnknown):
        queries.merchant_id_by_slug("nobody")


def test_shops_belong_to_one_merchant(merchant: int) -> None:
    commands.open_shop(slug="west", name_zh="西", name_en="West", kind="offline", actor=OWNER, at=NOON)

    assert [shop.slug for shop in queries.shops()] == ["west"]
    with pytest.raises(commands.NameTaken):
        commands.open_shop(slug="west", name_zh="西", name_en="West", kind="offline", actor=OWNER, at=NOON)
    with tenancy.acting_for(open_merchant()):
        assert queries.shops() == []
        with pytest.raises(queries.ShopUnknown):
            queries.shop_by_slug("west")
