"""Reading the catalogue: what can be sent in exchange."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from makegood.kit import db


@dataclass(frozen=True, slots=True)
class CatalogView:
    """A thing that can be sent; ``price_minor`` in minor units of ``currency``."""

    sku: str
    product: str
    title: str
    price_minor: int
    currency: str
    available: bool


@db.query
def catalog_items(skus: Iterable[str]) -> Mapping[str, CatalogView]:
    """The named items that exist, by sku."""
    rows = db.fetch(
        "select sku, product, title, price_minor, currency, available from orders_catalogitem where sku = any(%s)",
        [sorted(set(skus))],
    )
    return {row["sku"]: CatalogView(**row) for row in rows}
