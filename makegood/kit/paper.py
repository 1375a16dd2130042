"""Papers: data set in type by a template, as a tagged PDF with Chinese glyphs, by fonts at hand; nothing is fetched."""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from makegood.kit import errors

# Where fonts are looked for after the setting: the installed package, then Debian's fonts-noto-cjk and fonts-wqy-*.
PACKAGE = "pylopdf_fonts_zh_cn"
SYSTEM = ("/usr/share/fonts/opentype/noto", "/usr/share/fonts/truetype/wqy", "/usr/share/fonts/noto-cjk")
SANS = ("Noto Sans SC", "Noto Sans CJK SC", "Source Han Sans SC", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei")
SERIF = ("Noto Serif SC", "Noto Serif CJK SC", "Source Han Serif SC")


class PaperUnavailable(errors.Refused):
    code = "paper_unavailable"
    message = "No PDF can be made here: no font with Chinese characters was found. Print the page instead."


def is_available() -> bool:
    """Whether a font with Chinese characters is at hand."""
    return _families() is not None


def typeset(template: str, data: Mapping[str, Any], *, at: datetime) -> bytes:
    """The PDF (PDF/UA-1) of a Typst template; ``data`` reaches it as ``sys.inputs.data``, as text and never as markup.

    ``at`` is the date in the file, so that the same data always gives the same bytes. Raises PaperUnavailable.
    """
    made = _compiler(template, data).compile(format="pdf", pdf_standards=["ua-1"], timestamp=at.replace(microsecond=0))
    if not isinstance(made, bytes):
        raise TypeError("one document is one PDF")
    return made


def picture(template: str, data: Mapping[str, Any]) -> bytes:
    """The one page of a Typst template as PNG at 144 dots an inch. Raises PaperUnavailable."""
    made = _compiler(template, data).compile(format="png", ppi=144.0)
    if not isinstance(made, bytes):
        raise TypeError("one page is one picture")
    return made


def _compiler(template: str, data: Mapping[str, Any]) -> Any:
    import typst  # noqa: PLC0415 - loaded only where a paper is made

    families = _families()
    if families is None:
        raise PaperUnavailable(field="fonts", rule="a font with Chinese characters")
    sans, serif = families
    inputs = {"data": json.dumps({**data, "sans": sans, "serif": serif}, ensure_ascii=False)}
    return typst.Compiler(template.encode(), font_paths=_fonts(), ignore_system_fonts=True, sys_inputs=inputs)


@cache
def _fonts() -> Any:
    import typst  # noqa: PLC0415 - same

    return typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(one) for one in _folders()]
    )


def _folders() -> list[Path]:
    found = [Path(text) for text in os.environ.get("MAKEGOOD_FONTS", "").split(os.pathsep) if text]
    spec = importlib.util.find_spec(PACKAGE)
    if spec is not None and spec.origin:
        found.append(Path(spec.origin).parent)
    return [folder for folder in [*found, *map(Path, SYSTEM)] if folder.is_dir()]


@cache
def _families() -> tuple[str, str] | None:
    """Names of a sans and a serif family with Chinese characters; the sans stands in where there is no serif."""
    known = set(_fonts().families())
    sans = next((name for name in SANS if name in known), None)
    return None if sans is None else (sans, next((name for name in SERIF if name in known), sans))
