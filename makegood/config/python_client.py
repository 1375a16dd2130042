"""Writes the typed Python client from the OpenAPI document: ``make client``.

The same document gives the same text, byte for byte; a test sees to it that the text in the repository is that.
"""

from __future__ import annotations

import keyword
import os
import re
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import makegood

Schema = Mapping[str, Any]
FILE = Path(makegood.__file__).resolve().parent.parent / "clients/python/src/makegood_client/api.py"
_SHAPES = "#/components/schemas/"
_PLAIN = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
_HEAD = '''"""The Makegood API, version {version}. Made of its OpenAPI document by ``make client``: do not edit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any, Literal, NotRequired, TypedDict

from makegood_client.calling import Caller

'''


def client_text(document: Schema) -> str:
    """The module, as text."""
    schemas = document["components"]["schemas"]
    parts = [_HEAD.format(version=document["info"]["version"])]
    parts += [_shape(name, schema) for name, schema in sorted(schemas.items())]
    parts.append('\nclass Makegood(Caller):\n    """Every route of the API; raises ``Problem`` where it refuses."""\n')
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            parts.append(_method(path, method, operation))
            parts.append(_iterator(operation, schemas))
    return "".join(parts)


def _shape(name: str, schema: Schema) -> str:
    """A TypedDict of an object; another name for anything else."""
    properties = schema.get("properties")
    if not properties:
        return f"{name} = {_type(schema, quoted=True)}\n\n"
    required = set(schema.get("required", []))
    lines = [f"class {name}(TypedDict):"]
    if told := schema.get("description", ""):
        lines += [_docstring(told, "    "), ""]
    for field, about in properties.items():
        # What the server fills in by itself need not be sent, and is always there in an answer.
        kind = _type(about)
        sent = name.endswith(("In", "Change")) or name == "Problem"
        lines.append(f"    {field}: {kind if field in required or not sent else f'NotRequired[{kind}]'}")
    if any(keyword.iskeyword(field) for field in properties):
        pairs = ", ".join(f'"{field}": {_type(about, quoted=True)}' for field, about in properties.items())
        return f'{name} = TypedDict("{name}", {{{pairs}}}, total=False)\n\n\n'
    return "\n".join(lines) + "\n\n\n"


def _type(schema: Schema, *, quoted: bool = False) -> str:  # noqa: PLR0911 - one return a sort of schema
    """The Python type of a schema; ``quoted`` where it is evaluated at import time."""
    if "$ref" in schema:
        name = str(schema["$ref"]).removeprefix(_SHAPES)
        return f'"{name}"' if quoted else name
    if "anyOf" in schema:
        return " | ".join(dict.fromkeys(_type(one, quoted=quoted) for one in schema["anyOf"]))
    if "enum" in schema or "const" in schema:
        values = ", ".join(f'"{value}"' for value in schema.get("enum", [schema.get("const")]))
        return f"Literal[{values}]"
    kind = schema.get("type")
    if isinstance(kind, list):
        return " | ".join(_PLAIN.get(one, "Any") for one in kind)
    if kind == "array":
        return f"list[{_type(schema.get('items', {}), quoted=quoted)}]"
    if kind == "object":
        more = schema.get("additionalProperties")
        return f"dict[str, {_type(more, quoted=quoted) if isinstance(more, dict) and more else 'Any'}]"
    return _PLAIN.get(str(kind), "Any")


