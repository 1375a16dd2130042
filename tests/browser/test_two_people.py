"""Two people on one case: each sees the other, and the second reply is stopped until the first was read."""

from __future__ import annotations

import pytest
from django.utils import timezone
from playwright.sync_api import Browser

from makegood.cases.queries import case_view
from makegood.workbench.jobs import send_due
from tests.browser.accessible import violations
from tests.browser.live import visitor
from tests.browser.test_keyboard import cases, sign_in

pytestmark = [pytest.mark.usefixtures("merchant"), pytest.mark.timeout(180)]


def test_two_people_answer_one_case(chromium: Browser, address: str) -> None:
    [case] = cases(1)
    with (
        visitor(chromium, language="en", width=1280) as one,
        visitor(chromium, language="zh", width=1280) as other,
    ):
        ann, ben = one.new_page(), other.new_page()
        base = sign_in(ann, address)
        ann.goto(f"{base}/cases/{case.ref}")
        ann.keyboard.press("r")
        ann.keyboard.type("Thank you for the pictures.")
        sign_in(ben, address)
        ben.wait_for_selector("tr .presence.replying:has-text('正在回复')")
        ben.goto(f"{base}/cases/{case.ref}")
        ben.wait_for_selector("#presence:has-text('正在回复')")
        ben.fill("#reply", "谢谢您的来信。")

        ann.keyboard.press("Control+Enter")
        ann.wait_for_selector(".outgoing")
        assert violations(ann) == []
        send_due(timezone.now().replace(year=2100))

        ben.keyboard.press("Control+Enter")
        ben.wait_for_selector("#arrived")
        assert "Thank you for the pictures." in ben.inner_text("#arrived")
        assert "1 条新消息" in ben.inner_text("#arrived")
        assert violations(ben) == []
        assert ben.input_value("#reply") == "谢谢您的来信。"
        ben.click("text=仍然发送")
        ben.wait_for_selector(".outgoing")
        ben.click(".outgoing button")
        ben.wait_for_selector("text=已撤回")
        assert ben.input_value("#reply") == "谢谢您的来信。"
    assert [text.body for text in case_view(case.ref).texts] == ["Thank you for the pictures."]
