"""The pack tau-retail says yes and no exactly where the published benchmark does."""

from __future__ import annotations

import gzip
import json
import os
from collections import Counter
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from makegood.policy.quote import quote
from makegood.policy.registry import SHIPPED, Registry

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("MAKEGOOD_SHARED_DATA") or ROOT.parent / "shared" / "data") / "tau-retail"
KINDS = {
    "cancel_pending_order": ("cancellation", None),
    "modify_pending_order_address": ("change", "address"),
    "modify_pending_order_payment": ("change", "payment"),
    "modify_pending_order_items": ("change", "items"),
    "return_delivered_order_items": ("return", None),
    "exchange_delivered_order_items": ("exchange", None),
}
REASONS = {
    "no longer needed": "changed_mind",
    "ordered by mistake": "ordered_by_mistake",
    "found cheaper": "found_cheaper",
}
METHOD_KINDS = {"paypal": "wallet", "credit": "card", "gift": "gift_card"}
PACKS = Registry.from_folder(SHIPPED)


class Shop:
    """As much of the shop as the facts of a case need; follows what was done before in the same task."""

    def __init__(self, shop: dict[str, Any]) -> None:
        self.shop = shop
        self.orders: dict[str, dict[str, Any]] = {}
        self.users: dict[str, dict[str, Any]] = {}

    def order(self, ref: str) -> Any:
        if ref not in self.orders:
            order = deepcopy(self.shop["orders"][ref])
            self.orders[ref] = {**order, "items_changed": False, "return_asked": False}
            self.users.setdefault(order["user_id"], deepcopy(self.shop["users"][order["user_id"]]))
        return self.orders[ref]

    def facts(self, name: str, arguments: dict[str, Any]) -> dict[str, Any] | None:
        order = self.order(arguments["order_id"])
        kind, reason = KINDS[name]
        case: dict[str, Any] = {"kind": kind, "reason": reason or REASONS.get(arguments.get("reason", ""))}
        asked = Counter(arguments.get("item_ids", []))
        held = Counter(item["item_id"] for item in order["items"])
        if asked - held:
            return None  # a line the order does not have is no case at all
        if kind in {"return", "exchange"}:
            case["lines"] = [{"id": item, "quantity": count} for item, count in asked.items()]
        paid = {item["item_id"]: item["price"] for item in order["items"]}
        return {
            "market": "US", "platform": "tau-retail", "currency": "USD", "asked_at": "2024-05-15T15:00:00-05:00",
            "order": {
                "state": order["status"], "shipping_paid": "0.00", "items_changed": order["items_changed"],
                "return_asked": order["return_asked"], "payment_records": len(order["payment_history"]),
                "lines": [{"id": i, "quantity": n, "paid": f"{n * paid[i]:.2f}"} for i, n in held.items()],
            },
            "case": case, "change": self.change(order, arguments), "method": self.method(order, arguments),
        }  # fmt: skip

    def change(self, order: dict[str, Any], arguments: dict[str, Any]) -> dict[str, Any]:
        pairs = (
            list(zip(arguments.get("item_ids", []), arguments.get("new_item_ids", []), strict=True))
            if "new_item_ids" in arguments
            else []
        )
        product = {item["item_id"]: item["product_id"] for item in order["items"]}
        variants = [self.shop["products"][product[old]]["variants"].get(new) for old, new in pairs]
        return {
            "same_product": all(variant is not None for variant in variants),
            "new_items_available": all(variant is not None and variant["available"] for variant in variants),
            "differs": all(old != new for old, new in pairs),
        }  # fmt: skip

    def method(self, order: dict[str, Any], arguments: dict[str, Any]) -> dict[str, Any]:
        original = order["payment_history"][0]["payment_method_id"]
        chosen = arguments.get("payment_method_id", original)
        saved = self.users[order["user_id"]]["payment_methods"].get(chosen)
        return {
            "kind": METHOD_KINDS[chosen.split("_")[0]], "belongs_to_customer": saved is not None,
            "is_original": chosen == original,
            "balance_covers": saved is not None and saved.get("balance", 10**9) >= self.to_pay(order, arguments),
        }  # fmt: skip

    def to_pay(self, order: dict[str, Any], arguments: dict[str, Any]) -> float:
        if "new_item_ids" not in arguments:
            return float(order["payment_history"][0]["amount"])
        items = {item["item_id"]: item for item in order["items"]}
        total = 0.0
        for old, new in zip(arguments["item_ids"], arguments["new_item_ids"], strict=True):
            variant = self.shop["products"][items[old]["product_id"]]["variants"].get(new)
            total += (variant["price"] if variant else 0) - items[old]["price"]
        return round(total, 2)

    def move(self, order: dict[str, Any], method: str, amount: float) -> None:
        saved = self.users[order["user_id"]]["payment_methods"][method]
        if "balance" in saved:
            saved["balance"] = round(saved["balance"] + amount, 2)

    def done(self, name: str, arguments: dict[str, Any]) -> None:
        order = self.order(arguments["order_id"])
        if name in {"modify_pending_order_payment", "modify_pending_order_items"}:
            self.move(order, arguments["payment_method_id"], -self.to_pay(order, arguments))
        if name in {"cancel_pending_order", "modify_pending_order_payment"}:
            paid = order["payment_history"][0]
            self.move(order, paid["payment_method_id"], paid["amount"])
        if name == "cancel_pending_order":
            order["status"] = "cancelled"
        elif name == "modify_pending_order_payment":
            order["payment_history"] += [{"payment_method_id": arguments["payment_method_id"], "amount": 0}] * 2
        elif name == "modify_pending_order_items":
            order["items_changed"] = True
            order["payment_history"] += [{}]
        elif name != "modify_pending_order_address":
            order["return_asked"] = True


def asked(file: str) -> list[dict[str, Any]]:
    with gzip.open(DATA / file) as packed:
        return json.load(packed)["tasks"]  # type: ignore[no-any-return]


@pytest.mark.skipif(not DATA.exists(), reason="the benchmark's data is not beside the repository")
@pytest.mark.parametrize("file", ["tasks.json.gz", "probes.json.gz"])
def test_every_call_is_granted_or_refused_as_the_benchmark_says(file: str) -> None:
    shop = json.loads((DATA / "db.json").read_text(encoding="utf-8"))
    wrong = []
    for task in asked(file):
        state = Shop(shop)
        for action, expected in zip(task["actions"], task["outcomes"], strict=True):
            if action["name"] not in KINDS:
                continue
            facts = state.facts(action["name"], action["arguments"])
            answer = quote(facts, registry=PACKS, pack_ids=["tau-retail"]) if facts else {"verdict": "deny"}
            if expected == "done":
                state.done(action["name"], action["arguments"])
            if {"grant": "done", "deny": "refused"}.get(answer["verdict"]) != expected:
                wrong.append((task["id"], action, expected, answer))
    assert not wrong, f"{len(wrong)} of them, first: {wrong[0]}"
