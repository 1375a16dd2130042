"""Faults that cannot happen because the code has no way to cause them: read from the code itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import makegood
from makegood.config.api import api

ROOT = Path(makegood.__file__).parent

# Who may speak to another machine, and to which: never to one that a request names.
SPEAKS_TO = {
    "cli/serving.py": "its own web process on loopback, to see that it is ready",
    "connectors/mail/imap.py": "the mailbox, at the address an owner of the merchant configured",
    "connectors/simulator": "the simulator of a gateway: its tester, on loopback",
    "connectors/stripe/client.py": "the gateway, at the address an owner of the merchant configured",
    "connectors/stripe/wire.py": "the same, for the official library",
    "kit/outgoing.py": "addresses of webhooks and servers that an owner named, checked when they are connected to",
    "kit/postgres": "the database",
}
NETWORK = {
    "socket", "ssl", "socketserver", "http.client", "http.server", "urllib.request", "ftplib", "telnetlib", "xmlrpc",
    "asyncio.streams", "requests", "httpx", "httpcore", "aiohttp", "urllib3", "stripe", "websockets",
}  # fmt: skip
MAIL = {"smtplib", "imaplib", "poplib", "email", "aiosmtplib", "mailbox", "django.core.mail"}
MAIL_IS_KNOWN_TO = ("connectors/mail/", "conversations/commands/sending.py", "demo/letters.py")
SENDS_SQL = {"fetch", "fetch_one", "execute", "executemany", "copy", "raw", "extra", "RawSQL"}


def modules() -> Iterator[tuple[str, ast.Module]]:
    """Every module of ours but migrations, by its path below the package."""
    for path in sorted(ROOT.rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        if "/migrations/" not in name:
            yield name, ast.parse(path.read_text())


def imports(tree: ast.Module) -> Iterator[str]:
    """What a module imports, at its top or later, as ``package.module.name``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def importing(wanted: set[str]) -> set[str]:
    """Modules that import one of these packages or something of theirs."""
    return {
        name
        for name, tree in modules()
        for imported in imports(tree)
        # The table of status words is no way to speak to anybody.
        if imported != "http.client.responses" and any(f"{imported}.".startswith(f"{one}.") for one in wanted)
    }


def calls(tree: ast.Module) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func
            yield getattr(called, "attr", getattr(called, "id", "")), node


def test_row_47_only_listed_modules_can_speak_to_another_machine() -> None:
    assert {name for name in importing(NETWORK) if not any(name.startswith(one) for one in SPEAKS_TO)} == set()


def test_row_47_no_request_names_an_address_to_fetch() -> None:
    def names_of(schema: object) -> Iterator[str]:
        if isinstance(schema, dict):
            yield from schema.get("properties", {})
            yield from ([schema["format"]] if schema.get("format") in {"uri", "url", "hostname"} else [])
            for part in schema.values():
                yield from names_of(part)
        elif isinstance(schema, list):
            for part in schema:
                yield from names_of(part)

    words = {"url", "uri", "link", "host", "hostname", "callback", "endpoint", "webhook", "href"}
    named = {name for name in names_of(api.get_openapi_schema()) if set(name.lower().split("_")) & words}
    # An owner's own endpoint, to which kit.outgoing alone speaks; and the number of a message.
    assert named == {"url", "webhook_id"}


def test_rows_12_and_13_only_the_modules_of_mail_read_or_send_it() -> None:
    """Whoever else reads or sends a mail goes around the loop breaker and the rule that the same mail counts once."""
    assert {name for name in importing(MAIL) if not name.startswith(MAIL_IS_KNOWN_TO)} == set()


def test_row_50_faces_hold_no_sql() -> None:
    """What holds a request builds no statement: it calls queries and commands."""
    faces = {
        f"{name}:{call.lineno}"
        for name, tree in modules()
        if name.startswith(("portal/", "desk/", "config/")) or name.endswith(("/api.py", "/views.py"))
        for called, call in calls(tree)
        if called in SENDS_SQL and name not in FACES_WITH_A_CONSTANT
    }
    assert faces == set()


# Statements of one constant (the next test sees to that): whether the database answers; the newest decision.
FACES_WITH_A_CONSTANT = {"config/health.py", "desk/action_views.py"}


# A statement that is put together takes its parts from lists of ours; here is where each comes from.
PUT_TOGETHER = {
    "cases/commands/bulk_steps.py": "one of two fixed conditions on whom a bulk was about",
    "cases/commands/filing.py": "columns of a row that the same function writes down",
    "cases/erasure.py": "the other of these two",
    "cases/history.py": "names of the columns that commands change, and one of two fixed conditions",
    "cases/parts.py": "the constant that climbs from a case to the one it is part of",
    "cases/queries.py": "the constant that names a case and its parts",
    "cases/listing.py": "conditions from the filters' own table, values bound",
    "conversations/erasure.py": "one fixed condition that names a person, values bound",
    "connectors/simulator/ledger.py": "the simulator's own book",
    "insight/queries.py": "conditions from the tables of slices, values bound",
    "kit/db.py": "the functions that bind values",
    "kit/postgres": "names quoted by the database's library, for the operator",
    "kit/worker/rescue.py": "one fixed condition",
    "ledger/queries.py": "one of the fixed conditions of the statements",
    "orders/queries.py": "one of the fixed conditions of the look-ups",
    "orders/staging.py": "statements kept in a file of ours, by name",
    "policy/queries.py": "one of two fixed conditions on drafts",
    "accounts/queries.py": "the constant that reads the settings",
    "settlement/commands/rows.py": "names of the columns that steps change",
    "settlement/commands/steps.py": "fixed conditions",
    "settlement/commands/intending.py": "not a statement: the case that is read",
    "settlement/gateways.py": "the constant that reads an account",
    "settlement/queries.py": "statements of ours, by name",
    "webhooks/queries.py": "fixed conditions, values bound",
}


def test_row_50_statements_are_constants_but_for_listed_ones() -> None:
    found = set()
    for name, tree in modules():
        constants = {
            target.id
            for node in tree.body
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for called, call in calls(tree):
            said = called in SENDS_SQL or (called == "send" and ast.unparse(call.func) == "db.send")
            if said and call.args and not _is_constant(call.args[0], constants):
                found.add(name)

    assert {name for name in found if not any(name.startswith(one) for one in PUT_TOGETHER)} == set()


def _is_constant(statement: ast.expr, constants: set[str]) -> bool:
    if isinstance(statement, ast.BinOp):
        return _is_constant(statement.left, constants) and _is_constant(statement.right, constants)
    if isinstance(statement, ast.Attribute):
        return statement.attr.isupper()
    if isinstance(statement, ast.Name):
        return statement.id in constants or statement.id.isupper()
    return isinstance(statement, ast.Constant)


def test_guard_3_no_job_is_left_for_a_date() -> None:
    dated = {"schedule_at", "schedule_in"}
    assert {
        name for name, tree in modules() for _, call in calls(tree) for k in call.keywords if k.arg in dated
    } == set()


def test_guard_5_no_lock_of_the_job_engine_is_used() -> None:
    locks = {"lock", "queueing_lock"}
    assert {
        name for name, tree in modules() for _, call in calls(tree) for k in call.keywords if k.arg in locks
    } == set()


def test_guard_7_only_the_kit_knows_the_job_engine() -> None:
    allowed = ("kit/jobs.py", "kit/worker/")
    assert {name for name in importing({"procrastinate"}) if not name.startswith(allowed)} == set()
