"""Roles, and what each may do."""

from __future__ import annotations

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Role(TextChoices):
    AGENT = "agent", _("agent")
    REVIEWER = "reviewer", _("reviewer")
    MANAGER = "manager", _("manager")
    OWNER = "owner", _("owner")
    INTEGRATION = "integration", _("integration")


class ShopKind(TextChoices):
    ONLINE = "online", _("online shop")
    OFFLINE = "offline", _("offline shop")
    MICRO = "micro", _("micro-shop")


class FactorKind(TextChoices):
    """What proves a person beside the password."""

    TOTP = "totp", _("authenticator app")
    PASSKEY = "passkey", _("passkey")
    RECOVERY = "recovery", _("recovery code")


class May(TextChoices):
    """What a person or token may be allowed to do; scopes of a token have the same names."""

    READ = "read", _("read cases and orders")
    WRITE_ORDERS = "orders:write", _("bring orders and parcel events in")
    FILE = "cases:file", _("file cases for customers")
    HANDLE = "cases:handle", _("verify, decide and answer cases")
    APPROVE = "cases:approve", _("approve within one's limit")
    REVIEW = "cases:review", _("review appeals")
    OVERRULE = "replies:overrule", _("send a reply beyond what was decided, with a reason")
    GOODWILL = "goodwill", _("approve goodwill budgets")
    CONFIRM_PAYOUT = "payouts:confirm", _("confirm payouts made by hand")
    OVERSEE = "oversee", _("see the overview and export it")
    POLICY = "policy", _("change the merchant's own policy")
    MANAGE = "manage", _("manage staff, tokens and settings")


_AGENT = {May.READ, May.FILE, May.HANDLE, May.APPROVE}
_REVIEWER = _AGENT | {May.REVIEW}
_MANAGER = _REVIEWER | {May.OVERRULE, May.GOODWILL, May.CONFIRM_PAYOUT, May.WRITE_ORDERS, May.POLICY, May.OVERSEE}

ALLOWED: dict[str, frozenset[str]] = {
    Role.AGENT: frozenset(_AGENT),
    Role.REVIEWER: frozenset(_REVIEWER),
    Role.MANAGER: frozenset(_MANAGER),
    Role.OWNER: frozenset(_MANAGER | {May.MANAGE}),
    Role.INTEGRATION: frozenset({May.READ, May.FILE, May.WRITE_ORDERS}),
}
