"""Nothing jumps away under a finger: while pages load as over a telephone, and while others work on the same cases.

Every page is measured too, as it loads at once, by test_every_page.py, and as over a telephone by ``make bench``.
"""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone
from PIL import Image
from playwright.sync_api import Browser, Page

from makegood.accounts import queries as accounts
from makegood.cases import commands
from makegood.cases.models import Case
from makegood.kit import files
from makegood.workbench.commands import be_on_case
from tests.browser.live import visitor
from tests.browser.shifting import MOST, WATCH, shift_of, slowed
from tests.browser.test_keyboard import cases, sign_in
from tests.desk.working import Member
from tests.shop import AGENT

pytestmark = [pytest.mark.usefixtures("merchant"), pytest.mark.timeout(180)]
BOTH = pytest.mark.parametrize(("language", "width"), [("zh", 360), ("en", 1280)])


def bring_picture(case: Case, *, wide: bool) -> None:
    """A picture that is really there."""
    drawn = io.BytesIO()
    Image.new("RGB", (1600, 400) if wide else (400, 1600), (120, 160, 90)).save(drawn, "JPEG")
    drawn.seek(0)
    owner = str(accounts.merchant().id)
    stored = files.store(drawn, uploads=settings.UPLOADS_DIR, owner=owner, declared_name="lamp.jpg")
    commands.add_evidence(ref=case.ref, kind="photo", file=stored, actor=AGENT, at=timezone.now())


def watched(context: Any) -> Page:
    context.set_default_timeout(40_000)  # presence is told every ten seconds only, and machines are busy
    context.add_init_script(WATCH)
    page: Page = context.new_page()
    return page


def still(page: Page) -> None:
    page.wait_for_timeout(600)
    found = shift_of(page)
    assert found.worst <= MOST, found


@BOTH
def test_pages_with_pictures_and_what_scripts_bring_stand_still(
    chromium: Browser, address: str, language: str, width: int
) -> None:
    [case] = cases(1)
    bring_picture(case, wide=True)
    bring_picture(case, wide=False)
    commands.decide_case(ref=case.ref, actor=AGENT, at=timezone.now())
    with visitor(chromium, language=language, width=width) as context:
        page = watched(context)
        base = sign_in(page, address)
        slowed(context, page)
        page.goto(f"{base}/cases/{case.ref}")
        page.wait_for_selector("[data-preview] table", state="attached")
        still(page)
        page.goto(f"{base}/cases/{case.ref}/evidence")
        page.wait_for_function("[...document.images].every(one => one.complete && one.naturalWidth)")
        still(page)


@BOTH
def test_pages_stand_still_while_others_work(chromium: Browser, address: str, language: str, width: int) -> None:
    listed = cases(8)
    first = listed[0]
    colleague = Member("agent").actor
    with visitor(chromium, language=language, width=width) as context:
        page = watched(context)
        base = sign_in(page, address)
        page.goto(f"{base}/")
        page.wait_for_selector(f"text={first.ref}")
        be_on_case(case_id=first.id, replying=False, actor=colleague, at=timezone.now())
        page.wait_for_selector("tr .presence")
        [new] = cases(1)
        page.wait_for_selector(f"text={new.ref}")
        still(page)

        page.goto(f"{base}/cases/{first.ref}")
        page.wait_for_selector("#presence:not([hidden])")
        commands.add_message(ref=first.ref, body="Hello", actor=colleague, at=timezone.now() + timedelta(seconds=1))
        page.wait_for_selector("#talk >> text=Hello")
        still(page)


def test_a_jump_is_seen(chromium: Browser, address: str) -> None:
    with visitor(chromium, language="en", width=360) as context:
        page = watched(context)
        page.goto(f"{address}/estimate")
        page.evaluate("document.body.prepend(Object.assign(document.createElement('div'), { id: 'late' }))")
        page.evaluate("document.getElementById('late').style.height = '300px'")
        page.wait_for_timeout(200)
        assert shift_of(page).worst > MOST
