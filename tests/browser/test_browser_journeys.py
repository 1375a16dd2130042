"""Whole journeys in a browser: a customer on a phone in Chinese, an agent at a screen in English, an attacker."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from django.utils import timezone
from PIL import Image
from playwright.sync_api import Browser, Dialog, Page

from makegood.accounts import queries as accounts
from makegood.cases.queries import case_view
from tests.browser.live import visitor
from tests.desk.working import PASSWORD, hire
from tests.portal.visiting import code_for, contact_of
from tests.shop import Bought, ask, sell

pytestmark = [pytest.mark.usefixtures("merchant"), pytest.mark.timeout(180)]

EVIL = "<img src=x onerror=alert(1)><script>alert(2)</script>\"'><svg onload=alert(3)>"


def picture() -> bytes:
    data = BytesIO()
    Image.new("RGB", (60, 40), "red").save(data, "PNG")
    return data.getvalue()


def enter_portal(page: Page, address: str, order: Any, situation: str = "") -> None:
    """Find the order and type the code."""
    page.goto(f"{address}/s/{accounts.merchant().slug}/find?for={situation}")
    page.fill("#order", order.number)
    page.fill("#contact", contact_of(order))
    page.click("main button.main")
    page.wait_for_url("**/code")
    page.fill("#code", code_for(order))
    page.click("main button.main")
    page.wait_for_url("**/ask/**" if situation else "**/mine")


def sign_in(page: Page, address: str, role: str) -> None:
    staff = hire(role)
    page.goto(f"{address}/desk/{accounts.merchant().slug}/sign-in")
    page.fill("#email", staff.email)
    page.fill("#password", PASSWORD)
    page.click("main button.main")
    page.wait_for_selector("nav.views")


def fits(page: Page) -> bool:
    """No scrolling sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def small_targets(page: Page) -> list[str]:
    """Controls below 24 by 24 pixels (WCAG 2.2, 2.5.8); links within a sentence are excepted there."""
    return list(
        page.evaluate(
            """() => [...document.querySelectorAll('button,select,summary, nav a, a.button, input:not([type=hidden])')]
            .filter(e => e.getClientRects().length && !e.closest('label.choice') && !e.closest('.skip'))
            .map(e => [e.outerHTML.slice(0, 80), e.getBoundingClientRect()])
            .filter(([, r]) => r.width > 1 && (r.height < 24 || r.width < 20)).map(([h]) => h)"""
        )
    )


def unnamed(page: Page) -> list[str]:
    """Controls and pictures that a screen reader could not name."""
    return list(
        page.evaluate(
            """() => [...document.querySelectorAll('input:not([type=hidden]), select, textarea, button, a, img')]
            .filter(e => !(e.labels && e.labels.length) && !e.getAttribute('aria-label') && !e.textContent.trim()
                         && !e.querySelector('img, svg') && e.getAttribute('alt') === null && !e.title)
            .map(e => e.outerHTML.slice(0, 100))"""
        )
    )


def note_alarm(dialog: Dialog, alarms: list[str]) -> None:
    """A dialog on one of our pages is script that came in from outside."""
    alarms.append(dialog.message)
    dialog.dismiss()


def test_a_customer_on_a_phone_asks_in_chinese_with_a_photo(chromium: Browser, address: str) -> None:
    order = sell(Bought(2, 20_000), at=timezone.now())
    with visitor(chromium, language="zh", width=360) as context:
        page = context.new_page()
        page.goto(f"{address}/s/{accounts.merchant().slug}/")
        assert page.locator("html").get_attribute("lang") == "zh-Hans"
        page.click("text=我想退货")
        assert fits(page)
        enter_portal(page, address, order, "return")
        assert fits(page)
        assert small_targets(page) == []
        assert unnamed(page) == []
        page.check("input[name=reason][value=defective]")
        page.select_option("select.units", "1")
        page.fill("#statement", "灯一直闪。")
        page.click("text=看看我能得到什么")
        page.wait_for_selector("text=您可以得到")
        assert "¥100.00" in page.inner_text("main")
        assert fits(page)
        page.set_input_files("#files", {"name": "坏灯.png", "mimeType": "image/png", "buffer": picture()})
        page.wait_for_selector("[data-chosen] img")
        page.click("text=提交申请")
        page.wait_for_url("**/cases/C-*")
        shown = page.inner_text("main")
        for words in ("灯一直闪。", "坏灯.png", "轮到我们处理", "已收到申请"):
            assert words in shown
        assert fits(page)
        assert unnamed(page) == []


