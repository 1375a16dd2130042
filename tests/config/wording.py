"""Finds every sentence the product says: in errors, in Python code, in templates."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

from django.utils.translation.template import templatize

import makegood
from makegood.kit import errors

ROOT = Path(makegood.__file__).parent
_CALLS = {"_", "gettext", "gettext_lazy", "gettext_noop", "ngettext", "ngettext_lazy", "pgettext", "pgettext_lazy"}
_LITERAL = r"""u?("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""
_IN_TEMPLATE = re.compile(rf"(?<!\w)(?:_|gettext|ngettext)\(\s*{_LITERAL}(?:\s*,\s*{_LITERAL})?", re.DOTALL)


def import_everything() -> None:
    """Load every module of the package, so that every error class is known."""
    for module in pkgutil.walk_packages([str(ROOT)], "makegood."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)


def error_sentences() -> Iterator[tuple[str, str]]:
    """(module, msgid) of every error."""
    import_everything()
    for kind in errors.all_errors():
        if kind.__module__.startswith("makegood."):
            yield kind.__module__.split(".")[1], kind.message


def python_sentences() -> Iterator[tuple[str, str]]:
    """(module, msgid) of every gettext call with a literal."""
    for path in ROOT.rglob("*.py"):
        module = path.relative_to(ROOT).parts[0]
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            if name not in _CALLS:
                continue
            wanted = node.args[1:2] if name.startswith("pgettext") else node.args[: 2 if name.startswith("n") else 1]
            for argument in wanted:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    yield module, argument.value


def template_sentences() -> Iterator[tuple[str, str]]:
    """(module, msgid) of every translated piece of a template."""
    for path in [*ROOT.rglob("*.html"), *ROOT.rglob("*.txt")]:
        module = path.relative_to(ROOT).parts[0]
        for found in _IN_TEMPLATE.finditer(templatize(path.read_text())):
            for literal in found.groups():
                if literal:
                    yield module, ast.literal_eval(literal)


def sentences() -> dict[str, str]:
    """Every msgid, with the module that says it first."""
    found: dict[str, str] = {}
    for module, sentence in [*error_sentences(), *python_sentences(), *template_sentences()]:
        if sentence:
            found.setdefault(sentence, module)
    return found
