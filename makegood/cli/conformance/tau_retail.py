"""Replay the tau retail benchmark through the commands that API and desk use, and compare to the cent.

Every task starts from the same orders: it runs in a rehearsal, which is the real thing taken back afterwards.
"""

from __future__ import annotations

import gzip
import json
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from makegood.accounts import commands as accounts
from makegood.accounts.actors import Actor
from makegood.cases import commands as cases
from makegood.cases.commands.asking import Asked
from makegood.cases.models import Case
from makegood.cli.conformance import tau_records
from makegood.customers import commands as customer_commands
from makegood.customers import queries as customers
from makegood.kit import db, errors, tenancy
from makegood.orders import importing
from makegood.orders.queries import OrderView, order_by_number
from makegood.settlement import commands as settlement

CLERK = Actor("staff", id=0, label="conformance", role="owner")
SETTINGS = {"packs": ["tau-retail"], "approval_limits": {"owner": {"USD": 10**12}}}


class Perform(Protocol):
    """Does one action of the benchmark; False where it is refused without an error."""

    def __call__(self, action: Mapping[str, Any], *, key: str, at: datetime) -> bool: ...


class InputUnreadable(errors.Malformed):
    code = "conformance_input_unreadable"
    message = "{field}: {value} cannot be read: {rule}."


class NotInOrder(errors.Refused):
    code = "item_not_in_order"
    message = "The order does not hold {value}."


