"""The estimator in a browser: on a telephone and a screen, with and without JavaScript, in both languages."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from tests.browser.live import visitor
from tests.browser.test_browser_journeys import fits, small_targets, unnamed

pytestmark = pytest.mark.timeout(120)


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
@pytest.mark.parametrize(("language", "width"), [("zh", 360), ("en", 1280)])
def test_a_stranger_changes_the_facts_and_sees_another_answer(
    address: str, chromium: Browser, language: str, width: int, *, script: bool
) -> None:
    with visitor(chromium, language=language, width=width, script=script) as context:
        page = context.new_page()
        page.goto(f"{address}/estimate")
        first = page.text_content("p.amount")
        assert first
        assert page.locator("p.amount").bounding_box()["y"] < 800  # type: ignore[index]
        assert (fits(page), small_targets(page), unnamed(page)) == (True, [], [])

        page.select_option("#what", "refusal.wrong_item")
        page.fill("#paid", "250")
        page.check("input[name=have][value=photo]")
        page.check("input[name=promise]") if page.is_visible("input[name=promise]") else None
        page.click("form#facts button.main")
        page.wait_for_url("**what=refusal.wrong_item**")
        assert "250" in (page.text_content("#the-answer") or "")
        assert page.is_checked("input[name=have][value=photo]")
        assert fits(page)

        page.fill("#paid", "a lot")
        page.click("form#facts button.main")
        assert page.get_attribute("#paid", "aria-invalid") == "true"
        assert fits(page)
