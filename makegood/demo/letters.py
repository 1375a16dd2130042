"""Letters that came to the demo shop by mail: raw, and through the very intake that a mailbox uses."""

from __future__ import annotations

from datetime import datetime, timedelta
from email.message import EmailMessage

from makegood.conversations import commands
from makegood.conversations.models import Mailbox
from makegood.demo.people import PEOPLE
from makegood.kit import db

ADDRESS = "service@duskanddawn.example"

_HISTORY = (
    '\n\n------------------ 原始邮件 ------------------\n发件人: "暮光家居" <service@duskanddawn.example>;\n'
    '发送时间: 2026年6月1日(星期一) 上午10:00\n收件人: "唐笑";\n主题: 谢谢光临\n\n感谢您到店选购，欢迎再来。'
)


def receive_letters(*, order_of_anna: str, at: datetime) -> None:
    """Connect a mailbox that reaches nowhere, and let a few mails come in by it."""
    with db.atomically():
        mailbox = Mailbox.objects.create(address=ADDRESS, name="暮光家居 Dusk & Dawn", connected_at=at)
    mails = (
        (30, _mail("anna-falk", "My candle", f"Any news about order {order_of_anna}? The second one burns no longer.")),
        (20, _mail("tang-xiao", "回复：谢谢光临", "请问湖滨店周日几点开门？想带花瓶来配一个底座。" + _HISTORY)),
        (8, _mail("", "Wholesale", "We run three cafés in Shanghai and would like sixty of your moss lamps. "
                  "Whom do we talk to?")),
        (3, _mail("haru-mori", "Automatic reply: your parcel", "I am out of the office until Monday.",
                  automatic=True)),
    )  # fmt: skip
    for hours, raw in mails:
        moment = at - timedelta(hours=hours)
        mail_id = commands.store_mail(mailbox_id=mailbox.id, raw=raw, at=moment)
        if mail_id is not None:
            commands.read_mail(mail_id=mail_id, at=moment)


def _mail(person: str, subject: str, text: str, *, automatic: bool = False) -> bytes:
    mail = EmailMessage()
    name, address = (PEOPLE[person].name, PEOPLE[person].email) if person else ("Mo Lane", "mo@cafe.example")
    mail["From"], mail["To"], mail["Subject"] = f'"{name}" <{address}>', ADDRESS, subject
    mail["Message-ID"] = f"<{person or 'mo'}.{len(text)}@mail.example>"
    if automatic:
        mail["Auto-Submitted"] = "auto-replied"
    mail.set_content(text)
    return mail.as_bytes()
