"""The pages of administration and of one's own sign-in: nothing that axe finds, nothing wider than the screen."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import override_settings
from playwright.sync_api import Browser

from makegood.accounts import commands as accounts
from makegood.webhooks import commands as webhooks
from makegood.webhooks import queries
from tests.browser.accessible import violations
from tests.browser.test_browser_journeys import fits
from tests.desk.working import PASSWORD, Member
from tests.shop import OWNER, Bought, ask, sell, settle
from tests.webhooks.receiving import receiving

pytestmark = [pytest.mark.usefixtures("merchant"), pytest.mark.timeout(180)]


@pytest.mark.parametrize(("locale", "width", "scheme"), [("zh-CN", 360, "light"), ("en-GB", 1280, "dark")])
def test_every_page_is_for_everybody(address: str, chromium: Browser, locale: str, width: int, scheme: Any) -> None:
    owner, now = Member("owner", signed_in=False), datetime.now(UTC)
    accounts.issue_token(label="shop", scopes=["read"], actor=OWNER, at=now)
    inside = override_settings(OUTGOING_NETWORKS=(ipaddress.ip_network("127.0.0.0/8"),))
    with inside, receiving() as receiver:
        endpoint = webhooks.add_endpoint(url=receiver.url, label="shop", actor=OWNER, at=now)
        receiver.answer(204, 500, 204)
        settle(ask(sell(Bought(paid=100_00)), "return", "changed_mind"))
        webhooks.send_due(datetime.now(UTC))
    [delivery, *_] = queries.deliveries(endpoint.ref, actor=OWNER).rows
    context = chromium.new_context(
        locale=locale, viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True
    )
    page = context.new_page()
    hook = f"/webhooks/{endpoint.ref}"
    wrong = {}
    for path in ("/sign-in/forgotten", "/sign-in"):
        page.goto(f"{address}{owner.base}{path}")
        wrong[path] = violations(page)
    page.fill("#email", owner.staff.email)
    page.fill("#password", PASSWORD)
    page.click("main button.main")
    page.goto(f"{address}{owner.base}/security")
    page.click("[value=begin-app]")
    within = ("/security", "/staff", "/tokens", "/webhooks", hook, f"{hook}/deliveries/{delivery.id}", "/changes")
    for path in (*(owner.base + one for one in within), "/developers/"):
        page.goto(address + path)
        wrong[path] = violations(page) + ([] if fits(page) else ["wider than the screen"])
    context.close()

    assert {path: found for path, found in wrong.items() if found} == {}
