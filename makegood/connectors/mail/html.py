"""HTML of mails: made safe to show, and as plain text."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser

import nh3

LONGEST = 400_000  # characters; what is longer is cut, and whole in the original
TAGS = {
    "a", "abbr", "b", "blockquote", "br", "caption", "center", "code", "col", "colgroup", "dd", "del", "div", "dl",
    "dt", "em", "font", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "ins", "li", "ol", "p", "pre", "q", "s", "small",
    "span", "strike", "strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "tt", "u", "ul",
}  # fmt: skip
DROPPED = {"script", "style", "title", "head", "noscript", "template", "svg", "math", "iframe", "object", "textarea"}
BREAKS = {"p", "div", "tr", "table", "ul", "ol", "dl", "dd", "dt", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "section"}
_CID = re.compile(r"""<img\b[^<>]{0,300}?\bsrc\s*=\s*["']?cid:([^"'\s>]{1,200})[^<>]{0,1000}>""", re.IGNORECASE)
DEEPEST_QUOTE = 8
DEEPEST = 1000
# Elements that end by themselves, which mail programs leave open by the thousand.
SELF_CLOSING = {
    "area", "base", "br", "col", "dd", "dt", "hr", "img", "input", "li", "link", "meta", "option", "p", "source", "td",
    "th", "tr", "wbr", "o", "v", "w",
}  # fmt: skip
_OPEN_OR_CLOSE = re.compile(r"<(/?)([A-Za-z]+)")
_TAG = re.compile(r"<[^<>]{0,2000}>|<")


def is_too_deep(html: str) -> bool:
    """Whether elements lie in one another deeper than any honest mail has them: that takes quadratic time to read."""
    depth = 0
    for found in _OPEN_OR_CLOSE.finditer(html[:LONGEST]):
        if found[2].lower() not in SELF_CLOSING:
            depth += -1 if found[1] else 1
            depth = max(depth, 0)
        if depth > DEEPEST:
            return True
    return False


def make_safe(html: str) -> str:
    """What may be shown inside our own page: no scripts, styles, forms or ids, nothing that loads from elsewhere.

    Pictures are not shown by the HTML at all; those sent along stand as ``[name]`` in their place.
    """
    if is_too_deep(html):
        return ""
    named = _CID.sub(lambda found: f"[{found[1].split('@')[0]}]", html[:LONGEST])
    return nh3.clean(
        named,
        tags=TAGS,
        clean_content_tags=DROPPED,
        attributes={"a": {"href"}, "td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan"}},
        url_schemes={"http", "https", "mailto", "tel"},
        link_rel="noopener noreferrer nofollow",
        set_tag_attribute_values={"a": {"target": "_blank"}},
        strip_comments=True,
    )


class _Words(HTMLParser):
    """Collects text with line breaks where a reader sees them; quotations get ``> `` before each line."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.lines: list[str] = [""]
        self.skipping = self.quotes = 0
        self.as_is = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in DROPPED:
            self.skipping += 1
        elif tag == "br":
            self.lines.append("")
        elif tag == "blockquote":
            self._break()
            self.quotes = min(DEEPEST_QUOTE, self.quotes + 1)
        elif tag == "hr":
            self._break()
            self._say("-" * 8)
            self.lines.append("")
        elif tag == "li":
            self._break()
            self._say("- ")
        elif tag in {"td", "th"}:
            if self.lines[-1].strip(" >"):
                self._say(" ")
        elif tag in BREAKS:
            self._break()
            self.as_is += tag == "pre"

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in DROPPED:
            self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag in DROPPED:
            self.skipping = max(0, self.skipping - 1)
        elif tag == "blockquote":
            self._break()
            self.quotes = max(0, self.quotes - 1)
        elif tag in BREAKS:
            self._break()
            if tag == "pre":
                self.as_is = max(0, self.as_is - 1)
            if tag in {"p", "table", "ul", "ol"} and self.lines[-2:] != ["", ""]:
                self.lines.append("")

    def handle_data(self, data: str) -> None:
        if self.skipping:
            return
        if self.as_is:
            for n, line in enumerate(data.split("\n")):
                if n:
                    self.lines.append("")
                self._say(line)
            return
        words = re.sub(r"[ \t\r\n\f\xa0]+", " ", data)
        if words == " " and not self.lines[-1]:
            return
        self._say(words)

    def _say(self, words: str) -> None:
        if not self.lines[-1]:
            self.lines[-1] = "> " * self.quotes
            words = words if self.as_is else words.lstrip(" ")
        self.lines[-1] += words

    def _break(self) -> None:
        if self.lines[-1]:
            self.lines.append("")


def as_text(html: str) -> str:
    """The words of a page, one line a line."""
    if is_too_deep(html):
        return unescape(_TAG.sub(" ", html[:LONGEST])).strip()
    reader = _Words()
    # Made safe first, which is quick whatever it holds: on broken markup the standard parser takes quadratic time.
    reader.feed(make_safe(html))
    reader.close()
    text = "\n".join(line.rstrip() for line in reader.lines)
    return re.sub(r"\n{3,}", "\n\n", text).strip()