@dataclass
class Report:
    """The answer of the command; ``corrected`` names tasks whose expectation pays money back twice."""

    tasks: int = 0
    passed: int = 0
    failed: list[dict[str, str]] = field(default_factory=list)
    corrected: list[dict[str, str]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return {"tasks": self.tasks, "passed": self.passed, "failed": self.failed, "corrected": self.corrected}


def read_document(path: Path, *, field: str) -> dict[str, Any]:
    """A JSON document, gzipped or not. Raises InputUnreadable."""
    try:
        raw = path.read_bytes()
        document = json.loads(gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw)
    except (OSError, EOFError, ValueError) as error:
        raise InputUnreadable(path.name, field=field, rule=str(error)[:120]) from None
    if not isinstance(document, dict):
        raise InputUnreadable(path.name, field=field, rule="a JSON object")
    return document


def replay(
    *,
    db_path: Path,
    tasks_path: Path,
    at: datetime,
    progress: Callable[[int, int], None] | None = None,
    through: str = "commands",
) -> Report:
    """Run every task of the file; each starts from the orders of ``db_path``. Raises InputUnreadable.

    ``through`` says how: ``commands`` as a clerk, or ``mcp``, the tools for AI agents.
    """
    base = read_document(db_path, field="--db")
    tasks = read_document(tasks_path, field="--tasks")
    if not isinstance(tasks.get("tasks"), list) or not {"orders", "users", "products"} <= set(base):
        raise InputUnreadable(tasks_path.name, field="--tasks", rule="tasks, orders, users and products are needed")
    report = Report()
    with shop_of(db_path, at=at), _performer(through, base) as act:
        for task in tasks["tasks"]:
            report.tasks += 1
            why, corrected = run_task(task, base, at=at, act=act)
            if why:
                report.failed.append({"id": str(task.get("id")), "why": why})
            else:
                report.passed += 1
            if corrected:
                report.corrected.append({"id": str(task.get("id")), "why": corrected})
            if progress:
                progress(report.tasks, len(tasks["tasks"]))
    return report


@contextmanager
def _performer(through: str, base: Mapping[str, Any]) -> Iterator[Perform]:
    """Who does the actions. Raises InputUnreadable."""
    if through == "commands":
        yield perform
    elif through == "mcp":
        from makegood.cli.conformance.tau_mcp import Agent  # the protocol's library is slow to load

        with Agent(base).connected() as agent:
            yield agent.perform
    else:
        raise InputUnreadable(through, field="--through", rule="commands or mcp")


@contextmanager
def shop_of(db_path: Path, *, at: datetime) -> Iterator[int]:
    """A merchant of its own with the benchmark's orders, in sight while the context lasts."""
    slug = f"tau-retail-{secrets.token_hex(6)}"
    merchant_id = accounts.open_merchant(
        slug=slug,
        name_zh="零售示例店",
        name_en="Sample retail shop",
        market="US",
        currency="USD",
        time_zone="America/New_York",
        settings=SETTINGS,
        at=at,
    )
    with tenancy.acting_for(merchant_id):
        importing.import_orders(path=str(db_path), format="tau-retail", at=at)
        yield merchant_id


def run_task(
    task: Mapping[str, Any], base: Mapping[str, Any], *, at: datetime, act: Perform | None = None
) -> tuple[str, str]:
    """Why a task does not pass ("" when it does), and why its expectation was corrected ("" when it was not)."""
    why = corrected = ""
    with db.rehearsal():
        try:
            does = act or perform
            outcomes = [_attempt(does, action, task, i, at=at) for i, action in enumerate(task["actions"])]
            if outcomes != list(task["outcomes"]):
                why = f"outcomes {outcomes} instead of {task['outcomes']}"
            else:
                why, corrected = _compare(task, base)
        except errors.DomainError as error:
            why = f"{error.code}: {error}"
    return why, corrected


def _attempt(act: Perform, action: Mapping[str, Any], task: Mapping[str, Any], index: int, *, at: datetime) -> str:
    try:
        return "done" if act(action, key=f"{task['id']}:{index}", at=at) else "refused"
    except (errors.Unknown, errors.Forbidden, errors.Refused, errors.Malformed):
        return "refused"


def perform(action: Mapping[str, Any], *, key: str, at: datetime) -> bool:
    """Do one tool call of the benchmark as a clerk would; False where the policy denies it."""
    name, arguments = action["name"], action["arguments"]
    if name == "modify_user_address":
        customer = customers.customer_by_reference(arguments["user_id"])
        with db.atomically():
            customer_commands.change_address(customer.id, _address(arguments))
        return True
    order = order_by_number(arguments["order_id"])
    asked, kind, reason, details = _request(name, arguments, order)
    case = cases.file_case(
        kind=kind,
        reason=reason,
        request_key=key,
        actor=CLERK,
        at=at,
        order_number=order.number,
        asked=asked,
        channel="import",
        details=details,
    )
    return _settle(case, at=at)


def _settle(case: Case, *, at: datetime) -> bool:
    """Decide, then tell the customer yes or no; pay what can be paid at once."""
    cases.decide_case(ref=case.ref, actor=CLERK, at=at)
    verdict = db.fetch_one("select verdict from cases_decision where case_id = %s and not superseded", [case.id])
    if verdict is None or verdict["verdict"] not in {"grant", "partly"}:
        if verdict and verdict["verdict"] == "deny":
            cases.deny_case(ref=case.ref, actor=CLERK, at=at)
        return False
    cases.approve_case(ref=case.ref, actor=CLERK, at=at)
    settlement.pay_out(case_id=case.id, at=at)
    return True


def _request(
    name: str, arguments: Mapping[str, Any], order: OrderView
) -> tuple[Sequence[Asked], str, str, dict[str, Any]]:
    """The case that a tool call is: what is asked, kind, reason, details."""
    lines = tau_records.current_lines(order)
    if name == "cancel_pending_order":
        reason = tau_records.REASONS.get(arguments["reason"], "other")
        return [Asked(line.number, line.quantity) for line in lines], "cancellation", reason, {}
    if name == "modify_pending_order_address":
        return [], "change", "address", {"address": _address(arguments)}
    if name == "modify_pending_order_payment":
        return [], "change", "payment", {"method": arguments["payment_method_id"]}
    details = {"method": arguments["payment_method_id"]}
    if name == "modify_pending_order_items":
        return _swaps(arguments, lines), "change", "items", details
    if name == "exchange_delivered_order_items":
        return _swaps(arguments, lines), "exchange", "changed_mind", details
    if name == "return_delivered_order_items":
        asked = [Asked(line.number, 1) for line in _lines_of(arguments["item_ids"], lines)]
        return asked, "return", "changed_mind", {**details, "refund_to_method": True}
    raise InputUnreadable(name, field="action", rule="a writing tool of the benchmark")


def _swaps(arguments: Mapping[str, Any], lines: Sequence[Any]) -> list[Asked]:
    old, new = arguments["item_ids"], arguments["new_item_ids"]
    if len(old) != len(new):
        raise NotInOrder(len(new), field="new_item_ids", rule="one_new_item_for_each")
    return [Asked(line.number, 1, sku) for line, sku in zip(_lines_of(old, lines), new, strict=True)]


def _lines_of(item_ids: Sequence[str], lines: Sequence[Any]) -> list[Any]:
    """A line of its own for each item named, however often it is named. Raises NotInOrder."""
    free = list(lines)
    found = []
    for item in item_ids:
        line = next((line for line in free if line.sku == item), None)
        if line is None:
            raise NotInOrder(item, field="item_ids", rule="item_of_the_order")
        free.remove(line)
        found.append(line)
    return found


def _address(arguments: Mapping[str, Any]) -> dict[str, str]:
    return {name: arguments[name] for name in ("address1", "address2", "city", "country", "state", "zip")}


def _compare(task: Mapping[str, Any], base: Mapping[str, Any]) -> tuple[str, str]:
    """Compare all records the task names or touches: expected where given, else as in the base."""
    corrected = ""
    excess: dict[str, float] = {}
    numbers = {a["arguments"]["order_id"] for a in task["actions"] if "order_id" in a["arguments"]} | set(
        task["orders"]
    )
    for number in sorted(numbers & set(base["orders"])):
        expected = task["orders"].get(number, base["orders"][number])
        expected, wrong, over = tau_records.possible_order(expected, base["products"])
        if wrong:
            corrected = f"{number}: {'; '.join(wrong)}"
            excess |= over
        if why := _difference(number, tau_records.order_record(number, base["orders"][number]), expected):
            return why, corrected
    return _compare_users(task, base, numbers, excess), corrected


def _compare_users(
    task: Mapping[str, Any], base: Mapping[str, Any], numbers: set[str], excess: Mapping[str, float]
) -> str:
    users = {a["arguments"]["user_id"] for a in task["actions"] if "user_id" in a["arguments"]} | set(task["users"])
    users |= {base["orders"][number]["user_id"] for number in numbers if number in base["orders"]}
    for user in sorted(users & set(base["users"])):
        expected = json.loads(json.dumps(task["users"].get(user, base["users"][user])))
        for reference, method in expected["payment_methods"].items():
            if "balance" in method and reference in excess:
                method["balance"] -= excess[reference]
        found = tau_records.user_record(customers.customer_by_reference(user).id, base["users"][user])
        if why := _difference(user, found, expected):
            return why
    return ""


def _difference(name: str, found: Mapping[str, Any], expected: Mapping[str, Any]) -> str:
    """Where two records differ, "" where they do not; a field left out is the same as null."""
    ours, theirs = tau_records.rounded(dict(found)), tau_records.rounded(dict(expected))
    for key in sorted(set(ours) | set(theirs)):
        if ours.get(key) != theirs.get(key):
            return f"{name}.{key}: {json.dumps(ours.get(key))[:900]} instead of {json.dumps(theirs.get(key))[:900]}"
    return ""
