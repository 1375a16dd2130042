"""Live chat: each message once and in order, whatever the network does; the customer's words only for the customer."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
import pytest
from django.db import connections
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, Page, Route, expect

from makegood.accounts.states import Role
from makegood.cases import commands as cases
from makegood.cases.commands.writing import ReplyNotHeld
from makegood.cases.models import CaseText
from makegood.conversations import commands as conversations
from makegood.conversations.commands import vouching
from makegood.conversations.models import ChatKey, Conversation, Message
from makegood.kit import db, tenancy
from tests.conftest import open_merchant
from tests.desk.working import Member
from tests.live.serving import until, web
from tests.portal.visiting import code_for, contact_of, slug
from tests.shop import AGENT, OWNER, Bought, ask, sell


class Window:
    """What the chat window asks of the server."""

    def __init__(self, shop: str = "", *, language: str = "en") -> None:
        self.base = f"/chat/{shop or slug()}/"
        self.client = Client(headers={"Accept-Language": language})
        self.visitor = self.client.post(self.base + "begin").json()["visitor"]

    def post(self, path: str, **sent: str) -> Any:
        return self.client.post(
            self.base + path,
            json.dumps(sent),
            content_type="application/json",
            headers={"X-Chat-Visitor": self.visitor},
        )

    def say(self, body: str, client: str = "") -> Any:
        return self.post("say", body=body, client=client or str(uuid.uuid4()))

    def said(self, after: int = 0) -> list[dict[str, Any]]:
        answer = self.client.get(f"{self.base}said?after={after}", headers={"X-Chat-Visitor": self.visitor})
        found: list[dict[str, Any]] = answer.json()["said"]
        return found

    def conversation(self) -> Conversation:
        with db.atomically():
            return Conversation.objects.get(id=Message.objects.get(id=self.said()[0]["id"]).conversation_id)


def test_a_message_sent_again_is_the_same_message(merchant: int) -> None:
    window = Window()
    name = str(uuid.uuid4())
    answers: list[int] = []

    def send() -> None:
        with tenancy.acting_for(merchant):
            answers.append(window.say("Hello, my lamp is broken", name).json()["id"])
        connections.close_all()

    threads = [threading.Thread(target=send) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(set(answers)) == 1
    assert [one["body"] for one in window.said() if one["mine"]] == ["Hello, my lamp is broken"]
    assert [one["client"] for one in window.said() if one["mine"]] == [name]


def test_an_agent_answers_and_the_window_has_it_once(merchant: int) -> None:
    window, agent = Window(), Member()
    window.say("Is anybody there?")
    ref = window.conversation().ref
    assert "Is anybody there?" in agent.get("/inbox").content.decode()
    assert agent.post(f"/inbox/{ref}/do/reply", {"body": "Yes, how can I help?"}).status_code == 302
    told = window.said()
    assert [(one["by"], one["body"]) for one in told][-1] == ("staff", "Yes, how can I help?")
    assert window.said(after=told[-1]["id"]) == []
    assert ref not in agent.get("/inbox").content.decode()


def test_what_is_numbered_first_is_kept_first(merchant: int) -> None:
    """An answer that is not kept yet must not get a lower number than what a window was shown already."""
    window = Window()
    window.say("first")
    conversation, said = window.conversation(), threading.Event()

    def say() -> None:
        with tenancy.acting_for(merchant):
            window.say("meanwhile")
        said.set()
        connections.close_all()

    visitor = threading.Thread(target=say)
    with db.together():
        conversations.reply_without_case(ref=conversation.ref, body="an answer", actor=AGENT, at=timezone.now())
        visitor.start()
        assert not said.wait(0.5)
    visitor.join(10)
    assert [one["body"] for one in window.said() if one["by"] != "machine"] == ["first", "an answer", "meanwhile"]


def test_where_is_my_case_is_told_after_a_code_and_to_nobody_else(merchant: int) -> None:
    order = sell()
    case = ask(order, "return", "changed_mind")
    window, stranger = Window(language="zh-hans"), Window()
    window.say("我的售后到哪了")
    assert case.ref not in json.dumps(window.said())
    window.post("code", order=order.number, contact=contact_of(order))
    assert window.post("prove", order=order.number, contact=contact_of(order), code="000000").status_code == 403
    proved = window.post("prove", order=order.number, contact=contact_of(order), code=code_for(order))
    assert proved.status_code == 200, proved.content
    assert case.ref in proved.json()["said"][-1]["body"]
    assert "由商家处理，最迟" in proved.json()["said"][-1]["body"]
    stranger.say("where is my case")
    assert case.ref not in json.dumps(stranger.said())


def test_on_a_case_both_sides_stand_in_its_conversation(merchant: int) -> None:
    order = sell()
    case = ask(order, "return", "changed_mind")
    window = Window()
    window.say("It came with a scratch")
    window.post("code", order=order.number, contact=contact_of(order))
    window.post("prove", order=order.number, contact=contact_of(order), code=code_for(order))
    at = timezone.now()
    with db.together():
        conversations.attach_to_case(ref=window.conversation().ref, case_ref=case.ref, actor=AGENT, at=at)
    window.say("And here is more")
    cases.add_message(ref=case.ref, body="We look at it today", actor=AGENT, at=at)
    with db.atomically():
        text = db.fetch("select id from cases_casetext where case_id = %s order by id desc limit 1", [case.id])[0]["id"]
    for _ in range(2):
        conversations.send_reply(text_id=text, at=at)
    bodies = [one["body"] for one in window.said() if one["by"] != "machine"]
    assert bodies == ["It came with a scratch", "And here is more", "We look at it today"]
    with db.atomically():
        texts = [
            r["body"] for r in db.fetch("select body from cases_casetext where case_id = %s order by id", [case.id])
        ]
    assert texts == ["It came with a scratch", "And here is more", "We look at it today"]


def test_what_is_said_in_the_window_of_a_merged_case_stands_on_the_case_it_is_part_of(merchant: int) -> None:
    order = sell(Bought(2, 20_000))
    part, whole = ask(order, "return", "damaged", ("1", 1)), ask(order, "claim", "defective", ("1", 1))
    window, at = Window(), timezone.now()
    window.say("It came with a scratch")
    window.post("code", order=order.number, contact=contact_of(order))
    window.post("prove", order=order.number, contact=contact_of(order), code=code_for(order))
    with db.together():
        conversations.attach_to_case(ref=window.conversation().ref, case_ref=part.ref, actor=AGENT, at=at)
    cases.merge_case(ref=part.ref, into=whole.ref, actor=AGENT, at=at)

    said = window.say("And here is more").json()["id"]

    with db.atomically():
        text = CaseText.objects.get(messages__id=said)
    assert (text.case_id, text.came_by_id, text.body) == (whole.id, part.id, "And here is more")


def test_no_answer_in_the_window_says_more_than_was_decided(merchant: int) -> None:
    window = Window()
    window.say("My lamp is broken")
    ref, at = window.conversation().ref, timezone.now()

    with pytest.raises(ReplyNotHeld):
        conversations.reply_without_case(ref=ref, body="We refund you 50.00 EUR.", actor=AGENT, at=at)

    assert [one["by"] for one in window.said()] == ["visitor", "machine"]


def test_a_secret_opens_one_merchant_and_nonsense_opens_nothing(merchant: int) -> None:
    window = Window()
    window.say("hello")
    other = open_merchant()
    with tenancy.acting_for(other):
        foreign = f"/chat/{slug()}/said"
    found = window.client.get(foreign, headers={"X-Chat-Visitor": window.visitor})
    assert found.json()["said"] == []
    assert window.client.get(f"{window.base}said", headers={"X-Chat-Visitor": "x"}).status_code == 403
    assert window.post("say", body="", client=str(uuid.uuid4())).status_code == 422
    assert window.client.get(f"{window.base}hear", headers={"X-Chat-Visitor": "y"}).status_code == 403


def test_a_window_hears_that_something_was_said_in_it_and_of_no_other(merchant: int) -> None:
    window, stranger = Window(), Window()

    def hear(who: Window, since: str = "") -> str:
        answer = who.client.get(f"{who.base}hear?since={since}", headers={"X-Chat-Visitor": who.visitor})
        return answer.content.decode()

    place = hear(window).split("id: ")[1].split("\n")[0]
    window.say("hello")
    assert '"kind":"changed"' in hear(window, place)
    assert "data:" not in hear(stranger, place)


def test_the_shop_says_who_its_user_is(merchant: int) -> None:
    order = sell()
    case = ask(order, "return", "changed_mind")
    key = vouching.make_chat_key(actor=OWNER, at=timezone.now())
    token = _signed(key, email=contact_of(order))
    window, thief = Window(), Window()
    for _ in range(2):  # a page that is loaded again shows the same token
        assert window.post("vouch", token=token).json() == {"known": True}
    window.say("where is my case")
    assert case.ref in json.dumps(window.said())
    assert thief.post("vouch", token=token).json()["code"] == "chat_token_refused"
    thief.say("where is my case")
    assert case.ref not in json.dumps(thief.said())
    # Somebody else signs in at the same browser: a chat of their own, never this one.
    other = sell()
    assert contact_of(other) != contact_of(order)
    assert (
        window.post("vouch", token=_signed(key, email=contact_of(other))).json()["code"] == "chat_of_another_customer"
    )
    # Nobody we know: a visitor like any other.
    assert Window().post("vouch", token=_signed(key, email="nobody@example.net")).json() == {"known": False}


@pytest.mark.parametrize(
    ("rule", "changed"),
    [
        ("expired", {"exp": -1}),
        ("at_most_an_hour", {"exp": 7200}),
        ("at_most_an_hour", {"iat": 600, "exp": 900}),
        ("for_another_shop", {"aud": "another-shop"}),
        ("not_signed_so", {"jti": None}),
        ("not_signed_so", {"secret": "x" * 48}),
        ("not_signed_so", {"algorithm": "none", "secret": None}),
        ("not_signed_so", {"algorithm": "HS512"}),
        ("unknown_key", {"kid": "K-NONE"}),
    ],
)
def test_a_token_that_does_not_hold_is_refused(merchant: int, rule: str, changed: dict[str, Any]) -> None:
    order = sell()
    key = vouching.make_chat_key(actor=OWNER, at=timezone.now())
    answer = Window().post("vouch", token=_signed(key, email=contact_of(order), **changed))
    assert (answer.status_code, rule in answer.json()["text"]) == (403, True)


def test_a_secret_of_another_merchant_or_an_ended_one_signs_for_nobody(merchant: int) -> None:
    order, at = sell(), timezone.now()
    ended = vouching.make_chat_key(actor=OWNER, at=at)
    token = _signed(ended, email=contact_of(order))
    vouching.end_chat_key(ref=ended.ref, actor=OWNER, at=at)
    assert Window().post("vouch", token=token).status_code == 403
    with tenancy.acting_for(open_merchant()):
        foreign = vouching.make_chat_key(actor=OWNER, at=at)
    assert Window().post("vouch", token=_signed(foreign, email=contact_of(order))).status_code == 403
    assert Window().post("vouch", token="nonsense").status_code == 403


def test_secrets_are_made_and_ended_at_the_desk_by_who_manages(merchant: int) -> None:
    owner = Member(Role.OWNER)
    made = owner.post("/chat-window", {"do": "make"}).content.decode()
    with db.atomically():
        [key] = ChatKey.objects.all()
    assert key.ref in made
    assert "data-shop" in made
    owner.post("/chat-window", {"do": "make"})
    assert "already" in owner.post("/chat-window", {"do": "make"}).content.decode()
    owner.post("/chat-window", {"do": "end", "key": key.ref})
    with db.atomically():
        assert ChatKey.objects.filter(ended_at=None).count() == 1
    assert Member().get("/chat-window").status_code == 403


def _signed(key: vouching.NewKey, *, email: str, **changed: Any) -> str:
    """As a shop's server does it."""
    now = int(timezone.now().timestamp())
    claims = {"aud": changed.get("aud", slug()), "email": email, "jti": changed.get("jti", str(uuid.uuid4()))}
    claims |= {"iat": now + changed.get("iat", 0), "exp": now + changed.get("exp", 600)}
    return jwt.encode(
        {name: value for name, value in claims.items() if value is not None},
        changed.get("secret", key.secret),
        algorithm=changed.get("algorithm", "HS256"),
        headers={"kid": changed.get("kid", key.ref)},
    )


