"""Raw mails through the real intake: stored, read by the job, sorted and placed, as if a mailbox had brought them."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog

from makegood.accounts.commands import open_merchant
from makegood.conversations.commands import read_mail, store_mail
from makegood.conversations.models import Mailbox, RawMail
from makegood.conversations.states import Outcome
from makegood.kit import db, errors, tenancy

log = structlog.get_logger()

NO_MAILS = {".csv", ".md", ".json", ".py", ".zip", ".gz", ".pdf"}


class FolderUnreadable(errors.Malformed):
    code = "mail_folder_unreadable"
    message = "{field}: there are no mails in {value}."


@dataclass
class Report:
    """``cases_opened`` began something an agent must see to: a case, or a conversation that waits to become one."""

    mails: int = 0
    crashed: list[dict[str, str]] = field(default_factory=list)
    opened: Counter[str] = field(default_factory=Counter)
    threaded: int = 0
    ignored: Counter[str] = field(default_factory=Counter)
    unreadable: int = 0
    sorted_as: dict[str, str] = field(default_factory=dict)  # by path, for comparing with what is known of the mails

    def as_json(self) -> dict[str, Any]:
        kinds = ("bounce", "auto_reply", "out_of_office", "mailing_list", "receipt", "loop", "duplicate")
        return {
            "mails": self.mails,
            "crashed": len(self.crashed),
            "cases_opened": sum(self.opened.values()),
            "opened": {"case": self.opened[Outcome.OPENED_CASE], "conversation": self.opened[Outcome.OPENED]},
            "threaded": self.threaded,
            "ignored": {kind: self.ignored[kind] for kind in kinds},
            "unreadable": self.unreadable,
            "crashes": self.crashed,
        }


def mails_in(folder: Path) -> list[Path]:
    """The mails of a folder: those its ``index.csv`` lists, else every file. Raises FolderUnreadable."""
    index = folder / "index.csv"
    if index.is_file():
        with index.open(newline="", encoding="utf-8", errors="replace") as file:
            # Quotes in it are signs of the mails themselves.
            listed = [folder / row[0] for row in csv.reader(file, quoting=csv.QUOTE_NONE) if row]
        found = sorted({path for path in listed if path.is_file()})
    else:
        found = sorted(
            path
            for path in folder.rglob("*")
            if path.is_file() and not path.name.startswith(".") and path.suffix.lower() not in NO_MAILS
        )
    if not found:
        raise FolderUnreadable(folder, field="--folder", rule="at_least_one_mail")
    return found


def feed(folder: Path, *, at: datetime, progress: Callable[[int, int], None] = lambda _done, _all: None) -> Report:
    """Feed every mail to the intake of a fresh merchant, in the order of their names. Raises FolderUnreadable."""
    paths = mails_in(folder)
    merchant_id = open_merchant(
        slug="conformance-mail", name_zh="邮件测试", name_en="Mail trial", market="CN", currency="CNY",
        time_zone="Asia/Shanghai", at=at,
    )  # fmt: skip
    report = Report()
    with tenancy.acting_for(merchant_id):
        with db.atomically():
            mailbox = Mailbox.objects.create(address="support@makegood.example", connected_at=at)
        for done, path in enumerate(paths, start=1):
            _feed_one(report, path, folder, mailbox.id, at)
            progress(done, len(paths))
    return report


def _feed_one(report: Report, path: Path, folder: Path, mailbox_id: int, at: datetime) -> None:
    name = path.relative_to(folder).as_posix()
    report.mails += 1
    try:
        mail_id = store_mail(mailbox_id=mailbox_id, raw=path.read_bytes(), at=at)
        if mail_id is None:
            report.ignored["duplicate"] += 1
            return
        read_mail(mail_id=mail_id, at=at)
        raw, unreadable = _outcome(mail_id)
    except Exception as failure:
        # To count crashes is what this command is for; each is told with its mail.
        log.exception("mail_crashed", mail=name)
        report.crashed.append({"mail": name, "why": f"{type(failure).__name__}: {failure}"[:200]})
        return
    report.sorted_as[name] = raw.kind
    report.unreadable += unreadable
    if raw.outcome == Outcome.DUPLICATE:
        report.ignored["duplicate"] += 1
    elif raw.outcome == Outcome.KEPT:
        report.ignored[raw.kind] += 1
    elif raw.outcome == Outcome.JOINED:
        report.threaded += 1
    else:
        report.opened[raw.outcome] += 1


@db.query
def _outcome(mail_id: int) -> tuple[RawMail, bool]:
    raw = RawMail.objects.get(id=mail_id)
    message = raw.messages.first()
    return raw, message is not None and any(one.startswith("unreadable") for one in message.defects)
