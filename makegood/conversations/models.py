"""Tables of conversations: mailboxes, raw mails, threads, messages and their files; and letters with codes.

What identifies a person or quotes one stands here and in the raw mail beside it, so that it can be erased here.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from makegood.cases.models import Case, CaseText, Evidence
from makegood.conversations.states import Direction, RawState, SendState
from makegood.customers.models import Customer
from makegood.kit.tenant_models import TenantModel, points_at

UNPROVEN = "sender_unproven"  # among the defects of a message: who wrote it may be somebody else


class Letter(TenantModel):
    """A short letter to a contact. One that concerns nobody known is written too, so that both take the same time."""

    to_kind = models.CharField(max_length=10)
    to_value = models.CharField(max_length=200, blank=True)
    language = models.CharField(max_length=10)
    subject = models.CharField(max_length=200)
    body = models.TextField()
    written_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    tried_at = models.DateTimeField(null=True)  # a letter is tried once: a code that came twice would be the old one
    sent_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["merchant_id", "expires_at"], name="letter_by_expiry")]


class Mailbox(TenantModel):
    """An address at which a merchant receives and sends mail. ``sealed`` holds its passwords.

    ``last_uid`` is how far it was read, in the numbering that ``uid_validity`` names.
    """

    address = models.CharField(max_length=200)
    name = models.CharField(max_length=120, blank=True)
    aliases = models.JSONField(default=list)  # other addresses of the merchant that end here
    imap_host = models.CharField(max_length=200, blank=True)
    imap_port = models.PositiveIntegerField(default=993)
    imap_security = models.CharField(max_length=10, default="tls")  # tls|starttls|none
    imap_user = models.CharField(max_length=200, blank=True)
    folder = models.CharField(max_length=200, default="INBOX")
    smtp_host = models.CharField(max_length=200, blank=True)
    smtp_port = models.PositiveIntegerField(default=465)
    smtp_security = models.CharField(max_length=10, default="tls")
    smtp_user = models.CharField(max_length=200, blank=True)
    sealed = models.TextField(blank=True)
    plus_addresses = models.BooleanField(default=True)  # whether local+tag@domain arrives here as well
    results_from = models.CharField(max_length=200, blank=True)  # whose Authentication-Results prove a sender
    active = models.BooleanField(default=True)
    connected_at = models.DateTimeField()
    uid_validity = models.BigIntegerField(null=True)
    last_uid = models.BigIntegerField(default=0)
    looked_at = models.DateTimeField(null=True)
    failing_since = models.DateTimeField(null=True)
    failed_because = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["merchant_id", "address"], name="mailbox_once")]


class Conversation(TenantModel):
    """Messages with one person about one matter. Without a case it waits for an agent to make or name one."""

    ref = models.CharField(max_length=20)
    case = points_at(Case, "conversations", null=True)
    customer = points_at(Customer, "conversations", null=True)
    mailbox = points_at(Mailbox, "conversations", null=True)
    address = models.CharField(max_length=200, blank=True)  # of the other side
    name = models.CharField(max_length=200, blank=True)
    subject = models.CharField(max_length=300, blank=True)
    subject_key = models.CharField(max_length=64, blank=True)
    language = models.CharField(max_length=10)
    waits_for_agent = models.CharField(max_length=20, blank=True)  # why; empty where nothing waits
    opened_at = models.DateTimeField()
    last_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["merchant_id", "ref"], name="conversation_ref_once")]
        indexes: ClassVar = [
            models.Index(fields=["merchant_id", "case"], name="conversation_by_case"),
            models.Index(fields=["merchant_id", "address", "last_at"], name="conversation_by_address"),
            models.Index(
                fields=["merchant_id", "last_at"], name="conversation_inbox", condition=~models.Q(waits_for_agent="")
            ),
        ]


class RawMail(TenantModel):
    """A mail as it came, stored before anything reads it; its bytes lie outside the database under their hash."""

    mailbox = points_at(Mailbox, "raw_mails")
    sha256 = models.CharField(max_length=64)
    size = models.BigIntegerField()
    uid_validity = models.BigIntegerField(null=True)
    uid = models.BigIntegerField(null=True)
    came_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=RawState.choices, default=RawState.STORED)
    kind = models.CharField(max_length=20, blank=True)
    why = models.CharField(max_length=120, blank=True)
    outcome = models.CharField(max_length=20, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["merchant_id", "mailbox", "sha256"], name="raw_mail_once")
        ]
        indexes: ClassVar = [
            models.Index(fields=["came_at"], name="raw_mail_unread", condition=models.Q(state="stored")),
        ]


class Message(TenantModel):
    """One message, in or out. ``body`` holds the new words, ``quoted`` the history cut off, ``html`` a safe view.

    A letter of the customer on a case is also a text of the case (``text``), which portal and desk show in one
    thread. ``internal``: kept for agents only, because whether the sender has rights over the case is not known.
    """

    conversation = points_at(Conversation, "messages")
    raw = points_at(RawMail, "messages", null=True)
    text = points_at(CaseText, "messages", null=True)
    direction = models.CharField(max_length=3, choices=Direction.choices)
    kind = models.CharField(max_length=20)
    author = models.CharField(max_length=60)
    internal = models.BooleanField(default=False)
    automatic = models.BooleanField(default=False)
    message_id = models.CharField(max_length=255, blank=True)
    refers_to = models.JSONField(default=list)
    sender = models.CharField(max_length=200, blank=True)
    sender_name = models.CharField(max_length=200, blank=True)
    recipient = models.CharField(max_length=200, blank=True)
    subject = models.CharField(max_length=300, blank=True)
    body = models.TextField(blank=True)
    quoted = models.TextField(blank=True)
    html = models.TextField(blank=True)
    content_key = models.CharField(max_length=64, blank=True)
    defects = models.JSONField(default=list)
    hops = models.PositiveSmallIntegerField(default=0)
    written_at = models.DateTimeField()
    state = models.CharField(max_length=12, choices=SendState.choices, default=SendState.RECEIVED)
    due_at = models.DateTimeField(null=True)  # when the sweep takes it up, where no job did
    attempts = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    failed_because = models.CharField(max_length=300, blank=True)
    request_key = models.CharField(max_length=80, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["merchant_id", "request_key"], name="message_once", condition=~models.Q(request_key="")
            ),
            models.UniqueConstraint(
                fields=["merchant_id", "message_id"], name="own_message_id_once", condition=models.Q(direction="out")
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["merchant_id", "conversation", "id"], name="message_in_order"),
            models.Index(fields=["merchant_id", "message_id"], name="message_by_id"),
            models.Index(
                fields=["merchant_id", "text"], name="message_by_text", condition=models.Q(text__isnull=False)
            ),
            models.Index(
                fields=["due_at"], name="message_to_send", condition=models.Q(state__in=["queued", "sending"])
            ),
        ]


class MessageFile(TenantModel):
    """A file of a message as kept, or the reason why it was not taken; the original mail still holds it."""

    message = points_at(Message, "files")
    evidence = points_at(Evidence, "+", null=True)
    name = models.CharField(max_length=200)
    media_type = models.CharField(max_length=100)
    size = models.BigIntegerField()
    sha256 = models.CharField(max_length=64, blank=True)
    inline = models.BooleanField(default=False)
    refused = models.CharField(max_length=40, blank=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["merchant_id", "message"], name="file_by_message")]


class ChatKey(TenantModel):
    """A secret with which a merchant's shop signs who its user is, sealed; ended ones sign for nobody any more."""

    ref = models.CharField(max_length=20)
    sealed = models.TextField()
    made_by = models.CharField(max_length=60)
    made_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["merchant_id", "ref"], name="chat_key_ref_once")]


class ChatToken(TenantModel):
    """A token of a shop that was shown here: by its first browser, and by no other until it expires."""

    digest = models.CharField(max_length=64)
    address = models.CharField(max_length=60)  # of the browser's conversation
    expires_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["merchant_id", "digest"], name="chat_token_once")]
