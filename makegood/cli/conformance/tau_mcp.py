"""The benchmark's actions through the tools of the MCP server, by a session held to the customer they are about.

The protocol runs in an event loop of its own; what the tools do runs in this thread, in its rehearsal.
"""

from __future__ import annotations

import asyncio
import queue
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import anyio.from_thread
from mcp.client import Client

from makegood.accounts.actors import Actor
from makegood.accounts.states import May
from makegood.cases.queries import case_view
from makegood.cli.conformance import tau_records
from makegood.cli.conformance.tau_retail import InputUnreadable, NotInOrder
from makegood.customers import queries as customers
from makegood.kit import tenancy
from makegood.mcp import server, toolbox
from makegood.mcp.session import Session
from makegood.settlement import commands as settlement

SCOPES = frozenset({May.READ, May.FILE, May.HANDLE, May.APPROVE})
Work = tuple[Callable[[], toolbox.Answer], "asyncio.Future[toolbox.Answer]"]


class ToolRefused(Exception):
    """A tool refused; ``code`` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass
class Agent:
    """Sees and does only what tools give, for one customer at a time."""

    base: Mapping[str, Any]
    session: Session | None = None
    work: queue.SimpleQueue[Work | None] = field(default_factory=queue.SimpleQueue)
    portal: Any = None
    client: Any = None

    @contextmanager
    def connected(self) -> Iterator[Agent]:
        tools = server.build_server(lambda _ctx: self._session(), run=self._hand_over)
        with (
            anyio.from_thread.start_blocking_portal() as self.portal,
            self.portal.wrap_async_context_manager(Client(tools)) as self.client,
        ):
            yield self

    def perform(self, action: Mapping[str, Any], *, key: str, at: datetime) -> bool:
        """One writing tool call of the benchmark; False where the outcome is anything but granted."""
        name, arguments = action["name"], action["arguments"]
        self.session = self._session_for(arguments)
        try:
            if name == "modify_user_address":
                self.use("change_customer_address", address=_address(arguments))
                return True
            order = self.use("show_order", order=arguments["order_id"])
            tool, given = request_of(name, arguments, order)
            told = self.use(tool, order=order["order"], request_key=f"tau:{key}", **given)
        except ToolRefused:
            return False
        if told["outcome"] != "granted":
            return False
        settlement.pay_out(case_id=case_view(told["case"]).id, at=at)  # the worker's part
        return True

    def use(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """Raises ToolRefused."""
        called: Future[Any] = self.portal.start_task_soon(self.client.call_tool, tool, arguments)
        called.add_done_callback(lambda _done: self.work.put(None))
        while (item := self.work.get()) is not None:
            work, answered = item
            answered.get_loop().call_soon_threadsafe(answered.set_result, work())
        result = called.result()
        if result.is_error:
            raise ToolRefused((result.structured_content or {}).get("code", "arguments"))
        content: dict[str, Any] = result.structured_content
        return content

    async def _hand_over(self, work: Callable[[], toolbox.Answer]) -> toolbox.Answer:
        answered: asyncio.Future[toolbox.Answer] = asyncio.get_running_loop().create_future()
        self.work.put((work, answered))
        return await answered

    def _session(self) -> Session:
        assert self.session is not None  # noqa: S101 - no tool is used before somebody is served
        return self.session

    def _session_for(self, arguments: Mapping[str, Any]) -> Session:
        """Held to the customer whose order it is; an order nobody has belongs to nobody's customer."""
        order = self.base["orders"].get(arguments.get("order_id"), {})
        reference = arguments.get("user_id") or order.get("user_id")
        held = customers.customer_by_reference(reference).id if reference else 0
        actor = Actor("integration", id=0, label="conformance", role="owner", scopes=SCOPES, only_customer=held)
        return Session(tenancy.require_merchant_id(), actor)


def request_of(name: str, arguments: Mapping[str, Any], order: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Which tool with which arguments a tool call of the benchmark is."""
    if name == "cancel_pending_order":
        lines = [{"line": one["line"], "quantity": one["quantity"]} for one in _current(order)]
        return "cancel_order", {"reason": tau_records.REASONS.get(arguments["reason"], "other"), "lines": lines}
    if name == "modify_pending_order_address":
        return "change_order_address", {"address": _address(arguments)}
    way = arguments["payment_method_id"]
    if name == "modify_pending_order_payment":
        return "change_order_payment", {"pay_with": way}
    if name == "modify_pending_order_items":
        return "change_order_items", {"lines": _swaps(arguments, order), "pay_with": way}
    if name == "exchange_delivered_order_items":
        return "exchange_items", {"lines": _swaps(arguments, order), "pay_with": way}
    if name == "return_delivered_order_items":
        lines = [{"line": line} for line in _lines_of(arguments["item_ids"], order)]
        return "return_items", {"lines": lines, "refund_to": way}
    raise InputUnreadable(name, field="action", rule="a writing tool of the benchmark")


def _current(order: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The lines that are still on the order: a replaced one is represented by the new."""
    replaced = {one["replaces_line"]: one for one in order["lines"] if "replaces_line" in one}
    return [replaced.get(one["line"], one) for one in order["lines"] if "replaces_line" not in one]


def _swaps(arguments: Mapping[str, Any], order: Mapping[str, Any]) -> list[dict[str, Any]]:
    old, new = arguments["item_ids"], arguments["new_item_ids"]
    if len(old) != len(new):
        raise NotInOrder(len(new), field="new_item_ids", rule="one_new_item_for_each")
    pairs = zip(_lines_of(old, order), new, strict=True)
    return [{"line": line, "wanted_sku": sku} for line, sku in pairs]


def _lines_of(item_ids: Sequence[str], order: Mapping[str, Any]) -> list[str]:
    """A line of its own for each item named, however often it is named. Raises NotInOrder."""
    free = list(_current(order))
    found = []
    for item in item_ids:
        one = next((one for one in free if one["sku"] == item), None)
        if one is None:
            raise NotInOrder(item, field="item_ids", rule="item_of_the_order")
        free.remove(one)
        found.append(one["line"])
    return found


def _address(arguments: Mapping[str, Any]) -> dict[str, str]:
    return {name: arguments[name] for name in ("address1", "address2", "city", "country", "state", "zip")}
