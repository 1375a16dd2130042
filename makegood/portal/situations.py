"""What people come with, in their words; each is a kind of case and the positions of goods it is about."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from makegood.cases.askable import AskableLine
from makegood.cases.states import Kind


@dataclass(frozen=True, slots=True)
class Situation:
    """``places`` are where goods are in this situation; empty where goods do not matter."""

    slug: str
    kind: str
    title: str | Promise
    words: str | Promise
    places: frozenset[str] = frozenset()
    whole_order: bool = False  # lines need not be named
    elsewhere: str | Promise = ""  # why a line is not offered: its goods are not where this situation needs them


SITUATIONS: tuple[Situation, ...] = (
    Situation(
        "cancel",
        Kind.CANCELLATION,
        _("I want to cancel"),
        _("Not shipped yet, or still on its way: all of it or a part."),
        frozenset({"not_shipped", "in_transit"}),
        elsewhere=_("Already delivered or gone: it can be returned instead of cancelled."),
    ),
    Situation(
        "change",
        Kind.CHANGE,
        _("I want to change the order"),
        _("Another address, another item or another way of payment, before it is sent."),
        frozenset({"not_shipped"}),
        elsewhere=_("Already on its way or gone: it can no longer be changed."),
    ),
    Situation(
        "refused",
        Kind.REFUSAL,
        _("I refused the parcel"),
        _("At the door, at the pick-up point, or I will not accept it."),
        frozenset({"in_transit", "at_door", "returning"}),
        elsewhere=_("Not with the carrier: only a parcel on its way can be refused."),
    ),
    Situation(
        "return",
        Kind.RETURN,
        _("I want to send something back"),
        _("And get my money back."),
        frozenset({"with_customer"}),
        elsewhere=_("Not delivered yet: only what has arrived can be sent back."),
    ),
    Situation(
        "exchange",
        Kind.EXCHANGE,
        _("I want another size or item"),
        _("Swap what I received for something else."),
        frozenset({"with_customer"}),
        elsewhere=_("Not delivered yet: only what has arrived can be exchanged."),
    ),
    Situation(
        "problem",
        Kind.CLAIM,
        _("It never came, is broken or wrong"),
        _("Missing, damaged, wrong, incomplete, fake, late, or the refund has not come."),
        frozenset({"in_transit", "at_door", "with_customer", "returning", "back", "lost"}),
        whole_order=True,
        elsewhere=_("Not shipped yet: it can still be cancelled."),
    ),
    Situation(
        "service",
        Kind.COMPLAINT,
        _("I was treated badly"),
        _("Slow, rude, wrong information, a broken promise."),
        whole_order=True,
    ),
    Situation(
        "idea",
        Kind.SUGGESTION,
        _("I have an idea"),
        _("What we should make, change or stop."),
        whole_order=True,
    ),
)
BY_SLUG = {situation.slug: situation for situation in SITUATIONS}


@dataclass(frozen=True, slots=True)
class Door:
    """One row of the start page. ``leads`` is ``find`` (with what for) or ``estimate``."""

    slug: str
    title: str | Promise
    words: str | Promise
    leads: str = "find"


@dataclass(frozen=True, slots=True)
class Room:
    """Doors under one heading; ``sign`` names its picture."""

    sign: str
    title: str | Promise
    doors: tuple[Door, ...]


APPEAL = "appeal"  # not a situation: an appeal belongs to a request that there is


def _doors(*slugs: str) -> tuple[Door, ...]:
    return tuple(Door(slug, BY_SLUG[slug].title, BY_SLUG[slug].words) for slug in slugs)


ROOMS: tuple[Room, ...] = (
    Room("way", _("It has not reached me yet"), _doors("cancel", "change", "refused")),
    Room("box", _("It has come, or should have"), _doors("return", "exchange", "problem")),
    Room(
        "scales",
        _("I have asked already"),
        (
            Door("", _("Where does it stand?"), _("Who must act by when; add words, pictures or a parcel number.")),
            Door(APPEAL, _("I disagree with a decision"), _("Somebody who did not decide before looks at it again.")),
        ),
    ),
    Room(
        "lamp",
        _("Something else"),
        (
            Door("owed", _("How much am I owed?"), _("Work it out by the rules, without signing in."), "estimate"),
            *_doors("service", "idea"),
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class LineChoice:
    """A line in a situation: how many units can be named, or why none."""

    askable: AskableLine
    units: int
    why_not: str | Promise

    @property
    def range(self) -> range:
        """What the form offers: none up to all."""
        return range(self.units + 1)


def lines_in(situation: Situation, lines: tuple[AskableLine, ...]) -> tuple[LineChoice, ...]:
    """Which lines can be named. The command decides in the end; this only keeps people from asking in vain."""
    choices = []
    for askable in lines:
        here = sum(units for place, units in askable.places.items() if place in situation.places)
        units = min(askable.left, here) if situation.places else askable.left
        if units:
            choices.append(LineChoice(askable, units, ""))
        elif not askable.left:
            why = _("Already settled.") if askable.made_good else _("Already in a request.")
            choices.append(LineChoice(askable, 0, why))
        else:
            choices.append(LineChoice(askable, 0, situation.elsewhere))
    return tuple(choices)


def is_open(situation: Situation, lines: tuple[AskableLine, ...]) -> bool:
    """Whether anything of the order can be named in this situation."""
    return not situation.places or any(choice.units for choice in lines_in(situation, lines))
