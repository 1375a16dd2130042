"""Files by camera, drop and paste, HEIC among them; sent again after the connection was lost, with nothing gone."""

from __future__ import annotations

import base64
from collections.abc import Callable
from io import BytesIO

import pillow_heif
import pytest
from django.utils import timezone
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from makegood.cases.queries import case_view
from tests.browser.live import visitor
from tests.browser.test_browser_journeys import enter_portal, picture
from tests.shop import sell

pytestmark = [pytest.mark.usefixtures("merchant"), pytest.mark.timeout(180)]

# What a browser hands to a page when files are dropped on it or pasted.
GIVEN = """([how, name, kind, data]) => {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  const carried = new DataTransfer();
  carried.items.add(new File([bytes], name, { type: kind, lastModified: 1 }));
  const event = how === "drop"
    ? new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: carried })
    : new ClipboardEvent("paste", { bubbles: true, cancelable: true, clipboardData: carried });
  (how === "drop" ? document.querySelector("[data-drop]") : document.body).dispatchEvent(event);
  return event.defaultPrevented;
}"""


def heic() -> bytes:
    data = BytesIO()
    pillow_heif.from_pillow(Image.new("RGB", (64, 48), "green")).save(data)
    return data.getvalue()


def coloured(colour: str) -> bytes:
    data = BytesIO()
    Image.new("RGB", (60, 40), colour).save(data, "PNG")
    return data.getvalue()


def give(page: Page, how: str, name: str, kind: str, data: bytes) -> None:
    assert page.evaluate(GIVEN, [how, name, kind, base64.b64encode(data).decode()]), f"{how} was not taken"


def ask_page(page: Page, address: str) -> None:
    """On the page where files are brought, before anything is sent."""
    enter_portal(page, address, sell(at=timezone.now()), "return")
    page.check("input[name=reason][value=changed_mind]")
    page.get_by_role("button", name="See what I get").click()
    page.wait_for_selector("[data-drop].helped")


def chosen(page: Page) -> list[str]:
    return page.locator("[data-chosen] .about > span").all_inner_texts()


def test_files_come_by_camera_drop_and_paste_and_one_can_be_taken_out_again(chromium: Browser, address: str) -> None:
    with visitor(chromium, language="en", width=360) as context:
        page = context.new_page()
        ask_page(page, address)
        camera = page.locator("input[capture]")
        assert camera.get_attribute("capture") == "environment"
        assert camera.get_attribute("accept") == "image/*"
        with page.expect_file_chooser() as taken:
            page.get_by_text("Take a picture", exact=True).click()
        taken.value.set_files({"name": "camera.png", "mimeType": "image/png", "buffer": picture()})
        give(page, "drop", "dropped.png", "image/png", coloured("blue"))
        give(page, "paste", "pasted.png", "image/png", coloured("white"))
        give(page, "drop", "telephone.heic", "image/heic", heic())
        assert chosen(page) == ["camera.png", "dropped.png", "pasted.png", "telephone.heic"]
        assert page.locator("[data-chosen] img").count() == 3, "each that the browser can show is shown"

        page.get_by_role("button", name="remove: dropped.png").click()
        page.get_by_role("button", name="Send my request").click()
        page.wait_for_url("**/cases/C-*")

        kept = {one.name: one.media_type for one in case_view(page.url.rsplit("/", 1)[1]).evidence}
        # The telephone's own format is kept as a picture that everybody can see.
        assert kept == {"camera.png": "image/png", "pasted.png": "image/png", "telephone.jpg": "image/jpeg"}
        small = page.get_by_role("img", name="telephone.jpg")
        small.scroll_into_view_if_needed()
        page.wait_for_function("one => one.complete && one.naturalWidth > 0", arg=small.element_handle())


def test_a_lost_connection_loses_nothing(chromium: Browser, address: str) -> None:
    with visitor(chromium, language="zh", width=360) as context:
        page = context.new_page()
        enter_portal(page, address, sell(at=timezone.now()), "return")
        page.check("input[name=reason][value=changed_mind]")
        page.fill("#statement", "请看照片。")
        page.click("text=看看我能得到什么")
        page.wait_for_selector("[data-drop].helped")
        page.set_input_files("#files", {"name": "坏灯.png", "mimeType": "image/png", "buffer": picture()})
        cut: Callable[..., None] = lambda route: route.abort() if route.request.method == "POST" else route.continue_()  # noqa: E731
        page.route("**/ask/**", cut)
        page.click("text=提交申请")
        expect(page.get_by_role("button", name="重试")).to_be_visible()
        assert chosen(page) == ["坏灯.png"]
        page.unroute("**/ask/**", cut)

        page.get_by_role("button", name="重试").click()
        page.wait_for_url("**/cases/C-*")

        [kept] = case_view(page.url.rsplit("/", 1)[1]).evidence
        assert kept.name == "坏灯.png"
        assert "请看照片。" in page.inner_text("main")


@pytest.mark.parametrize("typed", ["{a} {b}", "{a}{b} ", "{wide}"])
def test_a_code_is_taken_as_it_was_pasted(chromium: Browser, address: str, typed: str) -> None:
    from makegood.accounts import queries as accounts  # noqa: PLC0415
    from tests.portal.visiting import code_for, contact_of  # noqa: PLC0415

    order = sell(at=timezone.now())
    with visitor(chromium, language="en", width=360) as context:
        page = context.new_page()
        page.goto(f"{address}/s/{accounts.merchant().slug}/find")
        page.keyboard.type(order.number)  # the field waits for it
        page.get_by_label("E-mail address or phone number").fill(contact_of(order))
        page.get_by_role("button", name="Send me a code").click()
        code = code_for(order)
        wide = code.translate({ord(str(n)): 0xFF10 + n for n in range(10)})
        field = page.get_by_label("Code", exact=True)
        assert field.get_attribute("autocomplete") == "one-time-code"
        assert field.evaluate("one => document.activeElement === one")
        page.evaluate(
            "said => { document.activeElement.focus(); document.execCommand('insertText', false, said); }",
            typed.format(a=code[:3], b=code[3:], wide=wide),
        )
        page.get_by_role("button", name="Show my order").click()
        page.wait_for_url("**/mine")
        assert order.number in page.inner_text("main")


def test_nothing_is_asked_for_twice(chromium: Browser, address: str) -> None:
    """WCAG 3.3.7: what was said on one step is there on the next, and on the way back."""
    order = sell(at=timezone.now())
    with visitor(chromium, language="en", width=360) as context:
        page = context.new_page()
        enter_portal(page, address, order, "return")
        page.get_by_label("Defective").check()
        page.select_option("select.units", "1")
        page.fill("#statement", "It flickers.")
        page.get_by_role("button", name="See what I get").click()
        page.wait_for_selector("[data-drop]")
        assert page.locator("main input:not([type=hidden]):not([type=file]), main textarea, main select").count() == 0
        page.get_by_role("button", name="Change something").click()

        expect(page.get_by_label("Defective")).to_be_checked()
        assert page.input_value("select.units") == "1"
        assert page.input_value("#statement") == "It flickers."
