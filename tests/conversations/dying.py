"""A process that may be killed at a named place: ``python -m tests.conversations.dying`` with its order as JSON."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def dies(verb: str, merchant_id: int, which: int, *, at: datetime, fail_at: str, raw: bytes = b"") -> None:
    """Let a new process do ``verb`` (store, read, fetch, send, bulk) and see that it was killed at that place."""
    from django.conf import settings  # noqa: PLC0415 - the process below sets Django up by itself
    from django.db import connections  # noqa: PLC0415 - same

    place = {name: str(connections["default"].settings_dict[name]) for name in ("NAME", "USER", "HOST", "PORT")}
    order = {"verb": verb, "merchant": merchant_id, "which": which, "at": at.isoformat(), "raw": raw.hex(),
             "place": place, "uploads": str(settings.UPLOADS_DIR)}  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "tests.conversations.dying"],
        input=json.dumps(order),
        text=True,
        cwd=ROOT,
        check=False,
        capture_output=True,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "makegood.config.settings",
            "MAKEGOOD_SECRET_KEY": settings.SECRET_KEY,
            "MAKEGOOD_LOG_LEVEL": "ERROR",
            "MAKEGOOD_FAIL_AT": fail_at,
        },
    )
    assert done.returncode == -signal.SIGKILL, done.stderr


def work(order: dict[str, Any]) -> None:
    from django.conf import settings  # noqa: PLC0415 - once Django is set up
    from django.db import connections  # noqa: PLC0415

    from makegood.cases import commands as cases  # noqa: PLC0415
    from makegood.conversations import commands  # noqa: PLC0415
    from makegood.conversations.models import Mailbox  # noqa: PLC0415
    from makegood.kit import db, tenancy  # noqa: PLC0415

    connections["default"].settings_dict.update(order["place"])
    settings.UPLOADS_DIR = Path(order["uploads"])
    at = datetime.fromisoformat(order["at"])
    with tenancy.acting_for(order["merchant"]):
        if order["verb"] == "store":
            commands.store_mail(mailbox_id=order["which"], raw=bytes.fromhex(order["raw"]), at=at)
        elif order["verb"] == "read":
            commands.read_mail(mail_id=order["which"], at=at)
        elif order["verb"] == "send":
            commands.send_message(message_id=order["which"], at=at)
        elif order["verb"] == "bulk":
            cases.run_bulk(bulk_id=order["which"])
        else:
            with db.atomically():
                mailbox = Mailbox.objects.get(id=order["which"])
            commands.fetch_mailbox(mailbox)


if __name__ == "__main__":
    import django

    django.setup()
    work(json.load(sys.stdin))
