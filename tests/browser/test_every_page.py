"""Every page in both languages, bright on a phone and dark on a desk, for everybody.

Nothing that axe finds by the rules of WCAG 2.2 AA, nothing wider than the screen, nothing focused that is covered,
nothing that moves by itself.
"""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.browser import every_page
from tests.browser.accessible import violations
from tests.browser.shifting import MOST, WATCH, shift_of
from tests.browser.test_browser_journeys import fits

pytestmark = pytest.mark.timeout(400)

# What is focused must be seen (2.4.11): nothing that stays in its place on the screen may lie over it.
COVERED = """() => [...document.querySelectorAll(
  'a[href], button, input:not([type=hidden]), select, textarea, summary')]
.filter(one => one.checkVisibility({ visibilityProperty: true }) && !one.disabled && !one.classList.contains('vh'))
.filter(one => {
  one.focus({ preventScroll: false });
  const box = one.getBoundingClientRect();
  const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
  const top = document.elementFromPoint(x, y);
  if (!top || one.contains(top) || top.contains(one)) return false;
  if (one.labels && [...one.labels].some(label => label.contains(top))) return false;
  for (let cover = top; cover; cover = cover.parentElement)
    if (['fixed', 'sticky'].includes(getComputedStyle(cover).position)) return !cover.contains(one);
  return false;
}).map(one => one.outerHTML.slice(0, 120))"""


# Pages of which every further state is made of the same parts: so many states of each are looked at.
STATES = {"desk:case": 3, "desk:explanation": 1, "portal:explanation": 1}


def one_of_each(all_visits: list[every_page.Visit]) -> list[every_page.Visit]:
    """Every page, and of those that come in many states the first few."""
    seen: dict[str, int] = {}
    kept = []
    for one in all_visits:
        route = next((name for name in STATES if one.name.startswith(f"{name}-")), one.name)
        seen[route] = seen.get(route, 0) + 1
        if seen[route] <= STATES.get(route, 1):
            kept.append(one)
    return kept


@pytest.mark.parametrize(
    ("language", "locale", "width", "scheme"),
    [("zh-hans", "zh-CN", 360, "light"), ("en", "en-GB", 1280, "dark")],
    ids=["zh-360-light", "en-1280-dark"],
)
def test_every_page_is_for_everybody(
    demo_visits: list[every_page.Visit],
    chromium: Browser,
    address: str,
    language: str,
    locale: str,
    width: int,
    scheme: Any,
) -> None:
    wrong: dict[str, list[str]] = {}
    pages = one_of_each(demo_visits)
    for who in dict.fromkeys(one.who for one in pages):
        context = chromium.new_context(
            locale=locale, viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True
        )
        every_page.enter(context, who, address, language=language)
        context.add_init_script(WATCH)
        page = context.new_page()
        for one in pages:
            if one.who != who:
                continue
            page.goto(address + one.path)
            shift = shift_of(page)  # before axe, for which every fold is opened
            found = [f"moves: {shift}"] if shift.worst > MOST else []
            found += violations(page)
            found += [] if fits(page) else ["wider than the screen"]
            found += [f"covered: {html}" for html in page.evaluate(COVERED)]
            if found:
                wrong[one.name] = found
        context.close()

    assert wrong == {}
