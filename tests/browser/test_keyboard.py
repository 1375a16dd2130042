"""An agent works without a mouse: list, case, palette, cheat-sheet; and an input method is left in peace."""

from __future__ import annotations

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page

from makegood.accounts import queries as accounts
from makegood.cases.models import Case
from makegood.cases.queries import case_view
from tests.browser.accessible import violations
from tests.browser.live import visitor
from tests.desk.working import PASSWORD, hire
from tests.shop import Bought, ask, sell

pytestmark = [pytest.mark.usefixtures("merchant"), pytest.mark.timeout(180)]


def sign_in(page: Page, address: str, role: str = "agent") -> str:
    staff = hire(role)
    base = f"{address}/desk/{accounts.merchant().slug}"
    page.goto(f"{base}/sign-in")
    page.fill("#email", staff.email)
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector("nav.views")
    page.wait_for_load_state("load")  # keys work once their scripts are there
    return base


def cases(count: int = 2) -> list[Case]:
    at = timezone.now()
    return [ask(sell(Bought(2, 20_000), at=at), "return", "changed_mind", at=at) for _ in range(count)]


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.id"))


def test_a_day_without_a_mouse(chromium: Browser, address: str) -> None:
    first, second = cases()
    with visitor(chromium, language="en", width=1280) as context:
        page = context.new_page()
        sign_in(page, address)
        press = page.keyboard.press
        press("j")
        press("j")
        press("k")
        assert page.locator("tr.chosen a").first.inner_text() == first.ref
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid", "where the keyboard is must be seen"
        press("Enter")
        page.wait_for_url(f"**/cases/{first.ref}")

        press("r")
        assert focused(page) == "reply"
        page.keyboard.type("jk? We look at it.")
        assert page.input_value("#reply") == "jk? We look at it."
        assert not page.locator("dialog[open]").count()
        press("Control+Shift+Enter")
        page.wait_for_url(f"**/cases/{second.ref}")

        press("n")
        assert focused(page) == "note"
        page.keyboard.type("be kind")
        press("Control+Enter")
        page.wait_for_selector("text=only staff see it")
        press("e")
        assert focused(page) == "total"
        page.keyboard.type("100.00")
        press("Control+Enter")
        page.wait_for_selector("text=What was promised is under way")
        press("a")
        assert focused(page) == "staff"
        press("Escape")
        press("k")
        page.wait_for_url(f"**/cases/{first.ref}")
        press("u")
        page.wait_for_selector("nav.views")
    assert case_view(second.ref).state == "approved"


def test_an_input_method_keeps_its_keys(chromium: Browser, address: str) -> None:
    [case] = cases(1)
    with visitor(chromium, language="zh", width=1280) as context:
        page = context.new_page()
        base = sign_in(page, address)
        page.goto(f"{base}/cases/{case.ref}")
        page.keyboard.press("r")
        method = context.new_cdp_session(page)
        method.send("Input.imeSetComposition", {"text": "ni", "selectionStart": 2, "selectionEnd": 2})
        # The Enter that takes a word comes as a key of the input method: composing, code 229.
        told = """how => { const e = new KeyboardEvent('keydown', {key: how.key, ctrlKey: how.mod, bubbles: true,
            cancelable: true, isComposing: how.composing, keyCode: how.code});
            return document.activeElement.dispatchEvent(e); }"""
        for how in (
            {"key": "Enter", "mod": True, "composing": True, "code": 13},
            {"key": "Enter", "mod": True, "composing": False, "code": 229},
            {"key": "k", "mod": True, "composing": True, "code": 75},
        ):
            assert page.evaluate(told, how), f"{how} was taken from the input method"
        method.send("Input.insertText", {"text": "你好"})
        assert page.input_value("#reply") == "你好"
        # The same outside of a field, where the method composes over the page.
        page.evaluate("document.activeElement.blur()")
        assert page.evaluate(told, {"key": "?", "mod": False, "composing": True, "code": 191})
        assert page.evaluate(told, {"key": "?", "mod": False, "composing": False, "code": 229})
        assert page.locator("dialog[open]").count() == 0
        page.keyboard.press("?")
        assert page.locator("dialog#keys[open]").count() == 1
    assert case_view(case.ref).texts == ()


def test_the_palette_and_keys_of_ones_own(chromium: Browser, address: str) -> None:
    [case] = cases(1)
    with visitor(chromium, language="en", width=1280) as context:
        page = context.new_page()
        refused: list[str] = []
        page.on("console", lambda told: refused.append(told.text) if told.type == "error" else None)
        sign_in(page, address)
        press = page.keyboard.press
        press("Control+k")
        page.keyboard.type(case.ref.lower())
        page.wait_for_selector(f"#palette li:has-text('{case.ref}')")
        assert violations(page) == []
        press("Enter")
        page.wait_for_url(f"**/cases/{case.ref}")
        press("Control+k")
        page.keyboard.type("budg")
        press("Enter")
        page.wait_for_url("**/budgets")
        press("?")
        assert violations(page) == []
        page.click("text=Choose other keys")
        page.wait_for_url("**/keys")
        assert violations(page) == []
        page.focus("#key-reply")
        press("w")
        assert page.input_value("#key-reply") == "w"
        page.click("text=Keep these keys")
        page.wait_for_selector("text=Your keys are kept")
        page.goto(page.url.replace("/keys", f"/cases/{case.ref}"))
        press("r")
        assert focused(page) != "reply"
        press("w")
        assert focused(page) == "reply"
        assert refused == []
