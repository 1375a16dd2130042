"""What moves on a page by itself while it loads: Chromium's layout shifts, summed as the web measures them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

MOST = 0.05
SETTLED_MS = 400  # after the page has loaded: what scripts still bring comes by then

# Shifts with less than a second between them, within five seconds, count together; the worst such window is told.
WATCH = """
window.__shift = { worst: 0, from: [] };
let sum = 0, began = 0, last = 0, from = [];
new PerformanceObserver(list => {
  for (const one of list.getEntries()) {
    if (one.hadRecentInput) continue;
    if (one.startTime - last > 1000 || one.startTime - began > 5000) { sum = 0; began = one.startTime; from = []; }
    last = one.startTime;
    sum += one.value;
    from.push(...one.sources.map(s => s.node && s.node.nodeType === 1
      ? s.node.outerHTML.slice(0, 90) : String(s.node && s.node.textContent).slice(0, 60)));
    if (sum > window.__shift.worst) window.__shift = { worst: sum, from: from.slice() };
  }
}).observe({ type: 'layout-shift', buffered: true });
"""


@dataclass(frozen=True, slots=True)
class Shift:
    """``worst`` is the cumulative layout shift of a page; ``moved`` the elements that moved."""

    worst: float
    moved: tuple[str, ...]


def shift_of(page: Any) -> Shift:
    """What moved until now; the page's context was given ``WATCH`` as its first script."""
    found = page.evaluate("() => window.__shift")
    return Shift(round(found["worst"], 4), tuple(found["from"]))


def slowed(context: Any, page: Any) -> None:
    """As over a telephone: each file comes 80 ms later at 1.5 MB a second, and none is kept."""
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    session.send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": 80, "downloadThroughput": 1_500_000, "uploadThroughput": 500_000},
    )


def look(opened: Any, pages: list[Any], address: str, *, language: str, width: int) -> Iterator[tuple[str, Shift]]:
    """Each of these pages as over a telephone, by whoever may see it."""
    from tests.browser import every_page  # noqa: PLC0415 - its modules need the settings
    from tests.browser.live import visitor  # noqa: PLC0415 - same

    for who in dict.fromkeys(one.who for one in pages):
        with visitor(opened, language=language, width=width) as context:
            every_page.enter(context, who, address, language=language)
            context.add_init_script(WATCH)
            page = context.new_page()
            slowed(context, page)
            for one in (one for one in pages if one.who == who):
                page.goto(address + one.path)
                page.wait_for_timeout(SETTLED_MS)
                yield one.name, shift_of(page)


def main() -> None:
    """Print what moves: ``python -m tests.browser.shifting [zh-360]``."""
    from tests.browser.screenshots import demo_site  # noqa: PLC0415 - sets the settings up

    with demo_site() as address:
        from tests.browser import every_page  # noqa: PLC0415 - its modules need the settings
        from tests.browser.live import browser  # noqa: PLC0415 - same

        every_page.load()
        pages = every_page.visits()
        with browser() as opened:
            for language in ("zh", "en"):
                for width in (360, 1280):
                    name = f"{language}-{width}"
                    if sys.argv[1:2] not in ([], [name]):
                        continue
                    for page, found in look(opened, pages, address, language=language, width=width):
                        sys.stdout.write(f"{name} {page} {found.worst} {' | '.join(found.moved)}\n")
                        sys.stdout.flush()


if __name__ == "__main__":
    main()
