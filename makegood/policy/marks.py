"""YAML read strictly, with the line of every value: so that an error can say where it is."""

from __future__ import annotations

import re
from typing import Any

import yaml

from makegood.kit import errors

Path = tuple[str | int, ...]
BOOL = "tag:yaml.org,2002:bool"


class _Loader(yaml.SafeLoader):
    """Only ``true`` and ``false`` are truth values: ``NO`` is Norway, and ``on`` a word."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's own way
        first: [(tag, pattern) for tag, pattern in resolvers if tag != BOOL]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


_Loader.add_implicit_resolver(BOOL, re.compile(r"^(?:true|false)$"), ["t", "f"])


class PackMalformed(errors.Malformed):
    code = "pack_malformed"
    message = "{field}: rule {in_rule}: {cell}: {problem}"


def pack_malformed(file: str, line: int, *, rule: str = "", cell: str = "", problem: str) -> PackMalformed:
    """The one error of pack files: names file, line, rule and cell."""
    return PackMalformed(
        problem, field=f"{file}:{line}", rule="pack", in_rule=rule or "-", cell=cell or "-", problem=problem
    )


class Source:
    """Data with the place each part of it came from."""

    file: str
    data: Any

    def line_of(self, path: Path) -> int:
        return 1


class Data(Source):
    """Data that was never a file with lines: a draft, or a pack changed in memory."""

    def __init__(self, data: dict[str, Any], file: str) -> None:
        self.data, self.file = data, file


class MarkedYaml(Source):
    """A parsed file: ``data`` is plain, ``line_of(path)`` the line of the value there or of the nearest thing above.

    Refused: keys named twice, keys that are not texts, aliases, more than one document.
    """

    def __init__(self, text: str, file: str) -> None:
        self.file = file
        self.data: Any = None
        self.seen: set[int] = set()
        self.lines: dict[Path, int] = {}
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            if node is not None:
                self.data = self._plain(loader, node, ())
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line = mark.line + 1 if mark else 1
            raise pack_malformed(file, line, problem=str(error.problem or error.context)) from None
        except (yaml.YAMLError, ValueError) as error:
            raise pack_malformed(file, 1, problem=str(error)[:200]) from None
        finally:
            loader.dispose()

    def line_of(self, path: Path) -> int:
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def _plain(self, loader: yaml.SafeLoader, node: yaml.Node, path: Path, line: int = 0) -> Any:
        self.lines[path] = line or node.start_mark.line + 1
        if id(node) in self.seen:  # an alias: a few lines of them could grow without bound
            raise pack_malformed(self.file, self.lines[path], problem="an alias (*) is not allowed: write it out")
        self.seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            return self._mapping(loader, node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self._plain(loader, item, (*path, i)) for i, item in enumerate(node.value)]
        return loader.construct_object(node, deep=True)

    def _mapping(self, loader: yaml.SafeLoader, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = loader.construct_object(key_node, deep=True)
            line = key_node.start_mark.line + 1
            if not isinstance(key, str):
                raise pack_malformed(self.file, line, problem=f"the key {key!r} is not a text: quote it")
            if key in found:
                raise pack_malformed(self.file, line, cell=key, problem="is written twice")
            found[key] = self._plain(loader, value_node, (*path, key), line)
        return found
