"""A browser far away: the first page it opens already says times as its own clock does."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from playwright.sync_api import Browser

from makegood.cases.tracking import tracking_token
from tests.shop import ask, sell

pytestmark = [pytest.mark.usefixtures("merchant"), pytest.mark.timeout(180)]


def test_the_zone_of_the_browser_is_used_from_the_first_page_on(chromium: Browser, address: str) -> None:
    case = ask(sell(at=datetime(2026, 11, 20, 12, 30, tzinfo=UTC)), "return", "changed_mind",
               at=datetime(2026, 11, 20, 12, 30, tzinfo=UTC))  # fmt: skip
    context = chromium.new_context(locale="en-GB", timezone_id="Europe/Berlin")
    try:
        page = context.new_page()
        refused: list[str] = []
        page.on("console", lambda told: refused.append(told.text) if told.type == "error" else None)
        page.goto(f"{address}/track/{tracking_token(case.ref)}")
        page.wait_for_selector("text=Times are those of Central European Time.")
        assert "1:30" in page.inner_text("main")
        assert refused == []
    finally:
        context.close()
