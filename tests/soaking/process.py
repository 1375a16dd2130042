"""A web server or a worker to be killed: ``python -m tests.soaking.process`` with its order as JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def start(verb: str, merchant_id: int, *, port: int = 0) -> subprocess.Popen[str]:
    """A new process that serves the API at ``port`` (``web``) or does the work of mail again and again (``work``)."""
    from django.conf import settings  # noqa: PLC0415 - the process below sets Django up by itself
    from django.db import connections  # noqa: PLC0415 - same

    place = {name: str(connections["default"].settings_dict[name]) for name in ("NAME", "USER", "HOST", "PORT")}
    order = {"verb": verb, "merchant": merchant_id, "port": port, "place": place, "uploads": str(settings.UPLOADS_DIR)}
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.soaking.process"],
        stdin=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "makegood.config.settings",
            "MAKEGOOD_SECRET_KEY": settings.SECRET_KEY,
            "MAKEGOOD_LOG_LEVEL": "CRITICAL",
        },
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(order))
    process.stdin.close()
    return process


def serve(port: int) -> None:
    from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler  # noqa: PLC0415
    from django.core.wsgi import get_wsgi_application  # noqa: PLC0415

    class Quiet(WSGIRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
            """Nobody reads it."""

    class Server(ThreadedWSGIServer):
        daemon_threads = True

    server = Server(("127.0.0.1", port), Quiet)
    server.set_app(get_wsgi_application())
    server.serve_forever(poll_interval=0.05)


def work(merchant_id: int) -> None:
    from makegood.conversations import commands, jobs  # noqa: PLC0415 - once Django is set up
    from makegood.conversations.commands.fetching import mailboxes_to_fetch  # noqa: PLC0415
    from makegood.kit import db, tenancy  # noqa: PLC0415

    with tenancy.acting_for(merchant_id):
        while True:
            for mailbox in mailboxes_to_fetch():
                commands.fetch_mailbox(mailbox)
            # What was stored or queued this moment waits for nobody else: there is one worker.
            jobs.catch_up(db.now() + jobs.PATIENCE)
            time.sleep(0.05)  # the pace of the loop, no race is waited for


def main() -> None:
    import django  # noqa: PLC0415

    django.setup()
    from django.conf import settings  # noqa: PLC0415
    from django.db import connections  # noqa: PLC0415

    order = json.load(sys.stdin)
    connections["default"].settings_dict.update(order["place"])
    settings.UPLOADS_DIR = Path(order["uploads"])
    if order["verb"] == "web":
        serve(order["port"])
    else:
        work(order["merchant"])


if __name__ == "__main__":
    main()
