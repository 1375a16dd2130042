"""What a page says, without what belongs to somebody: names, titles, letters, code."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html.parser import HTMLParser

_SILENT = {"script", "style", "code", "pre", "kbd", "samp", "svg", "template"}
_VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
_SPOKEN = ("alt", "title", "aria-label", "placeholder", "content-said")
_HAN = re.compile(r"[\u4e00-\u9fff]")
_WORD = re.compile(r"[A-Za-z][A-Za-z'’-]*[A-Za-z]")
# References, addresses, hashes, file names, names of rules, codes of countries and currencies, abbreviations.
_ADDRESS = re.compile(r"https?://\S+|[\w.+-]+@[\w.-]+")
_SIGNS = re.compile(
    r"\{\w+\}|\b[A-Z]{1,2}-[A-Z2-9]{8}\b|\b[a-z]+(?:-[a-z0-9]+)+\b|\b[A-Z]{2,4}\b|https?://\S+|\S+@\S+|[\w.-]*\w/[\w./{}-]+|\b\w*\d[\w.:-]*\b|\b[\w-]+\.(?:png|jpe?g|heic|pdf|csv|json|mp4|md)\b|\b\w+_\w+\b"
)


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.language = ""
        self.found: list[str] = []
        self._open: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "html":
            self.language = given.get("lang", "")
        classes = given.get("class", "").split()
        foreign = bool(given.get("lang")) and given["lang"] != self.language
        silent = self._silent or tag in _SILENT or foreign or "mono" in classes
        if not silent:
            self.found += [given[name] for name in _SPOKEN if given.get(name)]
            if tag == "input" and given.get("type") in {"submit", "button"}:
                self.found.append(given.get("value", ""))
        if tag not in _VOID:
            self._open.append((tag, silent))

    def handle_endtag(self, tag: str) -> None:
        for index in range(len(self._open) - 1, -1, -1):
            if self._open[index][0] == tag:
                del self._open[index:]
                return

    def handle_data(self, data: str) -> None:
        if not self._silent and data.strip():
            self.found.append(data.strip())

    @property
    def _silent(self) -> bool:
        return bool(self._open) and self._open[-1][1]


def foreign_words(html: str, *, own: Iterable[str], allowed: frozenset[str]) -> list[str]:
    """Words in the language that the page is not in. ``own`` are texts of people and goods, ``allowed`` names."""
    page = _Page()
    page.feed(html)
    # Addresses are taken out of what is said, so out of these texts as well, which else would not be found in it.
    texts = {text for one in own for text in (one.strip(), _ADDRESS.sub(" ", one).strip())}
    data = sorted((one for one in texts if len(one) > 1), key=len, reverse=True)
    wrong: list[str] = []
    for said in page.found:
        text = _ADDRESS.sub(" ", said)
        for one in data:
            if one in text:
                text = text.replace(one, " ")
        if page.language == "en":
            if _HAN.search(text):
                wrong.append(said[:80])
            continue
        left = [word for word in _WORD.findall(_SIGNS.sub(" ", text)) if word not in allowed]
        if left:
            wrong.append(f"{said[:80]} → {left[:6]}")
    return list(dict.fromkeys(wrong))
