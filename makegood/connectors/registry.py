"""Gateways by name: the one place where a stored name becomes a connection."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from makegood.connectors.gateways import Gateway
from makegood.connectors.manual import ManualGateway
from makegood.kit import errors


class GatewayUnknown(errors.Unknown):
    code = "gateway_unknown"
    message = "There is no gateway {value}."


class GatewaySettingsMalformed(errors.Malformed):
    code = "gateway_settings_malformed"
    message = "{field}: the settings of the gateway {gateway} need it ({rule})."


def _stripe(settings: Mapping[str, Any]) -> Gateway:
    known = {"api_key", "api_base", "account", "connect_timeout", "read_timeout"}
    for name in settings:
        if name not in known:
            raise GatewaySettingsMalformed(field=name, gateway="stripe", rule="unknown_setting")
    if not settings.get("api_key"):
        raise GatewaySettingsMalformed(field="api_key", gateway="stripe", rule="required")
    from makegood.connectors.stripe.client import StripeGateway  # noqa: PLC0415 - half a second, only for who needs it

    return StripeGateway(**settings)


def _manual(settings: Mapping[str, Any]) -> Gateway:
    del settings
    return ManualGateway()


GATEWAYS: dict[str, Callable[[Mapping[str, Any]], Gateway]] = {"stripe": _stripe, "manual": _manual}


def gateway(name: str, settings: Mapping[str, Any]) -> Gateway:
    """Build the connection called ``name``. Keep it: it holds open connections.

    ``settings`` of ``stripe``: ``api_key`` (required), ``api_base``, ``account``, ``connect_timeout`` and
    ``read_timeout`` (seconds). ``manual`` has none. Raises GatewayUnknown, GatewaySettingsMalformed.
    """
    if name not in GATEWAYS:
        raise GatewayUnknown(name, field="gateway")
    return GATEWAYS[name](settings)
