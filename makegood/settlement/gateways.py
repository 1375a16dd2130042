"""The connection of the merchant in sight to a gateway, built from its account and kept."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from makegood.connectors import registry
from makegood.connectors.gateways import Gateway
from makegood.kit import db, errors, tenancy
from makegood.settlement import vault
from makegood.settlement.states import INSIDE, MANUAL

WEBHOOK_SECRETS = "webhook_secrets"
_KEPT_MAX = 256

_kept: dict[tuple[int, str], tuple[str, Gateway]] = {}
_lock = threading.Lock()


class GatewayNotConnected(errors.Refused):
    code = "gateway_not_connected"
    message = "The gateway {value} is not connected. Connect it, then try again."


@dataclass(frozen=True, slots=True)
class Account:
    """A merchant's account at a gateway; ``digest`` changes with every setting and secret."""

    gateway: str
    digest: str
    settings: dict[str, object]
    sealed: str


@db.query
def account(name: str) -> Account | None:
    """The account of the merchant in sight, its secrets still sealed."""
    return account_from(name, db.fetch(*account_statement(name)))


def account_statement(name: str) -> tuple[str, db.Params]:
    """What asks for an account, to be sent along with other statements; its rows go to ``account_from``."""
    return "select settings, secrets from settlement_gatewayaccount where gateway = %s", [name]


def account_from(name: str, found: list[dict[str, Any]]) -> Account | None:
    """The account in the rows of its statement."""
    row = db.only(found)
    if row is None:
        return None
    settings = db.read_json(row["settings"])
    return Account(name, json.dumps([settings, row["secrets"]], sort_keys=True), settings, row["secrets"])


def connection_to(name: str) -> Gateway:
    """The gateway of that name; the same object as long as the account stays as it is.

    Raises GatewayNotConnected, SecretsSealedElsewhere, GatewayUnknown, GatewaySettingsMalformed.
    """
    return connection_by(name, None if name == MANUAL else account(name))


def connection_by(name: str, found: Account | None) -> Gateway:
    """As ``connection_to``, by an account that was just read."""
    if name == MANUAL:
        return registry.gateway(MANUAL, {})
    if found is None:
        raise GatewayNotConnected(name, field="gateway", rule="connected")
    key = (tenancy.require_merchant_id(), name)
    with _lock:
        digest, gateway = _kept.get(key, ("", None))
        if gateway is None or digest != found.digest:
            secrets = {n: v for n, v in vault.unseal(found.sealed, gateway=name).items() if n != WEBHOOK_SECRETS}
            gateway = registry.gateway(name, {**found.settings, **secrets})
            if len(_kept) >= _KEPT_MAX:
                _kept.clear()
            _kept[key] = (found.digest, gateway)
        return gateway


def webhook_secrets(name: str) -> Sequence[str]:
    """Secrets any of which may have signed a webhook: several while one is being replaced. Empty: not connected."""
    found = account(name)
    if found is None:
        return ()
    return [str(secret) for secret in vault.unseal(found.sealed, gateway=name).get(WEBHOOK_SECRETS, [])]


def is_outside(name: str) -> bool:
    """Whether money of this gateway leaves by the network."""
    return name not in INSIDE and name != MANUAL
