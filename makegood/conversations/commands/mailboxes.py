"""Connecting a merchant to its mailboxes: addresses in the open, passwords sealed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from makegood.accounts.actors import Actor, require
from makegood.accounts.states import May
from makegood.connectors.mail.imap import Account
from makegood.conversations.models import Mailbox
from makegood.customers.rules import normalize_contact
from makegood.kit import db, errors, vault

PURPOSE = "makegood/conversations/mailbox-secrets/1"
SECURITIES = ("tls", "starttls", "none")
HERE = {"127.0.0.1", "localhost", "::1"}


class MailboxMalformed(errors.Malformed):
    code = "mailbox_malformed"
    message = "{field}: {value} cannot be used for a mailbox ({rule})."


class MailboxUnknown(errors.Unknown):
    code = "mailbox_unknown"
    message = "There is no mailbox {value}."


@dataclass(frozen=True, slots=True)
class Server:
    """Where mail is fetched from or handed to; an empty host where it is not."""

    host: str = ""
    port: int = 0
    security: str = "tls"
    user: str = ""
    password: str = field(default="", repr=False)


@db.command
def connect_mailbox(
    *,
    address: str,
    imap: Server,
    smtp: Server,
    actor: Actor,
    at: datetime,
    name: str = "",
    folder: str = "INBOX",
    aliases: Sequence[str] = (),
    plus_addresses: bool = True,
    results_from: str = "",
    keep_passwords: bool = False,
) -> Mailbox:
    """Store how a mailbox of the merchant is reached; again to change it. No connection is made.

    ``results_from`` is the name under which the mailbox's server notes whether a sender is who it says (RFC 8601);
    where it is empty, senders are taken at their word. ``keep_passwords``: an empty password leaves the known one.
    Mail that arrived before the day of the first connecting is left alone.
    Raises NotAllowed, ContactMalformed, MailboxMalformed.
    """
    require(actor, May.MANAGE)
    for what, server in (("imap", imap), ("smtp", smtp)):
        _check(what, server)
    known = Mailbox.objects.filter(address=(normal := normalize_contact("email", address))).first()
    results_from = results_from.strip()
    if any(char.isspace() or char == ";" for char in results_from) or len(results_from) > 200:
        raise MailboxMalformed(results_from[:200], field="results_from", rule="a_host_name")
    passwords = {"imap": imap.password, "smtp": smtp.password}
    if keep_passwords and known and known.sealed:
        passwords = {what: new or str(_secrets(known).get(what, "")) for what, new in passwords.items()}
    sealed = vault.seal(passwords, purpose=PURPOSE)
    mailbox, _created = Mailbox.objects.update_or_create(
        address=normal,
        defaults={
            "name": " ".join(name.split())[:120],
            "aliases": [normalize_contact("email", one) for one in aliases],
            "folder": folder or "INBOX",
            "plus_addresses": plus_addresses,
            "imap_host": imap.host,
            "imap_port": imap.port or 993,
            "imap_security": imap.security,
            "imap_user": imap.user or (normal if imap.host else ""),
            "smtp_host": smtp.host,
            "smtp_port": smtp.port or 465,
            "smtp_security": smtp.security,
            "smtp_user": smtp.user,
            "results_from": results_from,
            "sealed": sealed,
            "active": True,
            "failing_since": None,
            "failed_because": "",
            "connected_at": known.connected_at if known else at,
        },
    )
    return mailbox


@db.command
def disconnect_mailbox(*, address: str, actor: Actor) -> None:
    """No longer fetch from or send through a mailbox; what came stays. Raises NotAllowed, MailboxUnknown."""
    require(actor, May.MANAGE)
    mailbox = mailbox_at(address)
    mailbox.active, mailbox.sealed = False, ""
    mailbox.save(update_fields=["active", "sealed"])


def mailbox_at(address: str) -> Mailbox:
    """Inside a transaction. Raises MailboxUnknown."""
    found = Mailbox.objects.filter(address=address.strip().lower()).first()
    if found is None:
        raise MailboxUnknown(address, field="mailbox")
    return found


def imap_account(mailbox: Mailbox) -> Account:
    """How it is reached, its password unsealed. Raises SecretsSealedElsewhere."""
    secrets = _secrets(mailbox)
    return Account(
        host=mailbox.imap_host,
        port=mailbox.imap_port,
        security=mailbox.imap_security,
        user=mailbox.imap_user,
        password=str(secrets.get("imap", "")),
        folder=mailbox.folder,
    )


def smtp_password(mailbox: Mailbox) -> str:
    """Raises SecretsSealedElsewhere."""
    return str(_secrets(mailbox).get("smtp", ""))


def _secrets(mailbox: Mailbox) -> Mapping[str, Any]:
    return vault.unseal(mailbox.sealed, purpose=PURPOSE, name=mailbox.address)


def _check(what: str, server: Server) -> None:
    if server.security not in SECURITIES:
        raise MailboxMalformed(server.security, field=f"{what}.security", rule="|".join(SECURITIES))
    if server.security == "none" and server.host and server.host not in HERE:
        # A password would cross the network to be read by anybody on the way.
        raise MailboxMalformed(server.host, field=f"{what}.security", rule="tls_or_starttls_beyond_this_machine")
    if not 0 <= server.port <= 65535:
        raise MailboxMalformed(server.port, field=f"{what}.port", rule="1_to_65535")
    if any(char.isspace() or ord(char) < 33 for char in server.host):
        raise MailboxMalformed(server.host, field=f"{what}.host", rule="a_host_name")