def test_who_says_too_much_waits(merchant: int) -> None:
    window = Window()
    assert [window.say(f"m{n}").status_code for n in range(41)][-2:] == [200, 429]


@pytest.fixture
def shop_page() -> Iterator[Any]:
    """A shop's own page on another origin, with a strict policy, that loads the one script."""
    state = {"script": ""}

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            origin = state["script"].split("/chat/")[0]
            body = (
                f'<!doctype html><html lang="en"><title>Shop</title><h1>Our shop</h1>'
                f'<script src="{state["script"]}" data-shop="{state["shop"]}" defer></script>'
            ).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            policy = f"default-src 'none'; script-src {origin}; frame-src {origin}; style-src 'none'"
            self.send_header("Content-Security-Policy", policy)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
            """Nothing to say."""

    server = ThreadingHTTPServer(("127.0.0.2", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    state["address"] = f"http://127.0.0.2:{server.server_port}/"
    yield state
    server.shutdown()


def test_in_a_shops_page_two_tabs_a_reload_and_a_cut_lose_and_double_nothing(
    merchant: int, chromium: Browser, shop_page: Any
) -> None:
    agent = Member()
    with web() as site:
        shop_page.update(script=f"{site}/chat/widget.js", shop=slug())
        context = chromium.new_context(locale="en-GB", viewport={"width": 1280, "height": 800})
        context.set_default_timeout(15_000)
        first = context.new_page()
        problems: list[str] = []
        first.on("console", lambda said: problems.append(said.text) if "Content Security" in said.text else None)
        _open(first, shop_page["address"])
        # The second tab opens while the first words are still on their way: it hears of them when they are kept.
        held: list[Route] = []
        first.route("**/say", lambda route: held.append(route))  # noqa: PLW0108 - it must be a function
        with first.expect_request("**/say"):
            _say(first, "first words")
        second = context.new_page()
        with second.expect_response("**/said?*"):
            _open(second, shop_page["address"])
        expect(second.frame_locator("iframe").locator("#words")).to_be_enabled()
        held[0].continue_()
        first.unroute("**/say")
        _has(second, ["first words"])
        _say(second, "from the second tab")
        _has(first, ["first words", "from the second tab"])
        context.set_offline(True)
        _say(first, "while the network was away")
        first.wait_for_timeout(600)
        context.set_offline(False)
        wanted = ["first words", "from the second tab", "while the network was away"]
        _has(first, wanted)
        _has(second, wanted)
        with db.atomically():
            ref = Conversation.objects.get().ref
        agent.post(f"/inbox/{ref}/do/reply", {"body": "we are here"})
        for page in (first, second):
            expect(page.frame_locator("iframe").locator("#said li.staff p")).to_have_text(["we are here"])
        first.reload()
        first.get_by_role("button", name="Chat with us").click()
        _has(first, wanted)
        expect(first.frame_locator("iframe").locator("#said li.staff p")).to_have_text(["we are here"])
        assert problems == []
        context.close()
    with db.atomically():
        until(lambda: Message.objects.filter(direction="in").count() == 3, "not three messages")


def _open(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_role("button", name="Chat with us").click()


def _say(page: Page, words: str) -> None:
    frame = page.frame_locator("iframe")
    frame.locator("#words").fill(words)
    frame.locator("#words").press("Enter")


def _has(page: Page, words: list[str]) -> None:
    found = page.frame_locator("iframe").locator("#said li.mine:not(.unsent) p")
    expect(found).to_have_text(words, timeout=15_000)
