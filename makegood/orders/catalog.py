"""Reading the catalogue: what can be sent in exchange."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from makegood.kit import db
from makegood.orders.queries import OrderView


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


@dataclass(frozen=True, slots=True)
class VariantView:
    """An item of a product, with what tells it from the others."""

    sku: str
    title: str
    options: Mapping[str, Any]
    price_minor: int
    currency: str
    available: bool


@db.query
def catalog_of_product(product: str) -> tuple[VariantView, ...]:
    """Every item of a product, by sku."""
    rows = db.fetch(
        "select sku, title, options, price_minor, currency, available from orders_catalogitem where product = %s"
        " order by sku",
        [product],
    )
    return tuple(VariantView(**{**row, "options": db.read_json(row["options"])}) for row in rows)


@db.query
def variants_of(order: OrderView) -> Mapping[int, tuple[VariantView, ...]]:
    """What could be sent instead of each line, by line id: available items of its product, other than itself."""
    products = {line.product or line.sku for line in order.lines}
    rows = db.fetch(
        "select sku, product, title, options, price_minor, currency, available from orders_catalogitem"
        " where product = any(%s) and available and currency = %s order by product, sku",
        [sorted(products), order.currency],
    )
    found: dict[str, list[VariantView]] = {}
    for row in rows:
        product = row.pop("product")
        found.setdefault(product, []).append(VariantView(**{**row, "options": db.read_json(row["options"])}))
    return {
        line.id: tuple(one for one in found.get(line.product or line.sku, ()) if one.sku != line.sku)
        for line in order.lines
    }
