"""The files of the project as it keeps them, whether or not it was cloned with Git."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_OURS = ("makegood", "policies", "docs", "tests", "bench")
_NAMES = ("*.md", "*.py", "*.toml", "*.yaml", "*.yml", "*.lock", "*.sql", "*.html", "*.css", "*.js", "*.po", "Makefile")


@cache
def tracked() -> list[Path]:
    """Text files of ours: those Git keeps or would keep, else what lies in the folders of the house."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT, capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
        found = [ROOT / name for name in listed.split("\0") if name]
    except (OSError, subprocess.CalledProcessError):
        found = [*ROOT.glob("*"), *(path for folder in _OURS for path in (ROOT / folder).rglob("*"))]
    return sorted(path for path in found if path.is_file() and any(path.match(name) for name in _NAMES))


def python_files() -> list[Path]:
    return [path for path in tracked() if path.suffix == ".py" and "migrations" not in path.parts]


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()
