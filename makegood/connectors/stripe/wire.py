"""How the official library reaches Stripe: through urllib3 itself, with connections that are kept.

The library offers its own place for this (``http_client``). Its usual one goes through requests, which reads the
environment, prepares, merges and hooks anew for every call: more processor time than all the rest of a payout's call.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import stripe
import urllib3


class KeptConnections(stripe.HTTPClient):
    """Calls of one account. Proxies are those of the environment, read once. Safe to share between threads.

    Nothing is tried again and no redirect is followed: what is not an answer is told as doubt.
    """

    name = "urllib3"

    def __init__(self, *, base: str, timeout: tuple[float, float], connections: int = 16) -> None:
        super().__init__()
        parts = urlsplit(base)
        proxies = {} if proxy_bypass(parts.netloc) else getproxies()
        proxy = proxies.get(parts.scheme) or proxies.get("all")
        named: dict[str, Any] = {
            "timeout": urllib3.Timeout(connect=timeout[0], read=timeout[1]),
            "retries": False,
            "maxsize": connections,
            "ca_certs": stripe.ca_bundle_path,
        }
        self._pool: urllib3.PoolManager = (
            urllib3.ProxyManager(proxy, **named) if proxy else urllib3.PoolManager(**named)
        )

    def request(
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None, **_: Any
    ) -> tuple[str, int, Mapping[str, str]]:
        """One call and the whole of its answer. Raises stripe.APIConnectionError."""
        try:
            said = self._pool.request(method.upper(), url, headers=headers, body=post_data or None)
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as problem:
            self._in_doubt(problem)
        return said.data, said.status, said.headers  # type: ignore[return-value]  # bytes, as the library's own gives

    def _in_doubt(self, problem: Exception) -> NoReturn:
        raise stripe.APIConnectionError(f"{type(problem).__name__}: {problem}") from problem  # type: ignore[no-untyped-call]

    def close(self) -> None:
        self._pool.clear()
