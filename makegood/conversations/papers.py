"""A plain letter as simple HTML beside its text: paragraphs, lists and links, nothing fetched from anywhere. Pure."""

from __future__ import annotations

import re
from html import escape

_LINK = re.compile(r"https?://[^\s<>\"]+[^\s<>\".,;:!?)）。，；：]")
_SHELL = (
    '<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark"></head>'
    "<body style=\"margin:0;padding:24px 16px;font:16px/1.65 system-ui,'PingFang SC','Microsoft YaHei',sans-serif\">"
    '<div style="max-width:600px;margin:0 auto">{parts}</div></body></html>'
)


def as_html(text: str, *, language: str) -> str:
    """The same words. ``language`` as cases have it: zh-hans, en."""
    parts = "".join(_part(part) for part in re.split(r"\n\s*\n", text.strip()) if part.strip())
    return _SHELL.format(language="zh-Hans" if language.lower().startswith("zh") else "en", parts=parts)


def _part(text: str) -> str:
    lines = text.split("\n")
    said = [line for line in lines if not line.startswith("- ")]
    listed = [line[2:] for line in lines if line.startswith("- ")]
    # Only a list that stands at the end of its part is one: lines are never put in another order.
    if not listed or lines[len(said) :] != [f"- {one}" for one in listed]:
        return f"<p>{'<br>'.join(map(_line, lines))}</p>"
    head = f"<p>{'<br>'.join(map(_line, said))}</p>" if said else ""
    return head + f"<ul>{''.join(f'<li>{_line(one)}</li>' for one in listed)}</ul>"


def _line(text: str) -> str:
    found, last = [], 0
    for link in _LINK.finditer(text):
        address = escape(link[0])
        found += [escape(text[last : link.start()]), f'<a href="{address}" style="color:#0d5a51">{address}</a>']
        last = link.end()
    return "".join([*found, escape(text[last:])])