def _method(path: str, method: str, operation: Schema) -> str:
    name = operation["operationId"]
    given = operation.get("parameters", [])
    in_path = [one["name"] for one in given if one["in"] == "path"]
    in_query = [one for one in given if one["in"] == "query"]
    keyed = any(one["name"] == "Idempotency-Key" for one in given)
    media, sent = _body(operation)
    arguments = ["self", *(f"{one}: str | int" for one in in_path)]
    call = [f'"{method.upper()}"', _address(path, in_path)]
    if media == "application/json":
        optional = not operation["requestBody"].get("required")
        arguments.append(f"body: {_type(sent)}{' | None = None' if optional else ''}")
        call.append("json=body")
    named = list(_form_arguments(sent)) if media == "multipart/form-data" else []
    named += [f"{one['name']}: {_type(one.get('schema', {}))} | None = None" for one in in_query]
    named += ["idempotency_key: str | None = None"] if keyed else []
    arguments += ["*", *named] if named else []
    if in_query:
        call.append("query={" + ", ".join(f'"{one["name"]}": {one["name"]}' for one in in_query) + "}")
    if media == "multipart/form-data":
        plain = [field for field, about in sent["properties"].items() if about.get("format") != "binary"]
        call.append("form={" + ", ".join(f'"{field}": {field}' for field in plain) + "}")
        call.append('files={"file": file}')
    call += ["keyed=True", "key=idempotency_key"] if keyed else []
    answer = _answer(operation)
    head = f"    def {name}(\n" + "".join(f"        {one},\n" for one in arguments) + f"    ) -> {answer}:\n"
    told = _docstring(operation.get("description", name), "        ")
    made = "self.call(\n" + "".join(f"            {one},\n" for one in call) + "        )\n"
    if answer == "None":
        return f"\n{head}{told}\n        {made}"
    return f"\n{head}{told}\n        answer: {answer} = {made}        return answer\n"


def _iterator(operation: Schema, schemas: Schema) -> str:
    """For a list that goes on with a cursor: everything in it, page by page."""
    answer = schemas.get(_answer(operation), {})
    names = [one["name"] for one in operation.get("parameters", [])]
    if "cursor" not in names or "next_cursor" not in answer.get("properties", {}):
        return ""
    row = _type(answer["properties"]["data"]["items"])
    name = operation["operationId"]
    in_path = [one["name"] for one in operation["parameters"] if one["in"] == "path"]
    others = [one for one in operation["parameters"] if one["in"] == "query" and one["name"] != "cursor"]
    arguments = ["self", *(f"{one}: str | int" for one in in_path), "*"]
    arguments += [f"{one['name']}: {_type(one.get('schema', {}))} | None = None" for one in others]
    passed = [*in_path, *(f"{one['name']}={one['name']}" for one in others), "cursor=cursor"]
    return (
        f"\n    def iter_{name}(\n"
        + "".join(f"        {one},\n" for one in arguments)
        + f"    ) -> Iterator[{row}]:\n"
        + f'        """Everything that ``{name}`` gives, page by page."""\n'
        + "        cursor: str | None = None\n        while True:\n"
        + f"            page = self.{name}({', '.join(passed)})\n"
        + '            yield from page["data"]\n            cursor = page["next_cursor"]\n'
        + "            if cursor is None:\n                return\n"
    )


def _body(operation: Schema) -> tuple[str, Schema]:
    content: Schema = operation.get("requestBody", {}).get("content", {})
    media = next(iter(content), "")
    return media, _without_null(content[media].get("schema", {})) if media else {}


def _without_null(schema: Schema) -> Schema:
    """A body that may be left out says so by its argument, not by its type."""
    kinds = [one for one in schema.get("anyOf", []) if one.get("type") != "null"]
    return kinds[0] if len(kinds) == 1 else schema


def _form_arguments(sent: Schema) -> Iterator[str]:
    required = set(sent.get("required", []))
    for field, about in sent["properties"].items():
        kind = "tuple[str, IO[bytes] | bytes]" if about.get("format") == "binary" else _type(about)
        yield f"{field}: {kind}" if field in required else f'{field}: {kind} = ""'


def _answer(operation: Schema) -> str:
    for status, answer in operation["responses"].items():
        if int(status) < 400:
            media: Schema = next(iter(answer.get("content", {}).values()), {})
            return _type(media["schema"]) if media.get("schema") else "None"
    return "None"


def _address(path: str, in_path: list[str]) -> str:
    if not in_path:
        return f'"{path}"'
    return 'f"' + re.sub(r"\{(\w+)\}", r"{self.quoted(\1)}", path) + '"'


def _docstring(text: str, indent: str) -> str:
    lines = textwrap.wrap(" ".join(text.split()).replace('"""', "'''"), 110 - len(indent))
    if len(lines) == 1:
        return f'{indent}"""{lines[0]}"""'
    return f'{indent}"""' + f"\n{indent}".join(lines) + f'\n{indent}"""'


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "makegood.config.settings")
    import django  # noqa: PLC0415 - the settings must be named first

    django.setup()
    from makegood.config.api import api  # noqa: PLC0415 - same

    FILE.write_text(client_text(api.get_openapi_schema()))


if __name__ == "__main__":
    main()
