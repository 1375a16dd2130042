"""How many mails a second come in through the whole intake, against reading the same mails alone."""

from __future__ import annotations

import tempfile
from email.message import EmailMessage
from pathlib import Path
from statistics import median
from time import perf_counter

from bench.figures import Figure
from bench.ground import NOON, Ground, open_merchant

ROUNDS = 3
MAILS = 400
_HISTORY = "\n\n在 2026年11月16日周一 10:00，某店 <support@shop.example> 写道：\n\n> 您好，请补充照片\n> 谢谢"


def measure(ground: Ground) -> list[Figure]:
    """``mail.intake_vs_parsing``."""
    mails = [_mail(n) for n in range(MAILS if ground.size.peers else 20)]
    rounds = [_once(mails, nth) for nth in range(ROUNDS if ground.size.peers else 1)]
    return [
        Figure(
            "mail.intake_vs_parsing",
            median(parsing / intake for parsing, intake in rounds),
            f"{len(mails)} mails (letters with history, every fourth with HTML and every tenth a bounce) stored, read,"
            " sorted and placed, two commits and a flushed file each, against parsing and sorting them; one process,"
            f" median of {len(rounds)} rounds in turns",
            {
                "mails_per_second": round(len(mails) / median(intake for _parsing, intake in rounds)),
                "parsed_per_second": round(len(mails) / median(parsing for parsing, _intake in rounds)),
            },
        )
    ]


def _once(mails: list[bytes], nth: int) -> tuple[float, float]:
    """Seconds of parsing alone, and of the whole intake."""
    from django.test import override_settings

    from makegood.connectors.mail.parse import parse
    from makegood.connectors.mail.sorting import sort_mail
    from makegood.conversations.commands import read_mail, store_mail
    from makegood.conversations.models import Mailbox
    from makegood.kit import db, tenancy

    began = perf_counter()
    for raw in mails:
        sort_mail(parse(raw), ours=("support@shop.example",))
    parsing = perf_counter() - began
    merchant_id = open_merchant()
    with (
        tempfile.TemporaryDirectory() as uploads,
        override_settings(UPLOADS_DIR=Path(uploads)),
        tenancy.acting_for(merchant_id),
    ):
        with db.atomically():
            mailbox = Mailbox.objects.create(address="support@shop.example", connected_at=NOON)
        began = perf_counter()
        for raw in mails:
            mail_id = store_mail(mailbox_id=mailbox.id, raw=b"X-Round: %d\n" % nth + raw, at=NOON)
            assert mail_id is not None
            read_mail(mail_id=mail_id, at=NOON)
        return parsing, perf_counter() - began


def _mail(number: int) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"] = f"c{number}@example.com", "support@shop.example"
    mail["Subject"], mail["Message-ID"] = f"我的订单 {number}", f"<{number}@mail.example>"
    if number % 10 == 0:
        mail.replace_header("From", "MAILER-DAEMON@mx.example")
        mail["X-Failed-Recipients"] = f"c{number}@example.com"
    mail.set_content(f"订单 {number} 还没有收到，请帮忙看看。" * 10 + _HISTORY)
    if number % 4 == 0:
        mail.add_alternative("<p>订单还没有收到，请帮忙看看。</p>" * 30, subtype="html")
    return mail.as_bytes()
