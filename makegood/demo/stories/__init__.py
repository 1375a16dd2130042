"""What happened at Dusk & Dawn Home in the last weeks: one generator a story, each step at its own moment."""

from __future__ import annotations

from makegood.demo.stage import Telling
from makegood.demo.stories import before_delivery, claims, returns, selling, voices

STORIES: tuple[Telling, ...] = (
    *before_delivery.STORIES,
    *returns.STORIES,
    *claims.STORIES,
    *voices.STORIES,
    *selling.STORIES,
)
