"""Letters of people are told from mails of machines, and bounces say who did not get what."""

from __future__ import annotations

import csv
from collections import Counter

import pytest

from makegood.connectors.mail.parse import parse
from makegood.connectors.mail.sorting import MailKind, Sorted, sort_mail
from tests.connectors.reading import shared_data


def kind_of(*headers: str, body: str = "words", ours: tuple[str, ...] = ("support@shop.example",)) -> Sorted:
    lines = "\n".join(headers)
    if "From:" not in lines:
        lines = f"From: wang@example.com\n{lines}"
    return sort_mail(parse(f"{lines}\n\n{body}".encode()), ours=ours)


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        (["Subject: 我要退货"], MailKind.LETTER),
        (["Subject: Delivery failed, where is my parcel?"], MailKind.LETTER),
        (["Subject: my parcel was returned"], MailKind.LETTER),
        (["Subject: Fwd: Returned mail: see transcript for details"], MailKind.LETTER),
        (["Auto-Submitted: no"], MailKind.LETTER),
        (["Auto-Submitted: auto-generated"], MailKind.AUTO_REPLY),
        (["Auto-Submitted: auto-replied", "Subject: 外出：我在休假"], MailKind.OUT_OF_OFFICE),
        (["Subject: 自动回复: 订单"], MailKind.AUTO_REPLY),
        (["Subject: Automatic reply: order"], MailKind.AUTO_REPLY),
        (["Subject: Out of Office: order"], MailKind.OUT_OF_OFFICE),
        (["X-Auto-Response-Suppress: All"], MailKind.AUTO_REPLY),
        (["X-Autoreply: yes"], MailKind.AUTO_REPLY),
        (["Precedence: auto_reply"], MailKind.AUTO_REPLY),
        (["Precedence: bulk"], MailKind.MAILING_LIST),
        (["List-Id: News <news.example.org>"], MailKind.MAILING_LIST),
        (["List-Id: <support.shop.example>", "Precedence: list"], MailKind.LETTER),
        (["Return-Path: <>"], MailKind.AUTO_REPLY),
        (["From: support@shop.example"], MailKind.LOOP),
        (["From: Support <support+v-23456789.aaaaaaaaaaaaaaaa@shop.example>"], MailKind.LOOP),
        (["X-Makegood-Hops: 1"], MailKind.LOOP),
        (["X-Makegood-Hops: 0"], MailKind.LETTER),
        (["X-Loop: Support@shop.example"], MailKind.LOOP),
        (["X-Failed-Recipients: a@b.example"], MailKind.BOUNCE),
        (["Content-Type: multipart/report; report-type=disposition-notification; boundary=x"], MailKind.RECEIPT),
    ],
)
def test_each_sign_tells_its_kind(headers: list[str], kind: MailKind) -> None:
    assert kind_of(*headers).kind == kind


def test_who_says_that_nobody_reads_there_gets_no_answer() -> None:
    assert kind_of("Subject: x").may_answer
    assert not kind_of("From: no-reply@example.com").may_answer
    assert not kind_of("From: a person without an address").may_answer


@pytest.mark.parametrize(
    ("sender", "subject", "body", "lasting"),
    [
        ("MAILER-DAEMON@mx.example", "failure notice", "<wang@example.com>:\n550 5.1.1 no such user", True),
        ("postmaster@qq.example", "系统退信", "无法投递到 wang@example.com\n550 5.1.1", True),
        ("Mail Delivery System <x@mx.example>", "Undelivered Mail", "<wang@example.com>: mailbox full 5.2.2", False),
        ("mailer-daemon@mx.example", "Warning: could not send", "wang@example.com delayed, will retry 4.4.1", False),
    ],
)
def test_a_bounce_without_a_report_still_says_who_and_whether_for_good(
    sender: str, subject: str, body: str, *, lasting: bool
) -> None:
    found = kind_of(f"From: {sender}", f"Subject: {subject}", body=body)

    assert found.bounce is not None
    assert "wang@example.com" in found.bounce.recipients
    assert found.bounce.lasting is lasting


def test_nearly_every_bounce_of_the_corpus_is_known_and_hardly_a_letter_taken_for_one() -> None:
    """What the index calls a bounce by other people's rules; where we differ it is an auto-reply, or spam about one."""
    folder = shared_data("mail")
    told: Counter[tuple[bool, bool]] = Counter()
    with (folder / "index.csv").open(newline="") as file:
        for row in csv.DictReader(file, quoting=csv.QUOTE_NONE):
            found = sort_mail(parse((folder / row["path"]).read_bytes()))
            told["bounce" in row["categories"].split("|"), found.kind == MailKind.BOUNCE] += 1

    assert told[True, True] / (told[True, True] + told[True, False]) > 0.98
    assert told[False, True] / (told[False, True] + told[False, False]) < 0.1
