"""Connecting a merchant to a gateway: settings in the open, secrets sealed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from makegood.accounts.actors import Actor, require
from makegood.accounts.states import May
from makegood.connectors import registry
from makegood.kit import db, errors
from makegood.settlement import gateways, vault
from makegood.settlement.models import GatewayAccount

SECRET_SETTINGS = frozenset({"api_key"})


class GatewayAccountMalformed(errors.Malformed):
    code = "gateway_account_malformed"
    message = "{field}: {value} cannot be used for a gateway ({rule})."


@db.command
def connect_gateway(
    *,
    name: str,
    settings: Mapping[str, object],
    webhook_secrets: Sequence[str] = (),
    actor: Actor,
    at: datetime,
) -> None:
    """Store how the merchant reaches a gateway; again to change it. No call is made.

    ``settings`` as the gateway needs them, with ``api_key`` among them; secrets are sealed. Several
    ``webhook_secrets`` while one is being replaced.
    Raises NotAllowed, GatewayUnknown, GatewaySettingsMalformed, GatewayAccountMalformed.
    """
    del at
    require(actor, May.MANAGE)
    if not gateways.is_outside(name):
        raise GatewayAccountMalformed(name, field="gateway", rule="needs_no_connection")
    if any(len(secret) < 8 for secret in webhook_secrets):
        raise GatewayAccountMalformed(None, field="webhook_secrets", rule="at_least_8_characters")
    registry.gateway(name, settings)  # refuses what it cannot use
    secrets: dict[str, object] = {n: v for n, v in settings.items() if n in SECRET_SETTINGS}
    secrets[gateways.WEBHOOK_SECRETS] = list(webhook_secrets)
    GatewayAccount.objects.update_or_create(
        gateway=name,
        defaults={
            "settings": {n: v for n, v in settings.items() if n not in SECRET_SETTINGS},
            "secrets": vault.seal(secrets),
        },
    )
