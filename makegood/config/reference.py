"""Pages of the reference made from the code: ``python -m makegood.config.reference`` writes them."""

from __future__ import annotations

import importlib
import os
import pkgutil
from http.client import responses
from pathlib import Path

import makegood

DOCS = Path(makegood.__file__).resolve().parent.parent / "docs" / "reference"


_ERRORS = """# Errors

Every refusal carries a stable `code`, the field it is about, the value that was given and the rule it breaks.
Over HTTP it is a problem document (RFC 9457) of type `urn:makegood:problem:<code>`; its words follow
`Accept-Language`. The page is made from the code: `python -m makegood.config.reference`.

| code | kind | HTTP | in English | 中文 |
|---|---|---|---|---|
"""
_ROUTES = """# Routes of the JSON API

The whole contract is the OpenAPI 3.1 document at `/api/v1/openapi.json`. A token is sent as
`Authorization: Bearer mg_…`; its role and scopes must hold the permission named. Writes marked so need an
`Idempotency-Key`: sent again, they answer as before.

| route | what it does | permission | key | answers |
|---|---|---|---|---|
"""


_TOOLS = """# Tools for AI agents

What the MCP server (`makegood mcp`, [how to connect an agent](../how-to/connect-an-agent.md)) offers. A tool is
open to a token whose role and scopes hold the permission; *staff only* tools are closed to sessions held to one
customer. *reads* changes nothing, *again* is harmless to repeat, *gives* moves goods or money or ends a case: the
hints that clients show before a call. Arguments with `?` may be left out. The page is made from the code:
`python -m makegood.config.reference`.

| tool | what it does | permission | hints | arguments |
|---|---|---|---|---|
"""


def import_everything() -> None:
    """Load every module of the package, so that every error and every route is known."""
    for module in pkgutil.walk_packages(makegood.__path__, "makegood."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)


def errors_page() -> str:
    """Every error: its code, the HTTP status, and its words in both languages."""
    from django.utils.translation import gettext, override  # noqa: PLC0415 - needs Django set up

    from makegood.config.problems import status_of  # noqa: PLC0415 - same
    from makegood.kit import errors  # noqa: PLC0415 - same

    import_everything()
    rows = {}
    for kind in errors.all_errors():
        if not kind.__module__.startswith("makegood."):
            continue
        with override("zh-hans"):
            chinese = gettext(kind.message)
        family = next(base.__name__ for base in kind.__mro__ if base.__module__ == errors.__name__)
        words = [text.replace("\n", " ").replace("|", "\\|") for text in (kind.message, chinese)]
        rows[kind.code, words[0]] = f"| `{kind.code}` | {family} | {status_of(kind)} | {words[0]} | {words[1]} |"
    head = _ERRORS.splitlines()
    return "\n".join([*head, *(rows[key] for key in sorted(rows))]) + "\n"


def routes_page() -> str:
    """Every route of the JSON API: what it does, what permission its token needs, what it answers."""
    from makegood.accounts.api import KEYED, Bearer  # noqa: PLC0415 - needs Django set up
    from makegood.config.api import api  # noqa: PLC0415 - same

    rows = []
    for bound in api._get_bound_routers():  # noqa: SLF001 - the framework has no public way
        for path, view in bound.path_operations.items():
            for operation in view.operations:
                scope = next((one.what for one in operation.auth_callbacks if isinstance(one, Bearer)), None)
                told = (operation.description or "").splitlines()[0]
                answers = ", ".join(f"{status} {responses[status]}" for status in operation.response_models)
                key = "yes" if getattr(operation.view_func, KEYED, False) else ""
                method = operation.methods[0]
                needed = f"`{scope}`" if scope else ""
                rows.append(f"| `{method} /api/v1{path}` | {told} | {needed} | {key} | {answers} |")
    head = _ROUTES.splitlines()
    return "\n".join([*head, *sorted(rows)]) + "\n"


def tools_page() -> str:
    """Every tool for AI agents: what it does, what permission it needs, what its hints promise."""
    from makegood.mcp.tools import TOOLS  # noqa: PLC0415 - needs Django set up

    rows = []
    for tool in TOOLS.values():
        told = (tool.work.__doc__ or "").splitlines()[0]
        hints = [name for name in ("reads", "again", "gives") if getattr(tool, name)]
        hints += [] if tool.for_customers else ["staff only"]
        fields = tool.arguments.model_fields.items()
        arguments = ", ".join(f"`{name}{'' if about.is_required() else '?'}`" for name, about in fields)
        rows.append(f"| `{tool.name}` | {told} | `{tool.needs}` | {', '.join(hints)} | {arguments} |")
    return "\n".join([*_TOOLS.splitlines(), *sorted(rows)]) + "\n"


PAGES = {"errors.md": errors_page, "mcp-tools.md": tools_page, "routes.md": routes_page}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "makegood.config.settings")
    import django  # noqa: PLC0415 - the settings must be named first

    django.setup()
    for name, page in PAGES.items():
        (DOCS / name).write_text(page())


if __name__ == "__main__":
    main()
