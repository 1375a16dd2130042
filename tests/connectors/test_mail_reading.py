"""Raw mails as text, files and history: whatever they declare, however broken they are."""

from __future__ import annotations

import binascii
import time
from base64 import b64encode
from email import policy
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makegood.connectors.mail.decoding import decode_header, decode_text
from makegood.connectors.mail.headers import addresses, first_address, ids
from makegood.connectors.mail.html import as_text, make_safe
from makegood.connectors.mail.parse import parse
from tests.connectors.reading import shared_data

ZH = "您好，我的订单还没有收到，请尽快处理。谢谢"
JA = "こんにちは。注文した商品がまだ届いていません。"


@pytest.mark.parametrize(
    ("text", "written_in", "declared"),
    [
        (ZH, "utf-8", "utf-8"),
        (ZH, "gb18030", "gb2312"),
        (ZH, "gbk", ""),
        (ZH, "gbk", "us-ascii"),
        (ZH, "utf-8", "gb2312"),
        (ZH, "utf-8", "iso-8859-1"),
        (ZH, "utf-8", "no-such-charset"),
        (ZH, "gbk", "utf-8"),
        ("您好，我的訂單還沒有收到，請儘快處理。謝謝", "big5", "big5"),
        (JA, "iso2022_jp", "iso-2022-jp"),
        (JA, "iso2022_jp", ""),
        (JA, "cp932", "shift_jis"),
        (JA, "euc_jp", ""),
        (JA, "utf-8", "iso-2022-jp"),
        ("Größe für 12 €", "cp1252", "iso-8859-1"),
        ("안녕하세요 주문한 상품이 오지 않았습니다", "cp949", "ks_c_5601-1987"),
    ],
)
def test_a_text_is_read_in_spite_of_its_declaration(text: str, written_in: str, declared: str) -> None:
    assert decode_text(text.encode(written_in), declared) == text


def test_a_header_cut_within_a_character_is_joined_again() -> None:
    whole = "关于我的订单".encode()
    words = " ".join(f"=?utf-8?B?{b64encode(part).decode()}?=" for part in (whole[:7], whole[7:]))

    assert decode_header(f"Re: {words}") == "Re: 关于我的订单"
    assert decode_header("=?gb2312?Q?=CE=CA=CC=E2?= 1") == "问题 1"
    assert decode_header("raw " + "问题很多".encode("gbk").decode("utf-8", "surrogateescape")) == "raw 问题很多"


def test_addresses_are_found_however_they_are_written() -> None:
    told = '"Wang, Fang" <Wang@Example.com>, a@b.example (Ann), <c@d.example>, undisclosed:; '
    told += "=?utf-8?B?5byg5LiJ?= <z@e.example>"

    assert [(one.name, one.value) for one in addresses(told)] == [
        ("Wang, Fang", "wang@example.com"),
        ("Ann", "a@b.example"),
        ("", "c@d.example"),
        ("张三", "z@e.example"),
    ]
    assert first_address("a@b.example <real@c.example>").value == "real@c.example"
    assert first_address("nobody at all").value == ""
    assert ids("<a@b> junk <c@d>\r\n <a@b>") == ("a@b", "c@d")


def mixed() -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "a@example.com", "s@shop.example", "Pictures"
    mail.set_content("See the picture.")
    mail.add_alternative('<p>See <b>the</b> picture <img src="cid:p1@x"></p>', subtype="html")
    mail.get_payload()[1].add_related(b"\x89PNG....", "image", "png", cid="<p1@x>", filename="照片.png")  # type: ignore[index,union-attr]
    inner = EmailMessage()
    inner["From"], inner["Subject"] = "b@example.com", "Forwarded"
    inner.set_content("The first letter.")
    inner.add_attachment(b"%PDF-1.4", maintype="application", subtype="pdf", filename="receipt.pdf")
    mail.add_attachment(inner)
    return mail


def test_parts_of_every_kind_are_found() -> None:
    mail = parse(mixed().as_bytes())

    assert mail.text.startswith("See the picture.")
    assert "The first letter." in mail.text
    assert [(one.name, one.media_type, one.inline) for one in mail.attachments] == [
        ("照片.png", "image/png", True),
        ("Forwarded.eml", "message/rfc822", False),
        ("receipt.pdf", "application/pdf", False),
    ]


