"""Real servers of mail on loopback: Dovecot of the system for IMAP, aiosmtpd for SMTP."""

from __future__ import annotations

import getpass
import imaplib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

DOVECOT = shutil.which("dovecot") or "/usr/sbin/dovecot"
PASSWORD = "secret"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Dovecot:
    port: int
    folder: Path

    def put(self, user: str, raw: bytes, *, flags: str = "") -> None:
        """Deliver a mail into the inbox of a user, whom the first delivery makes."""
        with imaplib.IMAP4("127.0.0.1", self.port) as client:
            client.login(user, PASSWORD)
            kind, told = client.append("INBOX", flags, "", raw)
            assert kind == "OK", told

    def empty(self, user: str) -> None:
        """Make the folder anew: its numbering begins again."""
        shutil.rmtree(self.folder / "mail" / user)


CONFIG = """
base_dir={d}/run
state_dir={d}/state
log_path={d}/dovecot.log
protocols=imap
listen=127.0.0.1
ssl=no
disable_plaintext_auth=no
default_internal_user={internal}
default_internal_group={group}
default_login_user={login}
first_valid_uid=1
first_valid_gid=1
mail_location=maildir:{d}/mail/%u
passdb {{
  driver=static
  args=password={password}
}}
userdb {{
  driver=static
  args=uid={uid} gid={gid} home={d}/mail/%u allow_all_users=yes
}}
service imap-login {{
  chroot=
  inet_listener imap {{
    port={port}
  }}
  inet_listener imaps {{
    port=0
  }}
}}
service anvil {{
  chroot=
}}
namespace inbox {{
  inbox=yes
}}
"""


@contextmanager
def dovecot() -> Iterator[Dovecot]:
    """A server that lets every user in with ``secret``; skips where the system has none."""
    if not Path(DOVECOT).exists():
        pytest.skip("dovecot is not installed (Debian: dovecot-imapd)")
    folder = Path(tempfile.mkdtemp(prefix="makegood-imap-"))  # short: sockets of the server lie below it
    port = free_port()
    user = getpass.getuser()
    owner = pwd.getpwnam("nobody" if os.geteuid() == 0 else user)
    internal, login = ("dovecot", "dovenull") if os.geteuid() == 0 else (user, user)
    group = "dovecot" if os.geteuid() == 0 else str(owner.pw_gid)
    (folder / "dovecot.conf").write_text(
        CONFIG.format(d=folder, internal=internal, group=group, login=login, uid=owner.pw_uid, gid=owner.pw_gid,
                      port=port, password=PASSWORD)
    )  # fmt: skip
    (folder / "mail").mkdir()
    folder.chmod(0o755)
    if os.geteuid() == 0:
        os.chown(folder / "mail", owner.pw_uid, owner.pw_gid)
    server = subprocess.Popen([DOVECOT, "-F", "-c", str(folder / "dovecot.conf")], stderr=subprocess.PIPE)
    try:
        wait_until(lambda: answers(port), what=f"dovecot answers ({folder / 'dovecot.log'})")
        yield Dovecot(port, folder)
    finally:
        server.terminate()
        server.wait(timeout=10)
        shutil.rmtree(folder, ignore_errors=True)


def answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as client:
            return client.recv(4).startswith(b"* OK")
    except OSError:
        return False


def wait_until(holds: Callable[[], bool], *, what: str, seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, f"not within {seconds} s: {what}"
        time.sleep(0.02)


@dataclass
class Sink:
    """An SMTP server that keeps what it is given; ``answer`` is what it says to the next ones, in turn."""

    port: int = 0
    mails: list[bytes] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    cut_after_data: bool = False

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        if self.answers and not (answer := self.answers.pop(0)).startswith("250"):
            return answer
        self.mails.append(envelope.content)
        if self.cut_after_data:
            server.transport.abort()
        return "250 OK"

    def read(self) -> list[EmailMessage]:
        return [message_from_bytes(raw, policy=policy.default) for raw in self.mails]


@contextmanager
def smtp_sink() -> Iterator[Sink]:
    sink = Sink(port=free_port())
    controller = Controller(sink, hostname="127.0.0.1", port=sink.port)
    controller.start()
    try:
        yield sink
    finally:
        controller.stop()


def words_of(mail: EmailMessage) -> str:
    """The plain words of a mail, whatever stands beside them."""
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")
