"""A passkey made and used in a real browser, with an authenticator that the browser simulates."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from makegood.accounts import factors
from tests.desk.working import PASSWORD, Member

pytestmark = pytest.mark.usefixtures("merchant")


def sign_in(page: Page, address: str, member: Member) -> None:
    page.goto(f"{address}{member.base}/sign-in")
    page.get_by_label("E-mail address").fill(member.staff.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def test_a_passkey_is_made_and_signs_its_person_in(merchant: int, address: str, chromium: Browser) -> None:
    here = address.replace("127.0.0.1", "localhost")  # passkeys are bound to a name, never to a number
    member = Member(signed_in=False)
    context: Any = chromium.new_context(locale="en-GB")
    page = context.new_page()
    tools = context.new_cdp_session(page)
    tools.send("WebAuthn.enable")
    device = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    more = {"isUserVerified": True, "automaticPresenceSimulation": True}
    tools.send("WebAuthn.addVirtualAuthenticator", {"options": {**device, **more}})

    sign_in(page, here, member)
    page.goto(f"{here}{member.base}/security")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    assert factors.proves_with(factors.factors_of(member.staff.id)) == {"passkey", "recovery"}
    page.get_by_role("button", name=re.compile("Sign out")).click()

    sign_in(page, here, member)
    expect(page.get_by_role("heading", name="Prove that it is you")).to_be_visible()
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("heading", name="Queue")).to_be_visible()
    [passkey] = [one for one in factors.factors_of(member.staff.id) if one.kind == "passkey"]
    assert passkey.last_used_at is not None
    context.close()