def test_html_loads_nothing_and_runs_nothing() -> None:
    evil = (
        '<script>alert(1)</script><img src="https://spy.example/x.gif"><img src="cid:photo@1"><b onclick="x()">hi</b>'
        '<a href="javascript:x()">a</a><form action="//x"><input></form><style>@import "//x"</style><iframe src="//x">'
    )
    safe = make_safe(evil)

    assert [
        word
        for word in ("script", "spy.example", "onclick", "javascript", "<form", "<input", "style", "<iframe")
        if word in safe
    ] == []
    assert "[photo]" in safe
    assert "<b>hi</b>" in safe


def test_html_alone_is_read_as_text_with_its_quotations() -> None:
    html = "<div>New&nbsp;words<br>second line</div><blockquote>old <p>words</p></blockquote><style>x{}</style>"

    assert as_text(html) == "New words\nsecond line\n> old\n> words"


def test_uuencoded_lines_become_a_file() -> None:
    data = b"some bytes of a file\x00\x01"
    line = binascii.b2a_uu(data).decode()
    mail = parse(f"From: a@b.example\n\nSee below\nbegin 644 note.bin\n{line}`\nend\n".encode())

    assert [(one.name, one.data) for one in mail.attachments] == [("note.bin", data)]
    assert mail.text == "See below\n[note.bin]"


def test_a_winmail_that_cannot_be_opened_stays_a_file() -> None:
    mail = EmailMessage()
    mail["From"] = "a@b.example"
    mail.set_content("see attachment")
    mail.add_attachment(b"\x78\x9f\x3e\x22cut", maintype="application", subtype="ms-tnef", filename="winmail.dat")

    read = parse(mail.as_bytes())

    assert [one.name for one in read.attachments] == ["winmail.dat"]
    assert "TnefUnreadable" in read.defects


def test_old_line_ends_and_a_mark_at_the_beginning_are_borne() -> None:
    raw = b"\xef\xbb\xbfFrom: a@b.example\rSubject: old\r\rtwo\rlines"

    assert (parse(raw).subject, parse(raw).text) == ("old", "two\nlines")


def test_parts_nested_without_end_are_cut_off() -> None:
    raw = b"From: a@b.example\n" + b"".join(
        b'Content-Type: multipart/mixed; boundary="%d"\n\n--%d\n' % (n, n) for n in range(300)
    )
    assert parse(raw).sender.value == "a@b.example"


@given(st.binary(max_size=3000))
def test_no_bytes_break_the_reading(raw: bytes) -> None:
    mail = parse(raw)
    "".join(
        (mail.subject, mail.text, mail.fresh, mail.quoted, mail.html, *(one.name for one in mail.attachments))
    ).encode()


@given(st.lists(st.tuples(st.integers(0, 2000), st.binary(min_size=1, max_size=8)), max_size=12), st.integers(0, 2000))
def test_no_damage_breaks_the_reading(damage: list[tuple[int, bytes]], cut: int) -> None:
    raw = bytearray(mixed().as_bytes(policy=policy.SMTP))
    for at, junk in damage:
        raw[at : at + len(junk)] = junk
    mail = parse(bytes(raw[: max(1, len(raw) - cut)]))

    assert "\0" not in mail.text
    mail.text.encode()


def test_every_mail_of_the_corpus_is_read() -> None:
    folder = shared_data("mail", "dev")
    unread = [
        path.name
        for path in folder.rglob("*")
        if path.is_file() and parse(path.read_bytes()).defects[:1] == ("unreadable",)
    ]

    assert unread == []


@pytest.mark.parametrize(
    "body",
    [
        b"<!--" * 100_000,
        b"<div>" * 100_000,
        b"<blockquote>" * 50_000,
        b"<img " * 80_000,
        b"\n" * 100_000 + b"> a\n" + b" \n" * 50_000 + b"b",
        b"begin 644 x\n" * 15_000,
        (b"-" * 990 + b"\n") * 200,
    ],
)
def test_what_is_made_to_take_long_does_not(body: bytes) -> None:
    began = time.process_time()
    for kind in (b"plain", b"html"):
        parse(b"From: a@b.example\nContent-Type: text/" + kind + b"\n\n" + body)

    assert time.process_time() - began < 3
