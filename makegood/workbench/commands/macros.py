"""Macros: named steps, kept for oneself or for everybody."""

from __future__ import annotations

from collections.abc import Mapping

from makegood.accounts.actors import Actor, require
from makegood.accounts.states import May
from makegood.kit import db, errors
from makegood.workbench.macros import read_steps
from makegood.workbench.models import Macro


class MacroUnknown(errors.Unknown):
    code = "macro_unknown"
    message = "There is no macro {value} of yours."


class MacroNameTaken(errors.Refused):
    code = "macro_name_taken"
    message = "A macro is called {value} already."


@db.command
def keep_macro(
    *, name: str, steps: Mapping[str, str], then: str, shared: bool, actor: Actor, macro_id: int | None = None
) -> Macro:
    """Make a macro, or change one. Shared ones are tended by who may approve budgets: managers and owners.

    Raises NotAllowed, MacroMalformed, MacroUnknown, MacroNameTaken.
    """
    require(actor, May.GOODWILL if shared else May.HANDLE)
    name, read = read_steps(name, steps, then)
    owner = None if shared else actor.id
    macro = _own(macro_id, actor) if macro_id else Macro()
    others = Macro.objects.filter(name=name).exclude(id=macro.id or 0)
    if (others.filter(staff__isnull=True) if owner is None else others.filter(staff_id=owner)).exists():
        raise MacroNameTaken(name, field="name", rule="once")
    macro.name, macro.steps, macro.then, macro.staff_id = name, read, then, owner
    macro.save()
    return macro


@db.command
def drop_macro(*, macro_id: int, actor: Actor) -> None:
    """Raises NotAllowed, MacroUnknown."""
    _own(macro_id, actor).delete()


def _own(macro_id: int, actor: Actor) -> Macro:
    found = Macro.objects.select_for_update().filter(id=macro_id).first()
    if found is None or found.staff_id not in {None, actor.id}:
        raise MacroUnknown(macro_id, field="macro", rule="own_or_shared")
    if found.staff_id is None:
        require(actor, May.GOODWILL)
    return found
