"""A screen 1,920 pixels wide: no line too long to be read, no page that is a strip in a desert."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from tests.browser import every_page
from tests.browser.live import visitor

pytestmark = pytest.mark.timeout(180)

MOST = 110  # letters a line, a Chinese one counted twice: more is not read with ease
LEAST = 0.3  # of the screen's width, from the leftmost to the rightmost thing that can be seen
PAGES = ("portal:start", "portal:order", "portal:case", "estimate", "desk:queue", "desk:case", "desk:overview",
         "desk:policies", "desk:promises", "desk:staff", "desk:audit")  # fmt: skip

LINES = """most => [...document.querySelectorAll('main p, main blockquote, main dd, main .alert')]
.filter(one => one.checkVisibility() && one.innerText.trim() && !one.querySelector('p, li, table, input'))
.map(one => {
  const text = one.innerText.trim();
  const each = parseFloat(getComputedStyle(one).lineHeight);
  const lines = Math.max(1, Math.round(one.getBoundingClientRect().height / each));
  const wide = [...text].filter(letter => letter.charCodeAt(0) > 0x2e80).length;
  return [text, (text.length - wide + 2 * wide) / lines, lines];
})
.filter(([, each, lines]) => lines > 1 && each > most)
.map(([text, each]) => `${Math.round(each)} a line: ${text.slice(0, 60)}`)"""

SPREAD = """() => {
  const boxes = [...document.querySelectorAll('main *')].filter(one => one.checkVisibility())
    .map(one => one.getBoundingClientRect()).filter(box => box.width > 1 && box.height > 1);
  return (Math.max(...boxes.map(box => box.right)) - Math.min(...boxes.map(box => box.left))) / window.innerWidth;
}"""


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_wide_screen_is_used_and_lines_stay_readable(
    demo_visits: list[every_page.Visit], chromium: Browser, address: str, language: str
) -> None:
    wrong: dict[str, list[str]] = {}
    seen: set[str] = set()
    for one in demo_visits:
        route = next((name for name in PAGES if one.name == name or one.name.startswith(f"{name}-")), "")
        if not route or route in seen:
            continue
        seen.add(route)
        with visitor(chromium, language=language, width=1920) as context:
            every_page.enter(context, one.who, address, language=language)
            page = context.new_page()
            page.goto(address + one.path)
            found = list(page.evaluate(LINES, MOST))
            spread = page.evaluate(SPREAD)
            found += [f"only {spread:.0%} of the width"] if spread < LEAST else []
            if found:
                wrong[route] = found

    assert wrong == {}
    assert seen == set(PAGES)
