"""Every page in both languages: no English left in Chinese pages nor the other way, but for what people wrote."""

from __future__ import annotations

from typing import Any

import pytest

from makegood.accounts.queries import merchant_id_by_slug
from makegood.demo.load import SLUG
from makegood.kit import db, tenancy
from makegood.policy.registry import shipped_registry
from tests.browser import every_page
from tests.browser.readable import foreign_words

pytestmark = pytest.mark.timeout(180)

# Names that are the same in Chinese: of products, formats, standards and laws.
NAMES = frozenset(
    {
        "Makegood",
        "English",
        "OpenAPI",
        "JavaScript",
        "Stripe",
        "Amazon",
        "kB",
        "Ctrl",
        "Enter",
        "Esc",
        "Alt",
        "Shift",
        "Tab",
        "house",
        "Idempotency-Key",
        "Authentication-Results",
        "STARTTLS",
        "INBOX",
        "null",
        "Mod",
        "Mac",
        "Cmd",
    }
)
# Names of the policy's language and of the ledger's accounts, which the desk shows as they are written.
AS_WRITTEN = frozenset({
    "house", "cn", "eu", "uk", "us", "known", "evidence", "photo", "or", "and", "not", "in", "true", "false", "receipt",
    "report", "line", "case", "market", "order", "state", "parcel", "position", "amount", "pending", "processed",
    "shipped", "lost", "replacement", "repair", "refund", "distance", "claims", "goods", "money", "shipping", "value",
    "sold", "captured", "paid", "wallet", "manual", "kind", "suggestion", "lines", "reason", "delivery", "channel",
    "portal", "statement", "staff", "token", "webhook", "system", "shop", "https", "card",
    "makegood", "phone", "connect", "received", "cancelled", "ebay", "visa", "mastercard", "paypal", "talk", "to",
    "carrier", "stripe", "imap", "smtp", "mx", "example",
    "customer", "merchant", "figures", "cases", "file", "read",
})  # fmt: skip
# Columns of the demo that hold words of people or names of goods.
DATA = (
    "select title from orders_line union select sku from orders_line union select carrier from orders_parcel"
    " union select name from customers_customer union select body from cases_casetext"
    " union select name from cases_evidence union select name from accounts_staff"
    " union select name_zh from accounts_merchant union select name_en from accounts_merchant"
    " union select body from conversations_message union select subject from conversations_message"
    " union select subject from conversations_conversation union select name from conversations_conversation"
    " union select sender_name from conversations_message union select name from cases_budget"
    " union select why from cases_decision union select how from cases_finding union select category from orders_line"
    " union select why from conversations_rawmail union select quoted from conversations_message"
    " union select subject from conversations_letter union select body from conversations_letter"
    " union select name from cases_savedview"
)


@db.query
def texts_of_people() -> list[str]:
    found = [str(row["title"]) for row in db.fetch(DATA, []) if row["title"]]
    cites = [cite.text for pack in shipped_registry().packs for rule in pack.rules for cite in rule.cites]
    return [*found, *cites, *(line for text in found for line in text.splitlines())]


@pytest.mark.usefixtures("demo_visits")
def test_every_address_is_looked_at_or_said_to_be_no_page() -> None:
    assert every_page.without_example() == []


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_no_page_mixes_languages(demo_visits: list[every_page.Visit], language: str) -> None:
    with tenancy.acting_for(merchant_id_by_slug(SLUG)):
        own = texts_of_people()
    clients = {who: every_page.client_of(who, language=language) for who in {one.who for one in demo_visits}}
    spelling = "en" if language == "en" else "zh-Hans"
    wrong: dict[str, Any] = {}
    for one in demo_visits:
        answer = clients[one.who].get(one.path, follow=True)
        html = answer.content.decode()
        if answer.status_code not in {200, 404, 410} or f'<html lang="{spelling}"' not in html:
            wrong[one.name] = (answer.status_code, html[:200])
        elif found := foreign_words(
            html, own=own, allowed=NAMES | AS_WRITTEN if one.name.startswith("desk:") else NAMES
        ):
            wrong[one.name] = found

    assert wrong == {}