def test_the_same_request_without_javascript(chromium: Browser, address: str) -> None:
    order = sell(at=timezone.now())
    with visitor(chromium, language="en", width=360, script=False) as context:
        page = context.new_page()
        enter_portal(page, address, order, "return")
        page.check("input[name=reason][value=changed_mind]")
        page.click("text=See what I get")
        page.click("text=Send my request")
        page.wait_for_url("**/cases/C-*")
        assert "Request received" in page.inner_text("main")


def test_an_agent_works_a_case_from_the_queue_to_approval(chromium: Browser, address: str) -> None:
    at = timezone.now()
    case = ask(sell(Bought(2, 20_000), at=at), "return", "changed_mind", at=at)
    with visitor(chromium, language="en", width=1280) as context:
        page = context.new_page()
        sign_in(page, address, "agent")
        assert small_targets(page) == []
        page.keyboard.press("j")
        page.keyboard.press("o")
        page.wait_for_url(f"**/cases/{case.ref}")
        assert fits(page)
        assert unnamed(page) == []
        page.fill("#total", "100.00")
        page.click("text=Decide and approve")
        page.wait_for_selector("text=What was promised is under way")
        assert "waiting for the goods" in page.inner_text("main").lower()
    assert case_view(case.ref).state == "approved"


def test_row_41_what_customers_write_is_only_ever_text(chromium: Browser, address: str) -> None:
    at = timezone.now()
    order = sell(at=at)
    with visitor(chromium, language="en", width=1280) as context:
        page = context.new_page()
        alarms: list[str] = []
        page.on("dialog", lambda dialog: note_alarm(dialog, alarms))
        enter_portal(page, address, order, "return")
        page.check("input[name=reason][value=changed_mind]")
        page.fill("#statement", EVIL)
        page.click("text=See what I get")
        page.set_input_files("#files", {"name": f"{EVIL}.png", "mimeType": "image/png", "buffer": picture()})
        page.click("text=Send my request")
        page.wait_for_url("**/cases/C-*")
        ref = page.url.rsplit("/", 1)[1]
        assert EVIL in page.inner_text("main")
        page.goto(f"{address}/s/{accounts.merchant().slug}/mine")
    with visitor(chromium, language="en", width=1280) as context:
        page = context.new_page()
        page.on("dialog", lambda dialog: note_alarm(dialog, alarms))
        sign_in(page, address, "owner")
        for path in ("", f"cases/{ref}", f"cases/{ref}/history", f"orders/{order.number}"):
            page.goto(f"{address}/desk/{accounts.merchant().slug}/{path}")
            page.wait_for_load_state("networkidle")
            assert page.locator("main script, main svg[onload], main img[onerror]").count() == 0
        page.goto(f"{address}/desk/{accounts.merchant().slug}/cases/{ref}")
        assert EVIL in page.inner_text("main")
    assert alarms == []


def test_row_39_an_opened_file_is_downloaded_and_never_shown(chromium: Browser, address: str) -> None:
    order = sell(at=timezone.now())
    with visitor(chromium, language="en", width=1280) as context:
        page = context.new_page()
        enter_portal(page, address, order, "return")
        page.check("input[name=reason][value=changed_mind]")
        page.click("text=See what I get")
        page.set_input_files("#files", {"name": "lamp.png", "mimeType": "image/png", "buffer": picture()})
        page.click("text=Send my request")
        page.wait_for_url("**/cases/C-*")
        with page.expect_download() as download:
            page.click(".files .about a")
        assert download.value.suggested_filename == "lamp.png"
        answer = page.request.get(page.locator(".files .about a").first.evaluate("e => e.href"))
        assert answer.headers["content-disposition"].startswith("attachment")
        assert "sandbox" in answer.headers["content-security-policy"]


def test_row_54_a_foreign_page_can_neither_frame_nor_post(chromium: Browser, address: str) -> None:
    at = timezone.now()
    case = ask(sell(at=at), "return", "changed_mind", at=at)
    with visitor(chromium, language="en", width=1280) as context:
        page = context.new_page()
        sign_in(page, address, "agent")
        here = f"{address}/desk/{accounts.merchant().slug}/cases/{case.ref}"
        answer = page.request.post(f"{here}/do/withdraw", headers={"Origin": "https://evil.example"})
        assert answer.status == 403
        headers = page.request.get(here).headers
        assert headers["x-frame-options"] == "DENY"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        stranger = context.new_page()
        stranger.set_content(f'<iframe src="{here}"></iframe>')
        stranger.wait_for_load_state("networkidle")
        assert case.ref not in (stranger.frames[-1].content() if len(stranger.frames) > 1 else "")
    assert case_view(case.ref).state == "received"
